/** The door: the order service, for whoever hosts it. Clients need only `@backstep/order/contract`. */
export { type Order, type OrderState, orderContract } from "./contract.ts";
export { createOrderService, type OrderService } from "./service.ts";
