/**
 * Card payments through the fence in intent mode, with a gateway whose requests and answers get lost on the way: whatever is lost, the
 * gateway does each thing once, and the records say what it did.
 */
import {
  type CardPayments,
  createCardPayments,
  createMemoryGateway,
  createPaymentService,
  type MemoryGateway,
  type PaymentGateway,
} from "@backstep/payment";
import { paymentContract } from "@backstep/payment/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRig, type Rig, STORAGES } from "../../test/rig.ts";
import { authorisationTable } from "../src/tables.ts";

const amount = { amountMinor: 9_000, currency: "KRW" };
/** Partly by points, partly by card. */
const request = { orderId: "order-1", memberId: "ann", amount: { amountMinor: 12_000, currency: "KRW" }, cardMinor: 9_000 };

/** The next call is lost: before the gateway receives it, or after it did what was asked. */
interface Line {
  lose: "request" | "answer" | undefined;
  calls: number;
}

function overLine(gateway: PaymentGateway, line: Line): PaymentGateway {
  const send = async <Answer>(call: () => Promise<Answer>): Promise<Answer> => {
    const { lose } = line;
    line.lose = undefined;
    line.calls += 1;
    if (lose === "request") throw new TypeError("connection refused");
    const answer = await call();
    if (lose === "answer") throw new TypeError("connection reset");
    return answer;
  };
  return {
    authorise: (asked, call) => send(() => gateway.authorise(asked, call)),
    capture: (asked, call) => send(() => gateway.capture(asked, call)),
    void: (asked, call) => send(() => gateway.void(asked, call)),
    settle: (key, signal) => send(() => gateway.settle(key, signal)),
  };
}

/** A gateway whose ids look like nothing that this domain would give. */
function renaming(gateway: PaymentGateway, prefix: string): PaymentGateway {
  const inner = (authorisationId: string): string => authorisationId.slice(prefix.length);
  return {
    async authorise(asked, call) {
      const answer = await gateway.authorise(asked, call);
      return answer.map((authorised) => ({ ...authorised, authorisationId: `${prefix}${authorised.authorisationId}` }));
    },
    async capture(asked, call) {
      const answer = await gateway.capture({ ...asked, authorisationId: inner(asked.authorisationId) }, call);
      return answer.map((captured) => ({
        ...captured,
        captureId: `${prefix}${captured.captureId}`,
        authorisationId: asked.authorisationId,
      }));
    },
    void: (asked, call) => gateway.void({ authorisationId: inner(asked.authorisationId) }, call),
    settle: (key, signal) => gateway.settle(key, signal),
  };
}

