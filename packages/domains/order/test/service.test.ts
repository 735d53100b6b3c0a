/** The order service behind the fence, on every storage. */
import { createOrderService, type Order } from "@backstep/order";
import { orderContract } from "@backstep/order/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectFenceLaws } from "../../test/fence-laws.ts";
import { openRig, type Rig, STORAGES } from "../../test/rig.ts";

const lines = [
  { productId: "pen", quantity: 2, unitPriceMinor: 1_500 },
  { productId: "ink", quantity: 1, unitPriceMinor: 7_000 },
];
const place = { orderId: "order-1", memberId: "ann", currency: "KRW", lines };
const payer = { orderId: "order-1", memberId: "ann" };
const total = { amountMinor: 10_000, currency: "KRW" };

describe.each(STORAGES)("on %s", (storage) => {
  let rig: Rig<typeof orderContract>;
  beforeEach(async () => {
    rig = await openRig(orderContract, createOrderService(), storage);
    expect(await rig.do("createOrder", place)).toEqual({ orderId: "order-1", total });
  });
  afterEach(() => rig.close());

  const find = async () => (await rig.ask("findOrder", { orderId: "order-1" }))._unsafeUnwrap();
  const stateOf = async () => (await find()).state;

  it("stores an order with its lines before any payment", async () => {
    const state = { _tag: "CREATED" };
    expect(await find()).toEqual({ orderId: "order-1", memberId: "ann", lines, total, createdAt: rig.clock.now, state });
    const again = await rig.act("createOrder", { ...place, memberId: "bob" });
    expect(again).toMatchObject({ rejection: { _tag: "OrderExists", orderId: "order-1" } });
    expect((await find()).memberId).toBe("ann");
    const dear = [{ productId: "house", quantity: 10_000, unitPriceMinor: 1_000_000_000 }];
    const tooLarge = await rig.act("createOrder", { ...place, orderId: "order-2", lines: dear });
    expect(tooLarge).toMatchObject({ rejection: { _tag: "OrderTooLarge" } });
  });

  it("keeps the fence's laws for beginning and failing a payment", () =>
    expectFenceLaws({
      act: (key) => rig.act("beginPayment", payer, key),
      refused: (key) => rig.act("beginPayment", { ...payer, memberId: "bob" }, key),
      undo: (undoes, told) => rig.undo("failPayment", payer, undoes, told),
      look: find,
      afterUndo: (before) => ({
        ...(before as Order),
        state: { _tag: "PAYMENT_FAILED", sagaId: "saga-1", failedAt: rig.clock.now, reason: { _tag: "WentBack" } },
      }),
    }));

  it("hands the saga what later steps need, and holds the order for it until it is paid", async () => {
    expect(await rig.do("beginPayment", payer, "saga-1/1")).toEqual({
      orderId: "order-1",
      lines: [
        { productId: "pen", quantity: 2 },
        { productId: "ink", quantity: 1 },
      ],
      total,
    });
    expect(await stateOf()).toEqual({ _tag: "PAYMENT_PENDING", sagaId: "saga-1", since: rig.clock.now });
    const paymentId = "payment-1";
    const notHeld = { _tag: "OrderNotHeld", orderId: "order-1", state: "PAYMENT_PENDING" };
    expect(await rig.act("markPaid", { orderId: "order-1", paymentId }, "saga-2/9")).toMatchObject({ rejection: notHeld });
    await rig.do("markPaid", { orderId: "order-1", paymentId }, "saga-1/9");
    expect(await stateOf()).toEqual({ _tag: "PAID", sagaId: "saga-1", paymentId, paidAt: rig.clock.now });
  });

  it("lets one of many rivals pay, and tells the others nothing of the winner", async () => {
    const rivals = Array.from({ length: 8 }, (_, index) => rig.act("beginPayment", payer, `saga-${index}/1`));
    const answers = await Promise.all(rivals);
    expect(answers.filter(({ _tag }) => _tag === "Succeeded")).toHaveLength(1);
    const refused = answers.filter((answer) => answer._tag === "Rejected");
    expect(refused).toHaveLength(7);
    for (const { rejection } of refused) expect(rejection).toEqual({ _tag: "OrderBeingPaid", orderId: "order-1" });
  });

  it("may be paid anew after a failure, and cancelled too", async () => {
    await rig.do("beginPayment", payer, "saga-1/1");
    await rig.undo("failPayment", payer, "saga-1/1");
    await rig.do("beginPayment", payer, "saga-2/1");
    expect(await stateOf()).toMatchObject({ _tag: "PAYMENT_PENDING", sagaId: "saga-2" });
    const held = { _tag: "OrderNotCancellable", orderId: "order-1", state: "PAYMENT_PENDING" };
    expect(await rig.act("cancelOrder", payer)).toMatchObject({ rejection: held });
    await rig.undo("failPayment", payer, "saga-2/1");
    await rig.do("cancelOrder", payer);
    expect(await stateOf()).toEqual({ _tag: "CANCELLED", cancelledAt: rig.clock.now });
    const notPayable = { _tag: "OrderNotPayable", orderId: "order-1", state: "CANCELLED" };
    expect(await rig.act("beginPayment", payer, "saga-3/1")).toMatchObject({ rejection: notPayable });
  });

  it("refuses strangers, orders that are not there, and payers outside of any saga, and changes nothing", async () => {
    const before = await find();
    const notOwned = { _tag: "OrderNotOwned", orderId: "order-1" };
    const notFound = { _tag: "OrderNotFound", orderId: "order-9" };
    const stranger = { orderId: "order-1", memberId: "bob" };
    const nowhere = { orderId: "order-9", memberId: "ann" };
    expect(await rig.act("beginPayment", stranger, "saga-1/1")).toEqual({ _tag: "Rejected", rejection: notOwned, replayed: false });
    expect(await rig.act("cancelOrder", stranger)).toMatchObject({ rejection: notOwned });
    expect(await rig.act("beginPayment", nowhere, "saga-2/1")).toMatchObject({ rejection: notFound });
    expect(await rig.act("cancelOrder", nowhere)).toMatchObject({ rejection: notFound });
    expect(await rig.act("markPaid", { orderId: "order-9", paymentId: "payment-1" }, "saga-2/2")).toMatchObject({ rejection: notFound });
    expect((await rig.ask("findOrder", { orderId: "order-9" }))._unsafeUnwrapErr()).toEqual(notFound);
    expect(await rig.act("beginPayment", payer)).toMatchObject({ rejection: { _tag: "SagaRequired" } });
    expect(await find()).toEqual(before);
  });

  it("is freed by an operator from an abandoned saga, with evidence, and an undo that comes later leaves the next payer alone", async () => {
    await rig.do("beginPayment", payer, "saga-1/1");
    const evidence = "saga-1 was abandoned: its product service is gone for good";
    const nothing = await rig.act("releasePayment", { sagaId: "saga-2", evidence });
    expect(nothing).toMatchObject({ rejection: { _tag: "NoOrderHeld", sagaId: "saga-2" } });
    expect(await rig.do("releasePayment", { sagaId: "saga-1", evidence })).toEqual({ orderIds: ["order-1"] });
    const reason = { _tag: "Released", evidence };
    expect(await stateOf()).toEqual({ _tag: "PAYMENT_FAILED", sagaId: "saga-1", failedAt: rig.clock.now, reason });
    expect(await rig.act("releasePayment", { sagaId: "saga-1", evidence })).toMatchObject({ rejection: { _tag: "NoOrderHeld" } });
    await rig.do("beginPayment", payer, "saga-2/1");
    await rig.undo("failPayment", payer, "saga-1/1");
    expect(await stateOf()).toMatchObject({ _tag: "PAYMENT_PENDING", sagaId: "saga-2" });
  });

  it("does not call a paid order failed: the undo ends loudly and changes nothing", async () => {
    await rig.do("beginPayment", payer, "saga-1/1");
    await rig.do("markPaid", { orderId: "order-1", paymentId: "payment-1" }, "saga-1/9");
    await expect(rig.undo("failPayment", payer, "saga-1/1")).rejects.toThrow("order order-1 is paid");
    expect(await stateOf()).toMatchObject({ _tag: "PAID" });
  });

  it("lists orders of one member or of all", async () => {
    await rig.do("createOrder", { ...place, orderId: "order-2", memberId: "bob" });
    const idsOf = async (input: { memberId?: string; after?: string }) =>
      (await rig.ask("listOrders", input))._unsafeUnwrap().orders.map(({ orderId }) => orderId);
    expect(await idsOf({})).toEqual(["order-1", "order-2"]);
    expect(await idsOf({ after: "order-1" })).toEqual(["order-2"]);
    expect(await idsOf({ memberId: "ann" })).toEqual(["order-1"]);
  });
});
