// Goal: the output that an operator hands in is one that the step could have answered with. Method: steps with and without an output schema, good and bad outputs.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { fault, saga, step } from "../../src/index.ts";
import { createBench, numberInput } from "./workbench.ts";

const Paid = z.object({ paidAt: z.int(), by: z.string().default("card") });

/** A saga whose pivot has lost its answer, and whose `complete` reads it. */
async function lostAnswer(output: StandardSchemaV1<unknown, { paidAt: number; by: string }> | undefined) {
  const bench = createBench();
  const pay = step.pivot({
    name: "pay",
    run: (_amount: number, { call }) => (call.attempt > 99 ? ok({ paidAt: 1, by: "" }) : err(fault("Unreadable", "cut off"))),
    output,
    retry: { attempts: 1 },
  });
  const buy = saga({
    name: "buy",
    input: numberInput,
    // biome-ignore lint/correctness/useYield: what comes before the pivot does not matter
    *run(amount) {
      return amount;
    },
    pivot: (amount) => pay(amount),
    // biome-ignore lint/correctness/useYield: what comes after it does not either
    *complete(_amount, paid) {
      return `${paid.paidAt} ${paid.by}`;
    },
  });
  const { engine } = bench.open([buy]);
  await engine.run(buy, 5, { id: "s" });
  const order = { path: "pivot/pay", slot: "action", by: "ada", reason: "the bank confirms", evidence: "statement" } as const;
  return {
    settle: (given: { readonly output?: unknown }) => engine.settle("s", { ...order, verdict: { _tag: "applied", ...given } }),
    result: () => engine.result(buy, "s"),
    entries: () => bench.entries("s"),
  };
}

describe("a step with an output schema", () => {
  test.each<[what: string, given: { readonly output?: unknown }, flaw: RegExp]>([
    ["none", {}, /^the output of pay does not fit: output: .+/],
    ["a wrong type", { output: { paidAt: "noon" } }, /^the output of pay does not fit: output\/paidAt: .+/],
    ["two flaws", { output: { paidAt: 0.5, by: 7 } }, /output\/paidAt: .+; output\/by: .+/],
    ["null", { output: null }, /^the output of pay does not fit: output: .+/],
  ])("refuses %s, with the issues, and stays parked", async (_what, given, flaw) => {
    const { settle, result, entries } = await lostAnswer(Paid);
    const before = entries().length;
    const refused = (await settle(given))._unsafeUnwrapErr();
    expect(refused._tag === "VerbRefused" && refused.message).toMatch(flaw);
    expect((await result())._unsafeUnwrapErr()._tag).toBe("SagaParked");
    expect(entries().length).toBe(before);
  });

  test("hands on what its schema makes of the output, and journals that", async () => {
    const { settle, result, entries } = await lostAnswer(Paid);
    expect(await settle({ output: { paidAt: 7, extra: true } })).toEqual(ok(undefined));
    expect(await result()).toEqual(ok("7 card"));
    const [entry] = entries().filter(({ _tag }) => _tag === "OperatorSettled");
    expect(entry?.["verdict"]).toEqual({ _tag: "SettledApplied", output: { paidAt: 7, by: "card" } });
  });

  test("may have an asynchronous one, and one that throws refuses", async () => {
    const slow = await lostAnswer(Paid.refine(async ({ paidAt }) => paidAt > 0, "too early"));
    expect((await slow.settle({ output: { paidAt: 0 } }))._unsafeUnwrapErr()).toMatchObject({
      message: "the output of pay does not fit: output: too early",
    });
    expect((await slow.settle({ output: { paidAt: 1 } })).isOk()).toBe(true);
    const throwing = await lostAnswer(
      Paid.transform((): never => {
        throw new Error("no clock");
      }),
    );
    expect((await throwing.settle({ output: { paidAt: 1 } }))._unsafeUnwrapErr()).toMatchObject({
      message: "the output of pay does not fit: output: the schema threw: no clock",
    });
  });

  test("that hands on what is no JSON is refused: the journal could not keep it", async () => {
    const dating = await lostAnswer(Paid.transform((paid) => ({ ...paid, at: new Date(paid.paidAt) })));
    expect((await dating.settle({ output: { paidAt: 1 } }))._unsafeUnwrapErr()).toMatchObject({
      message: "the output of pay is no JSON: /at is an instance of Date",
    });
  });
});

test("a step without an output schema takes any JSON, and none", async () => {
  const any = await lostAnswer(undefined);
  expect((await any.settle({ output: { paidAt: 3, by: "cash" } })).isOk()).toBe(true);
  expect(await any.result()).toEqual(ok("3 cash"));
  const none = await lostAnswer(undefined);
  expect((await none.settle({})).isOk()).toBe(true);
  // The body of `complete` cannot read what is not there: forward only, so it waits for somebody.
  expect((await none.result())._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaParked", quarantine: { _tag: "BodyFailed" } });
});

test("the schema is for operators alone: what a participant answers is taken as it is", async () => {
  const bench = createBench();
  const lax = step({ name: "lax", run: () => ok("any text"), compensate: () => ok(undefined), output: z.literal("exactly this") });
  const one = saga({
    name: "one",
    input: numberInput,
    *run() {
      return yield* lax();
    },
  });
  expect(await bench.open([one]).engine.run(one, 1, { id: "s" })).toEqual(ok("any text"));
});
