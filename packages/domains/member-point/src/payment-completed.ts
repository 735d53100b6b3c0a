/**
 * What the ledger does when a payment was completed: it accrues a share of the paid amount, once per payment. Owns this domain's own view of
 * the event, which asks for no more than it needs.
 */
import assert from "node:assert/strict";
import { epochMs, id, money } from "@backstep/contract";
import type { Transaction } from "@backstep/participant";
import { z } from "zod";
import { entriesFor, loadBook, post } from "./book.ts";
import { dayOf } from "./day.ts";
import { accrue } from "./ledger.ts";

const paymentCompleted = z.object({ paymentId: id, memberId: id, amount: money, paidAt: epochMs });

/** One hundredth. */
const ACCRUAL_SHARE = 100;

/**
 * Accrues one hundredth of what was paid, rounded down to a whole point; nothing is entered for less than one. To be called inside the
 * transaction that remembers the event. An event that is delivered after it was forgotten is noticed by the ledger itself.
 *
 * @param data - The event's data.
 * @param now - Epoch milliseconds; when the entry is made. The points count as accrued on the day of the payment.
 * @throws When the data does not fit, or the balance would grow too large: nothing was entered, and the delivery failed.
 */
export async function accrueForPayment(transaction: Transaction, data: unknown, now: number): Promise<void> {
  const { paymentId, memberId, amount, paidAt } = paymentCompleted.parse(data);
  const points = { ...amount, amountMinor: Math.floor(amount.amountMinor / ACCRUAL_SHARE) };
  const reference = `payment/${paymentId}`;
  const known = await entriesFor(transaction, reference, ["Accrued"]);
  if (points.amountMinor === 0 || known.length > 0) return;
  const { account, held } = await loadBook(transaction, { memberId, currency: points.currency });
  const accrued = accrue(held, points, dayOf(paidAt));
  assert(accrued.isOk(), `payment ${paymentId} cannot accrue points: the balance of ${memberId} would grow too large`);
  await post(transaction, account, { _tag: "Accrued", reference, at: now, lots: accrued.value });
}
