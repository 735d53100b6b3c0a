/**
 * The port on `node:sqlite`: one file, one connection, transactions in turns within the process and by SQLite's own lock between processes.
 * A commit is on the disk when it resolves (WAL, synchronous = FULL).
 */
import { hostTimer } from "@backstep/saga-core/adapter";
import type { Database, Transaction } from "../database.ts";
import { assertCount, OptionInvalid } from "../option-invalid.ts";
import { SqliteConnection } from "./sqlite-connection.ts";
import { driving, isLocked } from "./sqlite-errors.ts";
import { SqliteTransaction } from "./sqlite-transaction.ts";
import { createTurns } from "./turns.ts";

export interface SqliteDatabaseOptions {
  /** A file, created when it is missing; its directory must exist. `:memory:` for one that goes with the process. */
  readonly path: string;
  /** Epoch milliseconds. Default: the host's clock. */
  readonly now?: (() => number) | undefined;
  /**
   * How long a transaction waits for one of another process, in milliseconds, 0 to 600,000. The process goes on meanwhile; only while it
   * opens the file it does not. Default 5,000.
   */
  readonly busyTimeoutMs?: number | undefined;
}

const BUSY_TIMEOUT_MS_DEFAULT = 5_000;
const BUSY_TIMEOUT_MS_MAX = 600_000;
const BUSY_PAUSE_MS_MAX = 25;

/**
 * Opens the database.
 *
 * A crash at any time leaves the transactions that had resolved, and perhaps one whose commit had been under way; never a part of one.
 *
 * @throws {OptionInvalid} When an option is out of its range. {DatabaseUnavailable} When the file cannot be opened. {DatabaseCorrupt} When
 * it is no database.
 */
export function createSqliteDatabase({ path, now = Date.now, busyTimeoutMs = BUSY_TIMEOUT_MS_DEFAULT }: SqliteDatabaseOptions): Database {
  // SQLite would take an empty path for a temporary file, and everything would be forgotten at the end.
  if (typeof path !== "string" || path === "") throw new OptionInvalid("`path` names a file; it is empty or no text");
  assertCount("busyTimeoutMs", busyTimeoutMs, "milliseconds", 0, BUSY_TIMEOUT_MS_MAX);
  return databaseOn(new SqliteConnection(path, busyTimeoutMs), { now, busyTimeoutMs });
}

/** The database on a connection that is already open; `close` closes it. */
export function databaseOn(
  connection: SqliteConnection,
  { now, busyTimeoutMs }: { readonly now: () => number; readonly busyTimeoutMs: number },
): Database {
  const turns = createTurns();
  return {
    now,
    transaction: (body) => turns.take(() => runTransaction(connection, busyTimeoutMs, body)),
    async ping() {
      turns.assertOpen();
      const statement = connection.prepare("SELECT count(*) FROM sqlite_schema");
      await whileLocked(() => driving(() => statement.get()), busyTimeoutMs);
    },
    async close() {
      await turns.close();
      connection.close();
    },
  };
}

async function runTransaction<Value>(
  connection: SqliteConnection,
  busyTimeoutMs: number,
  body: (transaction: Transaction) => Promise<Value>,
): Promise<Value> {
  // The write lock at once: a transaction that read first and wrote later could find that it may not write any more.
  await whileLocked(() => connection.exec("BEGIN IMMEDIATE"), busyTimeoutMs);
  const transaction = new SqliteTransaction(connection);
  try {
    const value = await body(transaction);
    transaction.life.finish();
    connection.exec("COMMIT");
    connection.keepEnsured();
    return value;
  } catch (cause) {
    transaction.life.abandon();
    connection.rollBack();
    throw cause;
  }
}

/** Waits without stopping the process, since the holder of the lock may be another connection of this very process. */
async function whileLocked(attempt: () => unknown, busyTimeoutMs: number): Promise<void> {
  const deadline = performance.now() + busyTimeoutMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, BUSY_PAUSE_MS_MAX)) {
    try {
      attempt();
      return;
    } catch (error) {
      if (!isLocked(error) || performance.now() >= deadline) throw error;
    }
    await hostTimer.sleep(pauseMs);
  }
}
