/**
 * An order's life. Pure.
 *
 *     CREATED ──────→ PAYMENT_PENDING → PAID
 *        │              │         ↑
 *        │              ↓         │
 *        │         PAYMENT_FAILED ┘
 *        └→ CANCELLED ←─┘
 *
 * PAYMENT_PENDING is a lock that names the saga holding it. Every way out asks for that name, the undo's and the operator's too.
 */
import { AMOUNT_MINOR_MAX, type InputOf, type RejectionOf } from "@backstep/contract";
import { err, ok, type Result } from "neverthrow";
import type { Order, OrderState, orderContract } from "./contract.ts";

type Operations = (typeof orderContract)["operations"];

export function create(
  { orderId, memberId, currency, lines }: InputOf<Operations["createOrder"]>,
  now: number,
): Result<Order, RejectionOf<Operations["createOrder"]>> {
  // Each product fits a double closely enough to be compared with the maximum, and is exact below it.
  const totalMinor = lines.reduce((sum, { unitPriceMinor, quantity }) => sum + unitPriceMinor * quantity, 0);
  if (totalMinor > AMOUNT_MINOR_MAX) {
    return err({ _tag: "OrderTooLarge", orderId, totalMax: { amountMinor: AMOUNT_MINOR_MAX, currency } });
  }
  const total = { amountMinor: totalMinor, currency };
  return ok({ orderId, memberId, lines, total, createdAt: now, state: { _tag: "CREATED" } });
}

export interface Payer {
  readonly memberId: string;
  readonly sagaId: string;
  readonly now: number;
}

export function beginPayment(order: Order, { memberId, sagaId, now }: Payer): Result<Order, RejectionOf<Operations["beginPayment"]>> {
  const { orderId, state } = order;
  if (order.memberId !== memberId) return err({ _tag: "OrderNotOwned", orderId });
  if (state._tag === "PAYMENT_PENDING") return err({ _tag: "OrderBeingPaid", orderId });
  if (!isAtRest(state)) return err({ _tag: "OrderNotPayable", orderId, state: state._tag });
  return ok({ ...order, state: { _tag: "PAYMENT_PENDING", sagaId, since: now } });
}

export interface Holder {
  readonly sagaId: string | undefined;
  readonly now: number;
}

export function markPaid(order: Order, paymentId: string, { sagaId, now }: Holder): Result<Order, RejectionOf<Operations["markPaid"]>> {
  if (sagaId === undefined || holderOf(order) !== sagaId) {
    return err({ _tag: "OrderNotHeld", orderId: order.orderId, state: order.state._tag });
  }
  return ok({ ...order, state: { _tag: "PAID", sagaId, paymentId, paidAt: now } });
}

/** Leaves an order alone that the saga does not hold any more: an operator released it, and another saga may be paying it by now. */
export function failPayment(order: Order, sagaId: string, cause: string | undefined, now: number): Order {
  return fail(order, sagaId, now, { _tag: "WentBack", cause });
}

export function releasePayment(order: Order, sagaId: string, evidence: string, now: number): Order {
  return fail(order, sagaId, now, { _tag: "Released", evidence });
}

type Failure = Extract<OrderState, { readonly _tag: "PAYMENT_FAILED" }>;

function fail(order: Order, sagaId: string, now: number, reason: Failure["reason"]): Order {
  if (holderOf(order) !== sagaId) return order;
  return { ...order, state: { _tag: "PAYMENT_FAILED", sagaId, failedAt: now, reason } };
}

export function cancel(order: Order, memberId: string, now: number): Result<Order, RejectionOf<Operations["cancelOrder"]>> {
  const { orderId, state } = order;
  if (order.memberId !== memberId) return err({ _tag: "OrderNotOwned", orderId });
  if (!isAtRest(state)) return err({ _tag: "OrderNotCancellable", orderId, state: state._tag });
  return ok({ ...order, state: { _tag: "CANCELLED", cancelledAt: now } });
}

/** The saga that holds the order, if one does. */
export function holderOf({ state }: Order): string | undefined {
  return state._tag === "PAYMENT_PENDING" ? state.sagaId : undefined;
}

/** Unpaid, and nobody is at it. */
function isAtRest({ _tag }: OrderState): boolean {
  return _tag === "CREATED" || _tag === "PAYMENT_FAILED";
}
