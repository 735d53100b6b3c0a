/**
 * Opens and prepares a journal's file: options checked, write-ahead log on, schema brought up to date. The only file that touches
 * `node:sqlite` itself, and the only one that may hold up the thread for a lock: nothing runs yet.
 */
import { DatabaseSync } from "node:sqlite";
import type { SqliteDatabase } from "./driver.ts";
import { checkedVersion, migrate } from "./schema/migrate.ts";
import { CORRUPT, describeFailure, isBusy, NOT_A_DATABASE, READONLY, resultCode } from "./sqlite-failure.ts";
import { SqliteStoreNotOpened } from "./sqlite-store-not-opened.ts";

export interface OpenOptions {
  readonly path: string;
  readonly synchronous: "FULL" | "NORMAL";
  readonly busyTimeoutMs: number;
}

const BUSY_TIMEOUT_MS_MAX = 10 * 60 * 1_000;
const REOPEN_TIMEOUT_MS_MIN = 5_000;
const PAUSE_MS = 10;

/** @throws {SqliteStoreNotOpened} */
export function openDatabase(options: OpenOptions): SqliteDatabase {
  checkOptions(options);
  return connect(options, (database) => {
    assertOurs(database, options);
    turnOnWriteAheadLog(database, options);
    setDurability(database, options);
    migrate(database, options.path);
  });
}

/**
 * One more connection to a file that `openDatabase` has just prepared. It takes no lock for writing, so that nobody who is writing can be in its way; what may be is over in an instant, whatever
 * the store's own patience.
 *
 * @throws {SqliteStoreNotOpened} when the file is no longer what it was.
 */
export function reopenDatabase(options: OpenOptions): SqliteDatabase {
  return connect({ ...options, busyTimeoutMs: Math.max(options.busyTimeoutMs, REOPEN_TIMEOUT_MS_MIN) }, (database) =>
    setDurability(database, options),
  );
}

function setDurability(database: DatabaseSync, { synchronous }: OpenOptions): void {
  database.exec(`PRAGMA synchronous = ${synchronous}`);
}

function connect(options: OpenOptions, prepare: (database: DatabaseSync) => void): SqliteDatabase {
  const { path, busyTimeoutMs } = options;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: busyTimeoutMs });
    prepare(database);
    // From here on the store does its own waiting, off the thread.
    database.exec("PRAGMA busy_timeout = 0");
    return database;
  } catch (error) {
    database?.close();
    throw error instanceof SqliteStoreNotOpened ? error : notOpened(error, options);
  }
}

function checkOptions({ path, synchronous, busyTimeoutMs }: OpenOptions): void {
  const refuse = (problem: string): never => {
    throw new SqliteStoreNotOpened("StoreOptionInvalid", String(path), problem);
  };
  if (typeof path !== "string" || path.length === 0) refuse("`path` names a file; it is empty or no text");
  if (synchronous !== "FULL" && synchronous !== "NORMAL")
    refuse(`\`synchronous\` is "FULL" or "NORMAL", not ${JSON.stringify(synchronous)}`);
  if (!Number.isInteger(busyTimeoutMs) || busyTimeoutMs < 0 || busyTimeoutMs > BUSY_TIMEOUT_MS_MAX) {
    refuse(`\`busyTimeoutMs\` is an integer from 0 to ${BUSY_TIMEOUT_MS_MAX}, not ${String(busyTimeoutMs)}`);
  }
}

/** Before anything is written: the journal mode is part of a file, and another program's file is to stay as it is. */
function assertOurs(database: SqliteDatabase, { path, busyTimeoutMs }: OpenOptions): void {
  holdingTheThreadWhileBusy(() => {
    // One state of the file, also while another process is just making a journal of it.
    database.exec("BEGIN");
    try {
      checkedVersion(database, path);
    } finally {
      if (database.isTransaction) database.exec("ROLLBACK");
    }
  }, busyTimeoutMs);
}

function turnOnWriteAheadLog(database: SqliteDatabase, { path, busyTimeoutMs }: OpenOptions): void {
  const mode = holdingTheThreadWhileBusy(() => database.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"], busyTimeoutMs);
  if (mode === "wal") return;
  throw new SqliteStoreNotOpened(
    "StoreFileUnusable",
    path,
    `it cannot have a write-ahead log (journal mode is ${JSON.stringify(mode)}); use a file on a local disk, or createMemoryStore for a journal in memory`,
  );
}

/** Two processes that turn the log on at once would wait for each other, so SQLite answers "busy" without its own waiting. */
function holdingTheThreadWhileBusy<Value>(attempt: () => Value, busyTimeoutMs: number): Value {
  const deadline = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
}

function notOpened(error: unknown, { path, busyTimeoutMs }: OpenOptions): SqliteStoreNotOpened {
  const failure = describeFailure(error);
  const code = resultCode(error);
  if (isBusy(error)) {
    return new SqliteStoreNotOpened("StoreFileBusy", path, `another process held its lock for ${busyTimeoutMs} ms: ${failure}`, {
      cause: error,
    });
  }
  if (code === NOT_A_DATABASE || code === CORRUPT) {
    return new SqliteStoreNotOpened(
      "StoreFileForeign",
      path,
      `it is no SQLite database, or a damaged one: ${failure}; restore it, or name another file`,
      {
        cause: error,
      },
    );
  }
  const cure =
    code === READONLY
      ? "give this process the right to write the file and its folder"
      : "the path names a file in a folder that exists and that this process may write";
  return new SqliteStoreNotOpened("StoreFileUnusable", path, `${failure}; ${cure}`, { cause: error });
}
