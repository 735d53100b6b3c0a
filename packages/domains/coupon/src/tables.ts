/** Where policies and coupons are stored: as the contract shows them. */
import type { Table } from "@backstep/participant";
import { type Coupon, coupon, type Policy, policy } from "./contract.ts";

export const policyTable: Table<Policy> = {
  name: "coupon_policies",
  key: ({ policyId }) => policyId,
  decode: (document) => policy.parse(document),
};

export const couponTable: Table<Coupon> = {
  name: "coupons",
  key: ({ couponId }) => couponId,
  decode: (document) => coupon.parse(document),
  indexes: ["memberId"],
};
