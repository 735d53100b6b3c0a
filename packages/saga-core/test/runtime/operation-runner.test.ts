// Goal: an operation is attempted when and as long as the engine's verdicts say, and ends in one. Method: scripted participants on virtual time.
import { err, ok, type Result } from "neverthrow";
import { describe, expect, test } from "vitest";
import type { Call } from "../../src/definition/call.ts";
import { ACTION_RETRY_DEFAULT, type RetryPolicy } from "../../src/definition/retry-policy.ts";
import type { ResolveContext } from "../../src/definition/step-definition.ts";
import type { RunOperation } from "../../src/engine/command.ts";
import { freshJoin, interruptedJoin, NOTHING_KNOWN, type OperationRules } from "../../src/engine/join-attempts.ts";
import { type Fault, fault } from "../../src/errors/fault.ts";
import { decided, type Tagged } from "../../src/errors/tagged.ts";
import { idempotencyKey, step } from "../../src/index.ts";
import { SOLE_TENURE } from "../../src/runtime/lease.ts";
import { type OperationResult, type RunnerPorts, runOperation } from "../../src/runtime/operation-runner.ts";
import { direct } from "../../src/runtime/transport.ts";
import { createVirtualTimer, VIRTUAL_START_MS, type VirtualTimer } from "../virtual-timer.ts";

type Answer = Result<number, Tagged | Fault>;
type Participant = (attempt: number, signal: AbortSignal) => Answer | Promise<Answer>;
type Resolver = (context: ResolveContext) => unknown;

const key = idempotencyKey({ sagaId: "s", path: "run/a", slot: "action" });

interface Setup {
  readonly participant: Participant;
  readonly retry?: RetryPolicy | undefined;
  readonly rules?: Partial<OperationRules> | undefined;
  readonly order?: Partial<RunOperation> | undefined;
  readonly resolve?: Resolver | undefined;
  readonly timer?: VirtualTimer | undefined;
  readonly random?: number | undefined;
}

function start({ participant, retry, rules, order, resolve, timer = createVirtualTimer(), random = 0 }: Setup) {
  const calls: Call[] = [];
  const declared = step({
    name: "a",
    run: (_input: number, { call }) => {
      calls.push(call);
      return participant(calls.length, call.signal);
    },
    compensate: () => ok(undefined),
    ...(resolve === undefined ? {} : { resolve: (_input: number, context: ResolveContext) => resolve(context) as never }),
    retry,
  })["~step"];
  const ports: RunnerPorts = { timer, random: () => random, now: timer.now, transport: direct, tenure: SOLE_TENURE };
  const { promise: result, resolve: ended } = Promise.withResolvers<OperationResult>();
  const operation = runOperation(
    {
      _tag: "RunOperation",
      sagaId: "s",
      rules: {
        path: "run/a",
        step: "a",
        slot: "action",
        kind: "compensatable",
        inDoubt: "compensate",
        retry: declared.retry,
        forwardOnly: false,
        ...rules,
      },
      step: declared,
      input: 1,
      key,
      issuedAt: VIRTUAL_START_MS,
      startedAt: VIRTUAL_START_MS,
      join: freshJoin(NOTHING_KNOWN),
      ...order,
    },
    ports,
    ended,
  );
  return { operation: { result, stop: () => operation.stop(), drop: () => operation.drop() }, calls, timer };
}

/** Answers in turn, the last one for ever. */
function script(...answers: readonly [Answer, ...Answer[]]): Participant {
  return (attempt) => answers[Math.min(attempt, answers.length) - 1] ?? answers[0];
}

const unknown = err(fault("Unknown", "reset"));
const notSent = err(fault("NotSent", "refused"));

