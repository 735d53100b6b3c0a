// Goal: each mode disturbs what it says, and can be failed. Method: one saga, over a participant with a fence and over one without, in each mode; the first must end as ever, the second must not.
import { setTimeout } from "node:timers/promises";
import { all, createMemoryStore, fail, saga, step } from "@backstep/saga-core";
import { decided, fault } from "@backstep/saga-core/adapter";
import { err, ok, type Result } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { createCrashingEngine } from "./crashing-engine.ts";
import { MODES } from "./mode.ts";
import { createEngineInMode } from "./saga-core-in-mode.ts";

const STOCK = 10;

interface Shelf {
  stock: number;
}

/** Takes from a shelf, and gives back. Without a fence it does so each time it is asked. */
function takingFrom(shelf: Shelf, fenced: boolean) {
  const rows = new Map<string, "taken" | "givenBack" | "sealed">();
  return step({
    name: "take",
    run: async (units: number, { call }) => {
      // Not all at once, so that a process can die between two answers.
      await setTimeout(units);
      const row = fenced ? rows.get(call.key) : undefined;
      if (row === "givenBack" || row === "sealed") return err(fault("Sealed", "it is taken back"));
      if (row === undefined) shelf.stock -= units;
      rows.set(call.key, "taken");
      return ok(units);
    },
    compensate: async (units, { call }): Promise<Result<undefined, never>> => {
      const row = rows.get(call.undoes.key);
      if (row === "taken" || !fenced) shelf.stock += units;
      if (row !== "givenBack") rows.set(call.undoes.key, row === "taken" ? "givenBack" : "sealed");
      return ok(undefined);
    },
    retry: { delayMs: 1 },
  });
}

function createOrder(shelf: Shelf, fenced: boolean) {
  const take = takingFrom(shelf, fenced);
  return saga({
    name: "order",
    input: z.boolean(),
    *run(isWanted) {
      yield* all([take(1), take(2)]);
      if (!isWanted) yield* fail(decided({ _tag: "NotWanted" }));
      return "done";
    },
  });
}

describe.each(MODES)("in the mode %s", (mode) => {
  /** What is left on the shelf after an order that stands, and after one that is taken back. */
  async function left(fenced: boolean) {
    const shelf = { stock: STOCK };
    const order = createOrder(shelf, fenced);
    const engine = createEngineInMode(mode, { sagas: [order], store: createMemoryStore() });
    const stood = await engine.run(order, true, { id: "stands" });
    const afterOne = shelf.stock;
    const takenBack = await engine.run(order, false, { id: "goes-back" });
    await engine.close();
    return { answers: [stood, takenBack], stock: [afterOne, shelf.stock] };
  }

  test("a participant with a fence ends as ever", async () => {
    expect(await left(true)).toEqual({ answers: [ok("done"), err({ _tag: "NotWanted" })], stock: [STOCK - 3, STOCK - 3] });
  });

  test("a participant without one is found out", async () => {
    expect((await left(false)).stock).not.toEqual([STOCK - 3, STOCK - 3]);
  });
});

test("processes do die: a new one with every append, but for one that was under way beside another", async () => {
  const shelf = { stock: STOCK };
  const order = createOrder(shelf, true);
  const engine = createCrashingEngine({ sagas: [order], store: createMemoryStore() });
  for (const id of ["one", "two", "three"]) await engine.run(order, false, { id });
  expect(engine.appends).toBeGreaterThan(12);
  expect(engine.lives).toBeGreaterThan(engine.appends / 2);
  expect(engine.lives).toBeLessThanOrEqual(engine.appends + 1);
  await engine.close();
});

test("a process that is told to close writes down what is in flight, and does not die of it", async () => {
  const answered = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const slow = step({
    name: "slow",
    run: async (_input: boolean) => {
      asked.resolve();
      await answered.promise;
      return ok(1);
    },
    compensate: async () => ok(undefined),
  });
  const one = saga({
    name: "one",
    input: z.boolean(),
    *run(input) {
      return yield* slow(input);
    },
  });
  const store = createMemoryStore();
  const engine = createCrashingEngine({ sagas: [one], store });
  await engine.start(one, true, { id: "s" });
  await asked.promise;
  const closed = engine.close();
  answered.resolve();
  await closed;
  expect([engine.appends, engine.lives]).toEqual([2, 2]);
  const heir = createCrashingEngine({ sagas: [one], store });
  expect(await heir.result(one, "s")).toEqual(ok(1));
  await heir.close();
});
