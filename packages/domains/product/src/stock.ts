/**
 * Stock as a count that never goes below zero. Pure: what is deducted comes back in the same number, so a deduction and its restoration
 * are nothing together.
 */
import type { RejectionOf } from "@backstep/contract";
import { err, ok, type Result } from "neverthrow";
import type { Product, productContract } from "./contract.ts";

type OutOfStock = Extract<RejectionOf<(typeof productContract)["operations"]["deductStock"]>, { readonly _tag: "OutOfStock" }>;

export function addUnits(product: Product, quantity: number): Product {
  return { ...product, available: product.available + quantity };
}

/** All units or none. */
export function deductUnits(product: Product, quantity: number): Result<Product, OutOfStock> {
  const { productId, available } = product;
  if (available < quantity) return err({ _tag: "OutOfStock", productId, requested: quantity, available });
  return ok({ ...product, available: available - quantity });
}
