/**
 * The product service: load, decide, store. A deduction leaves a row until it is put back, so that the undo restores what was taken,
 * whatever it is told, and so that an operator sees what still stands for an order.
 */
import assert from "node:assert/strict";
import type { RejectionOf, Service } from "@backstep/contract";
import type { Transaction } from "@backstep/participant";
import { err, ok, type Result } from "neverthrow";
import type { Product, productContract } from "./contract.ts";
import { addUnits, deductUnits } from "./stock.ts";
import { deductionTable, productTable } from "./tables.ts";

export type ProductService = Service<typeof productContract, Transaction>;

const PAGE_ROWS = 100;

export function createProductService(): ProductService {
  return {
    async registerProduct({ transaction }, input) {
      const { productId } = input;
      const registered = await transaction.insert(productTable, { ...input, available: 0 });
      return registered ? ok({ productId }) : err({ _tag: "ProductExists", productId });
    },
    async changePrice({ transaction }, { productId, price }) {
      const changed = (await load(transaction, productId)).map((product) => ({ ...product, price }));
      return (await store(transaction, changed)).map(() => ({ productId }));
    },
    findProduct: ({ transaction }, { productId }) => load(transaction, productId),
    async listProducts({ transaction }, { after }) {
      return ok({ products: await transaction.list(productTable, { after, limit: PAGE_ROWS }) });
    },
    async addStock({ transaction }, { productId, quantity }) {
      const stocked = (await load(transaction, productId)).map((product) => addUnits(product, quantity));
      return (await store(transaction, stocked)).map(({ available }) => ({ available }));
    },
    async deductStock({ transaction, key: deductionId }, { orderId, productId, quantity }) {
      const deducted = (await load(transaction, productId)).andThen((product) => deductUnits(product, quantity));
      if (deducted.isErr()) return err(deducted.error);
      const inserted = await transaction.insert(deductionTable, { deductionId, orderId, productId, quantity });
      assert(inserted, `deduction ${deductionId} stands already: its key outlived the fence's memory of it`);
      await transaction.put(productTable, deducted.value);
      return ok({ deductionId });
    },
    async restoreStock({ transaction, undone: { deductionId } }) {
      const deduction = await transaction.get(deductionTable, deductionId);
      assert(deduction !== undefined, `deduction ${deductionId} is to be restored, but does not stand`);
      const product = await transaction.get(productTable, deduction.productId);
      assert(product !== undefined, `product ${deduction.productId} is gone, but deduction ${deductionId} stands`);
      await transaction.put(productTable, addUnits(product, deduction.quantity));
      await transaction.remove(deductionTable, deductionId);
    },
    async listDeductions({ transaction }, { orderId, after }) {
      const where = { field: "orderId", equals: orderId } as const;
      return ok({ deductions: await transaction.find(deductionTable, where, { after, limit: PAGE_ROWS }) });
    },
  };
}

type NotFound = RejectionOf<(typeof productContract)["operations"]["findProduct"]>;

async function load(transaction: Transaction, productId: string): Promise<Result<Product, NotFound>> {
  const product = await transaction.get(productTable, productId);
  return product === undefined ? err({ _tag: "ProductNotFound", productId }) : ok(product);
}

/** Stores what was decided, if it was decided for; hands the decision on either way. */
async function store<Failure>(transaction: Transaction, decided: Result<Product, Failure>): Promise<Result<Product, Failure>> {
  if (decided.isOk()) await transaction.put(productTable, decided.value);
  return decided;
}
