/** Random schedules, for what is too much to try in full. Plain data, so that fast-check shrinks a counterexample to the fewest deviations that still break a law. */
import fc from "fast-check";
import type { Picked } from "./choices.ts";

export interface RandomPlan {
  readonly seed: number;
  /** In any order. */
  readonly deviations: readonly Picked[];
}

/** Counted around, so any number that is divided evenly by few would do; a point has a dozen choices. */
const PICK_MAX = 4_095;

/**
 * @param points - How many the undisturbed run has. A run that goes back early has fewer, and then a planned deviation does not take place.
 * @param faults - Exactly so many, if there are so many points.
 */
export function randomPlan({ points, faults }: { readonly points: number; readonly faults: number }): fc.Arbitrary<RandomPlan> {
  const count = Math.min(faults, points);
  return planOf(points, count, count);
}

/** The same, with any number of deviations, so that a plan can lose some. */
export function shrinkablePlan({ points, faults }: { readonly points: number; readonly faults: number }): fc.Arbitrary<RandomPlan> {
  return planOf(points, 0, faults);
}

function planOf(points: number, least: number, most: number): fc.Arbitrary<RandomPlan> {
  return fc.record({
    seed: fc.nat({ max: 2 ** 31 - 1 }),
    deviations: fc.uniqueArray(fc.record({ point: fc.integer({ min: 1, max: Math.max(points, 1) }), pick: fc.nat({ max: PICK_MAX }) }), {
      minLength: least,
      maxLength: most,
      selector: ({ point }) => point,
    }),
  });
}
