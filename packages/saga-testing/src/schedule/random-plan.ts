/** Random schedules, for what is too much to try in full. Plain data, so that fast-check shrinks a counterexample to the fewest deviations that still break a law. */
import fc from "fast-check";
import type { Picked } from "./choices.ts";

export interface RandomPlan {
  readonly seed: number;
  readonly deviations: readonly Picked[];
}

/** More than any point has choices. */
const PICKS = 60;

export function randomPlan({ points, faults }: { readonly points: number; readonly faults: number }): fc.Arbitrary<RandomPlan> {
  return fc.record({
    seed: fc.nat({ max: 2 ** 31 - 1 }),
    deviations: fc
      .uniqueArray(fc.record({ point: fc.integer({ min: 1, max: points }), pick: fc.nat({ max: PICKS }) }), {
        minLength: 1,
        maxLength: faults,
        selector: ({ point }) => point,
      })
      .map((picked) => picked.toSorted((left, right) => left.point - right.point)),
  });
}
