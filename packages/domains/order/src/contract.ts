/**
 * What the order domain offers: placing, finding and cancelling orders, and the lock that a payment takes on one. No rejection tells a stranger
 * or a rival whose the order is, or which saga holds it. Queries do not ask who asks: they are for staff and services.
 */
import { amountMinor, command, contract, currency, epochMs, id, money, quantity, query, rejection, undo } from "@backstep/contract";
import { z } from "zod";

const LINES_MAX = 100;

const sagaId = z.string().min(1).max(128);

/** What an operator leaves behind: why the saga may be taken for dead, and who said so. */
const evidence = z.string().min(1).max(1_000);

/** The price is fixed here, when the order is placed. */
const line = z.strictObject({ productId: id, quantity, unitPriceMinor: amountMinor });

const state = z.discriminatedUnion("_tag", [
  z.strictObject({ _tag: z.literal("CREATED") }),
  /** The lock: only the saga that is named here leads out of it. */
  z.strictObject({ _tag: z.literal("PAYMENT_PENDING"), sagaId, since: epochMs }),
  z.strictObject({
    _tag: z.literal("PAYMENT_FAILED"),
    /** The saga that went back or was released. */
    sagaId,
    failedAt: epochMs,
    reason: z.discriminatedUnion("_tag", [
      /** `cause`: the tag of the saga's first error, where it told. Its journal holds the rest. */
      z.strictObject({ _tag: z.literal("WentBack"), cause: z.string().max(64).optional() }),
      z.strictObject({ _tag: z.literal("Released"), evidence }),
    ]),
  }),
  z.strictObject({ _tag: z.literal("PAID"), sagaId, paymentId: id, paidAt: epochMs }),
  z.strictObject({ _tag: z.literal("CANCELLED"), cancelledAt: epochMs }),
]);

export const order = z.strictObject({
  orderId: id,
  memberId: id,
  lines: z.array(line).min(1).max(LINES_MAX).readonly(),
  /** Sum of unit price times quantity over all lines. */
  total: money,
  createdAt: epochMs,
  state,
});

export type Order = Readonly<z.output<typeof order>>;
export type OrderState = Order["state"];

const stateName = z.enum(["CREATED", "PAYMENT_PENDING", "PAYMENT_FAILED", "PAID", "CANCELLED"]);

const orderExists = rejection("OrderExists", { orderId: id }, { status: 409 });
const orderTooLarge = rejection("OrderTooLarge", { orderId: id, totalMax: money });
const orderNotFound = rejection("OrderNotFound", { orderId: id }, { status: 404 });
const orderNotOwned = rejection("OrderNotOwned", { orderId: id }, { status: 403 });
const orderBeingPaid = rejection("OrderBeingPaid", { orderId: id }, { status: 409 });
const orderNotPayable = rejection("OrderNotPayable", { orderId: id, state: stateName }, { status: 409 });
const orderNotHeld = rejection("OrderNotHeld", { orderId: id, state: stateName }, { status: 409 });
const orderNotCancellable = rejection("OrderNotCancellable", { orderId: id, state: stateName }, { status: 409 });
const noOrderHeld = rejection("NoOrderHeld", { sagaId }, { status: 404 });
const sagaRequired = rejection("SagaRequired", {}, { status: 400 });

const payer = z.strictObject({ orderId: id, memberId: id });

export const orderContract = contract({
  name: "order",
  operations: {
    createOrder: command({
      summary: "Places an order under an id of the caller's choice, at the prices given, before any payment.",
      path: "/orders",
      input: z.strictObject({ orderId: id, memberId: id, currency, lines: order.shape.lines }),
      output: order.pick({ orderId: true, total: true }),
      rejections: [orderExists, orderTooLarge],
    }),
    findOrder: query({
      summary: "Finds an order with its lines and its state.",
      path: "/orders/{orderId}",
      input: z.strictObject({ orderId: id }),
      output: order,
      rejections: [orderNotFound],
    }),
    listOrders: query({
      summary: "Lists orders by id, of one member or of all, at most 100 at a time; `after` is the last id of the page before.",
      path: "/orders",
      input: z.strictObject({ memberId: id.optional(), after: id.optional() }),
      output: z.strictObject({ orders: z.array(order).readonly() }),
      rejections: [],
    }),
    cancelOrder: command({
      summary: "Cancels an order that is neither paid nor being paid.",
      path: "/orders/{orderId}/cancellation",
      input: payer,
      output: z.strictObject({ orderId: id }),
      rejections: [orderNotFound, orderNotOwned, orderNotCancellable],
    }),
    beginPayment: command({
      summary: "Takes the payer's own order to PAYMENT_PENDING and holds it there for the calling saga.",
      path: "/orders/{orderId}/payment",
      input: payer,
      output: z.strictObject({
        orderId: id,
        lines: z.array(line.pick({ productId: true, quantity: true })).readonly(),
        total: money,
      }),
      rejections: [orderNotFound, orderNotOwned, orderBeingPaid, orderNotPayable, sagaRequired],
    }),
    failPayment: undo({
      summary: "Takes an order that the calling saga holds to PAYMENT_FAILED.",
      path: "/orders/{orderId}/payment/failure",
      undoes: "beginPayment",
      input: payer,
    }),
    markPaid: command({
      summary: "Takes an order that the calling saga holds to PAID.",
      path: "/orders/{orderId}/payment/completion",
      input: z.strictObject({ orderId: id, paymentId: id }),
      output: z.strictObject({ orderId: id }),
      rejections: [orderNotFound, orderNotHeld],
    }),
    releasePayment: command({
      summary: "For operators: frees whatever order an abandoned saga holds, to PAYMENT_FAILED, and records the evidence.",
      path: "/payment-locks/release",
      input: z.strictObject({ sagaId, evidence }),
      output: z.strictObject({ orderIds: z.array(id).readonly() }),
      rejections: [noOrderHeld],
    }),
  },
});
