/**
 * Goal: an undo stands behind no business guard. Method: one payment goes through five services, then everything that would refuse it today
 * comes true in each of them, and then it is taken back, in reverse: every undo runs, and every service is as it would be without it.
 */
import { createCouponService } from "@backstep/coupon";
import { couponContract } from "@backstep/coupon/contract";
import { createMemberService } from "@backstep/member";
import { memberContract } from "@backstep/member/contract";
import { createMemberPointService } from "@backstep/member-point";
import { memberPointContract } from "@backstep/member-point/contract";
import { createOrderService } from "@backstep/order";
import { orderContract } from "@backstep/order/contract";
import { createPaymentService } from "@backstep/payment";
import { paymentContract } from "@backstep/payment/contract";
import { createProductService } from "@backstep/product";
import { productContract } from "@backstep/product/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRig, STORAGES } from "./rig.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const won = (amountMinor: number) => ({ amountMinor, currency: "KRW" });
const payer = { orderId: "order-1", memberId: "ann" };
const use = { couponId: "coupon-1", memberId: "ann", orderTotal: won(10_000) };
const request = { ...payer, amount: won(9_000) };
const line = { orderId: "order-1", productId: "pen", quantity: 10 };
const spend = { memberId: "ann", amount: won(9_000) };
const ledger = { memberId: "ann", currency: "KRW" };
const undone = { _tag: "Executed", decision: { _tag: "Undone" } };

async function openServices(storage: (typeof STORAGES)[number]) {
  return {
    members: await openRig(memberContract, createMemberService(), storage),
    orders: await openRig(orderContract, createOrderService(), storage),
    coupons: await openRig(couponContract, createCouponService(), storage),
    payments: await openRig(paymentContract, createPaymentService(), storage),
    products: await openRig(productContract, createProductService(), storage),
    points: await openRig(memberPointContract, createMemberPointService(), storage),
  };
}

type Services = Awaited<ReturnType<typeof openServices>>;

const termsFrom = (validFrom: number) =>
  ({
    currency: "KRW",
    discount: { _tag: "Fixed", amountMinor: 1_000 },
    minimumOrderMinor: 10_000,
    validFrom,
    validUntil: validFrom + DAY_MS,
  }) as const;

async function pay({ members, orders, coupons, payments, products, points }: Services): Promise<void> {
  await members.do("registerMember", { memberId: "ann", name: "Ann" });
  await products.do("registerProduct", { productId: "pen", name: "Pen", price: won(1_000) });
  await products.do("addStock", { productId: "pen", quantity: 10 });
  await coupons.do("definePolicy", { policyId: "spring", terms: termsFrom(coupons.clock.now) });
  await coupons.do("issueCoupon", { couponId: "coupon-1", policyId: "spring", memberId: "ann" });
  await points.do("accruePoints", { memberId: "ann", amount: won(9_000) });
  const lines = [{ productId: "pen", quantity: 10, unitPriceMinor: 1_000 }];
  await orders.do("createOrder", { ...payer, currency: "KRW", lines });

  await orders.do("beginPayment", payer, "saga-1/2");
  await coupons.do("useCoupon", use, "saga-1/3");
  await payments.do("createPayment", request, "saga-1/4");
  await products.do("deductStock", line, "saga-1/5");
  await points.do("deductPoints", spend, "saga-1/6");
}

