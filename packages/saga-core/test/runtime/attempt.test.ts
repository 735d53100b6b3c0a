// Goal: whatever a step does in one attempt, it ends as one of the kinds there are. Method: functions that answer, throw, stall and lie, on virtual time.
import { err, errAsync, ok, okAsync } from "neverthrow";
import { describe, expect, test } from "vitest";
import type { Answer } from "../../src/definition/answer.ts";
import { type FaultTag, fault } from "../../src/errors/fault.ts";
import { decided, type Tagged } from "../../src/errors/tagged.ts";
import { underDeadline, VALUE_CHARACTERS_MAX } from "../../src/runtime/attempt.ts";
import { createVirtualTimer, VIRTUAL_START_MS } from "../virtual-timer.ts";

const DEADLINE_MS = 1_000;

function attempt(invoke: (signal: AbortSignal) => unknown, timer = createVirtualTimer()) {
  return underDeadline({ timeoutMs: DEADLINE_MS, timer }, (signal) => invoke(signal) as Answer<Tagged>);
}

describe("an answer", () => {
  test.each<[form: string, invoke: () => unknown]>([
    ["a Result", () => ok({ left: 1 })],
    ["a ResultAsync", () => okAsync({ left: 1 })],
    ["a promise of a Result", async () => ok({ left: 1 })],
  ])("that is %s succeeds with the output as plain frozen JSON", async (_form, invoke) => {
    const ended = await attempt(invoke);
    expect(ended).toEqual({ _tag: "Succeeded", output: { left: 1 } });
    expect(ended._tag === "Succeeded" && Object.isFrozen(ended.output)).toBe(true);
  });

  test("of nothing succeeds with no output", async () => {
    expect(await attempt(() => ok(undefined))).toEqual({ _tag: "Succeeded", output: undefined });
  });

  test.each<[form: string, invoke: () => unknown]>([
    ["a Result", () => err({ _tag: "OutOfStock", productId: "a" })],
    ["a ResultAsync", () => errAsync({ _tag: "OutOfStock", productId: "a" })],
    ["a promise of a Result", async () => err({ _tag: "OutOfStock", productId: "a" })],
  ])("of the participant's own no, as %s, is a rejection of this attempt", async (_form, invoke) => {
    expect(await attempt(invoke)).toEqual({ _tag: "Rejected", error: { _tag: "OutOfStock", productId: "a" }, decided: false });
  });

  test("that is marked as decided is a rejection for the key, and the mark is no part of the error", async () => {
    const ended = await attempt(() => err(decided({ _tag: "OutOfStock", productId: "a" })));
    expect(ended).toEqual({ _tag: "Rejected", error: { _tag: "OutOfStock", productId: "a" }, decided: true });
  });

  const tags: readonly FaultTag[] = [
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
  test.each(tags)("of the fault %s is that fault", async (tag) => {
    const given = fault(tag, "said so", { retryAfterMs: 5 });
    expect(await attempt(() => err(given))).toBe(given);
  });

  test("that only looks like a fault is the participant's rejection", async () => {
    expect(await attempt(() => err({ _tag: "Unknown", message: "no such product" }))).toEqual({
      _tag: "Rejected",
      error: { _tag: "Unknown", message: "no such product" },
      decided: false,
    });
  });
});

describe("I1: what nobody classified is doubt", () => {
  test.each<[what: string, invoke: () => unknown, message: string]>([
    [
      "an exception",
      () => {
        throw new TypeError("fetch failed");
      },
      "the step threw: fetch failed",
    ],
    ["a rejected promise", () => Promise.reject(new Error("socket hang up")), "the step threw: socket hang up"],
    ["a rejection with no error", () => Promise.reject("gone"), "the step threw: gone"],
    ["no answer", () => undefined, "the step returned no Result: answer with ok(…), err(…) or a ResultAsync"],
    ["null", () => null, "the step returned no Result: answer with ok(…), err(…) or a ResultAsync"],
    ["a bare value", async () => ({ left: 1 }), "the step returned no Result: answer with ok(…), err(…) or a ResultAsync"],
    ["an error without a tag", () => err({ code: 1 }), "the step failed with an error that has no _tag"],
    ["an error that is text", () => err("no"), "the step failed with an error that has no _tag"],
    [
      "a rejection that is no JSON",
      () => err({ _tag: "Late", since: new Date(0) }),
      "the step was rejected with Late, but that is no JSON: /since is an instance of Date",
    ],
    [
      "a rejection too large to keep",
      () => err({ _tag: "Wordy", text: "x".repeat(VALUE_CHARACTERS_MAX) }),
      `the step was rejected with Wordy, but that has ${VALUE_CHARACTERS_MAX + 26} characters of JSON; ${VALUE_CHARACTERS_MAX} are the most`,
    ],
  ])("%s", async (_what, invoke, message) => {
    expect(await attempt(invoke)).toEqual(fault("Unknown", message));
  });

  test("a getter that throws while the output is read", async () => {
    const output = Object.defineProperty({}, "left", {
      enumerable: true,
      get() {
        throw new Error("detached");
      },
    });
    expect(await attempt(() => ok(output))).toEqual(fault("Unknown", "the step threw: detached"));
  });
});

describe("an output that cannot be kept is an effect whose output is lost", () => {
  test.each<[what: string, output: unknown, message: string]>([
    ["a date", { at: new Date(0) }, "the step succeeded, but its output is no JSON: /at is an instance of Date"],
    ["a bare function", () => 1, "the step succeeded, but its output is no JSON: it is function"],
    ["a cycle", cycle(), "the step succeeded, but its output is no JSON: /0/0/0"],
    [
      "one character too many",
      "x".repeat(VALUE_CHARACTERS_MAX - 1),
      `the step succeeded, but its output has ${VALUE_CHARACTERS_MAX + 1} characters of JSON; ${VALUE_CHARACTERS_MAX} are the most`,
    ],
  ])("%s", async (_what, output, message) => {
    const ended = await attempt(() => ok(output));
    expect(ended).toMatchObject({ _tag: "Unreadable", message: expect.stringContaining(message) as string });
  });

  test("and one at the bound is kept", async () => {
    expect((await attempt(() => ok("x".repeat(VALUE_CHARACTERS_MAX - 2))))._tag).toBe("Succeeded");
  });
});

describe("the deadline", () => {
  test("aborts the call's signal and leaves the attempt in doubt; an answer that still comes is not waited for", async () => {
    const timer = createVirtualTimer();
    let signal: AbortSignal | undefined;
    let answerLate: (answer: unknown) => void = () => undefined;
    const ended = await attempt((given) => {
      signal = given;
      return new Promise((resolve) => {
        answerLate = resolve;
      });
    }, timer);
    expect(ended).toEqual(fault("Unknown", "no answer within 1000 ms"));
    expect(signal?.aborted).toBe(true);
    expect(timer.now()).toBe(VIRTUAL_START_MS + DEADLINE_MS);
    answerLate(ok(1));
    await timer.idle();
  });

  test("a rejection that comes after the deadline disturbs nobody", async () => {
    const timer = createVirtualTimer();
    let fail: (reason: unknown) => void = () => undefined;
    await attempt(
      () =>
        new Promise((_resolve, reject) => {
          fail = reject;
        }),
      timer,
    );
    fail(new Error("late"));
    await timer.idle();
  });

  test("is no longer waited for once the answer is there, and the signal is left alone", async () => {
    const timer = createVirtualTimer();
    let signal: AbortSignal | undefined;
    const ended = await attempt(async (given) => {
      signal = given;
      await timer.sleep(DEADLINE_MS - 1);
      return ok(1);
    }, timer);
    expect(ended._tag).toBe("Succeeded");
    expect([signal?.aborted, timer.sleepers, timer.now() - VIRTUAL_START_MS]).toEqual([false, 0, DEADLINE_MS - 1]);
  });
});

function cycle(): unknown {
  const ring: unknown[] = [];
  ring.push(ring);
  return ring;
}
