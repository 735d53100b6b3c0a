/** The door: the member-point service and what it does on events, for whoever hosts it. Clients need only `@backstep/member-point/contract`. */
export { type Entry, type Lot, memberPointContract, type Statement } from "./contract.ts";
export { accrueForPayment } from "./payment-completed.ts";
export { createMemberPointService, type MemberPointService } from "./service.ts";
