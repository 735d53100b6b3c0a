/** How often and how long an operation is attempted. Owns the options, their defaults and bounds; the decision is `engine/join-attempts.ts`. */
import { DefinitionInvalid } from "../errors/definition-invalid.ts";

export interface RetryPolicy {
  /** How many attempts may end in doubt (unknown, unreadable) before the step's policy applies. 1 or more, `Infinity` allowed. */
  readonly attempts?: number | undefined;
  /**
   * Milliseconds since the intent, on the store's clock, after which no further attempt starts: with the `timeoutMs` of the one in flight then, the
   * step's deadline. A later owner still makes one attempt, to find out what became of the earlier ones.
   */
  readonly horizonMs?: number | undefined;
  /** Milliseconds before the second attempt; doubled for each further one. At least 1. */
  readonly delayMs?: number | undefined;
  /** The longest wait between attempts, in milliseconds, other than one the participant asks for. */
  readonly delayMsMax?: number | undefined;
  /** Milliseconds after which one attempt is aborted and counted as unknown. */
  readonly timeoutMs?: number | undefined;
}

export type ResolvedRetryPolicy = { readonly [Option in keyof RetryPolicy]-?: number };

const SECOND = 1_000;
const DAY = 24 * 60 * 60 * SECOND;

/** A client is waiting: five tries within half a minute. */
export const ACTION_RETRY_DEFAULT: ResolvedRetryPolicy = {
  attempts: 5,
  horizonMs: 30 * SECOND,
  delayMs: 100,
  delayMsMax: 5 * SECOND,
  timeoutMs: 10 * SECOND,
};

/** Nobody may be left half way: compensations, pivots' successors and the like go on for a day before an operator is asked. */
export const PERSISTENT_RETRY_DEFAULT: ResolvedRetryPolicy = {
  attempts: Number.POSITIVE_INFINITY,
  horizonMs: DAY,
  delayMs: 100,
  delayMsMax: 30 * SECOND,
  timeoutMs: 10 * SECOND,
};

/** Fills in defaults and refuses numbers that could not mean anything. Throws `DefinitionInvalid`, at declaration. */
export function resolveRetryPolicy(where: string, policy: RetryPolicy | undefined, defaults: ResolvedRetryPolicy): ResolvedRetryPolicy {
  const resolved: ResolvedRetryPolicy = {
    attempts: policy?.attempts ?? defaults.attempts,
    horizonMs: policy?.horizonMs ?? defaults.horizonMs,
    delayMs: policy?.delayMs ?? defaults.delayMs,
    delayMsMax: policy?.delayMsMax ?? defaults.delayMsMax,
    timeoutMs: policy?.timeoutMs ?? defaults.timeoutMs,
  };
  const { attempts, ...durations } = resolved;
  if (attempts !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(attempts) && attempts >= 1)) {
    throw new DefinitionInvalid(`${where}: attempts must be a whole number from 1 on, or Infinity; found ${attempts}`);
  }
  for (const [option, value] of Object.entries(durations)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new DefinitionInvalid(`${where}: ${option} must be a whole number of milliseconds from 1 on; found ${value}`);
    }
  }
  return resolved;
}
