/** The durable stores of Backstep, opened by name in whatever process needs them. */
import { join } from "node:path";
import type { JournalStore } from "@backstep/saga-core/journal";
import { createSqliteStore } from "@backstep/sqlite-store";

export interface StorePlace {
  readonly kind: "sqlite" | "postgres";
  /** SQLite's. */
  readonly folder: string;
  /** Postgres's. */
  readonly url?: string | undefined;
}

export async function openStore({ kind, folder, url }: StorePlace): Promise<JournalStore> {
  if (kind === "sqlite") return createSqliteStore({ path: join(folder, "journal.db") });
  if (url === undefined) throw new Error("a Postgres store needs the url of a database");
  const { openPostgresStore } = await import("../postgres/backstep-postgres.ts");
  return openPostgresStore(url);
}

/** Whether the package is there at all. */
export function hasPostgresStore(): boolean {
  try {
    import.meta.resolve("@backstep/postgres-store");
    return true;
  } catch {
    return false;
  }
}
