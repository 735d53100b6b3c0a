// Goal: one attempt of a step, and of its compensation, is classified outside an engine as it would be inside one. Method: steps that end in every way, on virtual time.
import { err, errAsync, ok, okAsync, type Result } from "neverthrow";
import { describe, expect, test } from "vitest";
import {
  type Call,
  type CompensationContext,
  decided,
  type Fault,
  type FaultTag,
  fault,
  saga,
  step,
  tryStep,
  undoStep,
} from "../../src/index.ts";
import { createVirtualTimer, VIRTUAL_START_MS } from "../virtual-timer.ts";
import { createBench, numberInput } from "./workbench.ts";

const FAULTS: readonly FaultTag[] = [
  "Faulted",
  "NotSent",
  "Throttled",
  "Running",
  "Sealed",
  "Unknown",
  "Unreadable",
  "KeyReused",
  "EvidenceLost",
];

/** A step whose action and compensation answer the same. */
const answering = (answer: () => unknown) =>
  step({
    name: "stock.deduct",
    run: (_quantity: number) => answer() as Result<{ left: number }, { readonly _tag: "OutOfStock" }>,
    compensate: () => answer() as Result<unknown, Fault>,
  });

const ENDINGS: readonly (readonly [what: string, answer: () => unknown, attempt: object])[] = [
  ["success", () => ok({ left: 3 }), { _tag: "Succeeded", output: { left: 3 } }],
  ["success later", () => okAsync({ left: 3 }), { _tag: "Succeeded", output: { left: 3 } }],
  ["success without an output", () => ok(undefined), { _tag: "Succeeded", output: undefined }],
  ["a rejection", () => err({ _tag: "OutOfStock", left: 0 }), { _tag: "Rejected", error: { _tag: "OutOfStock", left: 0 }, decided: false }],
  ["a rejection later", () => errAsync({ _tag: "OutOfStock" }), { _tag: "Rejected", error: { _tag: "OutOfStock" }, decided: false }],
  ["a recorded rejection", () => err(decided({ _tag: "OutOfStock" })), { _tag: "Rejected", error: { _tag: "OutOfStock" }, decided: true }],
  ...FAULTS.map((tag) => [`the fault ${tag}`, () => err(fault(tag, "as told")), { _tag: tag, message: "as told" }] as const),
  [
    "an exception",
    () => {
      throw new Error("socket hang up");
    },
    { _tag: "Unknown", message: "the step threw: socket hang up" },
  ],
  ["a rejected promise", () => Promise.reject(new Error("reset")), { _tag: "Unknown", message: "the step threw: reset" }],
  [
    "no Result",
    () => ({ left: 3 }),
    { _tag: "Unknown", message: "the step returned no Result: answer with ok(…), err(…) or a ResultAsync" },
  ],
  ["an error without a tag", () => err("no"), { _tag: "Unknown", message: "the step failed with an error that has no _tag" }],
  [
    "an output that is no JSON",
    () => ok({ left: new Date(0) }),
    { _tag: "Unreadable", message: "the step succeeded, but its output is no JSON: /left is an instance of Date" },
  ],
];

describe("tryStep", () => {
  test.each(ENDINGS)("tells %s apart", async (_what, answer, attempt) => {
    expect(await tryStep(answering(answer), 2)).toMatchObject(attempt);
  });

  test("makes one attempt, of steps of every kind, and tells them whose it is", async () => {
    const calls: { readonly input: number; readonly call: Call }[] = [];
    const run = (input: number, { call }: { readonly call: Call }) => {
      calls.push({ input, call });
      return err(fault("Unknown", "reset"));
    };
    const steps = [
      step({ name: "a", run, compensate: () => ok(undefined), retry: { timeoutMs: 1_000 } }),
      step.readOnly({ name: "a", run, retry: { timeoutMs: 1_000 } }),
      step.pivot({ name: "a", run, retry: { timeoutMs: 1_000 } }),
      step.retriable({ name: "a", run, retry: { timeoutMs: 1_000 } }),
    ] as const;
    const options = { sagaId: "test", issuedAt: 5 } as const;
    const [compensatable, readOnly, pivot, retriable] = steps;
    const attempts = [
      await tryStep(compensatable, 2, options),
      await tryStep(readOnly, 2, options),
      await tryStep(pivot, 2, options),
      await tryStep(retriable, 2, options),
    ];
    expect(attempts.map(({ _tag }) => _tag)).toEqual(["Unknown", "Unknown", "Unknown", "Unknown"]);
    expect(calls.length).toBe(4);
    for (const { input, call } of calls) {
      expect(input).toBe(2);
      expect(call).toMatchObject({ sagaId: "test", key: "test/run/a/action", issuedAt: 5, attempt: 1, timeoutMs: 1_000 });
      expect(call.signal.aborted).toBe(false);
    }
  });

  test("has a saga and a time of its own when none is said", async () => {
    const calls: Call[] = [];
    const read = step.readOnly({
      name: "clock.read",
      run: (_input: undefined, { call }) => {
        calls.push(call);
        return ok(1);
      },
    });
    const before = Date.now();
    expect(await tryStep(read, undefined)).toEqual({ _tag: "Succeeded", output: 1 });
    expect(calls[0]).toMatchObject({ sagaId: "try-step", key: "try-step/run/clock.read/action" });
    expect(calls[0]?.issuedAt).toBeGreaterThanOrEqual(before);
  });

  test("aborts an attempt that takes too long, and calls it unknown", async () => {
    const timer = createVirtualTimer();
    let signal: AbortSignal | undefined;
    const slow = step.readOnly({
      name: "slow",
      run: (_input: number, { call }) => {
        signal = call.signal;
        return new Promise<Result<number, Fault>>(() => undefined);
      },
      retry: { timeoutMs: 2_500 },
    });
    expect(await tryStep(slow, 1, { timer })).toEqual(fault("Unknown", "no answer within 2500 ms"));
    expect([signal?.aborted, timer.now() - VIRTUAL_START_MS]).toEqual([true, 2_500]);
  });

  test.each<[what: string, input: unknown, found: string]>([
    ["a part", { at: [new Date(0)] }, "/at/0 is an instance of Date"],
    ["all", 1n, "it is bigint"],
  ])("does not call a step whose input is no JSON in %s", async (_what, input, found) => {
    let called = false;
    const any = step.readOnly({
      name: "any",
      run: (_input: number) => {
        called = true;
        return ok(1);
      },
    });
    expect(await tryStep(any, input as number)).toEqual(fault("Faulted", `the input of any is no JSON: ${found}`));
    expect(called).toBe(false);
  });

  test("hands on the input as the journal would: a frozen copy", async () => {
    const given = { lines: [{ quantity: 1, note: undefined }] };
    const seen: unknown[] = [];
    const take = step.readOnly({
      name: "take",
      run: (input: { readonly lines: readonly { readonly quantity: number; readonly note?: string | undefined }[] }) => {
        seen.push(input, Object.isFrozen(input.lines[0]), "note" in (input.lines[0] ?? {}));
        return ok(1);
      },
    });
    await tryStep(take, given);
    expect(seen).toEqual([{ lines: [{ quantity: 1 }] }, true, false]);
    expect(Object.isFrozen(given)).toBe(false);
  });
});

