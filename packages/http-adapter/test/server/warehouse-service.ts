/** The warehouse as a domain would write it: load, decide, store, over the transaction port. */
import type { Service } from "@backstep/contract";
import type { EventHandler } from "@backstep/http-adapter/server";
import type { Table, Transaction } from "@backstep/participant";
import { err, ok, type Result } from "neverthrow";
import { z } from "zod";
import { type Item, item, reservation, warehouse } from "../warehouse.ts";

export type WarehouseService = Service<typeof warehouse, Transaction>;

const held = reservation.extend({ reservationId: z.string() });
const closed = z.strictObject({ orderId: z.string() });

const itemTable: Table<Item> = {
  name: "warehouse_items",
  key: ({ itemId }) => itemId,
  decode: (document) => item.parse(document),
  indexes: ["label"],
};
const reservationTable: Table<z.output<typeof held>> = {
  name: "warehouse_reservations",
  key: ({ reservationId }) => reservationId,
  decode: (document) => held.parse(document),
  indexes: ["itemId"],
};
/** A business guard that can fall while an operation is under way. */
export const closedOrderTable: Table<z.output<typeof closed>> = {
  name: "warehouse_closed_orders",
  key: ({ orderId }) => orderId,
  decode: (document) => closed.parse(document),
};

export function createWarehouseService(): WarehouseService {
  return {
    async addItem({ transaction }, input) {
      const { itemId } = input;
      return (await transaction.insert(itemTable, { ...input, units: 0 })) ? ok({ itemId }) : err({ _tag: "ItemExists", itemId });
    },
    async stockItem({ transaction }, { itemId, units }) {
      const found = await load(transaction, itemId);
      if (found.isErr()) return err(found.error);
      await transaction.put(itemTable, { ...found.value, units });
      return ok({ units });
    },
    async removeItem({ transaction }, { itemId }) {
      const found = await load(transaction, itemId);
      if (found.isErr()) return err(found.error);
      const [reserved] = await transaction.find(reservationTable, { field: "itemId", equals: itemId }, { limit: 1 });
      if (reserved !== undefined) return err({ _tag: "ItemReserved", itemId });
      await transaction.remove(itemTable, itemId);
      return ok({ itemId });
    },
    async reserve({ transaction, key: reservationId }, { itemId, orderId, quantity }) {
      if ((await transaction.get(closedOrderTable, orderId)) !== undefined) return err({ _tag: "OrderClosed", orderId });
      const found = await load(transaction, itemId);
      if (found.isErr()) return err(found.error);
      const { units: available } = found.value;
      if (available < quantity) return err({ _tag: "OutOfStock", itemId, requested: quantity, available });
      await transaction.put(itemTable, { ...found.value, units: available - quantity });
      await transaction.insert(reservationTable, { reservationId, itemId, orderId, quantity });
      return ok({ reservationId, left: available - quantity });
    },
    async release({ transaction, undone: { reservationId } }) {
      const given = await transaction.get(reservationTable, reservationId);
      if (given === undefined) throw new TypeError("a reservation that is released does not stand");
      const found = await transaction.get(itemTable, given.itemId);
      if (found === undefined) throw new TypeError("an item with a reservation is gone");
      await transaction.put(itemTable, { ...found, units: found.units + given.quantity });
      await transaction.remove(reservationTable, reservationId);
    },
    findItem: ({ transaction }, { itemId }) => load(transaction, itemId),
    async listItems({ transaction }, { after, limit }) {
      return ok({ items: await transaction.list(itemTable, { after, limit: limit ?? 100 }) });
    },
    async countLabel({ transaction }, { label }) {
      const found = await transaction.find(itemTable, { field: "label", equals: label });
      return ok({ label, items: found.length });
    },
  };
}

async function load(
  transaction: Transaction,
  itemId: string,
): Promise<Result<Item, { readonly _tag: "ItemUnknown"; readonly itemId: string }>> {
  const found = await transaction.get(itemTable, itemId);
  return found === undefined ? err({ _tag: "ItemUnknown", itemId }) : ok(found);
}

const { stockArrived } = warehouse.events;

export const takeArrivedStock: EventHandler = {
  event: stockArrived,
  async handle(transaction, data) {
    const { itemId, units } = stockArrived.data.parse(data);
    const found = await transaction.get(itemTable, itemId);
    if (found !== undefined) await transaction.put(itemTable, { ...found, units: found.units + units });
  },
};
