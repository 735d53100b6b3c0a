/** The product service behind the fence, on every storage. */
import { createProductService } from "@backstep/product";
import { productContract } from "@backstep/product/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectFenceLaws } from "../../test/fence-laws.ts";
import { openRig, type Rig, STORAGES } from "../../test/rig.ts";

const price = { amountMinor: 1_500, currency: "KRW" };

describe.each(STORAGES)("on %s", (storage) => {
  let rig: Rig<typeof productContract>;
  beforeEach(async () => {
    rig = await openRig(productContract, createProductService(), storage);
    await rig.do("registerProduct", { productId: "pen", name: "Pen", price });
    await rig.do("addStock", { productId: "pen", quantity: 10 });
  });
  afterEach(() => rig.close());

  const look = async () => ({
    product: (await rig.ask("findProduct", { productId: "pen" }))._unsafeUnwrap(),
    deductions: (await rig.ask("listDeductions", { orderId: "order-1" }))._unsafeUnwrap().deductions,
  });

  it("keeps the fence's laws for deducting and restoring stock", async () => {
    const line = { orderId: "order-1", productId: "pen", quantity: 4 };
    await expectFenceLaws({
      act: (key) => rig.act("deductStock", line, key),
      undo: (undoes) => rig.undo("restoreStock", line, undoes),
      look,
    });
  });

  it("takes all units of a line or none, and says how many there are", async () => {
    const answer = await rig.act("deductStock", { orderId: "order-1", productId: "pen", quantity: 11 }, "saga-1/1");
    const rejection = { _tag: "OutOfStock", productId: "pen", requested: 11, available: 10 };
    expect(answer).toEqual({ _tag: "Rejected", rejection, replayed: false });
    await rig.do("addStock", { productId: "pen", quantity: 5 });
    // The rejection is recorded: a late twin must not meet the new stock.
    const late = await rig.act("deductStock", { orderId: "order-1", productId: "pen", quantity: 11 }, "saga-1/1");
    expect(late).toEqual({ _tag: "Rejected", rejection, replayed: true });
    expect(await look()).toMatchObject({ product: { available: 15 }, deductions: [] });
  });

  it("restores what was taken, even if the undo is told another number", async () => {
    await rig.do("deductStock", { orderId: "order-1", productId: "pen", quantity: 4 }, "saga-1/1");
    await rig.undo("restoreStock", { orderId: "order-1", productId: "pen", quantity: 9 }, "saga-1/1");
    expect(await look()).toMatchObject({ product: { available: 10 }, deductions: [] });
  });

  it("keeps two lines of one product apart", async () => {
    const line = { orderId: "order-1", productId: "pen", quantity: 3 };
    await rig.do("deductStock", line, "saga-1/1");
    await rig.do("deductStock", line, "saga-1/2");
    expect((await look()).product.available).toBe(4);
    await rig.undo("restoreStock", line, "saga-1/1");
    const standing = [{ deductionId: "saga-1/2", ...line }];
    expect(await look()).toMatchObject({ product: { available: 7 }, deductions: standing });
  });

  it("sells no unit twice when many buy at once", async () => {
    const buyers = Array.from({ length: 25 }, (_, index) => `saga-${index}/1`);
    const answers = await Promise.all(
      buyers.map((key) => rig.act("deductStock", { orderId: "order-1", productId: "pen", quantity: 1 }, key)),
    );
    expect(answers.filter(({ _tag }) => _tag === "Succeeded")).toHaveLength(10);
    expect(answers.filter(({ _tag }) => _tag === "Rejected")).toHaveLength(15);
    expect((await look()).product.available).toBe(0);
  });

  it("changes a price, and refuses what it does not know or knows already", async () => {
    await rig.do("changePrice", { productId: "pen", price: { amountMinor: 2_000, currency: "KRW" } });
    expect((await look()).product).toMatchObject({ price: { amountMinor: 2_000 }, available: 10 });
    const notFound = { _tag: "Rejected", rejection: { _tag: "ProductNotFound", productId: "ink" } };
    expect(await rig.act("changePrice", { productId: "ink", price })).toMatchObject(notFound);
    expect(await rig.act("addStock", { productId: "ink", quantity: 1 })).toMatchObject(notFound);
    expect(await rig.act("deductStock", { orderId: "order-1", productId: "ink", quantity: 1 })).toMatchObject(notFound);
    expect((await rig.ask("findProduct", { productId: "ink" }))._unsafeUnwrapErr()).toEqual(notFound.rejection);
    const exists = await rig.act("registerProduct", { productId: "pen", name: "Other pen", price });
    expect(exists).toMatchObject({ _tag: "Rejected", rejection: { _tag: "ProductExists", productId: "pen" } });
  });

  it("lists all products, a page at a time", async () => {
    const ids = Array.from({ length: 104 }, (_, index) => `p-${String(index).padStart(3, "0")}`);
    for (const productId of ids) await rig.do("registerProduct", { productId, name: "Thing", price });
    const first = (await rig.ask("listProducts", {}))._unsafeUnwrap().products;
    expect(first).toHaveLength(100);
    const rest = (await rig.ask("listProducts", { after: first.at(-1)?.productId }))._unsafeUnwrap().products;
    expect([...first, ...rest].map(({ productId }) => productId)).toEqual([...ids, "pen"]);
  });
});

describe("the contract's edge", () => {
  const { deductStock, registerProduct } = productContract.operations;

  it.each([0, -1, 1.5, 10_001, Number.NaN, "3"])("refuses to deduct %j units", (quantity) => {
    expect(deductStock.input.safeParse({ orderId: "order-1", productId: "pen", quantity }).success).toBe(false);
    expect(deductStock.input.safeParse({ orderId: "order-1", productId: "pen", quantity: 10_000 }).success).toBe(true);
  });

  it.each([
    { amountMinor: -1, currency: "KRW" },
    { amountMinor: 0.5, currency: "KRW" },
    { amountMinor: 1_000_000_000_001, currency: "KRW" },
    { amountMinor: 1, currency: "krw" },
    { amountMinor: 1 },
  ])("refuses the price %j", (wrong) => {
    expect(registerProduct.input.safeParse({ productId: "pen", name: "Pen", price: wrong }).success).toBe(false);
    expect(registerProduct.input.safeParse({ productId: "pen", name: "Pen", price }).success).toBe(true);
  });
});
