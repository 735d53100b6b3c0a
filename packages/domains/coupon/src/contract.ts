/** What the coupon domain offers: policies, coupons issued from them, and their use for one payment. */
import { amountMinor, command, contract, currency, epochMs, id, money, query, rejection, undo } from "@backstep/contract";
import { z } from "zod";

/** 1 to 10,000 hundredths of a percent: 10,000 is everything. What comes of it is rounded down to a whole minor unit. */
const basisPoints = z.int().min(1).max(10_000);

const discount = z.discriminatedUnion("_tag", [
  z.strictObject({ _tag: z.literal("Fixed"), amountMinor }),
  z.strictObject({ _tag: z.literal("Percentage"), basisPoints }),
]);

/** All amounts of one coupon are in one currency. */
export const terms = z
  .strictObject({
    currency,
    discount,
    /** The order's total from which on the coupon may be used. */
    minimumOrderMinor: amountMinor,
    /** The most that is ever discounted. */
    capMinor: amountMinor.optional(),
    validFrom: epochMs,
    /** The first instant at which it is valid no more. */
    validUntil: epochMs,
  })
  .refine(({ validFrom, validUntil }) => validFrom < validUntil, "validFrom must come before validUntil");

export const policy = z.strictObject({ policyId: id, version: z.int().min(1), terms });

const sagaId = z.string().min(1).max(128);

export const coupon = z.strictObject({
  couponId: id,
  memberId: id,
  policyId: id,
  policyVersion: z.int().min(1),
  terms,
  state: z.discriminatedUnion("_tag", [
    z.strictObject({ _tag: z.literal("ISSUED") }),
    z.strictObject({ _tag: z.literal("USED"), sagaId, usedAt: epochMs, discountMinor: amountMinor }),
  ]),
});

export type Terms = Readonly<z.output<typeof terms>>;
export type Policy = Readonly<z.output<typeof policy>>;
export type Coupon = Readonly<z.output<typeof coupon>>;

const policyNotFound = rejection("PolicyNotFound", { policyId: id }, { status: 404 });
const couponExists = rejection("CouponExists", { couponId: id }, { status: 409 });
const couponNotFound = rejection("CouponNotFound", { couponId: id }, { status: 404 });
const couponNotOwned = rejection("CouponNotOwned", { couponId: id }, { status: 403 });
const couponAlreadyUsed = rejection("CouponAlreadyUsed", { couponId: id }, { status: 409 });
const couponNotYetValid = rejection("CouponNotYetValid", { couponId: id, validFrom: epochMs });
const couponExpired = rejection("CouponExpired", { couponId: id, validUntil: epochMs });
const couponOfOtherCurrency = rejection("CouponOfOtherCurrency", { couponId: id, currency });
const couponBelowMinimum = rejection("CouponBelowMinimum", { couponId: id, minimum: money, orderTotal: money });
const sagaRequired = rejection("SagaRequired", {}, { status: 400 });

const use = z.strictObject({ couponId: id, memberId: id, orderTotal: money });

export const couponContract = contract({
  name: "coupon",
  operations: {
    definePolicy: command({
      summary: "Defines a policy, or replaces its terms for coupons that are issued from now on.",
      path: "/coupon-policies/{policyId}",
      method: "PUT",
      input: z.strictObject({ policyId: id, terms }),
      output: z.strictObject({ policyId: id, version: z.int().min(1) }),
      rejections: [],
    }),
    findPolicy: query({
      summary: "Finds a policy with its present terms.",
      path: "/coupon-policies/{policyId}",
      input: z.strictObject({ policyId: id }),
      output: policy,
      rejections: [policyNotFound],
    }),
    issueCoupon: command({
      summary: "Issues a coupon to a member, with a copy of the policy's present terms.",
      path: "/coupons",
      input: coupon.pick({ couponId: true, policyId: true, memberId: true }),
      output: z.strictObject({ couponId: id }),
      rejections: [policyNotFound, couponExists],
    }),
    findCoupon: query({
      summary: "Finds a coupon with its terms and its use.",
      path: "/coupons/{couponId}",
      input: z.strictObject({ couponId: id }),
      output: coupon,
      rejections: [couponNotFound],
    }),
    listCoupons: query({
      summary: "Lists coupons by id, of one member or of all, at most 100 at a time; `after` is the last id of the page before.",
      path: "/coupons",
      input: z.strictObject({ memberId: id.optional(), after: id.optional() }),
      output: z.strictObject({ coupons: z.array(coupon).readonly() }),
      rejections: [],
    }),
    useCoupon: command({
      summary: "Uses a coupon for one order of its owner and tells the discount.",
      path: "/coupons/{couponId}/use",
      input: use,
      output: z.strictObject({ couponId: id, discount: money }),
      rejections: [
        couponNotFound,
        couponNotOwned,
        couponAlreadyUsed,
        couponNotYetValid,
        couponExpired,
        couponOfOtherCurrency,
        couponBelowMinimum,
        sagaRequired,
      ],
    }),
    restoreCoupon: undo({
      summary: "Gives a coupon back that was used, expired or not.",
      path: "/coupons/{couponId}/restoration",
      undoes: "useCoupon",
      input: use,
    }),
  },
});
