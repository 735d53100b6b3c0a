/** The coupon service behind the fence, on every storage. */
import { createCouponService, type Terms } from "@backstep/coupon";
import { couponContract } from "@backstep/coupon/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectFenceLaws } from "../../test/fence-laws.ts";
import { openRig, type Rig, STORAGES } from "../../test/rig.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const NOW = Date.parse("2026-03-01T00:00:00Z");
const won = (amountMinor: number) => ({ amountMinor, currency: "KRW" });

const tenPercent = {
  currency: "KRW",
  discount: { _tag: "Percentage", basisPoints: 1_000 },
  minimumOrderMinor: 10_000,
  capMinor: 3_000,
  validFrom: NOW,
  validUntil: NOW + DAY_MS,
} satisfies Terms;

const use = { couponId: "coupon-1", memberId: "ann", orderTotal: won(20_000) };

describe.each(STORAGES)("on %s", (storage) => {
  let rig: Rig<typeof couponContract>;
  beforeEach(async () => {
    rig = await openRig(couponContract, createCouponService(), storage);
    await rig.do("definePolicy", { policyId: "spring", terms: tenPercent });
    await rig.do("issueCoupon", { couponId: "coupon-1", policyId: "spring", memberId: "ann" });
  });
  afterEach(() => rig.close());

  const find = async () => (await rig.ask("findCoupon", { couponId: "coupon-1" }))._unsafeUnwrap();
  let sagas = 100;
  const rejectionOf = async (changed: Partial<typeof use>, key = `saga-${++sagas}/1`) => {
    const answer = await rig.act("useCoupon", { ...use, ...changed }, key);
    return answer._tag === "Rejected" ? answer.rejection : answer;
  };

  it("keeps the fence's laws for using and restoring a coupon", () =>
    expectFenceLaws({
      act: (key) => rig.act("useCoupon", use, key),
      refused: (key) => rig.act("useCoupon", { ...use, orderTotal: won(9_999) }, key),
      undo: (undoes, told) => rig.undo("restoreCoupon", use, undoes, told),
      look: find,
    }));

  it("tells the discount and remembers the saga that used it", async () => {
    expect(await rig.do("useCoupon", use, "saga-1/1")).toEqual({ couponId: "coupon-1", discount: won(2_000) });
    expect((await find()).state).toEqual({ _tag: "USED", sagaId: "saga-1", usedAt: NOW, discountMinor: 2_000 });
  });

  it("discounts no more than the cap", async () => {
    expect(await rig.do("useCoupon", { ...use, orderTotal: won(1_000_000) }, "saga-1/1")).toEqual({
      couponId: "coupon-1",
      discount: won(3_000),
    });
  });

  it("says which rule refuses a use, and changes nothing", async () => {
    const untouched = await find();
    expect(await rejectionOf({ couponId: "coupon-9" })).toEqual({ _tag: "CouponNotFound", couponId: "coupon-9" });
    expect(await rejectionOf({ orderTotal: won(9_999) })).toEqual({
      _tag: "CouponBelowMinimum",
      couponId: "coupon-1",
      minimum: won(10_000),
      orderTotal: won(9_999),
    });
    const euros = { amountMinor: 20_000, currency: "EUR" };
    expect(await rejectionOf({ orderTotal: euros })).toEqual({ _tag: "CouponOfOtherCurrency", couponId: "coupon-1", currency: "KRW" });
    rig.clock.now = NOW - 1;
    expect(await rejectionOf({})).toEqual({ _tag: "CouponNotYetValid", couponId: "coupon-1", validFrom: NOW });
    rig.clock.now = NOW + DAY_MS;
    expect(await rejectionOf({})).toEqual({ _tag: "CouponExpired", couponId: "coupon-1", validUntil: NOW + DAY_MS });
    expect(await find()).toEqual(untouched);
  });

  it("tells a stranger nothing but that the coupon is not theirs, whatever its state", async () => {
    const notOwned = { _tag: "CouponNotOwned", couponId: "coupon-1" };
    expect(await rejectionOf({ memberId: "bob" })).toEqual(notOwned);
    await rig.do("useCoupon", use, "saga-1/1");
    expect(await rejectionOf({ memberId: "bob" })).toEqual(notOwned);
    rig.clock.now = NOW + DAY_MS;
    expect(await rejectionOf({ memberId: "bob" })).toEqual(notOwned);
  });

  it("refuses a second use, by another saga or the same, and one outside of any saga", async () => {
    expect(await rejectionOf({}, "a-client")).toEqual({ _tag: "SagaRequired" });
    await rig.do("useCoupon", use, "saga-1/1");
    const used = { _tag: "CouponAlreadyUsed", couponId: "coupon-1" };
    expect(await rejectionOf({}, "saga-2/1")).toEqual(used);
    expect(await rejectionOf({}, "saga-1/2")).toEqual(used);
  });

  it("gives an expired coupon back", async () => {
    await rig.do("useCoupon", use, "saga-1/1");
    rig.clock.now = NOW + 2 * DAY_MS;
    expect(await rig.undo("restoreCoupon", use, "saga-1/1")).toMatchObject({ _tag: "Executed", decision: { _tag: "Undone" } });
    expect((await find()).state).toEqual({ _tag: "ISSUED" });
  });

  it("gives back the coupon that was used, even if the undo is told another one that the saga uses too", async () => {
    await rig.do("issueCoupon", { couponId: "coupon-2", policyId: "spring", memberId: "ann" });
    await rig.do("useCoupon", use, "saga-1/1");
    await rig.do("useCoupon", { ...use, couponId: "coupon-2" }, "saga-1/2");
    await rig.undo("restoreCoupon", { ...use, couponId: "coupon-2" }, "saga-1/1");
    expect((await find()).state).toEqual({ _tag: "ISSUED" });
    expect((await rig.ask("findCoupon", { couponId: "coupon-2" }))._unsafeUnwrap().state._tag).toBe("USED");
  });

  it("lets one of many rivals use it", async () => {
    const rivals = Array.from({ length: 10 }, (_, index) => rig.act("useCoupon", use, `saga-${index}/1`));
    const answers = await Promise.all(rivals);
    expect(answers.filter(({ _tag }) => _tag === "Succeeded")).toHaveLength(1);
    expect(answers.filter(({ _tag }) => _tag === "Rejected")).toHaveLength(9);
  });

  it("leaves an issued coupon as it is when its policy changes", async () => {
    const before = await find();
    const harsher = { ...tenPercent, discount: { _tag: "Fixed" as const, amountMinor: 1 } };
    expect(await rig.do("definePolicy", { policyId: "spring", terms: harsher })).toEqual({ policyId: "spring", version: 2 });
    expect(await find()).toEqual(before);
    await rig.do("issueCoupon", { couponId: "coupon-2", policyId: "spring", memberId: "ann" });
    expect(await rig.do("useCoupon", use, "saga-1/1")).toEqual({ couponId: "coupon-1", discount: won(2_000) });
    expect(await rig.do("useCoupon", { ...use, couponId: "coupon-2" }, "saga-2/1")).toEqual({ couponId: "coupon-2", discount: won(1) });
    expect((await rig.ask("findPolicy", { policyId: "spring" }))._unsafeUnwrap()).toEqual({
      policyId: "spring",
      version: 2,
      terms: harsher,
    });
  });

  it("issues from policies that exist, under ids that are free", async () => {
    const ofNothing = await rig.act("issueCoupon", { couponId: "coupon-2", policyId: "autumn", memberId: "ann" });
    expect(ofNothing).toMatchObject({ rejection: { _tag: "PolicyNotFound", policyId: "autumn" } });
    const taken = await rig.act("issueCoupon", { couponId: "coupon-1", policyId: "spring", memberId: "bob" });
    expect(taken).toMatchObject({ rejection: { _tag: "CouponExists", couponId: "coupon-1" } });
    expect((await find()).memberId).toBe("ann");
  });

  it("lists coupons of one member or of all", async () => {
    await rig.do("issueCoupon", { couponId: "coupon-2", policyId: "spring", memberId: "bob" });
    const idsOf = async (input: { memberId?: string; after?: string }) =>
      (await rig.ask("listCoupons", input))._unsafeUnwrap().coupons.map(({ couponId }) => couponId);
    expect(await idsOf({})).toEqual(["coupon-1", "coupon-2"]);
    expect(await idsOf({ after: "coupon-1" })).toEqual(["coupon-2"]);
    expect(await idsOf({ memberId: "bob" })).toEqual(["coupon-2"]);
    expect(await idsOf({ memberId: "eve" })).toEqual([]);
  });
});
