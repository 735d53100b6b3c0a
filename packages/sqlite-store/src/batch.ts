/**
 * One transaction for many writes: BEGIN IMMEDIATE, the writes, COMMIT, and what to make of a write or a COMMIT that fails. All of it runs
 * without giving up the thread, so nothing else on this connection can come between. It never waits and never delivers a verdict.
 */
import { err, ok, type Result } from "neverthrow";
import type { SqliteDatabase } from "./driver.ts";
import { isBusy } from "./sqlite-failure.ts";

/** A write as the batch sees it; it keeps its own verdict until it is delivered. */
export interface BatchedWrite {
  /** May run more than once; the last verdict counts. Throws when SQLite does. */
  run(): void;
  /** Makes a failure the verdict: nothing of this write stands. */
  fail(error: unknown): void;
  /** Looks whether what `run` wrote stands in the file. Only asked after a COMMIT that failed. */
  landed(): boolean;
}

/** How a batch ended. In doubt: COMMIT was sent and failed; the writes may stand or not, until `settle` has found out. */
export type BatchEnd =
  | { readonly _tag: "Committed" }
  | { readonly _tag: "RolledBack" }
  | { readonly _tag: "InDoubt"; readonly error: unknown };

/** What is remembered from one transaction to the next, and when that is to be forgotten. */
export interface BatchMemory {
  /** A transaction began: others may have written since the last one. */
  began(): void;
  /** What was written by this connection may not stand. */
  undone(): void;
}

export interface BatchRunner {
  /** @throws SQLite's "busy" when another connection holds the lock; nothing of the batch stands then. */
  run(writes: readonly BatchedWrite[]): BatchEnd;
  /**
   * Finds out what became of a batch in doubt and corrects the verdicts. It does so in a transaction that writes and commits: pages of the
   * failed COMMIT that reached the log without counting are overwritten by it, so they cannot come back to life at the next recovery.
   *
   * @throws whatever SQLite throws while it cannot be found out; the batch is then still in doubt.
   */
  settle(writes: readonly BatchedWrite[], error: unknown): void;
}

export function createBatchRunner(database: SqliteDatabase, memory: BatchMemory): BatchRunner {
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const rollback = database.prepare("ROLLBACK");
  const countSettlement = database.prepare("UPDATE settlements SET count = count + 1");

  function rollBack(): void {
    if (database.isTransaction) rollback.run();
  }

  function beginAnew(): void {
    rollBack();
    begin.run();
    memory.began();
  }

  /**
   * Leaves a transaction open in which every write ran. One that fails is taken out and the others run again without it: after some
   * failures, damage to a page above all, SQLite commits nothing of the transaction any more, so undoing the one write is not enough.
   */
  function runAll(writes: readonly BatchedWrite[]): void {
    const failed = new Set<BatchedWrite>();
    for (let complete = false; !complete; ) {
      beginAnew();
      complete = writes.every((write) => failed.has(write) || succeeds(write, failed));
      if (!complete) memory.undone();
    }
  }

  return {
    run(writes) {
      const ran = attempt(() => runAll(writes));
      if (ran.isErr()) {
        if (isBusy(ran.error)) throw ran.error;
        for (const write of writes) write.fail(ran.error);
        return { _tag: "RolledBack" };
      }
      const committed = attempt(() => commit.run());
      if (committed.isOk()) return { _tag: "Committed" };
      memory.undone();
      // At once: a transaction left open would be seen by the next read on this connection.
      attempt(rollBack);
      return { _tag: "InDoubt", error: committed.error };
    },

    settle(writes, error) {
      beginAnew();
      try {
        const landed = writes.map((write) => write.landed());
        countSettlement.run();
        commit.run();
        for (const [index, write] of writes.entries()) if (landed[index] !== true) write.fail(error);
      } catch (failure) {
        attempt(rollBack);
        throw failure;
      }
    },
  };
}

function succeeds(write: BatchedWrite, failed: Set<BatchedWrite>): boolean {
  try {
    write.run();
    return true;
  } catch (error) {
    write.fail(error);
    failed.add(write);
    return false;
  }
}

function attempt(action: () => unknown): Result<void, unknown> {
  try {
    action();
    return ok();
  } catch (error) {
    return err(error);
  }
}
