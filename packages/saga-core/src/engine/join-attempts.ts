/**
 * The join over the attempts of one operation: what is known after each, and what to do next. Pure. Keeps sticky doubt (I1): "no effect of this attempt"
 * never means "no effect of the operation" once an earlier one may have had it; only success, a decision for the key or a seal says more.
 */
import { match } from "ts-pattern";
import type { Attempt, OperationCause } from "../definition/outcome.ts";
import type { ResolvedRetryPolicy } from "../definition/retry-policy.ts";
import type { InDoubtPolicy, StepKind } from "../definition/step-definition.ts";
import { type Fault, fault, faultData } from "../errors/fault.ts";
import type { ParkCause } from "../errors/parked.ts";
import type { Tagged } from "../errors/tagged.ts";
import type { Knowledge, SettledOutcome } from "../journal/entry.ts";
import type { Slot } from "../primitives/idempotency-key.ts";
import type { Json } from "../primitives/json.ts";

export interface Join extends Knowledge {
  /** Attempts made since adoption. */
  readonly attempts: number;
  /** Those that count against the budget. */
  readonly counted: number;
}

/** What the engine knows of an operation that an attempt is made for. */
export interface OperationRules {
  readonly path: string;
  readonly step: string;
  readonly slot: Slot;
  readonly kind: StepKind;
  readonly inDoubt: InDoubtPolicy;
  readonly retry: ResolvedRetryPolicy;
  /** After the point of no return a read-only step may not fail either. */
  readonly forwardOnly: boolean;
}

/** What follows from an attempt. `ResolveNow`: ask the participant, then `judgeResolution`. */
export type Verdict = RetryLater | Settle | Park | ResolveNow;

export interface RetryLater {
  readonly _tag: "RetryLater";
  readonly delayMs: number;
}

export interface Settle {
  readonly _tag: "Settle";
  readonly outcome: SettledOutcome;
}

export interface Park {
  readonly _tag: "Park";
  readonly cause: ParkCause;
}

export interface ResolveNow {
  readonly _tag: "ResolveNow";
  /** What the saga would go back for. */
  readonly cause: OperationCause;
}

export type AnyAttempt = Attempt<Json | undefined, Tagged>;

/** Before the first attempt of a fresh operation. */
export const NOTHING_KNOWN: Knowledge = { doubt: false, applied: false };

/** An open operation found at adoption: whoever drove it before may have sent it. It counts as one unknown attempt. */
export function interruptedJoin(known: Knowledge): Join {
  return { ...known, doubt: true, attempts: 0, counted: 1 };
}

export function freshJoin(known: Knowledge): Join {
  return { ...known, attempts: 0, counted: 0 };
}

export function withKnowledge(join: Join, { doubt, applied }: Knowledge): Join {
  return { ...join, doubt: join.doubt || doubt, applied: join.applied || applied };
}

/** Folds one attempt in. */
export function joinAttempt(join: Join, attempt: AnyAttempt): Join {
  const counts = attempt._tag === "Unknown" || attempt._tag === "Unreadable";
  return {
    attempts: join.attempts + 1,
    counted: join.counted + (counts ? 1 : 0),
    applied: join.applied || attempt._tag === "Unreadable",
    doubt: clearsDoubt(attempt) ? false : join.doubt || leavesDoubt(attempt),
  };
}

function clearsDoubt(attempt: AnyAttempt): boolean {
  return attempt._tag === "Sealed" || (attempt._tag === "Rejected" && attempt.decided);
}

function leavesDoubt(attempt: AnyAttempt): boolean {
  return attempt._tag === "Unknown" || attempt._tag === "Running" || attempt._tag === "KeyReused" || attempt._tag === "EvidenceLost";
}

/** Where the operation stands in time when it is judged. */
export interface Moment {
  /** Milliseconds left until the horizon; zero or less once it has passed. */
  readonly remainingMs: number;
  /** A fraction in [0, 1) for jitter. */
  readonly random: number;
}

/** Decides what follows from the latest attempt; `join` already contains it. */
export function judgeAttempt(rules: OperationRules, join: Join, attempt: AnyAttempt, moment: Moment): Verdict {
  switch (attempt._tag) {
    case "Succeeded":
      return { _tag: "Settle", outcome: { _tag: "Succeeded", output: attempt.output } };
    case "Rejected":
      return concludeWithoutSuccess(rules, join, rejectedCause(attempt.error));
    case "Faulted":
    case "Sealed":
      return concludeWithoutSuccess(rules, join, faultedCause(rules, attempt));
    case "KeyReused":
    case "EvidenceLost":
      return parkOrFault(rules, attempt._tag, attempt);
    case "Unknown":
    case "Unreadable":
    case "NotSent":
    case "Throttled":
    case "Running": {
      const delayMs = retryDelayMs(rules.retry, join.attempts, attempt, moment.random);
      const more = join.counted < rules.retry.attempts && delayMs < moment.remainingMs;
      return more ? { _tag: "RetryLater", delayMs } : spent(rules, join, attempt);
    }
  }
}

/** The participant's last word was no success, and it is final for this attempt. */
function concludeWithoutSuccess(rules: OperationRules, join: Join, cause: OperationCause): Verdict {
  if (mustSucceed(rules)) return park("CannotGoOn", causeFault(cause));
  if (rules.kind === "readOnly") return noEffect(cause);
  if (join.applied) return park("OutputLost", causeFault(cause));
  return join.doubt ? underPolicy(rules, cause) : noEffect(cause);
}

