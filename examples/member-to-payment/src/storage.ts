/** Where a service keeps its state: a file of its own in a folder, or a schema of its own in a Postgres database, for the same code on either. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "@backstep/participant";
import { createPostgresDatabase } from "@backstep/participant/postgres";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import { createSqliteStore } from "@backstep/sqlite-store";
import type { ServiceName } from "./settings.ts";

export interface Storage {
  /** Folder for SQLite files; created when missing. */
  readonly dataDir: string;
  /** URL of a Postgres database, for everything that has an adapter for it. Without it, all lies in the folder. */
  readonly database?: string | undefined;
}

export function openDatabase(name: ServiceName, { dataDir, database }: Storage): Database {
  if (database !== undefined) return createPostgresDatabase({ connection: database, schema: name.replaceAll("-", "_") });
  mkdirSync(dataDir, { recursive: true });
  return createSqliteDatabase({ path: join(dataDir, `${name}.db`) });
}

/** The saga's journal: in the folder, whatever the services' records lie in. */
export function openJournal({ dataDir }: Storage) {
  mkdirSync(dataDir, { recursive: true });
  return createSqliteStore({ path: join(dataDir, "payment-journal.db") });
}
