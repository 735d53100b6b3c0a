// Goal: where participants answer the same whenever they are asked, a crash changes nothing (I6). Method: each saga once undisturbed, then once per record and
// side of it with a death there; compared is what is left in the world.
import { type History, standing, storyOf } from "@backstep/saga-testing/laws";
import fc from "fast-check";
import { expect, test } from "vitest";
import { liveThrough } from "./life.ts";
import { RUNS_TIMES, SEED } from "./runs.ts";
import { forwardNodes, nodes, type SagaPlan } from "./saga-plan.ts";
import type { Scenario, Trouble } from "./scenario.ts";
import { calmScript } from "./script.ts";

const RUNS = 60 * RUNS_TIMES;

const calmPlan: fc.Arbitrary<SagaPlan> = fc.record({
  run: nodes(calmScript, ["compensate", "resolve", "park"], true),
  pivot: fc.option(fc.record({ inDoubt: fc.constant("resolve" as const), script: calmScript }), { nil: undefined }),
  complete: fc.option(forwardNodes, { nil: undefined, freq: 1 }),
});

function live(plan: SagaPlan, troubles: readonly Trouble[], append: Scenario["append"]): Promise<History> {
  return liveThrough({ plan, troubles, append, operator: "retry", outside: [], evictAfterMs: 20 });
}

/** What is left: how it ended, which effects stand, which events are out. */
function leftBy(history: History) {
  const { operations, records } = storyOf(history);
  return {
    ended: records.at(-1)?.status,
    stands: operations.flatMap((operation) => (standing(operation) > 0 ? [operation.place] : [])).toSorted(),
    events: records.flatMap(({ outbox }) => outbox.map(({ id }) => id)).toSorted(),
  };
}

test("I6: a process that dies before or after any record leaves the same effects, events and ending", {
  timeout: 60_000 * RUNS_TIMES,
}, async () => {
  await fc.assert(
    fc.asyncProperty(calmPlan, fc.constantFrom(0, 0, 8), async (plan, backMs) => {
      const append = { thereMs: 0, backMs };
      const undisturbed = await live(plan, [], append);
      const expected = leftBy(undisturbed);
      for (const [index] of storyOf(undisturbed).records.entries()) {
        for (const blow of ["dieBefore", "dieAfter"] as const) {
          const history = await live(plan, [{ _tag: "AtAppend", nth: index + 1, blow, restartAfterMs: 5 }], append);
          expect({ blow, record: index, ...leftBy(history) }).toEqual({ blow, record: index, ...expected });
        }
      }
    }),
    { numRuns: RUNS, seed: SEED },
  );
});
