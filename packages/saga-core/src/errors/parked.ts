/** Parked: not finished, and the engine may not decide alone. What is stuck, why, and what stands in the way of driving a saga at all. Plain data. */
import type { Slot } from "../primitives/idempotency-key.ts";
import type { FaultData } from "./fault.ts";
import type { FirstError } from "./first-error.ts";

/** Not finished, and the engine may not decide alone: an operator's `retry`, `settle` or `abandon` goes on from here. Nothing is lost meanwhile. */
export interface SagaParked {
  readonly _tag: "SagaParked";
  readonly sagaId: string;
  /** The operations that are stuck; empty when the saga cannot be driven at all, see `quarantine`. */
  readonly operations: readonly ParkedOperation[];
  /** Why the saga was going back when it got stuck: the first error. Absent while it went forward. */
  readonly firstError?: FirstError | undefined;
  readonly quarantine?: Quarantine | undefined;
}

export interface ParkedOperation {
  readonly path: string;
  readonly step: string;
  readonly slot: Slot;
  readonly cause: ParkCause;
  /** What may be done next. */
  readonly verbs: readonly OperatorVerb[];
}

/** `settle` with the verdict `applied` or `notApplied`; the other two as they are called. */
export type OperatorVerb = "retry" | "settleApplied" | "settleNotApplied" | "abandon";

/** Why an operation waits for an operator. */
export interface ParkCause {
  readonly _tag: "DoubtRemains" | "OutputLost" | "KeyReused" | "EvidenceLost" | "CannotGoOn";
  readonly fault: FaultData;
}

/** Why no worker can drive the saga: re-examined at every adoption, so that a deploy that mends the reason sets it free. */
export interface Quarantine {
  readonly _tag: "UnknownSaga" | "JournalCorrupt" | "ReplayDiverged" | "BodyFailed" | "NoProgress";
  readonly message: string;
  /** Of a `ReplayDiverged`. */
  readonly divergence?: Divergence | undefined;
}

/** Where a definition and a journal disagree: what was recorded, and what the definition does there now. */
export interface Divergence {
  /** The entry's place in the journal, from 0. */
  readonly entry: number;
  readonly recorded: string;
  readonly decided: string;
}
