// Goal: the invariants hold for whatever saga, participant and crash. Method: random plans lived through by real engines; laws that judge the histories.
import fc from "fast-check";
import { describe, test } from "vitest";
import { LAWS } from "./laws.ts";
import { RUNS_TIMES, SEED } from "./runs.ts";
import { scenario } from "./scenario.ts";
import { expectLaw } from "./violations.ts";

const RUNS = 1_000 * RUNS_TIMES;

describe("whatever becomes of a saga", () => {
  test.each(LAWS)("$says", { timeout: 60_000 * RUNS_TIMES }, async ({ name }) => {
    await fc.assert(
      fc.asyncProperty(scenario, (each) => expectLaw(name, each)),
      { numRuns: RUNS, seed: SEED },
    );
  });
});
