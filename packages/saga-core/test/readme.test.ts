// Goal: the first thing a reader sees compiles, and does what the text beside it says. Method: the regions below are the program of the README, in both languages, and run here.
import { readFileSync } from "node:fs";
import { err, ok, okAsync, type ResultAsync } from "neverthrow";
import { expect, test } from "vitest";
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

type Shop = ReturnType<typeof createShop>;

// #region saga
import { all, saga, step } from "@backstep/saga-core";
import { z } from "zod";

function createCheckout({ products, accounts, payments }: Shop) {
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

type Order = { lines: Line[]; total: number };

// #region run
import { createEngine, createMemoryStore } from "@backstep/saga-core";
import { match } from "ts-pattern";

function openTill(shop: Shop) {
  const checkout = createCheckout(shop);
  const engine = createEngine({ sagas: [checkout], store: createMemoryStore() }); // createSqliteStore({ path }) outlives the process
  return async (order: Order, requestId: string): Promise<string> => {
    const result = await engine.run(checkout, order, { id: `checkout:${requestId}` }); // asked again, it answers the same and does nothing twice
    return result.match(
      (points) => `paid with ${points} points`,
      (error) =>
        match(error)
          .with({ _tag: "OutOfStock" }, ({ productId }) => `no ${productId} left`) // a domain error, bare: everything is taken back
          .with({ _tag: "InsufficientPoints" }, () => "not enough points")
          .with({ _tag: "SagaFaulted" }, ({ step }) => `${step} could not be done`) // so it is here
          .with({ _tag: "SagaCancelled" }, { _tag: "SagaDeadlineExceeded" }, () => "called off") // and here
          .with({ _tag: "SagaParked" }, { _tag: "SagaAbandoned" }, () => "an operator sees to it")
          .with({ _tag: "SagaRequestInvalid" }, { _tag: "SagaIdConflict" }, { _tag: "SagaUnavailable" }, () => "not started")
          .exhaustive(), //                                                             forget one, and it does not compile
    );
  };
}
// #endregion run

const lines = [
  { productId: "tea", quantity: 2 },
  { productId: "cup", quantity: 1 },
];

test("the saga of the README pays, once per request", async () => {
  const shop = createShop({ stock: 5, points: 100 });
  const pay = openTill(shop);
  expect(await pay({ lines, total: 60 }, "first")).toBe("paid with 60 points");
  expect(await pay({ lines, total: 60 }, "first")).toBe("paid with 60 points");
  expect(shop.state).toEqual({ stock: 2, points: 40, paid: 60 });
});

test.each([
  ["points", { stock: 5, points: 50 }, "not enough points"],
  ["stock", { stock: 2, points: 100 }, "no cup left"],
])("and takes everything back when %s are short", async (_, opening, told) => {
  const shop = createShop(opening);
  expect(await openTill(shop)({ lines, total: 60 }, "first")).toBe(told);
  expect(shop.state).toEqual({ ...opening, paid: 0 });
});

test.each(["README.md", "README.ko.md"])("%s shows the program that runs here", (page) => {
  const source = readFileSync(new URL(import.meta.url), "utf8");
  const text = readFileSync(new URL(`../../../${page}`, import.meta.url), "utf8");
  const regions = [...source.matchAll(/^\/\/ #region (\w+)\n(.*?)^\/\/ #endregion \1$/gms)];
  expect(regions.map(([, name]) => name)).toEqual(["saga", "run"]);
  for (const [, , region = ""] of regions) expect(text).toContain(`\`\`\`ts\n${region}\`\`\``);
});
