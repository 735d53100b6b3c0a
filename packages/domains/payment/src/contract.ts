/** What the payment domain offers: payment records and their states, and the event that a payment was completed. */
import { command, contract, epochMs, eventType, id, money, query, rejection, undo } from "@backstep/contract";
import { z } from "zod";

export const payment = z.strictObject({
  paymentId: id,
  orderId: id,
  memberId: id,
  /** The order's total less the discount, never below zero. */
  amount: money,
  /** The saga that pays; absent for a payment that was created by hand. */
  sagaId: z.string().min(1).max(128).optional(),
  createdAt: epochMs,
  state: z.discriminatedUnion("_tag", [
    z.strictObject({ _tag: z.literal("PENDING") }),
    z.strictObject({ _tag: z.literal("PAID"), paidAt: epochMs }),
    z.strictObject({ _tag: z.literal("FAILED"), failedAt: epochMs }),
  ]),
});

export type Payment = Readonly<z.output<typeof payment>>;

const stateName = z.enum(["PENDING", "PAID", "FAILED"]);

const paymentNotFound = rejection("PaymentNotFound", { paymentId: id }, { status: 404 });
const paymentNotPending = rejection("PaymentNotPending", { paymentId: id, state: stateName }, { status: 409 });
const orderAlreadyPaid = rejection("OrderAlreadyPaid", { orderId: id }, { status: 409 });

const request = payment.pick({ orderId: true, memberId: true, amount: true });

export const paymentContract = contract({
  name: "payment",
  operations: {
    createPayment: command({
      summary: "Creates a pending payment for an order.",
      path: "/payments",
      input: request,
      output: z.strictObject({ paymentId: id }),
      rejections: [],
    }),
    failPayment: undo({
      summary: "Takes a pending payment to FAILED.",
      path: "/payments/failures",
      undoes: "createPayment",
      input: request,
    }),
    completePayment: command({
      summary: "Takes a pending payment to PAID. An order has one paid payment at most.",
      path: "/payments/{paymentId}/completion",
      input: z.strictObject({ paymentId: id }),
      output: z.strictObject({ paidAt: epochMs }),
      rejections: [paymentNotFound, paymentNotPending, orderAlreadyPaid],
    }),
    findPayment: query({
      summary: "Finds a payment and its state.",
      path: "/payments/{paymentId}",
      input: z.strictObject({ paymentId: id }),
      output: payment,
      rejections: [paymentNotFound],
    }),
    listPayments: query({
      summary:
        "Lists payments as they were created, of one order or of all, at most 100 at a time; `after` is the last id of the page before.",
      path: "/payments",
      input: z.strictObject({ orderId: id.optional(), after: id.optional() }),
      output: z.strictObject({ payments: z.array(payment).readonly() }),
      rejections: [],
    }),
  },
  events: {
    paymentCompleted: eventType(
      "com.backstep.payment.completed.v1",
      payment.pick({ paymentId: true, orderId: true, memberId: true, amount: true }).extend({ paidAt: epochMs }),
    ),
  },
});
