/** Where orders are stored, and the fields that they are found by. The order is the truth; the fields beside it are copies for the index. */
import type { Table, Transaction } from "@backstep/participant";
import { z } from "zod";
import { type Order, order } from "./contract.ts";
import { holderOf } from "./order.ts";

interface OrderRow {
  readonly memberId: string;
  /** The saga that holds the order; absent when none does. */
  readonly heldBy?: string | undefined;
  readonly order: Order;
}

const orderRow = z.strictObject({ memberId: z.string(), heldBy: z.string().optional(), order });

export const orderTable: Table<OrderRow> = {
  name: "orders",
  key: (row) => row.order.orderId,
  decode: (document) => orderRow.parse(document),
  indexes: ["memberId", "heldBy"],
};

export function rowOf(stored: Order): OrderRow {
  return { memberId: stored.memberId, heldBy: holderOf(stored), order: stored };
}

export function storeOrder(transaction: Transaction, stored: Order): Promise<void> {
  return transaction.put(orderTable, rowOf(stored));
}
