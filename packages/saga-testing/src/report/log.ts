/** What reports are made of: everything that happened in a run, of all its sagas, with the faults that were put into it. */
import type { Happening } from "../oracles/history.ts";

export interface LogLine {
  /** Epoch milliseconds of virtual time. */
  readonly atMs: number;
  /** Absent for what befalls a process with all its sagas. */
  readonly sagaId: string | undefined;
  readonly happening: Happening | FaultHappening;
}

/** A fault strikes, by schedule. */
export interface FaultHappening {
  readonly _tag: "Fault";
  readonly text: string;
}