describe("attempts", () => {
  test("go on, under the same key and with growing waits, until one succeeds", async () => {
    const { operation, calls, timer } = start({ participant: script(unknown, notSent, unknown, ok(7)) });
    expect(await operation.result).toEqual({ _tag: "Settled", outcome: { _tag: "Succeeded", output: 7 }, attempts: 4 });
    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(new Set(calls.map((call) => call.key))).toEqual(new Set([key]));
    expect(calls.every(({ sagaId, issuedAt, timeoutMs }) => sagaId === "s" && issuedAt === VIRTUAL_START_MS && timeoutMs === 10_000)).toBe(
      true,
    );
    expect(timer.slept).toEqual([50, 100, 200]);
  });

  test("wait as long as the participant asks, and then as long as the policy says", async () => {
    const throttled = err(fault("Throttled", "busy", { retryAfterMs: 1_234 }));
    const running = err(fault("Running", "in flight", { retryAfterMs: 60 }));
    const { operation, timer } = start({ participant: script(throttled, running, unknown, ok(7)) });
    expect(await operation.result).toMatchObject({ outcome: { _tag: "Succeeded" } });
    expect(timer.slept).toEqual([1_234, 100, 200]);
  });

  test("that take too long are aborted, count as doubt, and are made again", async () => {
    const { operation, calls, timer } = start({
      participant: (attempt) => (attempt === 1 ? new Promise(() => undefined) : ok(7)),
      retry: { timeoutMs: 500 },
    });
    expect(await operation.result).toMatchObject({ outcome: { _tag: "Succeeded" }, attempts: 2 });
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    expect(timer.slept).toEqual([500, 50]);
  });

  test("end with the budget, and the doubt that is left goes by the step's policy", async () => {
    const spent = await start({ participant: script(unknown), retry: { attempts: 3 } }).operation.result;
    expect(spent).toMatchObject({ _tag: "Settled", outcome: { _tag: "InDoubt", known: "nothing" }, attempts: 3 });
    const parked = await start({ participant: script(unknown), retry: { attempts: 3 }, rules: { inDoubt: "park" } }).operation.result;
    expect(parked).toEqual({
      _tag: "Parked",
      cause: { _tag: "DoubtRemains", fault: { _tag: "Unknown", message: "reset" } },
      knowledge: { doubt: true, applied: false },
      attempts: 3,
    });
  });

  test("that were never sent go on until the horizon, and then there is nothing to undo", async () => {
    const { operation, timer } = start({ participant: script(notSent), retry: { attempts: 1, horizonMs: 10_000, delayMsMax: 1_000 } });
    const result = await operation.result;
    expect(result).toMatchObject({ _tag: "Settled", outcome: { _tag: "NoEffect", cause: { fault: { _tag: "NotSent" } } } });
    expect(timer.now() - VIRTUAL_START_MS).toBeGreaterThan(9_000);
    expect(timer.now() - VIRTUAL_START_MS).toBeLessThan(10_000);
  });

  test("number more than ten when the budget says so: no limit but the engine's applies", async () => {
    const { operation } = start({
      participant: (attempt) => (attempt < 200 ? unknown : ok(7)),
      retry: { attempts: Number.POSITIVE_INFINITY, horizonMs: 86_400_000, delayMsMax: 1_000 },
    });
    expect(await operation.result).toMatchObject({ outcome: { _tag: "Succeeded" }, attempts: 200 });
  });

  test("an operation found open at adoption gets at least one, though its horizon is long past and its budget is one", async () => {
    const { operation, calls } = start({
      participant: script(ok(7)),
      retry: { attempts: 1 },
      order: { startedAt: VIRTUAL_START_MS - 86_400_000, join: interruptedJoin(NOTHING_KNOWN) },
    });
    expect(await operation.result).toEqual({ _tag: "Settled", outcome: { _tag: "Succeeded", output: 7 }, attempts: 1 });
    expect(calls.length).toBe(1);
  });

  test("I1: a rejection after doubt leaves the operation in doubt, one that is decided for the key does not", async () => {
    const refused = { _tag: "Refused" } as const;
    const undecided = await start({ participant: script(unknown, err(refused)) }).operation.result;
    expect(undecided).toMatchObject({ outcome: { _tag: "InDoubt", cause: { _tag: "RejectedCause", error: refused } } });
    const forTheKey = await start({ participant: script(unknown, err(decided(refused))) }).operation.result;
    expect(forTheKey).toMatchObject({ outcome: { _tag: "NoEffect", cause: { _tag: "RejectedCause", error: refused } } });
  });
});

