/**
 * What happened to one saga, told by those who saw it: the disk tells what was committed, participants what they were asked, what they answered and what took
 * effect there. The engine's own word counts only as the answer that a caller got. Laws judge histories, and nothing else.
 */
import type { SagaStatus, Tagged } from "../../src/index.ts";
import type { Entry } from "../../src/journal/entry.ts";
import type { OutboxEvent } from "../../src/journal.ts";
import type { Slot } from "../../src/primitives/idempotency-key.ts";

/** What a caller can have learned from an answer. `Refused`: recorded for the key. `TurnedAway`: the "no" speaks of this attempt alone. */
export type Told = "Succeeded" | "Garbled" | "Refused" | "Sealed" | "TurnedAway" | "NotSent" | "Faulted" | "Doubt";

export interface Called {
  readonly _tag: "Called";
  readonly call: number;
  /** The process that called, counted from 1. */
  readonly life: number;
  readonly slot: Slot | "ask";
  readonly key: string;
  /** Names the operation in the plan, whatever the engine calls it. */
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

export type Happening =
  | Committed
  | Called
  | { readonly _tag: "Answered"; readonly call: number; readonly told: Told }
  /** An action took effect under its key. */
  | { readonly _tag: "Applied"; readonly key: string }
  /** The effect of an action was taken back. */
  | { readonly _tag: "TakenBack"; readonly key: string }
  /** The process that appended the n-th record, from 0, has had the time to hear of it. */
  | { readonly _tag: "Acknowledged"; readonly life: number; readonly record: number }
  | { readonly _tag: "Adopted"; readonly life: number }
  /** What the sender of a signal, or who cancels, was answered: `taken`, or the reason of the refusal. */
  | { readonly _tag: "SignalAnswered"; readonly key: string; readonly payload: number; readonly answer: string }
  | { readonly _tag: "CancelAnswered"; readonly answer: string }
  | { readonly _tag: "Died"; readonly life: number };

/** What the body counts as done, handed out as the saga's output. */
export interface Done {
  readonly acted: readonly string[];
  readonly emitted: readonly string[];
}

export type Answer =
  | { readonly _tag: "Completed"; readonly done: Done }
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
}

/** A timeline for people, one line per happening. */
export function tell({ happenings, answer }: History): string {
  return [...happenings.map((happening, at) => `${at} ${tellOne(happening)}`), JSON.stringify(answer)].join("\n");
}

function tellOne(happening: Happening): string {
  if (happening._tag === "Committed") {
    const entries = happening.entries.map((entry) => `${entry._tag}${"path" in entry ? ` ${entry.path}` : ""}${outcomeOf(entry)}`);
    return `life ${happening.life} committed ${entries.join(", ")} (${happening.status})`;
  }
  if (happening._tag === "Called") return `life ${happening.life} calls ${happening.key} #${happening.call}`;
  const { _tag, ...rest } = happening;
  return `${_tag} ${JSON.stringify(rest)}`;
}

function outcomeOf(entry: Entry): string {
  if (entry._tag === "OperationSettled") return ` ${entry.slot} ${entry.outcome._tag}`;
  return entry._tag === "OperationParked" ? ` ${entry.slot} ${entry.cause._tag}` : "";
}
