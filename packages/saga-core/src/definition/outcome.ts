/** What is known of an operation: of one attempt, and of all of them together. The algebra is in `engine/join-attempts.ts`. */
import { match } from "ts-pattern";
import type { Fault, FaultData } from "../errors/fault.ts";
import type { Tagged } from "../errors/tagged.ts";

export interface Succeeded<Output> {
  readonly _tag: "Succeeded";
  readonly output: Output;
}

/** The participant decided no. `decided`: for the key, committed at the participant, so that it clears earlier doubt. */
export interface Rejected<Rejection> {
  readonly _tag: "Rejected";
  readonly error: Rejection;
  readonly decided: boolean;
}

/** How one attempt ended. */
export type Attempt<Output, Rejection> = Succeeded<Output> | Rejected<Rejection> | Fault;

/** The operation may have had its effect. `known: "succeeded"`: it had, and its output is lost. */
export interface InDoubt {
  readonly _tag: "InDoubt";
  readonly known: "succeeded" | "nothing";
}

/** What a compensation is told of the action it takes back. There is no output to read in doubt. */
export type UndoableOutcome<Output> = Succeeded<Output> | InDoubt;

/** Why a saga, or a part of it, goes back. */
export type Cause = OperationCause | CancelledCause | DeadlineCause;

/** Why an operation, or a body, failed. */
export type OperationCause = RejectedCause | FaultedCause;

export interface RejectedCause {
  readonly _tag: "RejectedCause";
  readonly error: Tagged;
}

export interface FaultedCause {
  readonly _tag: "FaultedCause";
  /** Where: the operation's path, or the scope's when its body is at fault. */
  readonly path: string;
  readonly step?: string | undefined;
  readonly fault: FaultData;
}

/** Somebody asked for the saga to be taken back. */
export interface CancelledCause {
  readonly _tag: "CancelledCause";
  readonly by?: string | undefined;
  readonly reason: string;
}

/** The saga's deadline passed before its point of no return. */
export interface DeadlineCause {
  readonly _tag: "DeadlineCause";
  /** Epoch milliseconds. */
  readonly deadlineAt: number;
}

/** A cause in one word: the tag of the first error, or what became of the saga's time. */
export function causeTag(cause: Cause): string {
  return match(cause)
    .with({ _tag: "RejectedCause" }, ({ error }) => error._tag)
    .with({ _tag: "FaultedCause" }, ({ fault }) => fault._tag)
    .with({ _tag: "CancelledCause" }, () => "SagaCancelled")
    .with({ _tag: "DeadlineCause" }, () => "SagaDeadlineExceeded")
    .exhaustive();
}

/** What a deciding query found. */
export type Resolution<Output, Rejection> = Applied<Output> | NotApplied<Rejection> | SealedForGood | StillUnknown;

export interface Applied<Output> {
  readonly _tag: "Applied";
  readonly output: Output;
}

/** The participant recorded its "no" under this key. */
export interface NotApplied<Rejection> {
  readonly _tag: "NotApplied";
  readonly error: Rejection;
}

/** A tombstone stands under this key now, so that a late request finds it. A mere "not found" is `StillUnknown`. */
export interface SealedForGood {
  readonly _tag: "SealedForGood";
}

export interface StillUnknown {
  readonly _tag: "StillUnknown";
}
