/** Stock against a plain count: any sequence of deliveries, deductions and restorations, in any order. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Product } from "../src/contract.ts";
import { addUnits, deductUnits } from "../src/stock.ts";

const productOf = (available: number): Product => ({
  productId: "pen",
  name: "Pen",
  price: { amountMinor: 100, currency: "KRW" },
  available,
});

const units = fc.integer({ min: 1, max: 20 });
const move = fc.oneof(
  fc.record({ move: fc.constant("deliver" as const), quantity: units }),
  fc.record({ move: fc.constant("deduct" as const), quantity: units }),
  fc.record({ move: fc.constant("restore" as const), index: fc.nat(50) }),
);

it("never goes below zero, and holds what was delivered less what is deducted and not restored", () => {
  fc.assert(
    fc.property(fc.nat(20), fc.array(move, { maxLength: 60 }), (initial, moves) => {
      let product = productOf(initial);
      let delivered = 0;
      const standing: number[] = [];
      for (const made of moves) {
        const before = product;
        if (made.move === "deliver") {
          product = addUnits(product, made.quantity);
          delivered += made.quantity;
        } else if (made.move === "deduct") {
          const deducted = deductUnits(product, made.quantity);
          expect(deducted.isOk()).toBe(made.quantity <= before.available);
          if (deducted.isOk()) standing.push(made.quantity);
          else
            expect(deducted.error).toEqual({ _tag: "OutOfStock", productId: "pen", requested: made.quantity, available: before.available });
          product = deducted.unwrapOr(before);
        } else {
          const [restored] = standing.splice(made.index % Math.max(1, standing.length), 1);
          if (restored !== undefined) product = addUnits(product, restored);
        }
        expect(product.available).toBeGreaterThanOrEqual(0);
        expect(product.available).toBe(initial + delivered - standing.reduce((sum, quantity) => sum + quantity, 0));
      }
    }),
  );
});

it("is as it was after a deduction and its restoration", () => {
  fc.assert(
    fc.property(fc.nat(100), fc.integer({ min: 1, max: 100 }), (available, quantity) => {
      fc.pre(quantity <= available);
      const product = productOf(available);
      const deducted = deductUnits(product, quantity)._unsafeUnwrap();
      expect(addUnits(deducted, quantity)).toEqual(product);
    }),
  );
});
