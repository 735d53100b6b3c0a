/**
 * The payment service: load, decide, store. That an order is paid once is the order's own lock to guarantee; a second look is taken here,
 * where the money is, before a payment completes.
 */
import assert from "node:assert/strict";
import type { Service } from "@backstep/contract";
import type { Transaction } from "@backstep/participant";
import { err, ok, type Result } from "neverthrow";
import type { Payment, paymentContract } from "./contract.ts";
import { complete, create, fail } from "./payment.ts";
import { paymentIdOf } from "./payment-id.ts";
import { paymentTable } from "./tables.ts";

export type PaymentService = Service<typeof paymentContract, Transaction>;

const PAGE_ROWS = 100;

export function createPaymentService(): PaymentService {
  return {
    async createPayment({ transaction, key, sagaId, now }, input) {
      const paymentId = paymentIdOf(key, now);
      const inserted = await transaction.insert(paymentTable, create({ paymentId, ...input, sagaId }, now));
      assert(inserted, `payment ${paymentId} exists already`);
      return ok({ paymentId });
    },
    async failPayment({ transaction, now, undone: { paymentId } }) {
      const payment = await transaction.get(paymentTable, paymentId);
      assert(payment !== undefined, `payment ${paymentId} was created, and is gone`);
      const failed = fail(payment, now);
      assert(failed.isOk(), `payment ${paymentId} is ${payment.state._tag}; it cannot fail any more`);
      await transaction.put(paymentTable, failed.value);
    },
    async completePayment({ transaction, now }, { paymentId }) {
      const completed = (await load(transaction, paymentId)).andThen((payment) => complete(payment, now));
      if (completed.isErr()) return err(completed.error);
      const { orderId } = completed.value;
      if (await isPaid(transaction, orderId)) return err({ _tag: "OrderAlreadyPaid", orderId });
      await transaction.put(paymentTable, completed.value);
      return ok({ paidAt: now });
    },
    findPayment: ({ transaction }, { paymentId }) => load(transaction, paymentId),
    async listPayments({ transaction }, { orderId, after }) {
      const page = { after, limit: PAGE_ROWS };
      if (orderId === undefined) return ok({ payments: await transaction.list(paymentTable, page) });
      return ok({ payments: await transaction.find(paymentTable, { field: "orderId", equals: orderId }, page) });
    },
  };
}

interface PaymentNotFound {
  readonly _tag: "PaymentNotFound";
  readonly paymentId: string;
}

async function load(transaction: Transaction, paymentId: string): Promise<Result<Payment, PaymentNotFound>> {
  const payment = await transaction.get(paymentTable, paymentId);
  return payment === undefined ? err({ _tag: "PaymentNotFound", paymentId }) : ok(payment);
}

async function isPaid(transaction: Transaction, orderId: string): Promise<boolean> {
  let after: string | undefined;
  for (;;) {
    const tries = await transaction.find(paymentTable, { field: "orderId", equals: orderId }, { after, limit: PAGE_ROWS });
    if (tries.some(({ state }) => state._tag === "PAID")) return true;
    if (tries.length < PAGE_ROWS) return false;
    after = tries.at(-1)?.paymentId;
  }
}