describe("stop", () => {
  test("ends a wait at once, and the operation settles with what is known", async () => {
    const { operation, calls, timer } = start({ participant: script(unknown) });
    timer.pause();
    await timer.idle();
    operation.stop();
    expect(await operation.result).toMatchObject({ outcome: { _tag: "InDoubt", known: "nothing" }, attempts: 1 });
    expect([calls.length, timer.now()]).toEqual([1, VIRTUAL_START_MS]);
  });

  test("awaits the attempt in flight, whose success counts", async () => {
    const gate = Promise.withResolvers<Answer>();
    const { operation, calls, timer } = start({ participant: () => gate.promise });
    timer.pause();
    operation.stop();
    await timer.idle();
    expect(calls[0]?.signal.aborted).toBe(false);
    gate.resolve(ok(7));
    expect(await operation.result).toMatchObject({ outcome: { _tag: "Succeeded", output: 7 } });
  });

  test.each<[last: string, answer: Answer, outcome: object]>([
    ["a success", ok(7), { _tag: "Succeeded" }],
    ["doubt", unknown, { _tag: "InDoubt", known: "nothing" }],
    ["nothing sent", notSent, { _tag: "NoEffect" }],
    ["a lost output", err(fault("Unreadable", "no JSON")), { _tag: "InDoubt", known: "succeeded" }],
  ])(
    "an operation whose last attempt in flight brings %s settles, though that was the last of its budget",
    async (_last, answer, outcome) => {
      for (const inDoubt of ["compensate", "resolve", "park"] as const) {
        const gate = Promise.withResolvers<Answer>();
        const { operation, timer } = start({
          participant: () => gate.promise,
          retry: { attempts: 1 },
          rules: { inDoubt },
          resolve: () => ok({ _tag: "StillUnknown" }),
        });
        timer.pause();
        operation.stop();
        gate.resolve(answer);
        expect(await operation.result).toMatchObject({ _tag: "Settled", outcome });
      }
    },
  );

  test("after the end changes nothing", async () => {
    const { operation } = start({ participant: script(ok(7)) });
    const result = await operation.result;
    operation.stop();
    operation.drop();
    expect(await operation.result).toBe(result);
  });
});

describe("drop", () => {
  test("ends a wait at once and says nothing", async () => {
    const { operation, calls, timer } = start({ participant: script(unknown) });
    timer.pause();
    await timer.idle();
    operation.drop();
    expect(await operation.result).toEqual({ _tag: "Dropped" });
    expect(calls.length).toBe(1);
  });

  test("lets the attempt in flight bring its verdict, and makes no other when it brings none", async () => {
    for (const [answer, expected] of [
      [ok(7), { _tag: "Settled", outcome: { _tag: "Succeeded", output: 7 }, attempts: 1 }],
      [unknown, { _tag: "Dropped" }],
    ] as const) {
      const gate = Promise.withResolvers<Answer>();
      const { operation, calls } = start({ participant: () => gate.promise });
      operation.drop();
      gate.resolve(answer);
      expect(await operation.result).toEqual(expected);
      expect(calls.length).toBe(1);
    }
  });

  test("overrules a stop: nobody drives the saga any more, so nobody may settle it", async () => {
    const { operation, timer } = start({ participant: script(unknown) });
    timer.pause();
    await timer.idle();
    operation.stop();
    operation.drop();
    expect(await operation.result).toEqual({ _tag: "Dropped" });
  });
});

