/**
 * Brings a database file to the newest schema: numbered steps, all missing ones in one transaction, so that a crash leaves the old version or
 * the new one. The version is SQLite's `user_version`; `application_id` tells our files from anybody else's, which are never touched.
 */
import type { SqliteDatabase } from "../driver.ts";
import { SqliteStoreNotOpened } from "../sqlite-store-not-opened.ts";
import { journalSchema } from "./0001-journal.ts";
import { waitingSchema } from "./0002-waiting.ts";
import { lockLinesSchema } from "./0003-lock-lines.ts";
import { workersSchema } from "./0004-workers.ts";
import { chainsSchema } from "./0005-chains.ts";

/** The ASCII letters "BkSt". */
const APPLICATION_ID = 0x426b5374;

/** Index 0 leads to version 1, and so on. */
export const migrations: readonly string[] = [journalSchema, waitingSchema, lockLinesSchema, workersSchema, chainsSchema];

/** @throws {SqliteStoreNotOpened} when the file is not ours or newer than this program; it is left as it was. */
export function migrate(database: SqliteDatabase, path: string, steps: readonly string[] = migrations): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    const version = checkedVersion(database, path, steps.length);
    for (const step of steps.slice(version)) database.exec(step);
    if (version < steps.length) database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${steps.length}`);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/**
 * The schema's version; reads and writes nothing else.
 *
 * @throws {SqliteStoreNotOpened} when the file is not ours or newer than this program.
 */
export function checkedVersion(database: SqliteDatabase, path: string, versionNewest = migrations.length): number {
  const applicationId = readNumber(database, "PRAGMA application_id");
  const version = readNumber(database, "PRAGMA user_version");
  const objects = readNumber(database, "SELECT count(*) FROM sqlite_schema");
  if (applicationId === 0 && version === 0 && objects === 0) return 0;
  if (applicationId !== APPLICATION_ID) {
    throw new SqliteStoreNotOpened(
      "StoreFileForeign",
      path,
      "it is a SQLite database of another program; give the journal a file of its own",
    );
  }
  if (version > versionNewest) {
    throw new SqliteStoreNotOpened(
      "StoreSchemaNewer",
      path,
      `its schema has version ${version}, this program knows up to ${versionNewest}; use the newer @backstep/sqlite-store that wrote it`,
    );
  }
  return version;
}

function readNumber(database: SqliteDatabase, sql: string): number {
  const [value] = Object.values(database.prepare(sql).get() ?? {});
  return Number(value);
}
