/** The same for a service that takes part: a contract, its server behind a fence, a client, and the steps that follow from them. */
import { command, contract, eventType, id, quantity, query, rejection, undo } from "@backstep/contract";
import { createServer, stepOf } from "@backstep/http-adapter";
import { createClient } from "@backstep/http-adapter/client";
import { createMemoryDatabase } from "@backstep/participant";
import { saga } from "@backstep/saga-core";
import { z } from "zod";

export const Deduction = z.object({ productId: id, quantity });

export const products = contract({
  name: "product",
  operations: {
    deductStock: command({
      summary: "Takes a quantity out of stock.",
      path: "/products/{productId}/deductions",
      input: Deduction,
      output: z.object({ left: z.int() }),
      rejections: [rejection("OutOfStock", { productId: id }, { status: 409 })],
    }),
    restoreStock: undo({ summary: "Puts it back.", path: "/products/{productId}/restorations", undoes: "deductStock", input: Deduction }),
    findProduct: query({
      summary: "Reads a product.",
      path: "/products/{productId}",
      input: z.object({ productId: id }),
      output: z.object({ name: z.string() }),
      rejections: [],
    }),
  },
  events: { stockDeducted: eventType("shop.stock-deducted.v1", Deduction) },
});

export const client = createClient(products, { baseUrl: "http://127.0.0.1:1" });
export const deductStock = stepOf(client.deductStock, client.restoreStock);
export const findProduct = stepOf.readOnly(client.findProduct);
export const createProductServer = (options: Omit<Parameters<typeof createServer<typeof products>>[0], "contract">) =>
  createServer({ contract: products, ...options });
export const database = createMemoryDatabase();

export const order = saga({
  name: "order",
  input: Deduction,
  *run(line) {
    const { name } = yield* findProduct({ productId: line.productId });
    const { left } = yield* deductStock(line);
    return { name, left };
  },
});

console.log(`${order.name} of ${products.name}`);
