/** What happens in a run, in words: the vocabulary of the reports. */
import { causeTag } from "@backstep/saga-core";
import { canonicalJson } from "@backstep/saga-core/adapter";
import type { Entry, SettledOutcome } from "@backstep/saga-core/engine";
import type { Called, Committed, Told } from "../oracles/history.ts";
import type { Names } from "./names.ts";

/** Longer values are cut: a report is to be read, and the run itself is at hand. */
const VALUE_CHARACTERS_MAX = 60;

export const TOLD: Readonly<Record<Told, string>> = {
  Succeeded: "succeeded",
  Garbled: "succeeded, and its answer cannot be read",
  Refused: "refused for good",
  Sealed: "sealed: it will never take effect",
  TurnedAway: "refused this once",
  NotSent: "turned away, nothing was done",
  Faulted: "will never be accepted",
  Doubt: "nothing is known",
};

export function clip(text: string): string {
  return text.length <= VALUE_CHARACTERS_MAX ? text : `${text.slice(0, VALUE_CHARACTERS_MAX - 1)}…`;
}

/** A span of milliseconds as people say it. */
export function spanOf(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const [minutes, seconds] = [Math.floor(ms / 60_000), Math.floor(ms / 1_000) % 60];
  if (minutes < 60) return seconds === 0 ? `${minutes} min` : `${minutes} min ${seconds} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** An operation as it is called: itself, its undo, or a question about it. */
export function operationWords(slot: Called["slot"], name: string): string {
  if (slot === "action") return name;
  return slot === "compensation" ? `undo of ${name}` : `query about ${name}`;
}

export interface Telling {
  readonly names: Names;
  readonly sagaId: string | undefined;
  readonly startMs: number;
}

/** A record: what it says, and what the saga does from now on unless that is said already. */
export function recordWords({ entries, status }: Committed, telling: Telling): string {
  const said = entries.map((entry) => entryWords(entry, telling));
  return [...said, ...(status === "parked" || status === "waiting" ? [`now ${status}`] : [])].join("; ");
}

export function entryWords(entry: Entry, { names, sagaId, startMs }: Telling): string {
  const named = (path: string): string => names.ofPath(sagaId, path);
  const slotted = (slot: "action" | "compensation", path: string): string => operationWords(slot, named(path));
  const until = (dueAt: number): string => `+${spanOf(Math.max(0, dueAt - startMs))}`;
  switch (entry._tag) {
    case "SagaStarted":
      return `started${entry.deadlineAt === undefined ? "" : `, deadline ${until(entry.deadlineAt)}`}`;
    case "OperationIntended":
      return `${named(entry.path)} intended`;
    case "CompensationIntended":
      return `undo of ${named(entry.path)} intended`;
    case "OperationSettled":
      return `${slotted(entry.slot, entry.path)} ${outcomeWords(entry.outcome)}`;
    case "OperationParked":
      return `${slotted(entry.slot, entry.path)} parked (${entry.cause._tag})`;
    case "TimerFired":
      return entry.path === "deadline" ? "the deadline has passed" : `${placeOf(entry.path)} is over`;
    case "WaitBegan":
      return waitWords(entry, until);
    case "WaitLeft":
      return `${placeOf(entry.path)} left`;
    case "SignalReceived":
      return `signal ${entry.signal} received${entry.payload === undefined ? "" : ` (${clip(canonicalJson(entry.payload))})`}`;
    case "SignalTaken":
      return `the wait at ${placeOf(entry.path)} takes it`;
    case "LockWanted":
      return `lock ${entry.name} wanted`;
    case "LockGranted":
      return `lock ${names.lockAt(sagaId, entry.path)} granted`;
    case "LockRefused":
      return `lock ${names.lockAt(sagaId, entry.path)} refused, held by ${entry.lockedBy}`;
    case "ChangeTaken":
      return `change ${entry.id} taken`;
    case "CancelRequested":
      return `cancelled (${clip(entry.reason)})`;
    case "WentBack":
      return `${entry.path === "run" ? "" : `${placeOf(entry.path)} `}goes back: ${causeTag(entry.cause)}`;
    case "RunReturned":
      return "no way back from here";
    case "EventEmitted":
      return `event ${entry.type} emitted`;
    case "OperatorRetried":
      return `${entry.by} retries ${slotted(entry.slot, entry.path)}`;
    case "OperatorSettled":
      return `${entry.by} settles ${slotted(entry.slot, entry.path)} as ${entry.verdict._tag === "SettledApplied" ? "applied" : "not applied"}`;
    case "OperatorAbandoned":
      return `abandoned by ${entry.by}`;
    case "SagaCompleted":
      return `completed${entry.output === undefined ? "" : ` with ${clip(canonicalJson(entry.output))}`}`;
    case "SagaCompensated":
      return `compensated: ${causeTag(entry.cause)}`;
  }
}

function outcomeWords(outcome: SettledOutcome): string {
  if (outcome._tag === "Succeeded") return "succeeded";
  const why = causeTag(outcome.cause);
  if (outcome._tag === "NoEffect") return `had no effect (${why})`;
  return outcome.known === "succeeded" ? `succeeded, output lost (${why})` : `in doubt (${why})`;
}

function waitWords({ path, signal, dueAt }: Extract<Entry, { readonly _tag: "WaitBegan" }>, until: (dueAt: number) => string): string {
  const end = dueAt === undefined ? "" : ` until ${until(dueAt)}`;
  return signal === undefined ? `${placeOf(path)} begins, lasts${end}` : `waits for signal ${signal}${end}`;
}

/** A place in a body without the phase that it stands in. */
function placeOf(path: string): string {
  return path.slice(path.indexOf("/") + 1);
}
