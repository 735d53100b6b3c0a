/** The door: the coupon service, for whoever hosts it. Clients need only `@backstep/coupon/contract`. */
export { type Coupon, couponContract, type Policy, type Terms } from "./contract.ts";
export { type CouponService, createCouponService } from "./service.ts";
