/** The product service behind the fence, on every storage. */
import { createProductService } from "@backstep/product";
import { productContract } from "@backstep/product/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectFenceLaws } from "../../test/fence-laws.ts";
import { openRig, RETENTION_MS, type Rig, STORAGES } from "../../test/rig.ts";

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
      refused: (key) => rig.act("deductStock", { ...line, quantity: 11 }, key),
      undo: (undoes, told) => rig.undo("restoreStock", line, undoes, told),
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

  it("takes nothing twice in the name of a deduction that stands, though the fence has forgotten the key", async () => {
    const line = { orderId: "order-1", productId: "pen", quantity: 4 };
    await rig.do("deductStock", line, "saga-1/1");
    rig.clock.now += RETENTION_MS + 1;
    await rig.fence.sweep();
    await expect(rig.act("deductStock", line, "saga-1/1")).rejects.toThrow("deduction saga-1/1 stands already");
    expect(await look()).toMatchObject({ product: { available: 6 }, deductions: [{ deductionId: "saga-1/1" }] });
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
