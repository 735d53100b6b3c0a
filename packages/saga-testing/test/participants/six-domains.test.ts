/**
 * Goal: a saga over the contracts of all six domains runs on their real services behind memory fences, forward and back, by points and by card, and on fakes of the
 * same contracts. Method: a checkout like the example's, the engine on a memory store; effects are counted by key.
 */

import { createCouponService } from "@backstep/coupon";
import { couponContract } from "@backstep/coupon/contract";
import { stepOf } from "@backstep/http-adapter";
import type { Client } from "@backstep/http-adapter/client";
import { createMemberService } from "@backstep/member";
import { memberContract } from "@backstep/member/contract";
import { createMemberPointService } from "@backstep/member-point";
import { memberPointContract } from "@backstep/member-point/contract";
import { createOrderService } from "@backstep/order";
import { orderContract } from "@backstep/order/contract";
import { createMemoryDatabase } from "@backstep/participant";
import { createMemoryGateway, createPaymentService, paymentContract } from "@backstep/payment";
import { createProductService } from "@backstep/product";
import { productContract } from "@backstep/product/contract";
import { all, createEngine, createMemoryStore, saga } from "@backstep/saga-core";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { effectsOf, fakeClient } from "../../src/participants/fake-client.ts";
import { localClient } from "../../src/participants/local-client.ts";
import { quiet, type Site } from "../../src/participants/site.ts";
import { callOf, type Ground, openGround, START } from "./ground.ts";

interface Services {
  readonly members: Client<typeof memberContract>;
  readonly points: Client<typeof memberPointContract>;
  readonly products: Client<typeof productContract>;
  readonly coupons: Client<typeof couponContract>;
  readonly orders: Client<typeof orderContract>;
  readonly payments: Client<typeof paymentContract>;
}

const won = (amountMinor: number) => ({ amountMinor, currency: "KRW" });

function checkoutOf({ members, points, products, coupons, orders, payments }: Services) {
  const findPayer = stepOf.readOnly(members.findPayer);
  const beginPayment = stepOf(orders.beginPayment, orders.failPayment);
  const useCoupon = stepOf(coupons.useCoupon, coupons.restoreCoupon);
  const createPayment = stepOf(payments.createPayment, payments.failPayment);
  const deductStock = stepOf(products.deductStock, products.restoreStock);
  const deductPoints = stepOf(points.deductPoints, points.restorePoints);
  const authorisePayment = stepOf(payments.authorisePayment, payments.voidAuthorisation);
  const capturePayment = stepOf.pivot(payments.capturePayment);
  const completePayment = stepOf.pivot(payments.completePayment);
  const markPaid = stepOf.retriable(orders.markPaid);
  return saga({
    name: "checkout",
    input: z.strictObject({ orderId: z.string(), memberId: z.string(), couponId: z.string(), points: z.int() }),
    *run({ orderId, memberId, couponId, points: wanted }) {
      yield* findPayer({ memberId });
      const { lines, total } = yield* beginPayment({ orderId, memberId });
      const { discount } = yield* useCoupon({ couponId, memberId, orderTotal: total });
      const amount = { ...total, amountMinor: total.amountMinor - discount.amountMinor };
      const byPoints = { ...amount, amountMinor: Math.min(wanted, amount.amountMinor) };
      const byCard = { ...amount, amountMinor: amount.amountMinor - byPoints.amountMinor };
      const { paymentId } = yield* createPayment({ orderId, memberId, amount, cardMinor: byCard.amountMinor });
      yield* all(lines.map(({ productId, quantity }) => deductStock({ orderId, productId, quantity })));
      if (byPoints.amountMinor > 0) yield* deductPoints({ memberId, amount: byPoints });
      if (byCard.amountMinor === 0) return { paymentId, orderId, capture: undefined };
      const { authorisationId } = yield* authorisePayment({ paymentId, amount: byCard });
      return { paymentId, orderId, capture: { paymentId, amount: byCard, authorisationId } };
    },
    pivot: ({ paymentId, capture }) => (capture === undefined ? completePayment({ paymentId }) : capturePayment(capture)),
    *complete({ orderId, paymentId }) {
      yield* markPaid({ orderId, paymentId });
      return { paymentId };
    },
  });
}

/** The real services; the scene is set before the story begins, and not counted. */
async function openServices(site: Site) {
  const gateway = createMemoryGateway({ decline: ({ amount }) => (amount.amountMinor > 90_000 ? "insufficient-funds" : undefined) });
  const databases = Array.from({ length: 6 }, () => createMemoryDatabase({ now: site.now }));
  const at = (place: Site): Services => {
    const [a, b, c, d, e, f] = databases.map((database) => ({ site: place, database }));
    if (!a || !b || !c || !d || !e || !f) throw new Error("six databases");
    return {
      members: localClient(memberContract, createMemberService(), a),
      points: localClient(memberPointContract, createMemberPointService(), b),
      products: localClient(productContract, createProductService(), c),
      coupons: localClient(couponContract, createCouponService(), d),
      orders: localClient(orderContract, createOrderService(), e),
      payments: localClient(paymentContract, createPaymentService({ gateway }), f),
    };
  };
  const { members, points, products, coupons, orders } = at(quiet(site));
  const terms = {
    currency: "KRW",
    discount: { _tag: "Fixed", amountMinor: 1_000 },
    minimumOrderMinor: 0,
    validFrom: 0,
    validUntil: START * 2,
  } as const;
  const lines = [
    { productId: "tea", quantity: 2, unitPriceMinor: 4_500 },
    { productId: "cup", quantity: 1, unitPriceMinor: 12_000 },
  ];
  const set = [
    await members.registerMember({ memberId: "mina", name: "Mina" }, callOf("member")),
    await points.accruePoints({ memberId: "mina", amount: won(50_000) }, callOf("points")),
    await products.registerProduct({ productId: "tea", name: "Tea", price: won(4_500) }, callOf("tea")),
    await products.registerProduct({ productId: "cup", name: "Cup", price: won(12_000) }, callOf("cup")),
    await products.addStock({ productId: "tea", quantity: 3 }, callOf("teas")),
    await products.addStock({ productId: "cup", quantity: 3 }, callOf("cups")),
    await coupons.definePolicy({ policyId: "welcome", terms }, callOf("policy")),
    await coupons.issueCoupon({ couponId: "welcome-mina", policyId: "welcome", memberId: "mina" }, callOf("coupon")),
    await orders.createOrder({ orderId: "o1", memberId: "mina", currency: "KRW", lines }, callOf("order")),
  ];
  expect(set.every((answer) => answer.isOk())).toBe(true);
  return { ...at(site), gateway };
}

