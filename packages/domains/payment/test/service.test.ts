/** The payment service behind the fence, on every storage. */
import { createMemoryGateway, createPaymentService } from "@backstep/payment";
import { paymentContract } from "@backstep/payment/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectFenceLaws } from "../../test/fence-laws.ts";
import { openRig, type Rig, STORAGES } from "../../test/rig.ts";

const amount = { amountMinor: 9_000, currency: "KRW" };
const request = { orderId: "order-1", memberId: "ann", amount };

describe.each(STORAGES)("on %s", (storage) => {
  let rig: Rig<typeof paymentContract>;
  beforeEach(async () => {
    rig = await openRig(paymentContract, createPaymentService(), storage);
  });
  afterEach(() => rig.close());

  const list = async (input: { orderId?: string; after?: string | undefined } = {}) =>
    (await rig.ask("listPayments", input))._unsafeUnwrap().payments;
  const find = async (paymentId: string) => (await rig.ask("findPayment", { paymentId }))._unsafeUnwrap();

  it("keeps the fence's laws for creating and failing a payment", () =>
    expectFenceLaws({
      act: (key) => rig.act("createPayment", request, key),
      undo: (undoes, told) => rig.undo("failPayment", request, undoes, told),
      look: async () => (await list()).map((payment) => ({ ...payment, paymentId: undefined })),
      afterUndo: () => [
        {
          ...request,
          parts: { pointsMinor: 9_000, cardMinor: 0 },
          paymentId: undefined,
          sagaId: "saga-1",
          createdAt: rig.clock.now,
          state: { _tag: "FAILED", failedAt: rig.clock.now },
        },
      ],
    }));

  it("completes a pending payment, and tells when, the same to every repetition", async () => {
    const { paymentId } = await rig.do("createPayment", request, "saga-1/1");
    expect(await find(paymentId)).toMatchObject({ ...request, sagaId: "saga-1", state: { _tag: "PENDING" } });
    rig.clock.now += 1_000;
    const paidAt = rig.clock.now;
    expect(await rig.do("completePayment", { paymentId }, "saga-1/2")).toEqual({ paidAt });
    rig.clock.now += 1_000;
    expect(await rig.act("completePayment", { paymentId }, "saga-1/2")).toEqual({ _tag: "Succeeded", output: { paidAt }, replayed: true });
    expect((await find(paymentId)).state).toEqual({ _tag: "PAID", paidAt });
  });

  it("refuses to complete what is paid, failed or unknown", async () => {
    const { paymentId } = await rig.do("createPayment", request, "saga-1/1");
    await rig.do("completePayment", { paymentId });
    const paid = { _tag: "PaymentNotPending", paymentId, state: "PAID" };
    expect(await rig.act("completePayment", { paymentId })).toMatchObject({ rejection: paid });
    const { paymentId: other } = await rig.do("createPayment", { ...request, orderId: "order-2" }, "saga-2/1");
    await rig.undo("failPayment", { ...request, orderId: "order-2" }, "saga-2/1");
    const failed = { _tag: "PaymentNotPending", paymentId: other, state: "FAILED" };
    expect(await rig.act("completePayment", { paymentId: other })).toMatchObject({ rejection: failed });
    const notFound = { _tag: "PaymentNotFound", paymentId: "payment-9" };
    expect(await rig.act("completePayment", { paymentId: "payment-9" })).toMatchObject({ rejection: notFound });
    expect((await rig.ask("findPayment", { paymentId: "payment-9" }))._unsafeUnwrapErr()).toEqual(notFound);
  });

  it("completes one payment of an order at most", async () => {
    const tries = await Promise.all([1, 2, 3].map((index) => rig.do("createPayment", request, `saga-${index}/1`)));
    const answers = await Promise.all(tries.map(({ paymentId }, index) => rig.act("completePayment", { paymentId }, `saga-${index}/2`)));
    expect(answers.filter(({ _tag }) => _tag === "Succeeded")).toHaveLength(1);
    const refused = answers.flatMap((answer) => (answer._tag === "Rejected" ? [answer.rejection] : []));
    expect(refused).toEqual(tries.slice(1).map(() => ({ _tag: "OrderAlreadyPaid", orderId: "order-1" })));
    expect((await list({ orderId: "order-1" })).filter(({ state }) => state._tag === "PAID")).toHaveLength(1);
  });

  it("finds the paid payment of an order behind a hundred tries that were not", async () => {
    const tries: string[] = [];
    for (let index = 0; index < 102; index += 1) {
      rig.clock.now += 1;
      tries.push((await rig.do("createPayment", request)).paymentId);
    }
    await rig.do("completePayment", { paymentId: String(tries[101]) });
    const alreadyPaid = { _tag: "OrderAlreadyPaid", orderId: "order-1" };
    expect(await rig.act("completePayment", { paymentId: String(tries[0]) })).toMatchObject({ rejection: alreadyPaid });
  });

  it("keeps how much of a payment is paid by card, and does not complete it without that", async () => {
    const cards = await openRig(paymentContract, createPaymentService({ gateway: createMemoryGateway() }), storage);
    const { paymentId } = await cards.do("createPayment", { ...request, cardMinor: 2_500 });
    const found = (await cards.ask("findPayment", { paymentId }))._unsafeUnwrap();
    expect(found.parts).toEqual({ pointsMinor: 6_500, cardMinor: 2_500 });
    const missing = { _tag: "CaptureMissing", paymentId, due: { amountMinor: 2_500, currency: "KRW" } };
    expect(await cards.act("completePayment", { paymentId })).toMatchObject({ rejection: missing });
    const tooLarge = { _tag: "CardPartTooLarge", amount, cardMinor: 9_001 };
    expect(await cards.act("createPayment", { ...request, cardMinor: 9_001 })).toMatchObject({ rejection: tooLarge });
    await cards.close();
  });

  it("takes no card without a gateway, and every payment without a card", async () => {
    expect(await rig.act("createPayment", { ...request, cardMinor: 1 })).toMatchObject({ rejection: { _tag: "CardNotAccepted" } });
    const { paymentId } = await rig.do("createPayment", { ...request, cardMinor: 0 });
    const notDue = { _tag: "AmountNotDue", paymentId, due: { amountMinor: 0, currency: "KRW" } };
    for (const amountMinor of [0, 1]) {
      const authorise = { paymentId, amount: { amountMinor, currency: "KRW" } };
      expect(await rig.act("authorisePayment", authorise)).toMatchObject({ rejection: notDue });
      expect(await rig.act("capturePayment", { ...authorise, authorisationId: "a" })).toMatchObject({ rejection: notDue });
    }
  });

  it("does not call a paid payment failed: the undo ends loudly and changes nothing", async () => {
    const { paymentId } = await rig.do("createPayment", request, "saga-1/1");
    await rig.do("completePayment", { paymentId });
    await expect(rig.undo("failPayment", request, "saga-1/1")).rejects.toThrow("it cannot fail any more");
    expect((await find(paymentId)).state._tag).toBe("PAID");
  });

  it("lists payments as they were created, of one order or of all", async () => {
    const created: string[] = [];
    for (let index = 0; index < 102; index += 1) {
      rig.clock.now += 1;
      created.push((await rig.do("createPayment", { ...request, orderId: `order-${index % 2}` })).paymentId);
    }
    const first = await list();
    const rest = await list({ after: first.at(-1)?.paymentId });
    expect([first.length, rest.length]).toEqual([100, 2]);
    expect([...first, ...rest].map(({ paymentId }) => paymentId)).toEqual(created);
    const odd = (await list({ orderId: "order-1" })).map(({ paymentId }) => paymentId);
    expect(odd).toEqual(created.filter((_, index) => index % 2 === 1));
  });
});

describe("the contract", () => {
  it("declares the event that a payment was completed", () => {
    const { type, data } = paymentContract.events.paymentCompleted;
    expect(type).toBe("com.backstep.payment.completed.v1");
    const told = { paymentId: "payment-1", ...request, paidAt: 0 };
    expect(data.parse(told)).toEqual(told);
    expect(data.safeParse({ ...told, paidAt: undefined }).success).toBe(false);
  });
});
