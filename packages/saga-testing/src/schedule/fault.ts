/**
 * What may go wrong, by the place where it does: as an append reaches the journal, or as a call leaves for a participant. Each is one fault, whatever it does for how
 * long; a schedule says which strikes where.
 */
import type { Sending } from "@backstep/saga-core";

/** When a record is about to become durable. */
export type AppendFault =
  /** The process dies, and nothing of the record exists. */
  | "die-before"
  /** The process dies once the record is durable, and before it learns that it is. */
  | "die-after"
  /** The journal refuses the record for once: nothing is written. */
  | "refuse"
  /** The record is durable, and its writer is told that it is not. */
  | "lose-verdict"
  /** Another process takes the saga over first; this one lives on, unaware. */
  | "take-over"
  /** Somebody cancels the saga as soon as the record is durable. */
  | "cancel"
  /** Everything stands still until the saga's deadline has passed. */
  | "pass-deadline";

/** When a call is about to leave. */
export type CallFault =
  /** The connection is refused, and the caller knows: nothing was sent. */
  | "refuse-connection"
  /** The request is lost on its way, and the caller learns nothing. */
  | "lose-request"
  /** The participant does as it is asked; the answer is lost. */
  | "lose-answer"
  /** The same, for every attempt of this operation. */
  | "lose-every-answer"
  /** Every attempt of this operation seems lost; the first one arrives all the same, after the undo, or else when the saga is over. */
  | "arrive-late"
  /** The request arrives twice at once. */
  | "repeat-now"
  /** The request arrives a second time when the saga is over. */
  | "repeat-late"
  /** The answer is success, and cannot be read. */
  | "garble"
  /** The participant turns the attempt away before it looks at it. */
  | "throttle"
  /** The participant says that it is still at work, and finishes unheard. */
  | "in-progress"
  /** The participant will never accept it: malformed, unauthorised, unknown. */
  | "refuse-for-good"
  /** The process dies as the request leaves; the request arrives later than its repetition by the next process. */
  | "die-in-flight"
  /** Another process takes the saga over while the request is on its way; this one lives on, unaware. */
  | "take-over-in-flight";

export type FaultName = AppendFault | CallFault;

const APPEND: readonly AppendFault[] = ["die-before", "die-after", "refuse", "lose-verdict", "cancel"];
const READ: readonly CallFault[] = ["lose-answer", "refuse-for-good", "die-in-flight"];
const ASK: readonly CallFault[] = ["lose-answer", "die-in-flight"];
const COMMAND: readonly CallFault[] = [
  "refuse-connection",
  "lose-request",
  "lose-answer",
  "repeat-now",
  "repeat-late",
  "garble",
  "throttle",
  "in-progress",
  "refuse-for-good",
  "die-in-flight",
  "take-over-in-flight",
];
/** What lasts over all attempts strikes where an attempt budget ends them. What goes on for a day would only make time pass. */
const BUDGETED: readonly CallFault[] = [...COMMAND, "lose-every-answer", "arrive-late"];

/** What can strike an append: a saga is taken over from whoever drives it now, once it is there; a deadline passes once. */
export function appendFaults({ takeOver, deadline }: { readonly takeOver: boolean; readonly deadline: boolean }): readonly AppendFault[] {
  if (!takeOver && !deadline) return APPEND;
  return [...APPEND, ...(takeOver ? (["take-over"] as const) : []), ...(deadline ? (["pass-deadline"] as const) : [])];
}

/** @param current - Whether the caller drives its saga, so that there is something to take over. */
export function callFaults(sending: Pick<Sending, "asks" | "kind" | "slot">, current: boolean): readonly CallFault[] {
  const faults = faultsOf(sending);
  return current ? faults : faults.filter((fault) => fault !== "take-over-in-flight");
}

function faultsOf({ asks, kind, slot }: Pick<Sending, "asks" | "kind" | "slot">): readonly CallFault[] {
  if (asks) return ASK;
  if (kind === "readOnly") return READ;
  return slot === "action" && kind !== "retriable" ? BUDGETED : COMMAND;
}

export const FAULT_NAMES: readonly FaultName[] = [
  ...new Set<FaultName>([...appendFaults({ takeOver: true, deadline: true }), ...BUDGETED]),
];
