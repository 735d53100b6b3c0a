/** Coupons as laws: what a discount may be, and who may use and give back a coupon, under any sequence of attempts. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Coupon, Terms } from "../src/contract.ts";
import { issue, restore, use } from "../src/coupon.ts";
import { discountMinorOf } from "../src/discount.ts";

const AMOUNT_MAX = 1_000_000_000_000;
const amount = fc.oneof(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: AMOUNT_MAX }));

const discount: fc.Arbitrary<Terms["discount"]> = fc.oneof(
  fc.record({ _tag: fc.constant("Fixed" as const), amountMinor: amount }),
  fc.record({ _tag: fc.constant("Percentage" as const), basisPoints: fc.integer({ min: 1, max: 10_000 }) }),
);

const terms: fc.Arbitrary<Terms> = fc
  .record({ discount, capMinor: fc.option(amount, { nil: undefined }), minimumOrderMinor: amount, start: fc.nat(50), length: fc.nat(50) })
  .map(({ start, length, ...rest }) => ({ ...rest, currency: "KRW", validFrom: start, validUntil: start + length + 1 }));

const couponOf = (of: Terms): Coupon => issue({ policyId: "spring", version: 1, terms: of }, "coupon-1", "ann");

describe("a discount", () => {
  it("lies between nothing and the smaller of cap and total, in whole minor units", () => {
    fc.assert(
      fc.property(terms, amount, (of, total) => {
        const discountMinor = discountMinorOf(of, total);
        expect(Number.isSafeInteger(discountMinor)).toBe(true);
        expect(discountMinor).toBeGreaterThanOrEqual(0);
        expect(discountMinor).toBeLessThanOrEqual(Math.min(of.capMinor ?? total, total));
      }),
    );
  });

  it("of a percentage is rounded down: never more than promised, and less by less than one unit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), amount, (basisPoints, total) => {
        const of = { ...baseTerms, discount: { _tag: "Percentage" as const, basisPoints } };
        const promised = BigInt(total) * BigInt(basisPoints);
        const given = BigInt(discountMinorOf(of, total)) * 10_000n;
        expect(given <= promised && promised - given < 10_000n).toBe(true);
      }),
    );
  });

  it.each([
    { total: 999, basisPoints: 1_000, discountMinor: 99 },
    { total: 9, basisPoints: 1_000, discountMinor: 0 },
    { total: AMOUNT_MAX, basisPoints: 9_999, discountMinor: 999_900_000_000 },
    { total: 12_345, basisPoints: 10_000, discountMinor: 12_345 },
  ])("of $basisPoints basis points on $total is $discountMinor", ({ total, basisPoints, discountMinor }) => {
    expect(discountMinorOf({ ...baseTerms, discount: { _tag: "Percentage", basisPoints } }, total)).toBe(discountMinor);
  });
});

const baseTerms: Terms = {
  currency: "KRW",
  discount: { _tag: "Fixed", amountMinor: 1_000 },
  minimumOrderMinor: 0,
  validFrom: 0,
  validUntil: 100,
};

interface Attempt {
  readonly used: boolean;
  readonly memberId: string;
  readonly currency: string;
  readonly total: number;
  readonly now: number;
}

/** The rules in the order in which they are asked; the first one that is broken is the one that is told. */
function refusalOf({ currency, minimumOrderMinor, validFrom, validUntil }: Terms, attempt: Attempt): string | undefined {
  const rules: readonly (readonly [string, boolean])[] = [
    ["CouponNotOwned", attempt.memberId !== "ann"],
    ["CouponAlreadyUsed", attempt.used],
    ["CouponNotYetValid", attempt.now < validFrom],
    ["CouponExpired", attempt.now >= validUntil],
    ["CouponOfOtherCurrency", attempt.currency !== currency],
    ["CouponBelowMinimum", attempt.total < minimumOrderMinor],
  ];
  return rules.find(([, broken]) => broken)?.[0];
}

describe("a coupon", () => {
  const attempt = fc.record({
    move: fc.constantFrom("use" as const, "restore" as const),
    sagaId: fc.constantFrom("saga-1", "saga-2", "saga-3"),
    memberId: fc.constantFrom("ann", "ann", "ann", "bob"),
    currency: fc.constantFrom("KRW", "KRW", "KRW", "EUR"),
    total: amount,
    now: fc.nat(110),
  });

  it("is used by one saga at a time, within its terms, and given back by that saga alone", () => {
    fc.assert(
      fc.property(terms, fc.array(attempt, { maxLength: 30 }), (of, attempts) => {
        let coupon = couponOf(of);
        let holder: string | undefined;
        for (const { move, sagaId, memberId, currency, total, now } of attempts) {
          const before = coupon;
          if (move === "restore") {
            coupon = restore(coupon, sagaId);
            if (holder === sagaId) holder = undefined;
            else expect(coupon).toEqual(before);
          } else {
            const refusal = refusalOf(of, { used: holder !== undefined, memberId, currency, total, now });
            const used = use(coupon, { memberId, orderTotal: { amountMinor: total, currency }, sagaId, now });
            expect(used.isErr() ? used.error._tag : undefined).toBe(refusal);
            if (refusal === undefined) holder = sagaId;
            coupon = used.unwrapOr(before);
          }
          expect(coupon.state._tag === "USED" ? coupon.state.sagaId : undefined).toBe(holder);
          expect({ ...coupon, state: undefined }).toEqual({ ...couponOf(of), state: undefined });
        }
      }),
    );
  });

  it("is as it was after a use and its restoration", () => {
    fc.assert(
      fc.property(terms, amount, (of, total) => {
        const coupon = couponOf(of);
        const orderTotal = { amountMinor: Math.max(total, of.minimumOrderMinor), currency: of.currency };
        const used = use(coupon, { memberId: "ann", orderTotal, sagaId: "saga-1", now: of.validFrom })._unsafeUnwrap();
        expect(restore(used, "saga-1")).toEqual(coupon);
      }),
    );
  });
});