async function run(services: Services, points: number) {
  const checkout = checkoutOf(services);
  const engine = createEngine({ sagas: [checkout], store: createMemoryStore() });
  try {
    return await engine.run(checkout, { orderId: "o1", memberId: "mina", couponId: "welcome-mina", points }, { id: "s1" });
  } finally {
    await engine.close();
  }
}

/** The steps of keys like `s1/run/product.deduct-stock/action`, sorted: siblings end in any order. */
function stepsOf(keys: readonly string[]): readonly string[] {
  return keys.map((key) => /([a-z-]+\.[a-z-]+)/.exec(key)?.[1] ?? key).sort();
}

const BY_POINTS = [
  "coupon.use-coupon",
  "member-point.deduct-points",
  "order.begin-payment",
  "payment.create-payment",
  "product.deduct-stock",
  "product.deduct-stock",
];

describe("on the real services", () => {
  test("a checkout by points completes, every effect once", async () => {
    const ground = openGround();
    const services = await openServices(ground);
    const ended = await run(services, 50_000);
    expect(ended.isOk()).toBe(true);
    expect(stepsOf(ground.applied)).toEqual([...BY_POINTS, "order.mark-paid", "payment.complete-payment"].sort());
    expect(ground.takenBack).toEqual([]);
    expect((await services.orders.findOrder({ orderId: "o1" }))._unsafeUnwrap().state._tag).toBe("PAID");
  });

  test("a checkout by points and card completes", async () => {
    const ground = openGround();
    const services = await openServices(ground);
    const ended = await run(services, 8_000);
    expect(ended.isOk()).toBe(true);
    expect(stepsOf(ground.applied)).toEqual(
      [...BY_POINTS, "order.mark-paid", "payment.authorise-payment", "payment.capture-payment"].sort(),
    );
    expect(services.gateway.held()).toMatchObject([{ state: "Captured", amount: won(12_000) }]);
  });

  test("a checkout that is rejected takes back what it did, and nothing else", async () => {
    const ground = openGround();
    const services = await openServices(ground);
    await services.points.deductPoints({ memberId: "mina", amount: won(45_000) }, callOf("elsewhere"));
    ground.applied.length = 0;
    const ended = await run(services, 50_000);
    expect(ended._unsafeUnwrapErr()).toMatchObject({ _tag: "InsufficientPoints" });
    expect(stepsOf(ground.applied)).toEqual(BY_POINTS.filter((name) => name !== "member-point.deduct-points"));
    expect([...ground.takenBack].sort()).toEqual([...ground.applied].sort());
    const left = async (productId: string) => (await services.products.findProduct({ productId }))._unsafeUnwrap().available;
    expect([await left("tea"), await left("cup")]).toEqual([3, 3]);
  });
});

function openFakes(site: Ground) {
  const total = won(21_000);
  const lines = [
    { productId: "tea", quantity: 2 },
    { productId: "cup", quantity: 1 },
  ];
  return {
    members: fakeClient(memberContract, { site }),
    points: fakeClient(memberPointContract, { site }),
    products: fakeClient(productContract, { site }),
    coupons: fakeClient(couponContract, { site, answers: { useCoupon: ({ couponId }) => ({ couponId, discount: won(1_000) }) } }),
    orders: fakeClient(orderContract, { site, answers: { beginPayment: ({ orderId }) => ({ orderId, lines, total }) } }),
    payments: fakeClient(paymentContract, { site }),
  };
}

describe("on fakes of the same contracts", () => {
  test("it completes, and they know what stands", async () => {
    const ground = openGround();
    const fakes = openFakes(ground);
    expect((await run(fakes, 50_000)).isOk()).toBe(true);
    expect(stepsOf(ground.applied)).toEqual([...BY_POINTS, "order.mark-paid", "payment.complete-payment"].sort());
    const deducted = effectsOf(fakes.products).standing.flatMap((effect) => (effect.operation === "deductStock" ? [effect.input] : []));
    expect(deducted.map(({ productId, quantity }) => `${quantity} ${productId}`).sort()).toEqual(["1 cup", "2 tea"]);
  });

  test.each([
    ["member.find-payer", "MemberInactive"],
    ["order.begin-payment", "OrderBeingPaid"],
    ["product.deduct-stock", "OutOfStock"],
    ["payment.complete-payment", "OrderAlreadyPaid"],
  ])("where %s says %s, it goes back, and nothing stands", async (question, tag) => {
    const ground = openGround();
    ground.will.set(question, tag);
    const fakes = openFakes(ground);
    expect((await run(fakes, 50_000))._unsafeUnwrapErr()).toMatchObject({ _tag: tag });
    const { members: _members, ...others } = fakes;
    expect(Object.values(others).flatMap((fake) => effectsOf(fake as never).standing)).toEqual([]);
    expect([...ground.takenBack].sort()).toEqual([...ground.applied].sort());
  });
});
