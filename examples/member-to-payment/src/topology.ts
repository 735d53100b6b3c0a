/** Where the services, and the gateway outside, listen under `npm start`. */
import type { ProcessName } from "./settings.ts";

export const PORTS: Readonly<Record<ProcessName, number>> = {
  member: 4101,
  "member-point": 4102,
  product: 4103,
  coupon: 4104,
  order: 4105,
  payment: 4106,
  gateway: 4107,
};

export function urlOf(name: ProcessName): string {
  return `http://127.0.0.1:${PORTS[name]}`;
}
