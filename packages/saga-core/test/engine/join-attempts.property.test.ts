// Goal: doubt is sticky (I1) and waits are bounded. Method: the join against a model that enumerates what the participant may have done.
import fc from "fast-check";
import { match } from "ts-pattern";
import { expect, test } from "vitest";
import { freshJoin, interruptedJoin, joinAttempt, judgeStopped, NOTHING_KNOWN, retryDelayMs } from "../../src/engine/join-attempts.ts";
import { fault } from "../../src/errors/fault.ts";
import { type AttemptName, attemptNames, attempts, budget, knowledgeOf, rules } from "./attempts.ts";

/** What may have become of one request at the participant: it took effect, it never will, or it is still on its way. */
type Fate = "effect" | "never" | "onItsWay";
const fates: readonly Fate[] = ["effect", "never", "onItsWay"];

/** The worlds in which the participant would have answered like this: what each request may have come to, by what its answer says. */
function possible(name: AttemptName): readonly Fate[] {
  return match(name)
    .with("unknown", "running", "keyReused", "evidenceLost", () => fates)
    .with("succeeded", "unreadable", () => ["effect"] as const)
    .with("decided", "faulted", "notSent", "rejected", "sealed", "throttled", () => ["never"] as const)
    .exhaustive();
}

/** Answers for the key: once one was given, no request that was sent before it has an effect, or will have one. */
const forTheKey: ReadonlySet<AttemptName> = new Set(["sealed", "decided"]);

/** Every combination of fates that agrees with all answers; requests before an answer for the key never had an effect. */
function worlds(names: readonly AttemptName[]): readonly (readonly Fate[])[] {
  const lastForTheKey = names.findLastIndex((name) => forTheKey.has(name));
  let combined: readonly (readonly Fate[])[] = [[]];
  for (const [index, name] of names.entries()) {
    const options: readonly Fate[] = index < lastForTheKey ? ["never"] : possible(name);
    combined = combined.flatMap((world) => options.map((fate) => [...world, fate]));
  }
  return combined;
}

function oracle(names: readonly AttemptName[]): { readonly doubt: boolean; readonly applied: boolean } {
  // A lost output is proof of the effect; what stays in doubt is told by the other requests.
  const others = names.filter((name) => name !== "unreadable" && name !== "succeeded");
  return {
    applied: names.includes("unreadable"),
    doubt: worlds(others).some((world) => world.some((fate) => fate !== "never")),
  };
}

const names = fc.array(fc.constantFrom(...attemptNames.filter((name) => name !== "succeeded")), { maxLength: 6 });
const join = (sequence: readonly AttemptName[], from = freshJoin(NOTHING_KNOWN)) =>
  sequence.reduce((joined, name) => joinAttempt(joined, attempts[name]), from);

test("I1: what is known after any attempts is what holds in every world that agrees with their answers", () => {
  fc.assert(
    fc.property(names, (sequence) => {
      expect(knowledgeOf(join(sequence))).toEqual(oracle(sequence));
    }),
    { numRuns: 2_000 },
  );
});

test("I1: no attempt that speaks for itself alone ever clears doubt", () => {
  const alone = fc.array(fc.constantFrom(...attemptNames.filter((name) => name !== "succeeded" && !forTheKey.has(name))), { maxLength: 8 });
  fc.assert(
    fc.property(alone, (sequence) => {
      expect(join(["unknown", ...sequence]).doubt).toBe(true);
      expect(join(sequence, interruptedJoin(NOTHING_KNOWN)).doubt).toBe(true);
    }),
  );
});

test("I2: an operation is taken for absent only when every attempt definitely had no effect", () => {
  fc.assert(
    fc.property(names, (sequence) => {
      const { doubt, applied } = oracle(sequence);
      expect(judgeStopped(rules(), join(sequence))._tag).toBe(doubt || applied ? "InDoubt" : "NoEffect");
    }),
  );
});

test("attempts are counted one by one, and against the budget only those that ended in doubt about the answer", () => {
  fc.assert(
    fc.property(names, (sequence) => {
      const counted = sequence.filter((name) => name === "unknown" || name === "unreadable").length;
      expect(join(sequence)).toMatchObject({ attempts: sequence.length, counted });
      expect(join(sequence, interruptedJoin(NOTHING_KNOWN))).toMatchObject({ attempts: sequence.length, counted: counted + 1 });
    }),
  );
});

test("a wait doubles up to its cap, is at least half and at most all of that, and never shorter than what was asked for", () => {
  const given = fc.record({
    delayMs: fc.integer({ min: 1, max: 10_000 }),
    delayMsMax: fc.integer({ min: 1, max: 100_000 }),
    attempt: fc.integer({ min: 1, max: 10_000 }),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    retryAfterMs: fc.option(fc.nat({ max: 200_000 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(given, ({ delayMs, delayMsMax, attempt, random, retryAfterMs }) => {
      const asked = fault("Throttled", "later", { retryAfterMs });
      const waitMs = retryDelayMs({ ...budget, delayMs, delayMsMax }, attempt, asked, random);
      const fullMs = Math.min(delayMs * 2 ** (attempt - 1), delayMsMax);
      const leastMs = Math.max(1, Math.ceil(fullMs / 2));
      expect(Number.isSafeInteger(waitMs)).toBe(true);
      expect(waitMs).toBeGreaterThanOrEqual(Math.max(leastMs, retryAfterMs ?? 0));
      expect(waitMs).toBeLessThanOrEqual(Math.max(fullMs, retryAfterMs ?? 0, 1));
    }),
  );
});

test("the waits of the default policy are these", () => {
  const waits = (random: number) => [1, 2, 3, 4, 5, 6, 7, 100].map((attempt) => retryDelayMs(budget, attempt, attempts.unknown, random));
  expect(waits(0)).toEqual([50, 100, 200, 400, 800, 1_600, 2_500, 2_500]);
  expect(waits(0.999_999)).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
});