describe("the deciding query", () => {
  const inDoubt = { participant: script(unknown), retry: { attempts: 2 }, rules: { inDoubt: "resolve" } } as const;

  test.each<[found: string, answer: unknown, outcome: object]>([
    ["applied", ok({ _tag: "Applied", output: 9 }), { _tag: "Succeeded", output: 9 }],
    ["applied without an output", ok({ _tag: "Applied" }), { _tag: "Succeeded", output: undefined }],
    [
      "a recorded rejection",
      ok({ _tag: "NotApplied", error: { _tag: "Refused" } }),
      { _tag: "NoEffect", cause: { _tag: "RejectedCause", error: { _tag: "Refused" } } },
    ],
    ["a seal", ok({ _tag: "SealedForGood" }), { _tag: "NoEffect", cause: { fault: { _tag: "Unknown", message: "reset" } } }],
    ["a seal, as a client's fault", err(fault("Sealed", "tombstone")), { _tag: "NoEffect" }],
  ])("that finds %s settles the operation", async (_found, answer, outcome) => {
    const { operation, calls } = start({ ...inDoubt, resolve: () => answer });
    expect(await operation.result).toMatchObject({ _tag: "Settled", outcome, attempts: 2 });
    expect(calls.length).toBe(2);
  });

  test("is made with the operation's own key, and counts its own attempts", async () => {
    const asked: ResolveContext[] = [];
    const { operation } = start({
      ...inDoubt,
      resolve: (context) => {
        asked.push(context);
        return asked.length < 3 ? ok({ _tag: "StillUnknown" }) : ok({ _tag: "Applied", output: 9 });
      },
    });
    await operation.result;
    expect(asked.map(({ call, slot }) => [call.key, call.issuedAt, call.attempt, slot])).toEqual(
      [1, 2, 3].map((attempt) => [key, VIRTUAL_START_MS, attempt, "action"]),
    );
  });

  test.each<[found: string, answer: () => unknown]>([
    ["nothing decided", () => ok({ _tag: "StillUnknown" })],
    ["what it should not", () => ok({ _tag: "Perhaps" })],
    ["no answer at all", () => undefined],
    ["a rejection without its error", () => ok({ _tag: "NotApplied" })],
    ["a rejection whose error has no tag", () => ok({ _tag: "NotApplied", error: { code: 1 } })],
    ["an exception", () => Promise.reject(new Error("down"))],
    ["a fault", () => err(fault("NotSent", "refused"))],
    ["a rejection of its own", () => err({ _tag: "Forbidden" })],
    ["silence", () => new Promise(() => undefined)],
  ])("that finds %s is asked again until the horizon, and then an operator is", async (_found, answer) => {
    let asked = 0;
    const { operation, timer } = start({
      ...inDoubt,
      retry: { attempts: 2, horizonMs: 20_000, timeoutMs: 1_000 },
      resolve: () => {
        asked += 1;
        return answer();
      },
    });
    expect(await operation.result).toMatchObject({ _tag: "Parked", cause: { _tag: "DoubtRemains" }, knowledge: { doubt: true } });
    expect(asked).toBeGreaterThan(3);
    expect(timer.now() - VIRTUAL_START_MS).toBeLessThanOrEqual(21_000);
  });

  test("is made at least once when the horizon itself ended the attempts", async () => {
    const { operation } = start({
      ...inDoubt,
      order: { startedAt: VIRTUAL_START_MS - 86_400_000 },
      resolve: () => ok({ _tag: "Applied", output: 9 }),
    });
    expect(await operation.result).toMatchObject({ outcome: { _tag: "Succeeded", output: 9 } });
  });

  test("waits as long as the participant asks before it is made again", async () => {
    let asked = 0;
    const { operation, timer } = start({
      ...inDoubt,
      retry: { attempts: 1 },
      resolve: () => {
        asked += 1;
        return asked === 1 ? err(fault("Running", "in flight", { retryAfterMs: 777 })) : ok({ _tag: "SealedForGood" });
      },
    });
    await operation.result;
    expect(timer.slept).toEqual([777]);
  });

  test("is ended by stop and drop like an attempt", async () => {
    for (const [end, expected] of [
      ["stop", { _tag: "Settled", outcome: { _tag: "InDoubt" } }],
      ["drop", { _tag: "Dropped" }],
    ] as const) {
      const { operation, timer } = start({ ...inDoubt, retry: { attempts: 1 }, resolve: () => ok({ _tag: "StillUnknown" }) });
      timer.pause();
      await timer.idle();
      operation[end]();
      expect(await operation.result).toMatchObject(expected);
    }
  });
});

test("the defaults give up on a silent participant within a minute", async () => {
  const { operation, timer } = start({ participant: () => new Promise(() => undefined) });
  expect(await operation.result).toMatchObject({ outcome: { _tag: "InDoubt" } });
  expect(timer.now() - VIRTUAL_START_MS).toBeLessThanOrEqual(ACTION_RETRY_DEFAULT.horizonMs + ACTION_RETRY_DEFAULT.timeoutMs);
});
