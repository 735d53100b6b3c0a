/**
 * Faults: everything an attempt can end with that is neither success nor the participant's own "no". The tag is the verdict; what follows
 * from each is decided in `engine/join-attempts.ts` and nowhere else. A fault is recognised by a `Symbol.for` brand, so that two copies
 * of this package agree and a domain error that happens to carry the same tag is never taken for one.
 */
import type { Json } from "../primitives/json.ts";

declare const faultBrand: unique symbol;
const brand = Symbol.for("@backstep/fault");

interface FaultOf<Tag extends Capitalize<string>> {
  readonly _tag: Tag;
  readonly [faultBrand]: true;
  /** For people: what failed, where, and what to do about it. Never a stack trace, never a customer's data. */
  readonly message: string;
  /** What the participant asked for before the next attempt, in milliseconds; at least this long is waited. */
  readonly retryAfterMs?: number | undefined;
  /** For machines: status, error code, problem type. */
  readonly details?: Json | undefined;
}

/** It will never be accepted: malformed, unauthorised, unknown route, misconfigured. This attempt had no effect. Not retried. */
export type Faulted = FaultOf<"Faulted">;
/** It never reached the participant. No effect. Retried under the horizon alone. */
export type NotSent = FaultOf<"NotSent">;
/** Turned away before execution. No effect. Retried, same key, after `retryAfterMs`. */
export type Throttled = FaultOf<"Throttled">;
/** Being executed under this key right now. In doubt. Retried, same key, after `retryAfterMs`. */
export type Running = FaultOf<"Running">;
/** The fence holds a tombstone for this key: no effect, for good. Clears doubt. Not retried. */
export type Sealed = FaultOf<"Sealed">;
/** It may have happened and may still happen: timeout, reset, 5xx, exception, crash. In doubt. Retried, same key, within the budget. */
export type Unknown = FaultOf<"Unknown">;
/** It succeeded, but the answer cannot be decoded. Applied, output lost. Retried for the recorded answer. */
export type Unreadable = FaultOf<"Unreadable">;
/** This key came with another payload. In doubt; parks. */
export type KeyReused = FaultOf<"KeyReused">;
/** The fence no longer knows this key. In doubt; parks. */
export type EvidenceLost = FaultOf<"EvidenceLost">;

export type Fault = Faulted | NotSent | Throttled | Running | Sealed | Unknown | Unreadable | KeyReused | EvidenceLost;
export type FaultTag = Fault["_tag"];

export interface FaultOptions {
  readonly retryAfterMs?: number | undefined;
  readonly details?: Json | undefined;
}

export function fault<Tag extends FaultTag>(tag: Tag, message: string, options: FaultOptions = {}): Extract<Fault, { readonly _tag: Tag }> {
  const value = {
    _tag: tag,
    message,
    ...(options.retryAfterMs === undefined ? {} : { retryAfterMs: options.retryAfterMs }),
    ...(options.details === undefined ? {} : { details: options.details }),
  };
  // Not enumerable: a fault that enters the journal is plain JSON, and one that comes back is data about a fault, not a fault.
  return Object.freeze(Object.defineProperty(value, brand, { value: true })) as unknown as Extract<Fault, { readonly _tag: Tag }>;
}

export function isFault(value: unknown): value is Fault {
  return typeof value === "object" && value !== null && brand in value;
}

/** A fault as the journal and the saga's errors keep it: plain data, no brand. */
export interface FaultData {
  readonly _tag: FaultTag;
  readonly message: string;
  readonly details?: Json | undefined;
}

export function faultData({ _tag, message, details }: FaultData): FaultData {
  return { _tag, message, ...(details === undefined ? {} : { details }) };
}
