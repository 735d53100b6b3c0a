/** What is asked of stored payments before money moves, by card or without. */
import type { RejectionOf } from "@backstep/contract";
import type { Transaction } from "@backstep/participant";
import { err, ok, type Result } from "neverthrow";
import type { Payment, paymentContract } from "./contract.ts";
import { paymentTable } from "./tables.ts";

export type PaymentNotFound = RejectionOf<(typeof paymentContract)["operations"]["findPayment"]>;

export const PAGE_ROWS = 100;

export async function loadPayment(transaction: Transaction, paymentId: string): Promise<Result<Payment, PaymentNotFound>> {
  const payment = await transaction.get(paymentTable, paymentId);
  return payment === undefined ? err({ _tag: "PaymentNotFound", paymentId }) : ok(payment);
}

export async function isPaid(transaction: Transaction, orderId: string): Promise<boolean> {
  let after: string | undefined;
  for (;;) {
    const tries = await transaction.find(paymentTable, { field: "orderId", equals: orderId }, { after, limit: PAGE_ROWS });
    if (tries.some(({ state }) => state._tag === "PAID")) return true;
    if (tries.length < PAGE_ROWS) return false;
    after = tries.at(-1)?.paymentId;
  }
}