describe("undoStep", () => {
  const outcome = { _tag: "Succeeded", output: { left: 3 } } as const;

  test.each(ENDINGS)("tells %s apart", async (_what, answer, attempt) => {
    expect(await undoStep(answering(answer), 2, outcome)).toMatchObject(attempt);
  });

  test.each([
    { given: outcome, known: "succeeded" },
    { given: { _tag: "InDoubt", known: "nothing" }, known: "inDoubt" },
    { given: { _tag: "InDoubt", known: "succeeded" }, known: "succeeded" },
  ] as const)("tells the compensation $given, and whose undo it is", async ({ given, known }) => {
    const contexts: CompensationContext<{ left: number }>[] = [];
    const deduct = step({
      name: "a",
      run: (_quantity: number) => ok({ left: 1 }),
      compensate: (quantity, context) => {
        contexts.push(context);
        return ok({ quantity });
      },
      retry: { timeoutMs: 1_000 },
      compensationRetry: { timeoutMs: 9_000 },
    });
    const cause = { _tag: "RejectedCause", error: { _tag: "Late" } } as const;
    const attempt = await undoStep(deduct, 2, given, { sagaId: "test", issuedAt: 5, cause });
    expect(attempt).toEqual({ _tag: "Succeeded", output: { quantity: 2 } });
    const [context] = contexts;
    expect(contexts.length).toBe(1);
    expect(context).toMatchObject({ outcome: given, cause });
    expect(context?.call).toMatchObject({
      sagaId: "test",
      key: "test/run/a/compensation",
      issuedAt: 5,
      attempt: 1,
      timeoutMs: 9_000,
      undoes: { key: "test/run/a/action", issuedAt: 5, known },
    });
  });

  test("has a cause of its own when none is said", async () => {
    const causes: unknown[] = [];
    const deduct = step({
      name: "a",
      run: () => ok(1),
      compensate: (_input, { cause }) => {
        causes.push(cause);
        return ok(undefined);
      },
    });
    await undoStep(deduct, undefined, { _tag: "InDoubt", known: "nothing" });
    expect(causes).toMatchObject([{ _tag: "FaultedCause", path: "run", fault: { _tag: "Faulted" } }]);
  });

  test("aborts a compensation that takes too long, by its own deadline", async () => {
    const timer = createVirtualTimer();
    const slow = step({
      name: "slow",
      run: () => ok(1),
      compensate: () => new Promise<never>(() => undefined),
      retry: { timeoutMs: 1 },
      compensationRetry: { timeoutMs: 7_000 },
    });
    const attempt = await undoStep(slow, undefined, { _tag: "InDoubt", known: "nothing" }, { timer });
    expect(attempt).toEqual(fault("Unknown", "no answer within 7000 ms"));
    expect(timer.now() - VIRTUAL_START_MS).toBe(7_000);
  });
});

test("a step is told the same by tryStep and undoStep as by an engine's first attempt", async () => {
  const seen: { readonly slot: string; readonly call: object; readonly outcome?: object }[] = [];
  const deduct = step({
    name: "stock.deduct",
    run: (quantity: number, { call: { signal: _signal, ...call } }) => {
      seen.push({ slot: "action", call });
      return ok({ left: quantity });
    },
    compensate: (_quantity, { call: { signal: _signal, ...call }, outcome }) => {
      seen.push({ slot: "compensation", call, outcome });
      return ok(undefined);
    },
  });
  const back = saga({
    name: "back",
    input: numberInput,
    *run(quantity) {
      yield* deduct(quantity);
      yield* err({ _tag: "Changed" } as const);
    },
  });
  await createBench().open([back]).engine.run(back, 2, { id: "s" });
  const inEngine = seen.splice(0);
  const options = { sagaId: "s", issuedAt: VIRTUAL_START_MS };
  await tryStep(deduct, 2, options);
  await undoStep(deduct, 2, { _tag: "Succeeded", output: { left: 2 } }, options);
  expect(seen).toEqual(inEngine);
});
