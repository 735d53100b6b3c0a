/** The saga that the README shows, run as it stands there. Goal: the first thing a reader sees compiles and does what the text beside it says. */
import { err, ok, okAsync, type ResultAsync } from "neverthrow";
import { match } from "ts-pattern";
import { expect, test } from "vitest";
import { z } from "zod";
import type { Call, Fault } from "../src/index.ts";

interface Line {
  readonly productId: string;
  readonly quantity: number;
}
type OutOfStock = { readonly _tag: "OutOfStock"; readonly productId: string };
type InsufficientPoints = { readonly _tag: "InsufficientPoints" };

function createShop({ stock, points }: { stock: number; points: number }) {
  const state = { stock, points, paid: 0 };
  return {
    state,
    products: {
      deduct: ({ productId, quantity }: Line, _call: Call): ResultAsync<{ left: number }, OutOfStock | Fault> => {
        if (state.stock < quantity)
          return err<never, OutOfStock>({ _tag: "OutOfStock", productId }).asyncAndThen(() => okAsync({ left: 0 }));
        state.stock -= quantity;
        return okAsync({ left: state.stock });
      },
      restore: ({ quantity }: Line, _call: Call): ResultAsync<void, Fault> => {
        state.stock += quantity;
        return okAsync(undefined);
      },
    },
    accounts: {
      spend: async (amount: number, _call: Call) => {
        if (state.points < amount) return err({ _tag: "InsufficientPoints" } satisfies InsufficientPoints);
        state.points -= amount;
        return ok({ spent: amount });
      },
      giveBack: async (amount: number, _call: Call) => {
        state.points += amount;
        return ok(undefined);
      },
    },
    payments: {
      confirm: async (amount: number, _call: Call) => {
        state.paid += amount;
        return ok({ paid: amount });
      },
    },
  };
}

// #region saga
import { all, createEngine, createMemoryStore, saga, step } from "../src/index.ts";

function createCheckout({ products, accounts, payments }: ReturnType<typeof createShop>) {
  const deductStock = step({
    name: "product.deduct-stock",
    run: (line: Line, { call }) => products.deduct(line, call),
    compensate: (line, { call }) => products.restore(line, call), //      same input; safe though the deduction may never have arrived
  });
  const spendPoints = step({
    name: "point.spend",
    run: (amount: number, { call }) => accounts.spend(amount, call), //   call.key names the operation, over every retry and crash
    compensate: (amount, { call, outcome }) =>
      outcome._tag === "Succeeded" ? accounts.giveBack(outcome.output.spent, call) : accounts.giveBack(amount, call),
  });
  const confirm = step.pivot({ name: "payment.confirm", run: (amount: number, { call }) => payments.confirm(amount, call) });

  return saga({
    name: "checkout",
    input: z.object({ lines: z.array(z.object({ productId: z.string(), quantity: z.int() })), total: z.int() }),
    *run({ lines, total }) {
      yield* all(lines.map(deductStock)); //                               side by side; one fails: the others are taken back
      const { spent } = yield* spendPoints(total);
      return spent;
    },
    pivot: (spent) => confirm(spent), //                                   from here on the saga goes forward only
  });
}
// #endregion saga

test("the saga of the README pays, or takes everything back", async () => {
  const shop = createShop({ stock: 5, points: 100 });
  const checkout = createCheckout(shop);
  const engine = createEngine({ sagas: [checkout], store: createMemoryStore() });
  const lines = [
    { productId: "tea", quantity: 2 },
    { productId: "cup", quantity: 1 },
  ];

  const paid = await engine.run(checkout, { lines, total: 60 }, { id: "first" });
  expect(paid._unsafeUnwrap()).toBe(60);
  expect(shop.state).toEqual({ stock: 2, points: 40, paid: 60 });

  const refused = await engine.run(checkout, { lines: lines.slice(1), total: 60 }, { id: "second" });
  const told = refused.match(
    () => "paid",
    (error) =>
      match(error)
        .with({ _tag: "OutOfStock" }, ({ productId }) => `no ${productId} left`)
        .with({ _tag: "InsufficientPoints" }, () => "not enough points")
        .with({ _tag: "SagaFaulted" }, ({ fault }) => fault.message)
        .with({ _tag: "SagaParked" }, () => "an operator looks at it")
        .with({ _tag: "SagaAbandoned" }, () => "given up")
        .with({ _tag: "SagaRequestInvalid" }, { _tag: "SagaIdConflict" }, { _tag: "SagaUnavailable" }, () => "not started")
        .exhaustive(),
  );
  expect(told).toBe("not enough points");
  expect(shop.state).toEqual({ stock: 2, points: 40, paid: 60 });
  await engine.close();
});
