/**
 * The fence: the participant's half of a saga. One row per idempotency key, in the same database as the effects it guards, decides what a
 * call may do: run, be answered from the record, or find the door sealed. Written once over the transaction port.
 */
import { idempotencyKey } from "@backstep/saga-core/adapter";
import type { Result } from "neverthrow";
import type { Database } from "../database.ts";
import { TIMER_MS_MAX } from "../option-invalid.ts";
import { act } from "./act.ts";
import type { ActAnswer, ResolveAnswer, UndoAnswer } from "./answer.ts";
import { FenceMisused } from "./fence-misused.ts";
import { type FenceParts, sweepBatch } from "./fence-rows.ts";
import type { ForeignAction, ForeignUndo } from "./foreign.ts";
import { intend } from "./intend.ts";
import type { ActionContext, FencedOperation, FencedUndo, NamedOperation, UndoContext } from "./operation.ts";
import { resolve } from "./resolve.ts";
import { undo } from "./undo.ts";
import { undoIntended } from "./undo-intended.ts";

export interface FenceOptions {
  readonly database: Database;
  /** How long a key is remembered, in milliseconds. Must exceed the longest horizon of any saga that calls, plus the clocks' difference. */
  readonly retentionMs: number;
  /** How long one attempt at a foreign effect is left alone, in milliseconds, 1 to 2,147,483,647. Default 30,000. */
  readonly runningLeaseMs?: number | undefined;
  /**
   * The longest time after which a caller may still come with a key or with its undo, in milliseconds: the horizons of its steps and
   * compensations, and how long an operator may take over a parked saga. Given, a retention that does not exceed it and a lease is refused
   * when the fence is made. Default: not checked.
   */
  readonly callerHorizonMs?: number | undefined;
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

/** 30 seconds. */
const RUNNING_LEASE_MS_DEFAULT = 30_000;

/** Creates the fence of one participant. Any number of them may share a database; they share its rows, and so its truth. */
export function createFence(options: FenceOptions): Fence {
  const { database, retentionMs, runningLeaseMs = RUNNING_LEASE_MS_DEFAULT, callerHorizonMs = 0 } = options;
  assertDurations(retentionMs, runningLeaseMs, callerHorizonMs);
  const parts: FenceParts = { database, retentionMs, runningLeaseMs };
  return {
    retentionMs,
    runningLeaseMs,
    act: async (operation, business) => act(parts, checked(operation), business),
    undo: async (operation, business) => undo(parts, checkedUndo(operation), business),
    intend: async (operation, foreign) => intend(parts, checked(operation), foreign),
    undoIntended: async (operation, foreign) => undoIntended(parts, checkedUndo(operation), foreign),
    resolve: async (operation, foreign) => resolve(parts, checked(operation), foreign),
    async sweep() {
      let forgotten = 0;
      for (;;) {
        const batch = await sweepBatch(parts);
        forgotten += batch.forgotten;
        if (!batch.full) return forgotten;
      }
    },
  };
}

function assertDurations(retentionMs: number, runningLeaseMs: number, callerHorizonMs: number): void {
  if (!Number.isSafeInteger(runningLeaseMs) || runningLeaseMs < 1 || runningLeaseMs > TIMER_MS_MAX) {
    throw new FenceMisused(`runningLeaseMs is a whole number of milliseconds from 1 to ${TIMER_MS_MAX}; this one is ${runningLeaseMs}`);
  }
  if (!Number.isSafeInteger(callerHorizonMs) || callerHorizonMs < 0) {
    throw new FenceMisused(`callerHorizonMs is a whole number of milliseconds from 0; this one is ${callerHorizonMs}`);
  }
  if (!Number.isSafeInteger(retentionMs) || retentionMs <= callerHorizonMs + runningLeaseMs) {
    throw new FenceMisused(
      `retentionMs must exceed callerHorizonMs and runningLeaseMs together; they are ${retentionMs}, ${callerHorizonMs} and ${runningLeaseMs}`,
    );
  }
}

function checked<Operation extends NamedOperation>(operation: Operation): Operation {
  assertKey(operation);
  return operation;
}

function checkedUndo(operation: FencedUndo): FencedUndo {
  assertKey(operation);
  assertKey(operation.undoes);
  if (operation.key === operation.undoes.key) throw new FenceMisused("an undo has a key of its own; this one has the key of its action");
  return operation;
}

function assertKey({ key, issuedAt }: { readonly key: string; readonly issuedAt: number }): void {
  const parsed = idempotencyKey.parse(key);
  if (parsed.isErr()) throw new FenceMisused(parsed.error.message);
  if (!Number.isSafeInteger(issuedAt) || issuedAt < 0) throw new FenceMisused(`issuedAt is epoch milliseconds; this one is ${issuedAt}`);
}
