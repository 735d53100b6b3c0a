// Goal: the program in this package's README is one that runs, and does what the README says. Method: run it, then compare the text of its region with the page.
import { readFileSync } from "node:fs";
import { err, ok } from "neverthrow";
import { expect, test } from "vitest";
import { createLedger } from "./ledger.ts";

const accounts = createLedger({ ada: 100, bob: 0 });

// #region smallest
import { createEngine, createMemoryStore, saga, step } from "@backstep/saga-core";
import { z } from "zod";

const withdraw = step({
  name: "account.withdraw",
  run: (amount: number, { call }) => accounts.move("ada", -amount, call.key),
  compensate: (_amount, { call }) => accounts.takeBack(call.undoes.key), // also safe when the withdrawal never arrived
});
const deposit = step({
  name: "account.deposit",
  run: (amount: number, { call }) => accounts.move("bob", amount, call.key),
  compensate: (_amount, { call }) => accounts.takeBack(call.undoes.key),
});
const transfer = saga({
  name: "transfer",
  input: z.object({ amount: z.int().positive() }),
  *run({ amount }) {
    const { balance } = yield* withdraw(amount);
    yield* deposit(amount);
    return { balance };
  },
});

const engine = createEngine({ sagas: [transfer], store: createMemoryStore() });
const result = await engine.run(transfer, { amount: 30 }, { id: "transfer:1" });
// #endregion smallest

test("the saga of the README moves the money", () => {
  expect(result).toEqual(ok({ balance: 70 }));
  expect(accounts.balances).toEqual({ ada: 70, bob: 30 });
});

test("asked again by the same id it moves nothing, and what is refused half way is taken back", async () => {
  expect(await engine.run(transfer, { amount: 30 }, { id: "transfer:1" })).toEqual(ok({ balance: 70 }));
  accounts.close("bob");
  expect(await engine.run(transfer, { amount: 50 }, { id: "transfer:2" })).toEqual(err({ _tag: "AccountClosed", owner: "bob" }));
  expect(accounts.balances).toEqual({ ada: 70, bob: 30 });
  await engine.close();
});

test("the README shows this program, and no other", () => {
  const source = readFileSync(new URL(import.meta.url), "utf8");
  const [, region] = /\/\/ #region smallest\n([\s\S]*?)\/\/ #endregion smallest\n/.exec(source) ?? [];
  const [, shown] = /```ts\n([\s\S]*?)```/.exec(readFileSync(new URL("../../README.md", import.meta.url), "utf8")) ?? [];
  expect(shown).toBe(region);
});
