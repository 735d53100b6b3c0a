/** The checkout: the numbered list of the requirement, as a saga over the contracts of six services. */

import { amountMinor, epochMs, id, money, rejection } from "@backstep/contract";
import type { couponContract } from "@backstep/coupon/contract";
import { stepOf } from "@backstep/http-adapter";
import type { Client } from "@backstep/http-adapter/client";
import type { memberContract } from "@backstep/member/contract";
import type { memberPointContract } from "@backstep/member-point/contract";
import type { orderContract } from "@backstep/order/contract";
import { paymentContract } from "@backstep/payment/contract";
import type { productContract } from "@backstep/product/contract";
import { all, emit, fail, saga, signal, waitFor } from "@backstep/saga-core";
import { z } from "zod";
import type { Patience } from "./settings.ts";

export interface Services {
  readonly members: Client<typeof memberContract>;
  readonly points: Client<typeof memberPointContract>;
  readonly products: Client<typeof productContract>;
  readonly coupons: Client<typeof couponContract>;
  readonly orders: Client<typeof orderContract>;
  readonly payments: Client<typeof paymentContract>;
}

export const checkoutInput = z.strictObject({
  orderId: id,
  memberId: id,
  couponId: id.optional(),
  /** How many points to spend, no more than there is to pay; the member's card pays the rest. Default: all of it by points. */
  points: amountMinor.optional(),
});
/** Payments from here on, in minor units, wait for a person's approval. */
export const APPROVAL_FROM_MINOR = 1_000_000;

export const approvalPayload = z.strictObject({ approved: z.boolean(), by: z.string().min(1).max(200) });
export const approval = signal({ name: "checkout.approval", payload: approvalPayload });

export const paymentNotApproved = rejection("PaymentNotApproved", { orderId: id });

/** The steps before the pivot, in their order. Those of one order's lines are made, and taken back, side by side. */
const READS = ["findPayer"] as const;
const UNDOABLE = ["beginPayment", "useCoupon", "createPayment", "deductStock", "deductPoints", "authorisePayment"] as const;

type StepsOf<Names extends readonly string[]> = Readonly<Record<Names[number], { readonly "~step": unknown }>>;

/** From the start until the pivot: the wait for an approval, and every step for as long as it is attempted. */
export function checkoutDeadlineMs(patience: Patience): number {
  return patience.approvalMs + (READS.length + UNDOABLE.length) * attemptedMs(patience);
}

/** From the start until the last undo: the pivot may begin just before the deadline and be rejected, and undos come one after another. */
export function checkoutLastsMs(patience: Patience): number {
  const undosMs = UNDOABLE.length * (patience.persistentHorizonMs + patience.timeoutMs);
  return checkoutDeadlineMs(patience) + attemptedMs(patience) + undosMs;
}

/** The last attempt may begin just before the horizon. */
function attemptedMs({ horizonMs, timeoutMs }: Patience): number {
  return horizonMs + timeoutMs;
}

export const checkoutOutput = z.strictObject({ paymentId: id, orderId: id, amount: money, paidAt: epochMs });

export function createCheckout({ members, points, products, coupons, orders, payments }: Services, patience: Patience) {
  const { persistentHorizonMs, approvalMs, ...retry } = patience;
  const compensationRetry = { ...retry, attempts: Number.POSITIVE_INFINITY, horizonMs: persistentHorizonMs };
  const budgets = { retry, compensationRetry };

  const findPayer = stepOf.readOnly(members.findPayer, { retry });
  const beginPayment = stepOf(orders.beginPayment, orders.failPayment, budgets);
  const useCoupon = stepOf(coupons.useCoupon, coupons.restoreCoupon, budgets);
  const createPayment = stepOf(payments.createPayment, payments.failPayment, budgets);
  const deductStock = stepOf(products.deductStock, products.restoreStock, budgets);
  const deductPoints = stepOf(points.deductPoints, points.restorePoints, budgets);
  const authorisePayment = stepOf(payments.authorisePayment, payments.voidAuthorisation, budgets);
  const capturePayment = stepOf.pivot(payments.capturePayment, { retry });
  const completePayment = stepOf.pivot(payments.completePayment, { retry });
  const markOrderPaid = stepOf.retriable(orders.markPaid, { retry: compensationRetry });

  const checkout = saga({
    name: "checkout",
    input: checkoutInput,
    deadline: checkoutDeadlineMs(patience),
    *run({ orderId, memberId, couponId, points }) {
      // 1. Find the paying member, who must exist and be active.
      yield* findPayer({ memberId });
      // 2. Find the order, see that it is the member's, and take it to PAYMENT_PENDING.
      const order = yield* beginPayment({ orderId, memberId });
      // 3. Validate the coupon, if there is one, and use it.
      const discountMinor =
        couponId === undefined ? 0 : (yield* useCoupon({ couponId, memberId, orderTotal: order.total })).discount.amountMinor;
      // 4. Create the payment: the order's total less the discount, never below zero.
      const amount = { ...order.total, amountMinor: Math.max(0, order.total.amountMinor - discountMinor) };
      const byPoints = { ...amount, amountMinor: Math.min(points ?? amount.amountMinor, amount.amountMinor) };
      const byCard = { ...amount, amountMinor: amount.amountMinor - byPoints.amountMinor };
      const { paymentId } = yield* createPayment({ orderId, memberId, amount, cardMinor: byCard.amountMinor });
      // A large one waits for somebody to approve it, for a day at most; whoever says no, or nothing, ends it here.
      if (amount.amountMinor >= APPROVAL_FROM_MINOR) {
        const answer = yield* waitFor(approval, { timeout: approvalMs });
        if (answer.isErr() || !answer.value.approved) yield* fail({ _tag: "PaymentNotApproved", orderId });
      }
      // 5. Deduct the stock of every order line, lines in parallel.
      yield* all(order.lines.map(({ productId, quantity }) => deductStock({ orderId, productId, quantity })));
      // 6. Deduct the member's points, and reserve on the card what they do not pay.
      if (byPoints.amountMinor > 0) yield* deductPoints({ memberId, amount: byPoints });
      const reserved = byCard.amountMinor > 0 ? yield* authorisePayment({ paymentId, amount: byCard }) : undefined;
      const capture = reserved === undefined ? undefined : { paymentId, amount: byCard, authorisationId: reserved.authorisationId };
      return { paymentId, orderId, memberId, amount, capture };
    },
    // 7. Complete the payment, by taking what is reserved where something is. From here on there is no way back.
    pivot: ({ paymentId, capture }) => (capture === undefined ? completePayment({ paymentId }) : capturePayment(capture)),
    *complete({ paymentId, orderId, memberId, amount }, { paidAt }) {
      // 8. Publish Payment.Completed, committed together with the pivot's outcome.
      yield* emit(paymentContract.events.paymentCompleted, { paymentId, orderId, memberId, amount, paidAt }, { subject: paymentId });
      // 9. Update the order: PAID, with the payment's id.
      yield* markOrderPaid({ orderId, paymentId });
      return { paymentId, orderId, amount, paidAt };
    },
  });
  const reads = { findPayer } satisfies StepsOf<typeof READS>;
  const undoable = { beginPayment, useCoupon, createPayment, deductStock, deductPoints, authorisePayment } satisfies StepsOf<
    typeof UNDOABLE
  >;
  const steps = [...Object.values(reads), ...Object.values(undoable), capturePayment, completePayment, markOrderPaid];
  return { checkout, steps };
}
