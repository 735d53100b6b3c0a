/**
 * The entries of a journal. *Facts* came from outside: a start, an outcome, an operator's verb. *Decisions* follow from the facts by running the
 * definition, and stand in the same record as the fact they follow from. A replay feeds the facts to the definition again and checks that it decides
 * the same. Inputs are kept once, at the intent; compensations and re-sends read them from there.
 *
 * A path names a place in a saga: scopes joined by "/", then the step's name, then "~n" from its second occurrence in that scope on, e.g.
 * `run/coupon.use`, `run/all/2/product.deduct-stock`, `complete/order.mark-paid`.
 */

import type { Cause, InDoubt, OperationCause, Succeeded } from "../definition/outcome.ts";
import type { StepKind } from "../definition/step-definition.ts";
import type { ParkCause } from "../errors/parked.ts";
import type { StandingEffect } from "../errors/saga-error.ts";
import type { Slot } from "../primitives/idempotency-key.ts";
import type { Json } from "../primitives/json.ts";

interface Dated {
  /** Epoch milliseconds on the store's clock; a decision has the time of its fact. */
  readonly at: number;
}

export interface SagaStarted extends Dated {
  readonly _tag: "SagaStarted";
  readonly input?: Json | undefined;
  /** Random text that ids inside the saga are derived from. */
  readonly seed: string;
  /** Epoch milliseconds; kept here, so that a changed definition changes no running saga's. */
  readonly deadlineAt?: number | undefined;
  /** Present when this saga takes back one that had completed. */
  readonly undoes?: UndoneSaga | undefined;
}

/** What is taken back, whole, so that nothing depends on how long the original's journal is kept. */
export interface UndoneSaga {
  readonly sagaId: string;
  readonly entries: readonly Entry[];
  readonly by?: string | undefined;
  readonly reason: string;
}

/** What a wait was for has come by the clock: a sleep is over, nobody signalled in time, or, with the path `deadline`, the saga's deadline passed. */
export interface TimerFired extends Dated {
  readonly _tag: "TimerFired";
  readonly path: string;
}

export interface SignalReceived extends Dated {
  readonly _tag: "SignalReceived";
  readonly signal: string;
  /** The sender's: the same key again is the same signal. */
  readonly key: string;
  readonly payload?: Json | undefined;
}

export interface LockGranted extends Dated {
  readonly _tag: "LockGranted";
  readonly path: string;
}

/** Another saga held it to the end of the wait. */
export interface LockRefused extends Dated {
  readonly _tag: "LockRefused";
  readonly path: string;
  readonly lockedBy: string;
}

export interface CancelRequested extends Dated {
  readonly _tag: "CancelRequested";
  readonly by?: string | undefined;
  readonly reason: string;
}

/** The joined outcome of an operation's attempts. */
export type SettledOutcome = Succeeded<Json | undefined> | NoEffect | DoubtKept;

/** Every attempt definitely had no effect. */
export interface NoEffect {
  readonly _tag: "NoEffect";
  readonly cause: OperationCause;
}

/** Spent in doubt, under the policy `compensate`. */
export interface DoubtKept extends InDoubt {
  readonly cause: OperationCause;
}

export interface OperationSettled extends Dated {
  readonly _tag: "OperationSettled";
  readonly path: string;
  readonly slot: Slot;
  readonly outcome: SettledOutcome;
  /** Attempts since the last adoption. */
  readonly attempts: number;
}

/** What is known of an operation that is not settled: carried over an operator's `retry`. */
export interface Knowledge {
  readonly doubt: boolean;
  readonly applied: boolean;
}

export interface OperationParked extends Dated {
  readonly _tag: "OperationParked";
  readonly path: string;
  readonly slot: Slot;
  readonly cause: ParkCause;
  readonly knowledge: Knowledge;
  readonly attempts: number;
}

/** Who used an operator's verb, and why. */
export interface Operator {
  readonly by: string;
  readonly reason: string;
}

export interface OperatorRetried extends Dated, Operator {
  readonly _tag: "OperatorRetried";
  readonly path: string;
  readonly slot: Slot;
}

