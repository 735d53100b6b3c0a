/** How a saga can end, or be answered, other than with its output or its own domain errors. Plain data: they travel and are matched by `_tag`. */

import type { FaultData } from "./fault.ts";
import type { FirstError, SagaCancelled, SagaDeadlineExceeded } from "./first-error.ts";
import type { SagaParked } from "./parked.ts";

/** A step could not be done for another reason than its participant's "no", and everything is taken back. */
export interface SagaFaulted {
  readonly _tag: "SagaFaulted";
  readonly sagaId: string;
  /** The operation's path, or the scope's when the body itself is at fault. */
  readonly path: string;
  readonly step?: string | undefined;
  readonly fault: FaultData;
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

export interface StandingEffect {
  readonly path: string;
  readonly step: string;
  readonly known: "succeeded" | "inDoubt";
}

/** The id or the deadline does not fit, or the input does not fit the saga's schema, is no JSON or is too large. Nothing was started. */
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

/** The journal cannot be reached, or this engine is closed or has too much to do. Asking again with the same id is safe. */
export interface SagaUnavailable {
  readonly _tag: "SagaUnavailable";
  readonly sagaId: string;
  readonly message: string;
  /** Given when this engine has too much to do: it is of no use to ask again earlier, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
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

/** The saga is past the intent of its pivot, so that only the pivot decides, or has ended otherwise than by going back. */
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
    /** It started so long ago that a participant may forget its keys before everything is taken back. */
    | "pastRetention"
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
