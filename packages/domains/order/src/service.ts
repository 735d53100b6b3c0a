/** The order service: load, decide, store. The undo of a begun payment says which saga went back, and what for; the order remembers both. */
import assert from "node:assert/strict";
import type { RejectionOf, Service } from "@backstep/contract";
import type { Transaction } from "@backstep/participant";
import { err, ok, type Result } from "neverthrow";
import type { Order, orderContract } from "./contract.ts";
import { beginPayment, cancel, create, failPayment, markPaid, releasePayment } from "./order.ts";
import { orderTable, rowOf, storeOrder } from "./tables.ts";

export type OrderService = Service<typeof orderContract, Transaction>;

const PAGE_ROWS = 100;

export function createOrderService(): OrderService {
  return {
    async createOrder({ transaction, now }, input) {
      const created = create(input, now);
      if (created.isErr()) return err(created.error);
      const { orderId, total } = created.value;
      const inserted = await transaction.insert(orderTable, rowOf(created.value));
      return inserted ? ok({ orderId, total }) : err({ _tag: "OrderExists", orderId });
    },
    findOrder: ({ transaction }, { orderId }) => load(transaction, orderId),
    async listOrders({ transaction }, { memberId, after }) {
      const page = { after, limit: PAGE_ROWS };
      const rows =
        memberId === undefined
          ? await transaction.list(orderTable, page)
          : await transaction.find(orderTable, { field: "memberId", equals: memberId }, page);
      return ok({ orders: rows.map((row) => row.order) });
    },
    async cancelOrder({ transaction, now }, { orderId, memberId }) {
      const cancelled = (await load(transaction, orderId)).andThen((order) => cancel(order, memberId, now));
      return (await store(transaction, cancelled)).map(() => ({ orderId }));
    },
    async beginPayment({ transaction, sagaId, now }, { orderId, memberId }) {
      if (sagaId === undefined) return err({ _tag: "SagaRequired" });
      const begun = (await load(transaction, orderId)).andThen((order) => beginPayment(order, { memberId, sagaId, now }));
      return (await store(transaction, begun)).map(({ lines, total }) => ({
        orderId,
        lines: lines.map(({ productId, quantity }) => ({ productId, quantity })),
        total,
      }));
    },
    async failPayment({ transaction, sagaId, cause, now }, { orderId }) {
      assert(sagaId !== undefined, `order ${orderId} is freed by the saga that holds it; this undo names none`);
      const row = await transaction.get(orderTable, orderId);
      assert(row !== undefined, `order ${orderId} was being paid, and is gone`);
      const { state } = row.order;
      assert(state._tag !== "PAID" || state.sagaId !== sagaId, `order ${orderId} is paid; saga ${sagaId} cannot go back any more`);
      await storeOrder(transaction, failPayment(row.order, sagaId, cause, now));
    },
    async markPaid({ transaction, sagaId, now }, { orderId, paymentId }) {
      const paid = (await load(transaction, orderId)).andThen((order) => markPaid(order, paymentId, { sagaId, now }));
      return (await store(transaction, paid)).map(() => ({ orderId }));
    },
    async releasePayment({ transaction, now }, { sagaId, evidence }) {
      const held = await transaction.find(orderTable, { field: "heldBy", equals: sagaId });
      if (held.length === 0) return err({ _tag: "NoOrderHeld", sagaId });
      for (const { order } of held) await storeOrder(transaction, releasePayment(order, sagaId, evidence, now));
      return ok({ orderIds: held.map(({ order }) => order.orderId) });
    },
  };
}

type NotFound = RejectionOf<(typeof orderContract)["operations"]["findOrder"]>;

async function load(transaction: Transaction, orderId: string): Promise<Result<Order, NotFound>> {
  const row = await transaction.get(orderTable, orderId);
  return row === undefined ? err({ _tag: "OrderNotFound", orderId }) : ok(row.order);
}

/** Stores what was decided, if it was decided for; hands the decision on either way. */
async function store<Failure>(transaction: Transaction, decided: Result<Order, Failure>): Promise<Result<Order, Failure>> {
  if (decided.isOk()) await storeOrder(transaction, decided.value);
  return decided;
}
