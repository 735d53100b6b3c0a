/** Every call says whose it is: what a client sends as headers and a participant's fence is handed. */
import type { AbortSignal } from "../primitives/host.ts";
import type { IdempotencyKey } from "../primitives/idempotency-key.ts";

export interface Call {
  readonly sagaId: string;
  /** Names the operation; equal over attempts, crashes and workers. */
  readonly key: IdempotencyKey;
  /** When the key was issued, in epoch milliseconds of the store's clock. A fence refuses actions issued before its retention. */
  readonly issuedAt: number;
  /** 1-based, counted since the operation was last adopted by a worker. */
  readonly attempt: number;
  /** Time left for this attempt, in milliseconds; `signal` aborts when it is over. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A compensation's call: also the operation that it undoes. */
export interface CompensationCall extends Call {
  readonly undoes: UndoneOperation;
}

export interface UndoneOperation {
  readonly key: IdempotencyKey;
  readonly issuedAt: number;
  /** What is known of it. `succeeded`: a fence without a row has lost evidence. `inDoubt`: a fence without a row plants a tombstone. */
  readonly known: "succeeded" | "inDoubt";
}
