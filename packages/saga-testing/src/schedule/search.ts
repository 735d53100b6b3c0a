/**
 * Finds the schedules to run. Exhaustive: every run is asked at which points something else could have happened, and each of those is the next run, all with one fault
 * before any with two, so that the first counterexample is among the shortest. A point's choices are known only once a run has come there, so the search grows as it goes.
 */
import type { Point } from "./choices.ts";
import type { Deviation } from "./schedule.ts";

export interface Bounds {
  /** How many faults one schedule has at most. */
  readonly faults: number;
  /** How many decisions of participants differ from their first, at most. */
  readonly decisions: number;
}

/** A run to be continued: what is the same, and which of its points come after. */
interface Parent {
  readonly deviations: readonly Deviation[];
  readonly points: readonly Point[];
  point: number;
  choice: number;
}

export class Search {
  readonly #bounds: Bounds;
  /** By number of deviations, so that shorter schedules go first. */
  readonly #parents: Parent[][] = [];
  readonly #seen = new Map<string, number>();
  #first = true;
  #merged = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** Points at which everything that follows had been run before. */
  get merged(): number {
    return this.#merged;
  }

  /** The deviations of the next schedule; `undefined` when all that are known have been handed out. */
  next(): readonly Deviation[] | undefined {
    if (this.#first) {
      this.#first = false;
      return [];
    }
    for (const parents of this.#parents) {
      for (let parent = parents?.[0]; parent !== undefined; parent = parents[0]) {
        const deviation = nextOf(parent, this.#roomIn(parent.deviations));
        if (deviation !== undefined) return [...parent.deviations, deviation];
        parents.shift();
      }
    }
    return undefined;
  }

  /** Schedules that are known and have not been handed out. There are more: each of these that has room brings others. */
  get waiting(): number {
    let count = 0;
    for (const parent of this.#parents.flat()) {
      if (parent === undefined) continue;
      const rest = { ...parent };
      while (nextOf(rest, this.#roomIn(parent.deviations)) !== undefined) count += 1;
    }
    return count;
  }

  /** A run is over: its later points are places to differ at. */
  grow(deviations: readonly Deviation[], points: readonly Point[]): void {
    const room = this.#roomIn(deviations);
    if (room.faults === 0 && room.decisions === 0) return;
    const last = deviations.at(-1)?.point ?? 0;
    const until = this.#knownFrom(points, last, room);
    const level = deviations.length;
    this.#parents[level] ??= [];
    this.#parents[level].push({ deviations, points: points.slice(0, until), point: last, choice: 0 });
  }

  /** From a state that was met with as much room before, nothing new can follow. */
  #knownFrom(points: readonly Point[], from: number, { faults, decisions }: Bounds): number {
    for (let at = from; at < points.length; at += 1) {
      const state = points[at]?.state;
      if (state === undefined) continue;
      const id = `${decisions} ${state}`;
      const before = this.#seen.get(id);
      if (before !== undefined && before >= faults) {
        this.#merged += 1;
        return at;
      }
      this.#seen.set(id, faults);
    }
    return points.length;
  }

  #roomIn(deviations: readonly Deviation[]): Bounds {
    const faults = deviations.filter(({ decides }) => decides !== true).length;
    return { faults: this.#bounds.faults - faults, decisions: this.#bounds.decisions - (deviations.length - faults) };
  }
}

/** Advances like an odometer: the choices of a point, then the next point. */
function nextOf(parent: Parent, room: Bounds): Deviation | undefined {
  while (parent.point < parent.points.length) {
    const point = parent.points[parent.point];
    const fits = point !== undefined && (point.decides ? room.decisions : room.faults) > 0;
    const choice = fits ? point.choices[parent.choice] : undefined;
    if (choice !== undefined) {
      parent.choice += 1;
      return point?.decides === true ? { point: parent.point + 1, choice, decides: true } : { point: parent.point + 1, choice };
    }
    parent.point += 1;
    parent.choice = 0;
  }
  return undefined;
}
