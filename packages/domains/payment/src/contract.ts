/**
 * What the payment domain offers: payment records and their states, what is held of them on a card, and the event that a payment was completed. A payment has two
 * parts, one by points and one by card; the card's is held by an outside gateway until the payment is completed.
 */
import { amountMinor, command, contract, epochMs, eventType, id, money, query, rejection, undo } from "@backstep/contract";
import { z } from "zod";

/** In minor units of the payment's currency; together the payment's amount. */
const parts = z.strictObject({ pointsMinor: amountMinor, cardMinor: amountMinor });

const record = z.strictObject({
  paymentId: id,
  orderId: id,
  memberId: id,
  /** The order's total less the discount, never below zero. */
  amount: money,
  parts,
  /** The saga that pays; absent for a payment that was created by hand. */
  sagaId: z.string().min(1).max(128).optional(),
  createdAt: epochMs,
  state: z.discriminatedUnion("_tag", [
    z.strictObject({ _tag: z.literal("PENDING") }),
    z.strictObject({ _tag: z.literal("PAID"), paidAt: epochMs }),
    z.strictObject({ _tag: z.literal("FAILED"), failedAt: epochMs }),
  ]),
});

export const payment = record.refine(
  ({ amount, parts: { pointsMinor, cardMinor } }) => pointsMinor + cardMinor === amount.amountMinor,
  "the parts of a payment add up to its amount",
);

export type Payment = Readonly<z.output<typeof payment>>;

const stateName = z.enum(["PENDING", "PAID", "FAILED"]);
const authorisationState = z.enum(["NONE", "REQUESTED", "AUTHORISED", "CAPTURED", "VOIDED"]);

const paymentNotFound = rejection("PaymentNotFound", { paymentId: id }, { status: 404 });
const paymentNotPending = rejection("PaymentNotPending", { paymentId: id, state: stateName }, { status: 409 });
const orderAlreadyPaid = rejection("OrderAlreadyPaid", { orderId: id }, { status: 409 });
const cardPartTooLarge = rejection("CardPartTooLarge", { amount: money, cardMinor: amountMinor });
const cardNotAccepted = rejection("CardNotAccepted", {});
const captureMissing = rejection("CaptureMissing", { paymentId: id, due: money }, { status: 409 });
const amountNotDue = rejection("AmountNotDue", { paymentId: id, due: money });
const authorisationNotInState = rejection("AuthorisationNotInState", { paymentId: id, state: authorisationState }, { status: 409 });

/** The gateway's own name for something, of whatever form. */
const gatewayId = z.string().min(1).max(255);

const authorisationDeclined = rejection("AuthorisationDeclined", { reason: z.string().min(1).max(200) }, { status: 402 });
const authorisationNotFound = rejection("AuthorisationNotFound", { authorisationId: gatewayId }, { status: 404 });
const authorisationClosed = rejection(
  "AuthorisationClosed",
  { authorisationId: gatewayId, by: z.enum(["Captured", "Voided"]) },
  { status: 409 },
);
const captureTooLarge = rejection("CaptureTooLarge", { authorised: money });

const request = record.pick({ orderId: true, memberId: true, amount: true }).extend({
  /** How much of the amount is paid by card, in its minor units. The rest is paid by points. Default: 0. */
  cardMinor: amountMinor.optional(),
});
const reservation = z.strictObject({ paymentId: id, amount: money });

export const paymentContract = contract({
  name: "payment",
  operations: {
    createPayment: command({
      summary: "Creates a pending payment for an order.",
      path: "/payments",
      input: request,
      output: z.strictObject({ paymentId: id }),
      rejections: [cardPartTooLarge, cardNotAccepted],
    }),
    failPayment: undo({
      summary: "Takes a pending payment to FAILED.",
      path: "/payments/failures",
      undoes: "createPayment",
      input: request,
    }),
    authorisePayment: command({
      summary: "Reserves the card part of a pending payment at the gateway.",
      path: "/payments/{paymentId}/authorisations",
      input: reservation,
      output: z.strictObject({ _tag: z.literal("Authorised"), authorisationId: gatewayId }),
      rejections: [paymentNotFound, paymentNotPending, amountNotDue, authorisationNotInState, authorisationDeclined],
    }),
    voidAuthorisation: undo({
      summary: "Lets the reserved amount go.",
      path: "/payments/{paymentId}/authorisations/voids",
      undoes: "authorisePayment",
      input: reservation,
    }),
    capturePayment: command({
      summary: "Takes the reserved amount, and the payment to PAID with it. An order has one paid payment at most.",
      path: "/payments/{paymentId}/captures",
      input: reservation.extend({ authorisationId: gatewayId }),
      output: z.strictObject({ _tag: z.literal("Captured"), captureId: gatewayId, authorisationId: gatewayId, paidAt: epochMs }),
      rejections: [
        paymentNotFound,
        paymentNotPending,
        orderAlreadyPaid,
        amountNotDue,
        authorisationNotInState,
        authorisationNotFound,
        authorisationClosed,
        captureTooLarge,
      ],
    }),
    completePayment: command({
      summary: "Takes a pending payment without a card part to PAID. An order has one paid payment at most.",
      path: "/payments/{paymentId}/completion",
      input: z.strictObject({ paymentId: id }),
      output: z.strictObject({ paidAt: epochMs }),
      rejections: [paymentNotFound, paymentNotPending, orderAlreadyPaid, captureMissing],
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
      record.pick({ paymentId: true, orderId: true, memberId: true, amount: true }).extend({ paidAt: epochMs }),
    ),
  },
});
