/** A payment's life: PENDING → PAID or FAILED, and no further. Pure. */
import type { Money, RejectionOf } from "@backstep/contract";
import { err, ok, type Result } from "neverthrow";
import type { Payment, paymentContract } from "./contract.ts";

export type PaymentNotPending = Extract<
  RejectionOf<(typeof paymentContract)["operations"]["completePayment"]>,
  { readonly _tag: "PaymentNotPending" }
>;

type CardPartTooLarge = Extract<
  RejectionOf<(typeof paymentContract)["operations"]["createPayment"]>,
  { readonly _tag: "CardPartTooLarge" }
>;

/** What is not paid by card is paid by points. */
export function partsOf(amount: Money, cardMinor: number): Result<Payment["parts"], CardPartTooLarge> {
  const pointsMinor = amount.amountMinor - cardMinor;
  return pointsMinor < 0 ? err({ _tag: "CardPartTooLarge", amount, cardMinor }) : ok({ pointsMinor, cardMinor });
}

export function dueByCard({ amount, parts }: Payment): Money {
  return { ...amount, amountMinor: parts.cardMinor };
}

export function create(payment: Omit<Payment, "createdAt" | "state">, now: number): Payment {
  return { ...payment, createdAt: now, state: { _tag: "PENDING" } };
}

export function complete(payment: Payment, now: number): Result<Payment, PaymentNotPending> {
  return pendingOf(payment).map((pending) => ({ ...pending, state: { _tag: "PAID", paidAt: now } }));
}

export function fail(payment: Payment, now: number): Result<Payment, PaymentNotPending> {
  return pendingOf(payment).map((pending) => ({ ...pending, state: { _tag: "FAILED", failedAt: now } }));
}

export function pendingOf(payment: Payment): Result<Payment, PaymentNotPending> {
  const { paymentId, state } = payment;
  return state._tag === "PENDING" ? ok(payment) : err({ _tag: "PaymentNotPending", paymentId, state: state._tag });
}
