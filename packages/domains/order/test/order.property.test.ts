/**
 * An order against a table of legal transitions, under any sequence of commands of three sagas and two members: what is illegal is refused
 * and changes nothing, and only the holder leads out of PAYMENT_PENDING.
 */
import { AMOUNT_MINOR_MAX } from "@backstep/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Order } from "../src/contract.ts";
import { beginPayment, cancel, create, failPayment, holderOf, markPaid, releasePayment } from "../src/order.ts";

const placed = create(
  { orderId: "order-1", memberId: "ann", currency: "KRW", lines: [{ productId: "pen", quantity: 2, unitPriceMinor: 1_500 }] },
  0,
)._unsafeUnwrap();

type Name = Order["state"]["_tag"];

interface Move {
  readonly move: "begin" | "fail" | "release" | "pay" | "cancel";
  readonly sagaId: string;
  readonly memberId: string;
}

/** From where each move is legal, and to where it leads. Moves of the second kind are the holder's alone. */
const MOVES: Record<Move["move"], { readonly from: readonly Name[]; readonly to: Name; readonly by: "owner" | "holder" }> = {
  begin: { from: ["CREATED", "PAYMENT_FAILED"], to: "PAYMENT_PENDING", by: "owner" },
  fail: { from: ["PAYMENT_PENDING"], to: "PAYMENT_FAILED", by: "holder" },
  release: { from: ["PAYMENT_PENDING"], to: "PAYMENT_FAILED", by: "holder" },
  pay: { from: ["PAYMENT_PENDING"], to: "PAID", by: "holder" },
  cancel: { from: ["CREATED", "PAYMENT_FAILED"], to: "CANCELLED", by: "owner" },
};

const move: fc.Arbitrary<Move> = fc.record({
  move: fc.constantFrom("begin", "begin", "fail", "release", "pay", "cancel"),
  sagaId: fc.constantFrom("saga-1", "saga-2", "saga-3"),
  memberId: fc.constantFrom("ann", "ann", "ann", "bob"),
});

function make(order: Order, { move, sagaId, memberId }: Move, now: number): Order {
  const moves: Record<Move["move"], () => Order> = {
    begin: () => beginPayment(order, { memberId, sagaId, now }).unwrapOr(order),
    fail: () => failPayment(order, sagaId, "OutOfStock", now),
    release: () => releasePayment(order, sagaId, "its host is gone", now),
    pay: () => markPaid(order, "payment-1", { sagaId, now }).unwrapOr(order),
    cancel: () => cancel(order, memberId, now).unwrapOr(order),
  };
  return moves[move]();
}

describe("an order", () => {
  it("makes the legal transitions and no others, and is led out of PAYMENT_PENDING by its holder alone", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 30 }), (moves) => {
        let order: Order = placed;
        for (const [index, made] of moves.entries()) {
          const before = order;
          order = make(before, made, index + 1);
          const { from, to, by } = MOVES[made.move];
          const entitled = by === "owner" ? made.memberId === "ann" : holderOf(before) === made.sagaId;
          if (from.includes(before.state._tag) && entitled) {
            expect(order.state._tag).toBe(to);
            expect({ ...order, state: undefined }).toEqual({ ...placed, state: undefined });
          } else {
            expect(order).toEqual(before);
          }
          expect(holderOf(order) !== undefined).toBe(order.state._tag === "PAYMENT_PENDING");
        }
      }),
      { numRuns: 500 },
    );
  });

  it("says why it refuses, without a saga's or another member's name", () => {
    const payer = { memberId: "ann", sagaId: "saga-1", now: 1 };
    const pending = beginPayment(placed, payer)._unsafeUnwrap();
    const paid = markPaid(pending, "payment-1", payer)._unsafeUnwrap();
    const cancelled = cancel(placed, "ann", 1)._unsafeUnwrap();
    const rival = { ...payer, sagaId: "saga-2" };
    expect(beginPayment(pending, rival)._unsafeUnwrapErr()).toEqual({ _tag: "OrderBeingPaid", orderId: "order-1" });
    for (const order of [placed, pending, paid, cancelled]) {
      const stranger = { ...rival, memberId: "bob" };
      expect(beginPayment(order, stranger)._unsafeUnwrapErr()).toEqual({ _tag: "OrderNotOwned", orderId: "order-1" });
      expect(cancel(order, "bob", 1)._unsafeUnwrapErr()).toEqual({ _tag: "OrderNotOwned", orderId: "order-1" });
    }
    for (const order of [paid, cancelled]) {
      const notPayable = { _tag: "OrderNotPayable", orderId: "order-1", state: order.state._tag };
      expect(beginPayment(order, rival)._unsafeUnwrapErr()).toEqual(notPayable);
    }
    for (const order of [placed, pending, paid, cancelled]) {
      const notHeld = { _tag: "OrderNotHeld", orderId: "order-1", state: order.state._tag };
      expect(markPaid(order, "payment-2", rival)._unsafeUnwrapErr()).toEqual(notHeld);
      expect(markPaid(order, "payment-2", { sagaId: undefined, now: 1 })._unsafeUnwrapErr()).toEqual(notHeld);
    }
    for (const order of [pending, paid, cancelled]) {
      const notCancellable = { _tag: "OrderNotCancellable", orderId: "order-1", state: order.state._tag };
      expect(cancel(order, "ann", 1)._unsafeUnwrapErr()).toEqual(notCancellable);
    }
  });
});

describe("an order's total", () => {
  const anyLine = fc.record({
    productId: fc.constantFrom("pen", "ink"),
    quantity: fc.integer({ min: 1, max: 10_000 }),
    unitPriceMinor: fc.oneof(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: AMOUNT_MINOR_MAX })),
  });

  it("is the exact sum of its lines, or too large to be placed", () => {
    fc.assert(
      fc.property(fc.array(anyLine, { minLength: 1, maxLength: 100 }), (lines) => {
        const exact = lines.reduce((sum, { quantity, unitPriceMinor }) => sum + BigInt(quantity) * BigInt(unitPriceMinor), 0n);
        const created = create({ orderId: "order-1", memberId: "ann", currency: "KRW", lines }, 0);
        if (exact > BigInt(AMOUNT_MINOR_MAX)) {
          const totalMax = { amountMinor: AMOUNT_MINOR_MAX, currency: "KRW" };
          expect(created._unsafeUnwrapErr()).toEqual({ _tag: "OrderTooLarge", orderId: "order-1", totalMax });
        } else {
          const { total } = created._unsafeUnwrap();
          expect({ ...total, amountMinor: BigInt(total.amountMinor) }).toEqual({ amountMinor: exact, currency: "KRW" });
        }
      }),
    );
  });

  it("may reach the largest amount, and not one unit more", () => {
    const totalOf = (unitPriceMinor: number) =>
      create({ ...placed, currency: "KRW", lines: [{ productId: "pen", quantity: 1, unitPriceMinor }, ...placed.lines] }, 0);
    expect(totalOf(AMOUNT_MINOR_MAX - 3_000)._unsafeUnwrap().total.amountMinor).toBe(AMOUNT_MINOR_MAX);
    expect(totalOf(AMOUNT_MINOR_MAX - 2_999).isErr()).toBe(true);
  });
});
