/**
 * A small contract that the tests of client and server share: a warehouse whose items are stocked, reserved and released. It has every kind of operation, every place
 * where an input may travel, two rejections of one status, a free text in a path, and a member of any JSON.
 */
import { command, contract, eventType, id, quantity, query, rejection, undo } from "@backstep/contract";
import { z } from "zod";

const units = z.int().min(0);

export const item = z.strictObject({ itemId: id, label: z.string().min(1).max(40), units, notes: z.json().optional() });
export const reservation = z.strictObject({ itemId: id, orderId: id, quantity });

export type Item = Readonly<z.output<typeof item>>;

const itemUnknown = rejection("ItemUnknown", { itemId: id }, { status: 404 });
const itemExists = rejection("ItemExists", { itemId: id }, { status: 409 });
const outOfStock = rejection("OutOfStock", { itemId: id, requested: quantity, available: units }, { status: 409 });
const orderClosed = rejection("OrderClosed", { orderId: id }, { status: 409 });
const itemReserved = rejection("ItemReserved", { itemId: id });

export const warehouse = contract({
  name: "warehouse",
  operations: {
    addItem: command({
      summary: "Adds an item with nothing in stock.",
      path: "/items",
      input: item.omit({ units: true }),
      output: z.strictObject({ itemId: id }),
      rejections: [itemExists],
    }),
    stockItem: command({
      summary: "Sets how many units of an item are in stock.",
      path: "/items/{itemId}/stock",
      method: "PUT",
      input: item.pick({ itemId: true, units: true }),
      output: z.strictObject({ units }),
      rejections: [itemUnknown],
    }),
    removeItem: command({
      summary: "Removes an item of which nothing is reserved.",
      path: "/items/{itemId}",
      method: "DELETE",
      input: item.pick({ itemId: true }),
      output: z.strictObject({ itemId: id }),
      rejections: [itemUnknown, itemReserved],
    }),
    reserve: command({
      summary: "Reserves units of an item for an order, all of them or none.",
      path: "/items/{itemId}/reservations",
      input: reservation,
      output: z.strictObject({ reservationId: z.string(), left: units }),
      rejections: [itemUnknown, outOfStock, orderClosed],
    }),
    release: undo({
      summary: "Gives reserved units back.",
      path: "/items/{itemId}/releases",
      undoes: "reserve",
      input: reservation,
    }),
    findItem: query({
      summary: "Finds one item.",
      path: "/items/{itemId}",
      input: item.pick({ itemId: true }),
      output: item,
      rejections: [itemUnknown],
    }),
    listItems: query({
      summary: "Lists items by id; `after` is the last id of the page before.",
      path: "/items",
      input: z.strictObject({ after: id.optional(), limit: z.coerce.number().int().min(1).max(100).optional() }),
      output: z.strictObject({ items: z.array(item).readonly() }),
      rejections: [],
    }),
    countLabel: query({
      summary: "Counts the items of a label, which may be any text.",
      path: "/labels/{label}/count",
      input: z.strictObject({ label: z.string().min(1).max(40) }),
      output: z.strictObject({ label: z.string(), items: units }),
      rejections: [],
    }),
  },
  events: {
    stockArrived: eventType("com.example.stock.arrived.v1", z.strictObject({ itemId: id, units: quantity, notes: z.json().optional() })),
  },
});
