/** Where products and standing deductions are stored: as the contract shows them. */
import type { Table } from "@backstep/participant";
import { type Deduction, deduction, type Product, product } from "./contract.ts";

export const productTable: Table<Product> = {
  name: "products",
  key: ({ productId }) => productId,
  decode: (document) => product.parse(document),
};

export const deductionTable: Table<Deduction> = {
  name: "product_deductions",
  key: ({ deductionId }) => deductionId,
  decode: (document) => deduction.parse(document),
  indexes: ["orderId"],
};
