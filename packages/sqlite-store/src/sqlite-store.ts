/** Opens a journal: checks its options and its file, and decides where it runs. The store itself is `store-on.ts`. */
import { openDatabase } from "./open-database.ts";
import { describeFailure } from "./sqlite-failure.ts";
import { SqliteStoreNotOpened } from "./sqlite-store-not-opened.ts";
import { newWriter, type SqliteStore, type StoreOfThread, storeOfThread } from "./store-on.ts";
import { createThreadStore } from "./thread-store.ts";

export interface SqliteStoreOptions {
  /** The file; it is created when missing, its folder is not. Beside it SQLite keeps `<path>-wal` and `<path>-shm`: the three belong together. */
  readonly path: string;
  /**
   * `FULL`: an append that was answered survives a loss of power. `NORMAL`: it survives the end of the process, but a loss of power may take
   * the last commits with it, whole ones, from the end: a step may then have acted and no journal knows. Default `FULL`.
   */
  readonly synchronous?: "FULL" | "NORMAL" | undefined;
  /** How long a write waits for another connection's lock, in milliseconds, 0 to 600,000, before `StoreUnavailable`. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined;
  /**
   * Whether several processes drive sagas of the file at once, each with a store of its own, and an engine on it: then they take turns by leases. `false`: one engine alone drives them, and one that
   * starts takes all over at once. The same for all that are open at a time. Default `false`.
   */
  readonly shared?: boolean | undefined;
  /**
   * Whether the store works in a thread of its own, so that the program goes on while the disk writes; it takes some ten milliseconds to start, and half as many MiB. Few appends at a time on a quick
   * disk are written on the caller's thread all the same, which is faster than to wake another. `false`: always on the caller's thread, which then waits for the disk. Default `true`, unless `now` is
   * given, which no other thread could call.
   */
  readonly thread?: boolean | undefined;
  /** The store's clock, epoch milliseconds. Processes that share the file must agree on it. Default: the system's. */
  readonly now?: (() => number) | undefined;
}

const BUSY_TIMEOUT_MS_DEFAULT = 5_000;
/** A shortcut is for few sagas at a time, and most of what it knows is outdated by the thread. */
const REMEMBERED_NEAR = 1_024;

/**
 * Opens the journal in a file. Any number of stores, in this process and in others on the same machine, may be open on it.
 *
 * A write that was answered `ok` is committed; a crash before leaves nothing of it, a crash after COMMIT and before the answer leaves all of it.
 *
 * @throws {SqliteStoreNotOpened} when an option, the path or what lies there is wrong; what lies there is not touched.
 */
export function createSqliteStore(options: SqliteStoreOptions): SqliteStore {
  const { path, synchronous = "FULL", busyTimeoutMs = BUSY_TIMEOUT_MS_DEFAULT, shared = false, now } = options;
  const { thread = now === undefined } = options;
  if (thread && now !== undefined)
    throw new SqliteStoreNotOpened("StoreOptionInvalid", String(path), "no other thread could call `now`: give the one or the other");
  const database = openDatabase({ path, synchronous, busyTimeoutMs });
  const writer = newWriter();
  let near: StoreOfThread;
  try {
    near = storeOfThread(database, {
      busyTimeoutMs,
      shared,
      writer,
      remembersMax: thread ? REMEMBERED_NEAR : undefined,
      now: now ?? Date.now,
    });
  } catch (error) {
    database.close();
    const problem = `its tables are not those of the version it claims: ${describeFailure(error)}; restore it, or name another file`;
    throw new SqliteStoreNotOpened("StoreFileForeign", path, problem, { cause: error });
  }
  if (!thread) return near.store;
  try {
    // Copying the log into the file takes longer than a commit: that is for the thread.
    database.exec("PRAGMA wal_autocheckpoint = 0");
    return createThreadStore({ path, synchronous, busyTimeoutMs, shared, writer }, near);
  } catch (error) {
    database.close();
    throw error;
  }
}
