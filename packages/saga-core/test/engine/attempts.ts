/** One attempt of each kind, and rules to judge them by. */
import { match } from "ts-pattern";
import { ACTION_RETRY_DEFAULT } from "../../src/definition/retry-policy.ts";
import type { AnyAttempt, Join, Moment, OperationRules, Verdict } from "../../src/engine/join-attempts.ts";
import { fault } from "../../src/errors/fault.ts";

export const attempts = {
  succeeded: { _tag: "Succeeded", output: 7 },
  rejected: { _tag: "Rejected", error: { _tag: "Refused" }, decided: false },
  decided: { _tag: "Rejected", error: { _tag: "Refused" }, decided: true },
  faulted: fault("Faulted", "unknown route"),
  notSent: fault("NotSent", "connection refused"),
  throttled: fault("Throttled", "too many requests"),
  running: fault("Running", "in flight"),
  sealed: fault("Sealed", "tombstone"),
  unknown: fault("Unknown", "reset"),
  unreadable: fault("Unreadable", "no JSON"),
  keyReused: fault("KeyReused", "another payload"),
  evidenceLost: fault("EvidenceLost", "older than retention"),
} as const satisfies Readonly<Record<string, AnyAttempt>>;

export type AttemptName = keyof typeof attempts;
export const attemptNames = Object.keys(attempts) as AttemptName[];

export const budget = { ...ACTION_RETRY_DEFAULT, attempts: 5 };

export function rules(changes: Partial<OperationRules> = {}): OperationRules {
  return {
    path: "run/a",
    step: "a",
    slot: "action",
    kind: "compensatable",
    inDoubt: "compensate",
    retry: budget,
    forwardOnly: false,
    ...changes,
  };
}

export const early: Moment = { remainingMs: 30_000, random: 0 };
export const late: Moment = { remainingMs: 0, random: 0 };

/** A verdict in a word or two. */
export function told(verdict: Verdict): string {
  return match(verdict)
    .with({ _tag: "RetryLater" }, () => "again")
    .with({ _tag: "ResolveNow" }, () => "ask")
    .with({ _tag: "Park" }, ({ cause }) => `park ${cause._tag}`)
    .with({ outcome: { _tag: "Succeeded" } }, () => "done")
    .with({ outcome: { _tag: "NoEffect" } }, () => "none")
    .with({ outcome: { _tag: "InDoubt" } }, ({ outcome }) => `doubt ${outcome.known}`)
    .exhaustive();
}

export function knowledgeOf({ doubt, applied }: Join): { readonly doubt: boolean; readonly applied: boolean } {
  return { doubt, applied };
}
