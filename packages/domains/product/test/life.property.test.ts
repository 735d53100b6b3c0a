/**
 * Goal: no unit of stock is made or lost, whatever becomes of the deductions. Method: random lives through the fence, on every storage, with
 * deliveries and price changes in between; what is in stock and what is listed as deducted is held against what stands.
 */
import { createProductService } from "@backstep/product";
import { productContract } from "@backstep/product/contract";
import fc from "fast-check";
import { expect, it } from "vitest";
import { expectLawfulLives, type World } from "../../test/random-life.ts";
import { openRig, STORAGES } from "../../test/rig.ts";

const PRODUCTS = ["ink", "pen"] as const;
const ORDERS = ["order-1", "order-2"] as const;
const OPENING = 5;

interface Line {
  readonly orderId: string;
  readonly productId: string;
  readonly quantity: number;
}

type Event =
  | { readonly event: "deliver"; readonly productId: string; readonly quantity: number }
  | { readonly event: "price"; readonly productId: string; readonly amountMinor: number };

const productId = fc.constantFrom(...PRODUCTS);
const input: fc.Arbitrary<Line> = fc.record({ orderId: fc.constantFrom(...ORDERS), productId, quantity: fc.integer({ min: 1, max: 6 }) });
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ event: fc.constant("deliver" as const), productId, quantity: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ event: fc.constant("price" as const), productId, amountMinor: fc.nat(1_000) }),
);

const unitsOf = (lines: readonly Line[], of: string): number =>
  lines.filter(({ productId }) => productId === of).reduce((sum, { quantity }) => sum + quantity, 0);

async function open(storage: (typeof STORAGES)[number]): Promise<World<Line, Event>> {
  const rig = await openRig(productContract, createProductService(), storage);
  const delivered: Line[] = [];
  const deliver = async (to: string, quantity: number): Promise<void> => {
    await rig.do("addStock", { productId: to, quantity });
    delivered.push({ orderId: "none", productId: to, quantity });
  };
  for (const each of PRODUCTS) {
    await rig.do("registerProduct", { productId: each, name: each, price: { amountMinor: 1, currency: "KRW" } });
    await deliver(each, OPENING);
  }
  return {
    act: ({ key, input }) => rig.act("deductStock", input, key),
    undo: ({ key, input }) => rig.undo("restoreStock", input, key),
    async happen(made) {
      if (made.event === "deliver") return deliver(made.productId, made.quantity);
      await rig.do("changePrice", { productId: made.productId, price: { amountMinor: made.amountMinor, currency: "KRW" } });
    },
    async expectLaw(standing) {
      const lines = standing.map((each) => each.input);
      for (const each of PRODUCTS) {
        const { available } = (await rig.ask("findProduct", { productId: each }))._unsafeUnwrap();
        expect(available).toBeGreaterThanOrEqual(0);
        expect(available + unitsOf(lines, each)).toBe(unitsOf(delivered, each));
      }
      for (const orderId of ORDERS) {
        const { deductions } = (await rig.ask("listDeductions", { orderId }))._unsafeUnwrap();
        const expected = standing.filter((each) => each.input.orderId === orderId);
        expect(deductions).toEqual(expected.map((each) => ({ deductionId: each.key, ...each.input })));
      }
    },
    close: () => rig.close(),
  };
}

it.each(STORAGES)("stock and what stands deducted add up to what was delivered, on %s", (storage) =>
  expectLawfulLives(storage, { input, event, open: () => open(storage) }),
);
