/**
 * What happened to one saga, told by those who saw it: the disk tells what was committed, participants what they were asked, what they answered and what took
 * effect there. The engine's own word counts only as the answer that a caller got. Laws judge histories, and nothing else.
 *
 * A saga that takes back one which had completed is not judged: what it undoes stands in the history of the other.
 */
import type { Json, SagaStatus, Tagged } from "@backstep/saga-core";
import type { Slot } from "@backstep/saga-core/adapter";
import type { Entry, OperationIntended } from "@backstep/saga-core/engine";
import type { OutboxEvent } from "@backstep/saga-core/journal";

/** What a caller can have learned from an answer. `Refused`: recorded for the key. `TurnedAway`: the "no" speaks of this attempt alone. */
export type Told = "Succeeded" | "Garbled" | "Refused" | "Sealed" | "TurnedAway" | "NotSent" | "Faulted" | "Doubt";

/** A process calls a participant: an action, its undo, or a deciding query about the action. */
export interface Called {
  readonly _tag: "Called";
  /** Names the call among all of the saga. */
  readonly call: number;
  /** The process that called, counted from 1. */
  readonly life: number;
  readonly slot: Slot | "ask";
  readonly key: string;
  /** Names the operation, whatever the engine calls it. */
  readonly place: string;
  readonly input: string;
  readonly issuedAt: number;
  readonly undoes?: { readonly key: string; readonly known: "succeeded" | "inDoubt" } | undefined;
}

export interface Committed {
  readonly _tag: "Committed";
  readonly life: number;
  readonly record: string;
  readonly entries: readonly Entry[];
  readonly status: SagaStatus;
  readonly outbox: readonly OutboxEvent[];
  /** On the store's clock. */
  readonly at: number;
}

/** What the process that called learned. A call without one was never answered, or its process was gone by then. */
export interface Answered {
  readonly _tag: "Answered";
  readonly call: number;
  readonly told: Told;
}

/** A request reached its participant, which answered; also a repeated or a late one, whose answer nobody got. */
export interface Delivered {
  readonly _tag: "Delivered";
  readonly call: number;
  readonly key: string;
  readonly slot: Slot | "ask";
  /** What the participant itself answered, as `answer-body.ts` writes it. */
  readonly body: string;
}

/** An action took effect under its key. */
export interface Applied {
  readonly _tag: "Applied";
  readonly key: string;
}

/** The effect of an action, named by the action's key, was taken back. */
export interface TakenBack {
  readonly _tag: "TakenBack";
  readonly key: string;
}

/** The process that appended the n-th record, from 0, has had the time to hear of it. */
export interface Acknowledged {
  readonly _tag: "Acknowledged";
  readonly life: number;
  readonly record: number;
}

/** A process took over a saga that another one, or an earlier life, had begun. */
export interface Adopted {
  readonly _tag: "Adopted";
  readonly life: number;
}

/** What the sender of a signal was answered: `taken`, or the reason of the refusal. */
export interface SignalAnswered {
  readonly _tag: "SignalAnswered";
  readonly key: string;
  readonly payload?: Json | undefined;
  readonly answer: string;
}

/** What who cancels was answered: `taken`, or the reason of the refusal. */
export interface CancelAnswered {
  readonly _tag: "CancelAnswered";
  readonly answer: string;
}

export interface Died {
  readonly _tag: "Died";
  readonly life: number;
}

export type Happening =
  | Committed
  | Called
  | Answered
  | Delivered
  | Applied
  | TakenBack
  | Acknowledged
  | Adopted
  | SignalAnswered
  | CancelAnswered
  | Died;

export type Answer =
  | { readonly _tag: "Completed"; readonly output?: Json | undefined }
  | { readonly _tag: "Failed"; readonly error: Tagged }
  /** Nothing moves any more, and nobody is told why. */
  | { readonly _tag: "Stuck" };

export interface History {
  readonly sagaId: string;
  readonly happenings: readonly Happening[];
  readonly answer: Answer;
  /** What another process on the same disk answers afterwards. */
  readonly answerLater: Answer;
  /** Whether an operator repeats what is parked until it is done. */
  readonly repeated: boolean;
  /** What `Called.place` is for an operation that the journal announces; without it, the operation's path. */
  readonly placeOf?: ((intent: OperationIntended) => string) | undefined;
}
