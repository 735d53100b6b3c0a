/** Where the services listen under `npm start`. */
import type { ServiceName } from "./settings.ts";

export const PORTS: Readonly<Record<ServiceName, number>> = {
  member: 4101,
  "member-point": 4102,
  product: 4103,
  coupon: 4104,
  order: 4105,
  payment: 4106,
};

export function urlOf(name: ServiceName): string {
  return `http://127.0.0.1:${PORTS[name]}`;
}
