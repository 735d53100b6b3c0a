/** Payments and authorisations against tables of legal transitions: what is illegal is refused and changes nothing. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Authorisation, capture, grant, release, request } from "../src/authorisation.ts";
import { payment as paymentSchema } from "../src/contract.ts";
import { complete, create, fail, partsOf } from "../src/payment.ts";
import { paymentIdOf } from "../src/payment-id.ts";

const amount = { amountMinor: 10_000, currency: "KRW" };
const parts = { pointsMinor: 4_000, cardMinor: 6_000 };

describe("a payment", () => {
  it("leaves PENDING once, for PAID or FAILED, and nothing else about it ever changes", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("complete" as const, "fail" as const), { minLength: 1, maxLength: 10 }), (moves) => {
        const created = create({ paymentId: "payment-1", orderId: "order-1", memberId: "ann", amount, parts, sagaId: "saga-1" }, 0);
        let payment = created;
        for (const [index, move] of moves.entries()) {
          const changed = move === "complete" ? complete(payment, index + 1) : fail(payment, index + 1);
          expect(changed.isOk()).toBe(index === 0);
          if (changed.isErr()) {
            expect(changed.error).toEqual({ _tag: "PaymentNotPending", paymentId: "payment-1", state: payment.state._tag });
          }
          payment = changed.unwrapOr(payment);
        }
        const state = moves[0] === "complete" ? { _tag: "PAID", paidAt: 1 } : { _tag: "FAILED", failedAt: 1 };
        expect(payment).toEqual({ ...created, state });
      }),
    );
  });
});

describe("the parts of a payment", () => {
  const minor = fc.integer({ min: 0, max: 1_000_000_000_000 });
  const record = create({ paymentId: "payment-1", orderId: "order-1", memberId: "ann", amount, parts }, 0);

  it("add up to its amount, or the card's is refused as more than there is to pay", () => {
    fc.assert(
      fc.property(minor, minor, (amountMinor, cardMinor) => {
        const due = { amountMinor, currency: "KRW" };
        const split = partsOf(due, cardMinor);
        expect(split.isOk()).toBe(cardMinor <= amountMinor);
        if (split.isErr()) expect(split.error).toEqual({ _tag: "CardPartTooLarge", amount: due, cardMinor });
        else expect(paymentSchema.safeParse({ ...record, amount: due, parts: split.value }).success).toBe(true);
      }),
    );
  });

  it("that do not add up make no payment", () => {
    fc.assert(
      fc.property(minor, minor, minor, (amountMinor, pointsMinor, cardMinor) => {
        const made = { ...record, amount: { amountMinor, currency: "KRW" }, parts: { pointsMinor, cardMinor } };
        expect(paymentSchema.safeParse(made).success).toBe(pointsMinor + cardMinor === amountMinor);
      }),
    );
  });
});

describe("a payment's id", () => {
  const key = fc.string({ unit: fc.constantFrom(..."ab/:~-1"), minLength: 1, maxLength: 255 });
  const time = fc.integer({ min: 0, max: 253_402_300_799_999 });

  it("fits the schema of ids, sorts by time, and is the same for the same key and time", () => {
    fc.assert(
      fc.property(key, key, time, time, (left, right, earlier, later) => {
        fc.pre(earlier < later);
        const id = paymentIdOf(left, earlier);
        expect(id).toMatch(/^[A-Za-z0-9._:-]{1,64}$/);
        expect(id < paymentIdOf(right, later)).toBe(true);
        expect(paymentIdOf(left, earlier)).toBe(id);
        expect(paymentIdOf(right, earlier) === id).toBe(left === right);
      }),
    );
  });
});

describe("an authorisation", () => {
  const move = fc.record({
    move: fc.constantFrom("grant" as const, "capture" as const, "release" as const),
    authorisationId: fc.constantFrom("authorisation-1", "authorisation-2"),
  });

  it("is granted, then captured or released, once, and captured under its own id only", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 12 }), (moves) => {
        let held: Authorisation = request("payment-1", amount, "saga-1/1");
        for (const { move, authorisationId } of moves) {
          const before = held;
          const changed = {
            grant: () => grant(before, authorisationId, 1),
            capture: () => capture(before, authorisationId, "capture-1", 1),
            release: () => release(before, 1),
          }[move]();
          const { state } = before;
          const legal = {
            grant: state._tag === "REQUESTED",
            capture: state._tag === "AUTHORISED" && state.authorisationId === authorisationId,
            release: state._tag === "AUTHORISED",
          }[move];
          expect(changed.isOk()).toBe(legal);
          if (changed.isErr()) {
            expect(changed.error).toEqual({ _tag: "AuthorisationNotInState", paymentId: "payment-1", state: state._tag });
          }
          held = changed.unwrapOr(before);
          expect({ ...held, state: undefined }).toEqual({ paymentId: "payment-1", amount, state: undefined });
        }
      }),
    );
  });
});