export interface OperatorSettled extends Dated, Operator {
  readonly _tag: "OperatorSettled";
  readonly path: string;
  readonly slot: Slot;
  readonly verdict: SettleVerdict;
  /** What the operator's claim rests on: a ticket, a bank statement, a query's answer. */
  readonly evidence: string;
}

/**
 * What follows from "not applied". `goOn`: the key is sealed, and the operation counts as without effect. `undo`: it is not, so its compensation runs in
 * doubt, which seals it. `reissue`: the key is sealed, and the operation, which must happen, starts again under the next generation of it.
 */
export type SettleVerdict =
  | { readonly _tag: "SettledApplied"; readonly output?: Json | undefined }
  | { readonly _tag: "SettledNotApplied"; readonly next: "goOn" | "undo" | "reissue" };

export interface OperatorAbandoned extends Dated, Operator {
  readonly _tag: "OperatorAbandoned";
  readonly stands: readonly StandingEffect[];
}

export interface OperationIntended extends Dated {
  readonly _tag: "OperationIntended";
  readonly path: string;
  readonly step: string;
  /** Kept so that a reader without the definition knows what can stand and what can be undone. */
  readonly kind: StepKind;
  /** Whether the step has a deciding query. */
  readonly resolvable?: boolean | undefined;
  readonly input?: Json | undefined;
}

export interface CompensationIntended extends Dated {
  readonly _tag: "CompensationIntended";
  readonly path: string;
}

/** The body waits: for a time, for a signal, or for whichever comes first. */
export interface WaitBegan extends Dated {
  readonly _tag: "WaitBegan";
  readonly path: string;
  readonly signal?: string | undefined;
  /** Epoch milliseconds. */
  readonly dueAt?: number | undefined;
}

/** A signal went to a wait, and to no other. */
export interface SignalTaken extends Dated {
  readonly _tag: "SignalTaken";
  readonly path: string;
  readonly key: string;
}

/** The body asks for a lock. */
export interface LockWanted extends Dated {
  readonly _tag: "LockWanted";
  readonly path: string;
  readonly name: string;
  /** Epoch milliseconds up to which it waits for whoever holds it. */
  readonly until: number;
}

/** A wait, for time, a signal or a lock, ended with nothing, because the saga, or the group around it, goes back. */
export interface WaitLeft extends Dated {
  readonly _tag: "WaitLeft";
  readonly path: string;
}

/** The body took the new way of a change. Where it went the old way there is no entry. */
export interface ChangeTaken extends Dated {
  readonly _tag: "ChangeTaken";
  readonly id: string;
}

/** A scope failed: `run` (the whole saga goes back) or a savepoint. */
export interface WentBack extends Dated {
  readonly _tag: "WentBack";
  readonly path: string;
  readonly cause: Cause;
}

/** `run` ended and there is no pivot: from here on the saga goes forward only. */
export interface RunReturned extends Dated {
  readonly _tag: "RunReturned";
}

export interface EventEmitted extends Dated {
  readonly _tag: "EventEmitted";
  readonly path: string;
  readonly type: string;
  readonly subject?: string | undefined;
  readonly data?: Json | undefined;
}

export interface SagaCompleted extends Dated {
  readonly _tag: "SagaCompleted";
  readonly output?: Json | undefined;
}

/** Everything that may have had an effect is taken back. */
export interface SagaCompensated extends Dated {
  readonly _tag: "SagaCompensated";
  readonly cause: Cause;
}

export type Fact =
  | SagaStarted
  | OperationSettled
  | OperationParked
  | TimerFired
  | SignalReceived
  | LockGranted
  | LockRefused
  | CancelRequested
  | OperatorRetried
  | OperatorSettled
  | OperatorAbandoned;
export type Decision =
  | OperationIntended
  | CompensationIntended
  | WaitBegan
  | SignalTaken
  | LockWanted
  | WaitLeft
  | ChangeTaken
  | WentBack
  | RunReturned
  | EventEmitted
  | SagaCompleted
  | SagaCompensated;
export type Entry = Fact | Decision;
