/** A plan, and what befalls the processes that carry it out. Plain data, so that a counterexample is its own reproduction. */
import fc from "fast-check";
import { type SagaPlan, type SignalName, sagaPlan } from "./saga-plan.ts";

/** `takeover`: the next process starts while this one lives on, unaware. `answerLost`: the append took effect, and its writer is told that it did not. */
type Blow = "dieBefore" | "dieAfter" | "takeover" | "refuse" | "answerLost";

export type Trouble =
  /** At the n-th append that any process tries, from 1. */
  | { readonly _tag: "AtAppend"; readonly nth: number; readonly blow: Blow; readonly restartAfterMs: number }
  /** When the n-th call reaches a participant, from 1. */
  | { readonly _tag: "AtCall"; readonly nth: number; readonly blow: "die" | "takeover" | "close"; readonly restartAfterMs: number };

/** What somebody outside tells the saga. Signals under one key are repeated, or come with another payload. */
export type OutsideAct =
  | { readonly _tag: "Signal"; readonly atMs: number; readonly signal: SignalName; readonly key: string; readonly payload: number }
  | { readonly _tag: "Cancel"; readonly atMs: number };

/** What an operator does about parked operations, in every round. */
export type OperatorHabit = "leave" | "retry" | "settle" | "abandon";

export interface Scenario {
  readonly plan: SagaPlan;
  readonly troubles: readonly Trouble[];
  /** How long an append is on its way to the disk, and its verdict on the way back. */
  readonly append: { readonly thereMs: number; readonly backMs: number };
  readonly operator: OperatorHabit;
  readonly outside: readonly OutsideAct[];
  /** From the start to where the saga may no longer go on forward. */
  readonly deadlineMs?: number | undefined;
  readonly evictAfterMs: number;
}

const restartAfterMs = fc.constantFrom(0, 5, 200, 5_000);
const appendMs = fc.constantFrom(0, 0, 0, 1, 8);
const nth = fc.integer({ min: 1, max: 30 });

const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      _tag: fc.constant("AtAppend" as const),
      nth,
      blow: fc.constantFrom<Blow>("dieBefore", "dieBefore", "dieAfter", "dieAfter", "takeover", "refuse", "answerLost"),
      restartAfterMs,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: fc.constant("AtCall" as const),
      nth,
      blow: fc.constantFrom("die" as const, "die" as const, "takeover" as const, "close" as const),
      restartAfterMs,
    }),
  },
);

const atMs = fc.oneof(fc.constantFrom(0, 1, 7, 15, 30, 200, 3_000), fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 50_000 }));
const told: fc.Arbitrary<OutsideAct> = fc
  .tuple(atMs, fc.constantFrom<SignalName>("news", "word"), fc.nat({ max: 5 }), fc.constantFrom(0, 0, 0, 1))
  .map(([at, signal, key, variant]) => ({ _tag: "Signal", atMs: at, signal, key: `key ${key}`, payload: key * 10 + variant }));
const cancel: fc.Arbitrary<OutsideAct> = fc.record({ _tag: fc.constant("Cancel" as const), atMs });
const outside = fc
  .tuple(
    fc.oneof(fc.constant([]), fc.array(told, { maxLength: 8, size: "max" })),
    fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(cancel, { minLength: 1, maxLength: 2 })),
  )
  .map((acts) => acts.flat());

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  plan: sagaPlan,
  troubles: fc.oneof(fc.constant([]), { weight: 3, arbitrary: fc.array(trouble, { minLength: 1, maxLength: 5 }) }),
  append: fc.record({ thereMs: appendMs, backMs: appendMs }),
  operator: fc.constantFrom<OperatorHabit>("leave", "retry", "retry", "settle", "settle", "abandon"),
  outside,
  deadlineMs: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: atMs }),
  evictAfterMs: fc.constantFrom(0, 20, 10_000, 1_000_000),
});