describe.each(STORAGES)("on %s", (storage) => {
  let rig: Rig<typeof paymentContract>;
  let gateway: MemoryGateway;
  let line: Line;
  let cards: CardPayments;
  let paymentId: string;
  beforeEach(async () => {
    rig = await openRig(paymentContract, createPaymentService({ gateway: createMemoryGateway() }), storage);
    gateway = createMemoryGateway();
    line = { lose: undefined, calls: 0 };
    cards = createCardPayments(overLine(gateway, line));
    ({ paymentId } = await rig.do("createPayment", request, "saga-1/1"));
  });
  afterEach(() => rig.close());

  const operation = (key: string, name: string, input: object) => ({ key, name, input, sagaId: "saga-1", issuedAt: rig.clock.now });
  const authorise = (key = "saga-1/2") => {
    const input = { paymentId, amount };
    return rig.fence.intend(operation(key, "payment.authorise", input), cards.authorise(input));
  };
  const captureInput = () => ({ paymentId, authorisationId: "authorisation-1", amount });
  const capture = (key = "saga-1/3") => rig.fence.intend(operation(key, "payment.capture", captureInput()), cards.capture(captureInput()));
  const voidIt = () => {
    const undoes = { key: "saga-1/2", issuedAt: rig.clock.now, known: "inDoubt" } as const;
    const input = { paymentId, amount };
    return rig.fence.undoIntended({ ...operation("saga-1/2-undo", "payment.void", input), undoes }, cards.voidAuthorisation(input));
  };
  const recorded = async () =>
    (await rig.database.transaction((transaction) => transaction.get(authorisationTable, paymentId)))?.state._tag;
  const captured = { _tag: "Captured", captureId: "capture-of-authorisation-1", authorisationId: "authorisation-1" };
  const paid = async () => (await rig.ask("findPayment", { paymentId }))._unsafeUnwrap().state;
  const held = () => gateway.held().map(({ state }) => state);
  const passLease = () => {
    rig.clock.now += rig.fence.runningLeaseMs + 1;
  };
  const succeeded = { decision: { _tag: "Succeeded" } };

  it("authorises and captures a payment, each once, and answers repetitions from the record", async () => {
    expect(await authorise()).toMatchObject({ _tag: "Executed", ...succeeded });
    expect(await authorise()).toMatchObject({ _tag: "Replayed", ...succeeded });
    expect(await capture()).toMatchObject({ _tag: "Executed", ...succeeded });
    expect(await capture()).toMatchObject({ _tag: "Replayed", ...succeeded });
    expect([held(), await recorded(), line.calls]).toEqual([["Captured"], "CAPTURED", 2]);
    expect(await paid()).toEqual({ _tag: "PAID", paidAt: rig.clock.now });
  });

  it("keeps the names that the gateway gives, which are its own business", async () => {
    const prefix = `https://gateway.test/authorisations/${"0".repeat(100)}/é?`;
    cards = createCardPayments(renaming(gateway, prefix));
    expect(await authorise()).toMatchObject({ _tag: "Executed", ...succeeded });
    expect(await recorded()).toBe("AUTHORISED");
    const input = { ...captureInput(), authorisationId: `${prefix}authorisation-1` };
    expect(await rig.fence.intend(operation("saga-1/3", "payment.capture", input), cards.capture(input))).toMatchObject(succeeded);
    expect([held(), await recorded()]).toEqual([["Captured"], "CAPTURED"]);
  });

  it("a capture whose answer is lost stays open for its lease, then is settled by asking, and captured once", async () => {
    await authorise();
    line.lose = "answer";
    await expect(capture()).rejects.toThrow("connection reset");
    expect([held(), await recorded()]).toEqual([["Captured"], "AUTHORISED"]);
    expect(await capture()).toMatchObject({ _tag: "Running" });
    passLease();
    expect(await capture()).toMatchObject({
      _tag: "Executed",
      decision: { _tag: "Succeeded", json: JSON.stringify({ ...captured, paidAt: rig.clock.now }) },
    });
    expect(await paid()).toEqual({ _tag: "PAID", paidAt: rig.clock.now });
    expect([held(), await recorded()]).toEqual([["Captured"], "CAPTURED"]);
  });

  it("a capture whose request is lost is sealed by asking, and its late request is refused", async () => {
    await authorise();
    line.lose = "request";
    await expect(capture()).rejects.toThrow("connection refused");
    passLease();
    expect(await capture()).toEqual({ _tag: "Sealed" });
    const late = await gateway.capture(
      { authorisationId: "authorisation-1", amount },
      { idempotencyKey: "saga-1/3", signal: new AbortController().signal },
    );
    expect(late._unsafeUnwrapErr()).toEqual({ _tag: "GatewayKeyRefused", why: "sealed" });
    expect([held(), await recorded()]).toEqual([["Open"], "AUTHORISED"]);
  });

  it("a capture in doubt is decided by the fence's own question: applied when it was, sealed when it was not", async () => {
    await authorise();
    line.lose = "answer";
    await expect(capture()).rejects.toThrow();
    passLease();
    const asked = { key: "saga-1/3", name: "payment.capture", sagaId: "saga-1", issuedAt: rig.clock.now };
    expect(await rig.fence.resolve(asked, cards.capture(captureInput()))).toMatchObject({ _tag: "Replayed", ...succeeded });
    expect(await rig.fence.resolve({ ...asked, key: "saga-1/4" }, cards.capture(captureInput()))).toEqual({ _tag: "Sealed" });
    expect([held(), await recorded()]).toEqual([["Captured"], "CAPTURED"]);
  });

  it("stays in doubt while the gateway cannot be asked either", async () => {
    await authorise();
    line.lose = "answer";
    await expect(capture()).rejects.toThrow();
    passLease();
    line.lose = "request";
    await expect(capture()).rejects.toThrow("connection refused");
    expect(await capture()).toMatchObject({ _tag: "Running" });
    passLease();
    expect(await capture()).toMatchObject({ _tag: "Executed", ...succeeded });
    expect(held()).toEqual(["Captured"]);
  });

  it("never calls the gateway for what is refused here", async () => {
    expect(await capture("saga-1/3")).toMatchObject({ decision: { _tag: "Rejected" } });
    const wrong = { paymentId, amount: { amountMinor: 1, currency: "KRW" } };
    const notDue = await rig.fence.intend(operation("saga-1/4", "payment.authorise", wrong), cards.authorise(wrong));
    expect(notDue).toMatchObject({ decision: { json: JSON.stringify({ _tag: "AmountNotDue", paymentId, due: amount }) } });
    await rig.undo("failPayment", request, "saga-1/1");
    expect(await authorise()).toMatchObject({
      decision: { json: JSON.stringify({ _tag: "PaymentNotPending", paymentId, state: "FAILED" }) },
    });
    expect([line.calls, gateway.held(), await recorded()]).toEqual([0, [], undefined]);
  });

  it("is paid in the same transaction as the capture is recorded, or not at all", async () => {
    await authorise();
    line.lose = "answer";
    await expect(capture()).rejects.toThrow("connection reset");
    // Nobody takes back what is being captured; if it happens all the same, it must be loud, and nothing may look settled.
    await rig.undo("failPayment", request, "saga-1/1");
    passLease();
    await expect(capture()).rejects.toThrow("was captured and cannot be paid");
    expect([held(), await recorded(), (await paid())._tag]).toEqual([["Captured"], "AUTHORISED", "FAILED"]);
    expect(await capture()).toMatchObject({ _tag: "Running" });
  });

  it("captures for one payment of an order at most", async () => {
    await authorise();
    await capture();
    const { paymentId: other } = await rig.do("createPayment", request, "saga-2/1");
    const input = { paymentId: other, amount };
    const second = { ...operation("saga-2/2", "payment.authorise", input), sagaId: "saga-2" };
    await rig.fence.intend(second, cards.authorise(input));
    const late = { ...input, authorisationId: "authorisation-2" };
    const json = JSON.stringify({ _tag: "OrderAlreadyPaid", orderId: "order-1" });
    expect(await rig.fence.intend(operation("saga-2/3", "payment.capture", late), cards.capture(late))).toMatchObject({
      decision: { json },
    });
    expect(held()).toEqual(["Captured", "Open"]);
  });

  it("does not settle one payment by what became of another one's key", async () => {
    const { paymentId: other } = await rig.do("createPayment", request, "saga-2/1");
    line.lose = "answer";
    await expect(authorise()).rejects.toThrow();
    passLease();
    const asked = { key: "saga-1/2", name: "payment.authorise", sagaId: "saga-1", issuedAt: rig.clock.now };
    await expect(rig.fence.resolve(asked, cards.authorise({ paymentId: other, amount }))).rejects.toThrow("was not requested as saga-1/2");
    passLease();
    expect(await authorise()).toMatchObject({ _tag: "Executed", ...succeeded });
    line.lose = "answer";
    await expect(capture()).rejects.toThrow();
    passLease();
    const wrong = { ...captureInput(), authorisationId: "authorisation-9" };
    await expect(rig.fence.resolve({ ...asked, key: "saga-1/3", name: "payment.capture" }, cards.capture(wrong))).rejects.toThrow(
      "not authorisation-9",
    );
    expect([held(), await recorded()]).toEqual([["Captured"], "AUTHORISED"]);
  });

  it("a key that the gateway refuses leaves everything in doubt until it has been asked", async () => {
    await gateway.settle("saga-1/2", new AbortController().signal);
    await expect(authorise()).rejects.toThrow("the gateway refuses the key");
    expect(await recorded()).toBe("REQUESTED");
    passLease();
    expect(await authorise()).toEqual({ _tag: "Sealed" });
    expect([held(), await recorded()]).toEqual([[], undefined]);
  });

  it("asks for one authorisation per payment, also while the first is in doubt", async () => {
    line.lose = "answer";
    await expect(authorise("saga-1/2")).rejects.toThrow();
    const json = JSON.stringify({ _tag: "AuthorisationNotInState", paymentId, state: "REQUESTED" });
    expect(await authorise("saga-1/9")).toMatchObject({ decision: { _tag: "Rejected", json } });
    passLease();
    expect(await authorise("saga-1/2")).toMatchObject({ _tag: "Executed", ...succeeded });
    expect([held(), await recorded()]).toEqual([["Open"], "AUTHORISED"]);
  });

  it("may be authorised anew after the gateway declined", async () => {
    const reasons = ["insufficient-funds"];
    gateway = createMemoryGateway({ decline: () => reasons.pop() });
    cards = createCardPayments(overLine(gateway, line));
    const json = JSON.stringify({ _tag: "AuthorisationDeclined", reason: "insufficient-funds" });
    expect(await authorise("saga-1/2")).toMatchObject({ decision: { _tag: "Rejected", json } });
    expect(await recorded()).toBeUndefined();
    expect(await authorise("saga-1/9")).toMatchObject({ _tag: "Executed", ...succeeded });
  });

  it("takes an authorisation back whose answer was lost: it is settled first, then voided", async () => {
    line.lose = "answer";
    await expect(authorise()).rejects.toThrow();
    expect(await voidIt()).toMatchObject({ _tag: "Running" });
    passLease();
    expect(await voidIt()).toMatchObject({ _tag: "Executed", decision: { _tag: "Undone" } });
    expect([held(), await recorded()]).toEqual([["Voided"], "VOIDED"]);
    expect(await authorise()).toEqual({ _tag: "Sealed" });
  });

  it("repeats a void whose answer was lost, and it is void once", async () => {
    await authorise();
    line.lose = "answer";
    await expect(voidIt()).rejects.toThrow();
    expect([held(), await recorded()]).toEqual([["Voided"], "AUTHORISED"]);
    passLease();
    expect(await voidIt()).toMatchObject({ _tag: "Executed", decision: { _tag: "Undone" } });
    expect([held(), await recorded()]).toEqual([["Voided"], "VOIDED"]);
  });

  it("does not call a captured payment void: the undo ends loudly and stays open", async () => {
    await authorise();
    await capture();
    await expect(voidIt()).rejects.toThrow("could not be voided");
    expect([held(), await recorded()]).toEqual([["Captured"], "CAPTURED"]);
  });
});
