/** One attempt of each kind, and rules to judge them by. */
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
  switch (verdict._tag) {
    case "RetryLater":
      return "again";
    case "ResolveNow":
      return "ask";
    case "Park":
      return `park ${verdict.cause._tag}`;
    case "Settle": {
      const { outcome } = verdict;
      if (outcome._tag === "Succeeded") return "done";
      return outcome._tag === "NoEffect" ? "none" : `doubt ${outcome.known}`;
    }
  }
}

export function knowledgeOf({ doubt, applied }: Join): { readonly doubt: boolean; readonly applied: boolean } {
  return { doubt, applied };
}
