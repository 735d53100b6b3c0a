// Goal: the invariants hold for whatever saga, participant and crash. Method: random plans lived through by real engines; laws that judge the histories.
import fc from "fast-check";
import { describe, test } from "vitest";
import { LAW_NAMES, LAWS } from "./laws.ts";
import { RUNS_TIMES, SEED } from "./runs.ts";
import { scenario } from "./scenario.ts";
import { expectLaw } from "./violations.ts";

const RUNS = 1_000 * RUNS_TIMES;

describe("whatever becomes of a saga", () => {
  test.each(LAW_NAMES.map((law) => ({ law, says: LAWS[law].says })))("$says", { timeout: 60_000 * RUNS_TIMES }, async ({ law }) => {
    await fc.assert(
      fc.asyncProperty(scenario, (each) => expectLaw(law, each)),
      { numRuns: RUNS, seed: SEED },
    );
  });
});
