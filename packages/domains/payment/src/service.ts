/**
 * The payment service: load, decide, store. That an order is paid once is the order's own lock to guarantee; a second look is taken here,
 * where the money is, before a payment completes.
 */
import assert from "node:assert/strict";
import { foreign, type Service } from "@backstep/contract";
import type { Transaction } from "@backstep/participant";
import { err, ok } from "neverthrow";
import { createCardPayments } from "./card-payment.ts";
import type { paymentContract } from "./contract.ts";
import type { PaymentGateway } from "./gateway.ts";
import { GatewayFailed } from "./gateway-failed.ts";
import { complete, create, dueByCard, fail, partsOf } from "./payment.ts";
import { paymentIdOf } from "./payment-id.ts";
import { isPaid, loadPayment, PAGE_ROWS } from "./payment-rows.ts";
import { paymentTable } from "./tables.ts";

export type PaymentService = Service<typeof paymentContract, Transaction, "authorisePayment" | "capturePayment">;

export interface PaymentServiceOptions {
  /** Without one, payments with a card part are refused as they are created. */
  readonly gateway?: PaymentGateway | undefined;
}

export function createPaymentService({ gateway }: PaymentServiceOptions = {}): PaymentService {
  const cards = createCardPayments(gateway ?? noGateway);
  return {
    async createPayment({ transaction, key, sagaId, now }, { cardMinor = 0, ...request }) {
      const parts = partsOf(request.amount, cardMinor);
      if (parts.isErr()) return err(parts.error);
      if (cardMinor > 0 && gateway === undefined) return err({ _tag: "CardNotAccepted" });
      const paymentId = paymentIdOf(key, now);
      const inserted = await transaction.insert(paymentTable, create({ paymentId, ...request, parts: parts.value, sagaId }, now));
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
    authorisePayment: foreign(cards.authorise),
    voidAuthorisation: foreign(cards.voidAuthorisation),
    capturePayment: foreign(cards.capture),
    async completePayment({ transaction, now }, { paymentId }) {
      const completed = (await loadPayment(transaction, paymentId)).andThen((payment) => complete(payment, now));
      if (completed.isErr()) return err(completed.error);
      const due = dueByCard(completed.value);
      if (due.amountMinor > 0) return err({ _tag: "CaptureMissing", paymentId, due });
      const { orderId } = completed.value;
      if (await isPaid(transaction, orderId)) return err({ _tag: "OrderAlreadyPaid", orderId });
      await transaction.put(paymentTable, completed.value);
      return ok({ paidAt: now });
    },
    findPayment: ({ transaction }, { paymentId }) => loadPayment(transaction, paymentId),
    async listPayments({ transaction }, { orderId, after }) {
      const page = { after, limit: PAGE_ROWS };
      if (orderId === undefined) return ok({ payments: await transaction.list(paymentTable, page) });
      return ok({ payments: await transaction.find(paymentTable, { field: "orderId", equals: orderId }, page) });
    },
  };
}

/** A shop without a gateway: no payment has a card part, so nobody comes here but with an intent from the time when there was one, and that stays in doubt. */
const noGateway: PaymentGateway = {
  authorise: refuse,
  capture: refuse,
  void: refuse,
  settle: refuse,
};

async function refuse(): Promise<never> {
  throw new GatewayFailed("unanswered", undefined, "which this service was not given");
}
