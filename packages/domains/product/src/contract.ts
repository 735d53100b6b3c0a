/** What the product domain offers: a catalogue with prices, and stock that is deducted per order line and put back. */
import { command, contract, id, money, quantity, query, rejection, undo } from "@backstep/contract";
import { z } from "zod";

/** Units in stock. */
const units = z.int().min(0);

/** Units that arrive at once: 1 to 1,000,000. */
const delivered = z.int().min(1).max(1_000_000);

const productNotFound = rejection("ProductNotFound", { productId: id }, { status: 404 });
const productExists = rejection("ProductExists", { productId: id }, { status: 409 });
const outOfStock = rejection("OutOfStock", { productId: id, requested: quantity, available: units }, { status: 409 });

export const product = z.strictObject({ productId: id, name: z.string().min(1).max(200), price: money, available: units });

/** Units taken for one order line and not put back. Named by the idempotency key of the command that took them. */
export const deduction = z.strictObject({ deductionId: z.string().min(1).max(255), orderId: id, productId: id, quantity });

export type Product = Readonly<z.output<typeof product>>;
export type Deduction = Readonly<z.output<typeof deduction>>;

const orderLine = deduction.omit({ deductionId: true });

export const productContract = contract({
  name: "product",
  operations: {
    registerProduct: command({
      summary: "Registers a product under an id of the caller's choice, with nothing in stock.",
      path: "/products",
      input: product.omit({ available: true }),
      output: z.strictObject({ productId: id }),
      rejections: [productExists],
    }),
    changePrice: command({
      summary: "Changes a product's price. Orders keep the price that they were placed at.",
      path: "/products/{productId}/price",
      method: "PUT",
      input: product.pick({ productId: true, price: true }),
      output: z.strictObject({ productId: id }),
      rejections: [productNotFound],
    }),
    findProduct: query({
      summary: "Finds a product, its price and its stock.",
      path: "/products/{productId}",
      input: z.strictObject({ productId: id }),
      output: product,
      rejections: [productNotFound],
    }),
    listProducts: query({
      summary: "Lists products by id, at most 100 at a time; `after` is the last id of the page before.",
      path: "/products",
      input: z.strictObject({ after: id.optional() }),
      output: z.strictObject({ products: z.array(product).readonly() }),
      rejections: [],
    }),
    addStock: command({
      summary: "Adds delivered units to the stock.",
      path: "/products/{productId}/stock/deliveries",
      input: z.strictObject({ productId: id, quantity: delivered }),
      output: z.strictObject({ available: units }),
      rejections: [productNotFound],
    }),
    deductStock: command({
      summary: "Deducts the units of one order line, all of them or none.",
      path: "/products/{productId}/stock/deductions",
      input: orderLine,
      output: deduction.pick({ deductionId: true }),
      rejections: [productNotFound, outOfStock],
    }),
    restoreStock: undo({
      summary: "Puts the deducted units of one order line back.",
      path: "/products/{productId}/stock/restorations",
      undoes: "deductStock",
      input: orderLine,
    }),
    listDeductions: query({
      summary: "Lists what is deducted for an order and not put back, at most 100 at a time.",
      path: "/orders/{orderId}/stock-deductions",
      input: z.strictObject({ orderId: id, after: deduction.shape.deductionId.optional() }),
      output: z.strictObject({ deductions: z.array(deduction).readonly() }),
      rejections: [],
    }),
  },
});
