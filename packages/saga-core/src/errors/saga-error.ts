/** How a saga can end, or be answered, other than with its output or its own domain errors. Plain data: they travel and are matched by `_tag`. */

import type { Slot } from "../primitives/idempotency-key.ts";
import type { FaultData } from "./fault.ts";
import type { Tagged } from "./tagged.ts";

/** A step could not be done for another reason than its participant's "no", and everything is taken back. */
export interface SagaFaulted {
  readonly _tag: "SagaFaulted";
  readonly sagaId: string;
  /** The operation's path, or the scope's when the body itself is at fault. */
  readonly path: string;
  readonly step?: string | undefined;
  readonly fault: FaultData;
}

/** It was cancelled before its point of no return, and everything is taken back. */
export interface SagaCancelled {
  readonly _tag: "SagaCancelled";
  readonly sagaId: string;
  readonly by?: string | undefined;
  readonly reason: string;
}

/** Its deadline passed before its point of no return, and everything is taken back. */
export interface SagaDeadlineExceeded {
  readonly _tag: "SagaDeadlineExceeded";
  readonly sagaId: string;
  /** Epoch milliseconds of the store's clock. */
  readonly deadlineAt: number;
}

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

/** An operator gave it up. `stands` is the truth about what was not taken back. */
export interface SagaAbandoned {
  readonly _tag: "SagaAbandoned";
  readonly sagaId: string;
  readonly by: string;
  readonly reason: string;
  readonly stands: readonly StandingEffect[];
  readonly firstError?: FirstError | undefined;
}

/** Why a saga went back: a domain error, a fault, a cancellation or a deadline. */
export type FirstError = Tagged | FaultData | SagaCancelled | SagaDeadlineExceeded;

export interface StandingEffect {
  readonly path: string;
  readonly step: string;
  readonly known: "succeeded" | "inDoubt";
}

/** The id is malformed, or the input does not fit the saga's schema, is no JSON or is too large. Nothing was started. */
export interface SagaRequestInvalid {
  readonly _tag: "SagaRequestInvalid";
  readonly sagaId: string;
  readonly issues: readonly { readonly path: string; readonly message: string }[];
}

/** A saga with this id was started with another input, or is another saga. The existing one is untouched. */
export interface SagaIdConflict {
  readonly _tag: "SagaIdConflict";
  readonly sagaId: string;
  readonly message: string;
}

export interface SagaNotFound {
  readonly _tag: "SagaNotFound";
  readonly sagaId: string;
}

/** The journal cannot be reached, or this engine is closed. Asking again with the same id is safe. */
export interface SagaUnavailable {
  readonly _tag: "SagaUnavailable";
  readonly sagaId: string;
  readonly message: string;
}

/** How a saga that was started can answer besides its output and its domain errors. */
export type SagaEnding = SagaFaulted | SagaCancelled | SagaDeadlineExceeded | SagaParked | SagaAbandoned;
export type SagaStartError = SagaRequestInvalid | SagaIdConflict | SagaUnavailable;

/** The signal was not taken, and nothing was changed. `message` says why. */
export interface SignalRefused {
  readonly _tag: "SignalRefused";
  readonly sagaId: string;
  readonly reason: "ended" | "payloadInvalid" | "keyReused" | "tooMany";
  readonly message: string;
}

/** The saga is past its point of no return, or has ended otherwise than by going back: it can only go forward. */
export interface CancelRefused {
  readonly _tag: "CancelRefused";
  readonly sagaId: string;
  readonly reason: "pastPivot" | "ended" | "requestInvalid";
  readonly message: string;
}

/** The saga cannot be taken back after its end, and nothing was started. `message` says why. */
export interface CompensateRefused {
  readonly _tag: "CompensateRefused";
  readonly sagaId: string;
  readonly reason:
    | "notCompleted"
    | "pastPivot"
    | "published"
    | "unknownSaga"
    | "replayDiverged"
    | "tooLarge"
    | "idTaken"
    | "requestInvalid";
  readonly message: string;
}

/** The verb does not fit the operation's state; nothing was changed. `message` says what would. */
export interface VerbRefused {
  readonly _tag: "VerbRefused";
  readonly sagaId: string;
  readonly message: string;
}
