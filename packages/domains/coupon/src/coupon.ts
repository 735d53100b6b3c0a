/**
 * A coupon's life: ISSUED → USED by one saga, and back to ISSUED by the same saga. Pure. Its terms are a copy made at issue; no policy is
 * asked afterwards.
 */
import type { Money, RejectionOf } from "@backstep/contract";
import { err, ok, type Result } from "neverthrow";
import type { Coupon, couponContract, Policy } from "./contract.ts";
import { discountMinorOf } from "./discount.ts";

export interface Use {
  readonly memberId: string;
  readonly orderTotal: Money;
  readonly sagaId: string;
  readonly now: number;
}

export type UseRejection = RejectionOf<(typeof couponContract)["operations"]["useCoupon"]>;

export type UsedCoupon = Coupon & { readonly state: Extract<Coupon["state"], { readonly _tag: "USED" }> };

export function issue({ policyId, version, terms }: Policy, couponId: string, memberId: string): Coupon {
  return { couponId, memberId, policyId, policyVersion: version, terms, state: { _tag: "ISSUED" } };
}

export function use(coupon: Coupon, { memberId, orderTotal, sagaId, now }: Use): Result<UsedCoupon, UseRejection> {
  return usable(coupon, memberId, orderTotal, now).map(({ terms }) => {
    const discountMinor = discountMinorOf(terms, orderTotal.amountMinor);
    return { ...coupon, state: { _tag: "USED", sagaId, usedAt: now, discountMinor } };
  });
}

/** Asked in this order, so that a stranger learns nothing but that the coupon is not theirs. */
function usable(coupon: Coupon, memberId: string, orderTotal: Money, now: number): Result<Coupon, UseRejection> {
  const { couponId, terms, state } = coupon;
  if (coupon.memberId !== memberId) return err({ _tag: "CouponNotOwned", couponId });
  if (state._tag === "USED") return err({ _tag: "CouponAlreadyUsed", couponId });
  if (now < terms.validFrom) return err({ _tag: "CouponNotYetValid", couponId, validFrom: terms.validFrom });
  if (now >= terms.validUntil) return err({ _tag: "CouponExpired", couponId, validUntil: terms.validUntil });
  if (orderTotal.currency !== terms.currency) return err({ _tag: "CouponOfOtherCurrency", couponId, currency: terms.currency });
  if (orderTotal.amountMinor < terms.minimumOrderMinor) {
    const minimum = { amountMinor: terms.minimumOrderMinor, currency: terms.currency };
    return err({ _tag: "CouponBelowMinimum", couponId, minimum, orderTotal });
  }
  return ok(coupon);
}

/** A coupon that another saga uses, or none, stays as it is: it is not this saga's to give back. */
export function restore(coupon: Coupon, sagaId: string): Coupon {
  const held = coupon.state._tag === "USED" && coupon.state.sagaId === sagaId;
  return held ? { ...coupon, state: { _tag: "ISSUED" } } : coupon;
}
