/** Which faults struck in the schedules that were run, and how often: what a proof rests on, and what it does not. */
import type { Point } from "./choices.ts";
import type { Deviation } from "./schedule.ts";

/** How many schedules each fault, and each decision of a participant, took part in. */
export type Coverage = Readonly<Record<string, number>>;

export class CoverageCount {
  readonly #counts = new Map<string, number>();

  add(points: readonly Point[], taken: readonly Deviation[]): void {
    for (const { point, choice, decides } of taken) {
      const label = decides !== true ? choice : `${points[point - 1]?.label ?? ""} ${choice}`;
      this.#counts.set(label, (this.#counts.get(label) ?? 0) + 1);
    }
  }

  coverage(): Coverage {
    return Object.fromEntries([...this.#counts].sort(([left], [right]) => (left < right ? -1 : 1)));
  }
}