describe.each(STORAGES)("on %s", (storage) => {
  let services: Services;
  beforeEach(async () => {
    services = await openServices(storage);
    await pay(services);
  });
  afterEach(async () => {
    for (const rig of Object.values(services)) await rig.close();
  });

  it("gives points back to a settled period, with the expired days that they were accrued on", async () => {
    const { points } = services;
    await points.do("accruePoints", { memberId: "ann", amount: won(50) });
    points.clock.now += 10 * DAY_MS;
    const expiry = { ...ledger, accruedBefore: "2026-03-05" };
    expect(await points.do("expirePoints", expiry)).toEqual({ expired: won(50) });
    expect(await points.do("settlePeriod", { ...ledger, period: 1 })).toMatchObject({ closingMinor: 0 });
    expect(await points.undo("restorePoints", spend, "saga-1/6")).toMatchObject(undone);
    expect((await points.ask("findBalance", ledger))._unsafeUnwrap()).toEqual({ balance: won(9_000), period: 2 });
    expect(await points.do("expirePoints", expiry), "they are as old as they were").toEqual({ expired: won(9_000) });
  });

  it("puts stock back of a product whose price has changed, and whose stock has moved on", async () => {
    const { products } = services;
    await products.do("changePrice", { productId: "pen", price: { amountMinor: 0, currency: "EUR" } });
    await products.do("addStock", { productId: "pen", quantity: 3 });
    await products.do("deductStock", { ...line, orderId: "order-2", quantity: 3 }, "saga-2/5");
    expect(await products.undo("restoreStock", line, "saga-1/5")).toMatchObject(undone);
    expect((await products.ask("findProduct", { productId: "pen" }))._unsafeUnwrap()).toMatchObject({ available: 10 });
  });

  it("takes a payment to FAILED whose order another payment has paid", async () => {
    const { payments } = services;
    const { paymentId } = await payments.do("createPayment", request, "saga-2/4");
    await payments.do("completePayment", { paymentId }, "saga-2/7");
    expect(await payments.undo("failPayment", request, "saga-1/4")).toMatchObject(undone);
    const found = (await payments.ask("listPayments", { orderId: "order-1" }))._unsafeUnwrap().payments;
    expect(Object.fromEntries(found.map(({ sagaId, state }) => [sagaId, state._tag]))).toEqual({ "saga-1": "FAILED", "saga-2": "PAID" });
  });

  it("gives a coupon back that has expired, and whose policy has changed beyond recognition", async () => {
    const { coupons } = services;
    coupons.clock.now += 2 * DAY_MS;
    const dearer = { ...termsFrom(coupons.clock.now), currency: "EUR", minimumOrderMinor: 1_000_000 };
    await coupons.do("definePolicy", { policyId: "spring", terms: dearer });
    expect(await coupons.undo("restoreCoupon", use, "saga-1/3")).toMatchObject(undone);
    const coupon = (await coupons.ask("findCoupon", { couponId: "coupon-1" }))._unsafeUnwrap();
    expect(coupon).toMatchObject({ state: { _tag: "ISSUED" }, policyVersion: 1, terms: termsFrom(coupons.clock.now - 2 * DAY_MS) });
  });

  it("takes everything back of a member who was deactivated meanwhile", async () => {
    const { members, orders, coupons, payments, products, points } = services;
    await members.do("deactivateMember", { memberId: "ann" });
    expect((await members.ask("findPayer", { memberId: "ann" })).isErr()).toBe(true);

    expect(await points.undo("restorePoints", spend, "saga-1/6")).toMatchObject(undone);
    expect(await products.undo("restoreStock", line, "saga-1/5")).toMatchObject(undone);
    expect(await payments.undo("failPayment", request, "saga-1/4")).toMatchObject(undone);
    expect(await coupons.undo("restoreCoupon", use, "saga-1/3")).toMatchObject(undone);
    expect(await orders.undo("failPayment", payer, "saga-1/2", { cause: "InsufficientPoints" })).toMatchObject(undone);

    expect((await points.ask("findBalance", ledger))._unsafeUnwrap().balance).toEqual(won(9_000));
    expect((await products.ask("listDeductions", { orderId: "order-1" }))._unsafeUnwrap().deductions).toEqual([]);
    expect((await orders.ask("findOrder", { orderId: "order-1" }))._unsafeUnwrap().state).toMatchObject({
      _tag: "PAYMENT_FAILED",
      sagaId: "saga-1",
    });
  });
});
