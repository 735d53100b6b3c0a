/**
 * The fence: the participant's half of a saga. One row per idempotency key, in the same database as the effects it guards, decides what a
 * call may do: run, be answered from the record, or find the door sealed. Written once over the transaction port.
 */
import type { Result } from "neverthrow";
import type { Database } from "../database.ts";
import type { ActAnswer, ResolveAnswer, UndoAnswer } from "./answer.ts";
import type { ForeignAction, ForeignUndo } from "./foreign.ts";
import type { ActionContext, FencedOperation, FencedUndo, NamedOperation, UndoContext } from "./operation.ts";

export interface FenceOptions {
  readonly database: Database;
  /** How long a key is remembered, in milliseconds. Must exceed the longest horizon of any saga that calls, plus the clocks' difference. */
  readonly retentionMs: number;
  /** How long one attempt at a foreign effect is left alone, in milliseconds. Default 30,000. */
  readonly runningLeaseMs?: number | undefined;
}

export interface Fence {
  readonly retentionMs: number;
  readonly runningLeaseMs: number;
  /**
   * Runs an action whose effect is in this database, at most once per key. The effect and its recorded answer commit together; a rejection
   * undoes the business writes and is recorded all the same. When `business` throws, or the process ends before the commit, nothing happened.
   *
   * @param business - May be run more than once by a database that retries; touches nothing but its context.
   * @throws What `business` threw, or a database error. After a database error ask again with the same key.
   */
  act<Output, Rejection>(
    operation: FencedOperation,
    business: (context: ActionContext) => Promise<Result<Output, Rejection>>,
  ): Promise<ActAnswer>;
  /**
   * Takes an action back, at most once, whether it came, is under way, or is still to come: afterwards the action finds its key sealed.
   * `business` runs only when the action succeeded and stands. When it throws, nothing happened.
   */
  undo(operation: FencedUndo, business: (context: UndoContext) => Promise<void>): Promise<UndoAnswer>;
  /**
   * Runs an action whose effect is in a foreign system. The intent commits first, so that a crash leaves an open row and never a forgotten
   * effect. Whoever comes after the lease takes over, with `query` where there is one, else by repeating the effect under the same key.
   */
  intend<Output, Rejection>(operation: FencedOperation, foreign: ForeignAction<Output, Rejection>): Promise<ActAnswer>;
  /** Takes an intended action back: settles it first when it is open, then undoes it in the foreign system, itself with an intent. */
  undoIntended<Output, Rejection>(operation: FencedUndo, foreign: ForeignUndo<Output, Rejection>): Promise<UndoAnswer>;
  /**
   * Asks what became of a key, and makes the answer final: where nothing is recorded, a tombstone is planted before `Sealed` is told.
   *
   * @param foreign - Settles an operation that was left open; without it such a one is answered `Running`.
   */
  resolve<Output, Rejection>(operation: NamedOperation, foreign?: ForeignAction<Output, Rejection>): Promise<ResolveAnswer>;
  /** Forgets decided keys older than retention, in short transactions. Open ones stay. Resolves to how many were forgotten. */
  sweep(): Promise<number>;
}
