import { describe, expect, test } from "vitest";
import type { Point } from "../../src/schedule/choices.ts";
import { type Deviation, formatSchedule } from "../../src/schedule/schedule.ts";
import { type Bounds, Search } from "../../src/schedule/search.ts";

type World = (deviations: readonly Deviation[]) => readonly Point[];

function point(choices: readonly string[], decides = false, state?: string): Point {
  return { label: "", place: { _tag: "Decision" }, choices, decides, state };
}

/** Runs the world under every schedule that the search hands out, `width` of them at a time. */
function searched(world: World, bounds: Bounds, width = 1): readonly string[] {
  const search = new Search(bounds);
  const run: string[] = [];
  for (;;) {
    const batch: (readonly Deviation[])[] = [];
    for (let next = search.next(); next !== undefined; next = search.next()) {
      batch.push(next);
      if (batch.length === width) break;
    }
    if (batch.length === 0) return run;
    for (const deviations of batch) {
      run.push(formatSchedule({ deviations }));
      search.grow(deviations, world(deviations));
    }
  }
}

const two: World = () => [point(["refuse", "cancel"]), point(["refuse"])];

describe("the exhaustive search", () => {
  test("runs the undisturbed schedule, then every single fault, then every pair", () => {
    expect(searched(two, { faults: 2, decisions: 0 })).toEqual([
      "calm",
      "1:refuse",
      "1:cancel",
      "2:refuse",
      "1:refuse 2:refuse",
      "1:cancel 2:refuse",
    ]);
  });

  test("counts decisions apart from faults", () => {
    const world: World = () => [point(["no"], true), point(["refuse"]), point(["no"], true)];
    expect(searched(world, { faults: 1, decisions: 1 }).toSorted()).toEqual(
      ["calm", "1=no", "2:refuse", "3=no", "1=no 2:refuse", "2:refuse 3=no"].toSorted(),
    );
    expect(searched(world, { faults: 0, decisions: 0 })).toEqual(["calm"]);
  });

  test("finds points that only a deviation brings about", () => {
    const world: World = (deviations) => (deviations.length === 0 ? [point(["die-after"])] : [point(["die-after"]), point(["cancel"])]);
    expect(searched(world, { faults: 2, decisions: 0 })).toEqual(["calm", "1:die-after", "1:die-after 2:cancel"]);
  });

  test("runs every schedule once, whatever is under way together", () => {
    const world: World = (deviations) => Array.from({ length: 4 + deviations.length }, () => point(["refuse", "cancel", "lose-answer"]));
    const alone = searched(world, { faults: 3, decisions: 0 });
    expect(new Set(alone).size).toBe(alone.length);
    // 1 + 4·3 calm and single; each single at point p leaves 5 − p later points, each double likewise.
    const pairs = [1, 2, 3, 4].reduce((sum, p) => sum + 3 * 3 * (5 - p), 0);
    expect(alone.filter((text) => text.split(" ").length === 2)).toHaveLength(pairs);
    for (const width of [2, 7, 64]) expect(searched(world, { faults: 3, decisions: 0 }, width).toSorted()).toEqual(alone.toSorted());
  });

  test("does not go on from a state that was met with as much room", () => {
    const world: World = (deviations) => {
      const recovered = deviations.length > 0;
      return [
        point(["refuse"], false, recovered ? undefined : "start"),
        point(["cancel"], false, "middle"),
        point(["refuse"], false, "end"),
      ];
    };
    // After the fault at 1 the run is at "middle" as if nothing had been: with one fault left, which the single faults have tried from there.
    expect(searched(world, { faults: 2, decisions: 0 })).toEqual(["calm", "1:refuse", "2:cancel", "3:refuse"]);
  });
});
