/**
 * Goal: a coupon is used exactly while one use of it stands, on the terms it was issued with. Method: random lives through the fence, on every
 * storage, while time passes its period and its policy changes.
 */
import { createCouponService, type Terms } from "@backstep/coupon";
import { couponContract } from "@backstep/coupon/contract";
import fc from "fast-check";
import { expect, it } from "vitest";
import { expectDiscreet } from "../../test/discreet.ts";
import { expectLawfulLives, type Standing, type World } from "../../test/random-life.ts";
import { openRig, STORAGES } from "../../test/rig.ts";

const HOUR_MS = 60 * 60 * 1_000;
const OWNERS = { "coupon-1": "ann", "coupon-2": "bob" } as const;
const COUPONS = ["coupon-1", "coupon-2"] as const;

interface Use {
  readonly couponId: (typeof COUPONS)[number];
  readonly memberId: string;
  readonly orderTotal: { readonly amountMinor: number; readonly currency: string };
}

type Event = { readonly event: "wait"; readonly hours: number } | { readonly event: "policy"; readonly basisPoints: number };

const input: fc.Arbitrary<Use> = fc.record({
  couponId: fc.constantFrom("coupon-1", "coupon-1", "coupon-2"),
  memberId: fc.constantFrom("ann", "ann", "bob"),
  orderTotal: fc.record({ amountMinor: fc.integer({ min: 900, max: 20_000 }), currency: fc.constantFrom("KRW", "KRW", "KRW", "EUR") }),
});
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ event: fc.constant("wait" as const), hours: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ event: fc.constant("policy" as const), basisPoints: fc.integer({ min: 1, max: 10_000 }) }),
);

async function open(storage: (typeof STORAGES)[number]): Promise<World<Use, Event>> {
  const rig = await openRig(couponContract, createCouponService(), storage);
  const terms: Terms = {
    currency: "KRW",
    discount: { _tag: "Percentage", basisPoints: 1_000 },
    minimumOrderMinor: 1_000,
    capMinor: 1_500,
    validFrom: rig.clock.now,
    validUntil: rig.clock.now + 48 * HOUR_MS,
  };
  await rig.do("definePolicy", { policyId: "spring", terms });
  for (const couponId of COUPONS) await rig.do("issueCoupon", { couponId, policyId: "spring", memberId: OWNERS[couponId] });
  const stateOf = ([use]: readonly Standing<Use>[]) =>
    use === undefined ? { _tag: "ISSUED" } : { _tag: "USED", sagaId: use.sagaId, discountMinor: discountMinorOf(use.input) };

  return {
    async act({ key, input }) {
      const answer = await rig.act("useCoupon", input, key);
      if (answer._tag === "Rejected") expectDiscreet(answer.rejection, input.memberId);
      return answer;
    },
    undo: ({ key, input }) => rig.undo("restoreCoupon", input, key),
    async happen(made) {
      if (made.event === "wait") rig.clock.now += made.hours * HOUR_MS;
      else
        await rig.do("definePolicy", {
          policyId: "spring",
          terms: { ...terms, discount: { _tag: "Percentage", basisPoints: made.basisPoints } },
        });
    },
    async expectLaw(standing) {
      for (const couponId of COUPONS) {
        const coupon = (await rig.ask("findCoupon", { couponId }))._unsafeUnwrap();
        const uses = standing.filter(({ input }) => input.couponId === couponId);
        expect(uses.length).toBeLessThanOrEqual(1);
        expect(coupon).toMatchObject({ memberId: OWNERS[couponId], policyVersion: 1, terms, state: stateOf(uses) });
        for (const use of uses) {
          expect(use.input.memberId).toBe(OWNERS[couponId]);
          expect(use.output).toMatchObject({ discount: { amountMinor: discountMinorOf(use.input), currency: "KRW" } });
        }
      }
    },
    close: () => rig.close(),
  };
}

/** A tenth, rounded down, and no more than the cap. */
function discountMinorOf({ orderTotal }: Use): number {
  return Math.min(Math.floor(orderTotal.amountMinor / 10), 1_500);
}

it.each(STORAGES)("a coupon is used exactly while one use of it stands, on %s", (storage) =>
  expectLawfulLives(storage, { input, event, open: () => open(storage) }),
);
