/** What a run found: every figure of every round, as it is written to `results.json`, and what is read off it. */
import type { Way } from "./contender.ts";
import type { Driven } from "./drive.ts";
import type { Machine } from "./machine.ts";
import { type Spread, spreadOf } from "./statistics.ts";

export interface Cell extends Driven {
  readonly contender: string;
  readonly round: number;
  readonly way: Way;
  readonly concurrency: number;
}

export interface Results {
  readonly measuredAt: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly durationMs: number;
  readonly concurrencies: readonly number[];
  readonly contenders: readonly string[];
  /** Who did not take part, and why. */
  readonly absent: Readonly<Record<string, string>>;
  readonly cells: readonly Cell[];
}

export interface Place {
  readonly contender: string;
  readonly way: Way;
  readonly concurrency: number;
}

/** A figure over the rounds; `undefined` when it was never taken. */
export function figureOf(results: Results, place: Place, figure: (cell: Cell) => number | undefined): Spread | undefined {
  const values = results.cells
    .filter((cell) => cell.contender === place.contender && cell.way === place.way && cell.concurrency === place.concurrency)
    .map(figure)
    .filter((value) => value !== undefined);
  return values.length === 0 ? undefined : spreadOf(values);
}

export function rateOf(results: Results, place: Place): Spread | undefined {
  return figureOf(results, place, ({ sagasPerSecond }) => sagasPerSecond);
}

/** How much of its ceiling's rate a contender reaches. Round by round, for both had the same machine then. */
export function partOf(results: Results, place: Place, ceiling: string): Spread | undefined {
  return figureOf(results, place, ({ round, sagasPerSecond }) => {
    const above = rateOf({ ...results, cells: results.cells.filter((cell) => cell.round === round) }, { ...place, contender: ceiling });
    return above === undefined ? undefined : sagasPerSecond / above.median;
  });
}
