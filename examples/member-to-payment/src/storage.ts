/** Where a service keeps its state: a file of its own in a folder, or a schema of its own in a Postgres database, for the same code on either. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "@backstep/participant";
import { createPostgresDatabase } from "@backstep/participant/postgres";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import { createPostgresStore } from "@backstep/postgres-store";
import type { JournalStore } from "@backstep/saga-core/journal";
import { createSqliteStore } from "@backstep/sqlite-store";
import type { ServiceName } from "./settings.ts";

export interface Storage {
  /** Folder for SQLite files; created when missing. */
  readonly dataDir: string;
  /** URL of a Postgres database. Without it, all lies in the folder. */
  readonly database?: string | undefined;
}

export function openDatabase(name: ServiceName, { dataDir, database }: Storage): Database {
  if (database !== undefined) return createPostgresDatabase({ connection: database, schema: name.replaceAll("-", "_") });
  mkdirSync(dataDir, { recursive: true });
  return createSqliteDatabase({ path: join(dataDir, `${name}.db`) });
}

/**
 * The saga's journal, beside the records. In Postgres any number of payment services may be open on it, and share its sagas.
 *
 * @throws when the database does not answer: whoever drives sagas begins with a journal, or not at all.
 */
export async function openJournal({ dataDir, database }: Storage): Promise<JournalStore> {
  if (database !== undefined) return createPostgresStore({ connectionString: database, schema: "payment_journal" });
  mkdirSync(dataDir, { recursive: true });
  return createSqliteStore({ path: join(dataDir, "payment-journal.db") });
}
