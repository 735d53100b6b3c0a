/** A plan, and what befalls the processes that carry it out. Plain data, so that a counterexample is its own reproduction. */
import fc from "fast-check";
import { type SagaPlan, sagaPlan } from "./saga-plan.ts";

/** `takeover`: the next process starts while this one lives on, unaware. `answerLost`: the append took effect, and its writer is told that it did not. */
type Blow = "dieBefore" | "dieAfter" | "takeover" | "refuse" | "answerLost";

export type Trouble =
  /** At the n-th append that any process tries, from 1. */
  | { readonly _tag: "AtAppend"; readonly nth: number; readonly blow: Blow; readonly restartAfterMs: number }
  /** When the n-th call reaches a participant, from 1. */
  | { readonly _tag: "AtCall"; readonly nth: number; readonly blow: "die" | "takeover" | "close"; readonly restartAfterMs: number };

/** What an operator does about parked operations, in every round. */
export type OperatorHabit = "leave" | "retry" | "settle" | "abandon";

export interface Scenario {
  readonly plan: SagaPlan;
  readonly troubles: readonly Trouble[];
  /** How long an append is on its way to the disk, and its verdict on the way back. */
  readonly append: { readonly thereMs: number; readonly backMs: number };
  readonly operator: OperatorHabit;
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

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  plan: sagaPlan,
  troubles: fc.oneof(fc.constant([]), { weight: 3, arbitrary: fc.array(trouble, { minLength: 1, maxLength: 5 }) }),
  append: fc.record({ thereMs: appendMs, backMs: appendMs }),
  operator: fc.constantFrom<OperatorHabit>("leave", "retry", "retry", "settle", "settle", "abandon"),
});
