/**
 * The port on `node:sqlite`: one file, one connection, transactions in turns within the process and by SQLite's own lock between processes.
 * A commit is on the disk when it resolves (WAL, synchronous = FULL).
 */
import { hostTimer } from "@backstep/saga-core/adapter";
import type { Database, Transaction } from "../database.ts";
import { SqliteConnection } from "./sqlite-connection.ts";
import { driving, isBusy } from "./sqlite-errors.ts";
import { SqliteTransaction } from "./sqlite-transaction.ts";
import { createTurns } from "./turns.ts";

export interface SqliteDatabaseOptions {
  /** A file, created when it is missing; its directory must exist. `:memory:` for one that goes with the process. */
  readonly path: string;
  /** Epoch milliseconds. Default: the host's clock. */
  readonly now?: (() => number) | undefined;
  /** How long a transaction waits for one of another process, in milliseconds. The process goes on meanwhile. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined;
}

const BUSY_TIMEOUT_MS_DEFAULT = 5_000;
const BUSY_PAUSE_MS_MAX = 25;

/**
 * Opens the database.
 *
 * A crash at any time leaves the transactions that had resolved, and perhaps one whose commit had been under way; never a part of one.
 *
 * @throws {DatabaseUnavailable} When the file cannot be opened. {DatabaseCorrupt} When it is no database.
 */
export function createSqliteDatabase(options: SqliteDatabaseOptions): Database {
  const connection = new SqliteConnection(options.path);
  const turns = createTurns();
  const busyTimeoutMs = options.busyTimeoutMs ?? BUSY_TIMEOUT_MS_DEFAULT;
  return {
    now: options.now ?? Date.now,
    transaction: (body) => turns.take(() => runTransaction(connection, busyTimeoutMs, body)),
    async ping() {
      turns.assertOpen();
      const statement = connection.prepare("SELECT count(*) FROM sqlite_schema");
      driving(() => statement.get());
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
  await begin(connection, busyTimeoutMs);
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

/**
 * Takes the write lock at once: a transaction that read first and wrote later could find that it may not write any more. Waits without
 * stopping the process, since the holder may be another connection of this very process.
 */
async function begin(connection: SqliteConnection, busyTimeoutMs: number): Promise<void> {
  const startedAt = performance.now();
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, BUSY_PAUSE_MS_MAX)) {
    try {
      connection.exec("BEGIN IMMEDIATE");
      return;
    } catch (cause) {
      const patient = cause instanceof Error && isBusy(cause.cause) && performance.now() - startedAt < busyTimeoutMs;
      if (!patient) throw cause;
      await hostTimer.sleep(pauseMs);
    }
  }
}