function spent(rules: OperationRules, join: Join, last: Fault): Verdict {
  const cause = faultedCause(rules, last);
  if (mustSucceed(rules)) return park("CannotGoOn", last);
  if (rules.kind === "readOnly") return noEffect(cause);
  if (join.applied) return park("OutputLost", last);
  return join.doubt ? underPolicy(rules, cause) : noEffect(cause);
}

/** Compensations, and everything after the point of no return, have no other way than to succeed. */
function mustSucceed(rules: OperationRules): boolean {
  return rules.slot === "compensation" || rules.forwardOnly;
}

function underPolicy(rules: OperationRules, cause: OperationCause): Verdict {
  return match(rules.inDoubt)
    .with("compensate", (): Verdict => ({ _tag: "Settle", outcome: { _tag: "InDoubt", known: "nothing", cause } }))
    .with("resolve", (): Verdict => ({ _tag: "ResolveNow", cause }))
    .with("park", () => park("DoubtRemains", causeFault(cause)))
    .exhaustive();
}

/** A read-only step holds no doubt, so there is nothing for an operator to decide about it. */
function parkOrFault(rules: OperationRules, tag: ParkCause["_tag"], found: Fault): Verdict {
  return rules.kind === "readOnly" && !rules.forwardOnly ? noEffect(faultedCause(rules, found)) : park(tag, found);
}

/**
 * The saga goes back for another reason, so this operation is not attempted further: what is known of it decides whether it is undone.
 */
export function judgeStopped(rules: OperationRules, join: Join): SettledOutcome {
  const cause = faultedCause(rules, fault("NotSent", "stopped, because the saga went back for another reason"));
  if (rules.kind !== "readOnly" && join.applied) return { _tag: "InDoubt", known: "succeeded", cause };
  if (rules.kind !== "readOnly" && join.doubt) return { _tag: "InDoubt", known: "nothing", cause };
  return { _tag: "NoEffect", cause };
}

/**
 * Decides about the attempt that was in flight when its operation was stopped. What would be attempted again, or would wait for its output or for certainty in
 * order to go forward, is undone with what is known instead; an answer that says the key is in disorder still parks.
 */
export function judgeLastAttempt(rules: OperationRules, join: Join, attempt: AnyAttempt, moment: Moment): Verdict {
  const verdict = judgeAttempt(rules, join, attempt, moment);
  const waits = verdict._tag === "Park" ? waitsToGoOn(verdict.cause) : verdict._tag !== "Settle";
  return waits ? { _tag: "Settle", outcome: judgeStopped(rules, join) } : verdict;
}

/** An output or certainty is needed in order to go forward only; a key in disorder makes undoing no safer. */
export function waitsToGoOn(cause: ParkCause | undefined): boolean {
  return cause?._tag === "OutputLost" || cause?._tag === "DoubtRemains";
}

/** What a deciding query found, as an attempt: the fence's answers mean the same whoever asked. */
export type ResolutionAttempt =
  | { readonly _tag: "Succeeded"; readonly output: Json | undefined }
  | { readonly _tag: "NotApplied"; readonly error: Tagged }
  | { readonly _tag: "SealedForGood" }
  | { readonly _tag: "StillUnknown"; readonly fault: Fault };

/** Decides what follows from a deciding query. `asked` counts the queries made. */
export function judgeResolution(
  rules: OperationRules,
  cause: OperationCause,
  found: ResolutionAttempt,
  asked: number,
  moment: Moment,
): Verdict {
  return match(found)
    .with({ _tag: "Succeeded" }, ({ output }): Verdict => ({ _tag: "Settle", outcome: { _tag: "Succeeded", output } }))
    .with({ _tag: "NotApplied" }, ({ error }) => noEffect(rejectedCause(error)))
    .with({ _tag: "SealedForGood" }, () => noEffect(cause))
    .with({ _tag: "StillUnknown" }, ({ fault: last }) => {
      const delayMs = retryDelayMs(rules.retry, asked, last, moment.random);
      return delayMs < moment.remainingMs ? ({ _tag: "RetryLater", delayMs } as const) : park("DoubtRemains", last);
    })
    .exhaustive();
}

/**
 * Exponential with jitter in the upper half, capped; never shorter than what the participant asked for, whose wish is not capped here: a client that
 * reads it from the network does that.
 */
export function retryDelayMs(retry: ResolvedRetryPolicy, attempts: number, last: Fault, random: number): number {
  const exponential = Math.min(retry.delayMs * 2 ** Math.min(attempts - 1, 30), retry.delayMsMax);
  const jittered = Math.ceil(exponential * (0.5 + random / 2));
  return Math.max(jittered, last.retryAfterMs ?? 0, 1);
}

function noEffect(cause: OperationCause): Verdict {
  return { _tag: "Settle", outcome: { _tag: "NoEffect", cause } };
}

function park(tag: ParkCause["_tag"], found: Pick<Fault, "_tag" | "message" | "details">): Park {
  return { _tag: "Park", cause: { _tag: tag, fault: faultData(found) } };
}

function rejectedCause(error: Tagged): OperationCause {
  return { _tag: "RejectedCause", error };
}

function faultedCause(rules: OperationRules, found: Fault): OperationCause {
  return { _tag: "FaultedCause", path: rules.path, step: rules.step, fault: faultData(found) };
}

function causeFault(cause: OperationCause): Pick<Fault, "_tag" | "message" | "details"> {
  return cause._tag === "FaultedCause"
    ? cause.fault
    : { _tag: "Faulted", message: `the participant answered ${cause.error._tag}`, details: cause.error as unknown as Json };
}
