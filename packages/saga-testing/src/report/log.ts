/** What reports are made of: everything that happened in a run, of all its sagas, with the faults that were put into it. */
import type { Happening } from "../oracles/history.ts";

export interface LogLine {
  /** Epoch milliseconds of virtual time. */
  readonly atMs: number;
  /** Absent for what befalls a process with all its sagas. */
  readonly sagaId: string | undefined;
  readonly happening: Happening | FaultHappening;
}

/**
 * What of a log is worth telling: not when a process may have heard of its append, which only serves to judge, and not the deaths at the end, of processes that are put
 * away when all is over.
 */
export function worthTelling(log: readonly LogLine[]): readonly LogLine[] {
  const told = log.filter(({ happening }) => happening._tag !== "Acknowledged");
  return told.slice(0, told.findLastIndex(({ happening }) => happening._tag !== "Died") + 1);
}

/** A fault strikes, by schedule. */
export interface FaultHappening {
  readonly _tag: "Fault";
  readonly text: string;
}
