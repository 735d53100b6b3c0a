/**
 * Brings a schema to the newest version: numbered steps, all missing ones in one transaction, so that a crash leaves the old version or the new one. A table of one row tells the version, and our
 * schemas from anybody else's, which are never touched.
 */
import type { Client } from "pg";
import { PostgresStoreNotOpened } from "../postgres-store-not-opened.ts";
import { journalSchema } from "./0001-journal.ts";
import { channelOf, writingSchema } from "./0002-writing.ts";

/** Given the quoted name of the schema. Index 0 leads to version 1, and so on. */
export type Migration = (schema: string) => string;

export const migrations: readonly Migration[] = [(schema) => journalSchema(schema) + writingSchema(schema)];

/** @throws {PostgresStoreNotOpened} when the schema is not ours or newer than this program; it is left as it was. */
export async function migrate(client: Client, name: string, steps: readonly Migration[] = migrations): Promise<void> {
  // Who finds everything in place asks for no right to change it.
  if ((await checkedVersion(client, name, steps.length)) === steps.length) return;
  const schema = quoted(name);
  await client.query("BEGIN");
  try {
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [channelOf(schema)]);
    const version = await checkedVersion(client, name, steps.length);
    if (version === 0) {
      const found = await client.query("SELECT 1 FROM pg_namespace WHERE nspname = $1", [name]);
      if (found.rowCount === 0) await client.query(`CREATE SCHEMA ${schema}`);
      await client.query(`
        CREATE TABLE ${schema}.journal_version (only_row boolean PRIMARY KEY CHECK (only_row), version integer NOT NULL);
        INSERT INTO ${schema}.journal_version VALUES (true, 0)`);
    }
    for (const step of steps.slice(version)) await client.query(step(schema));
    await client.query(`UPDATE ${schema}.journal_version SET version = ${steps.length}`);
    await client.query("COMMIT");
  } catch (error) {
    // A connection that is lost has rolled back by itself.
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/**
 * The schema's version, 0 when nothing is there; changes nothing.
 *
 * @throws {PostgresStoreNotOpened} when the schema is not ours or newer than this program.
 */
async function checkedVersion(client: Client, name: string, versionNewest: number): Promise<number> {
  const { rows } = await client.query<{ relname: string }>(
    "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = $1",
    [name],
  );
  if (rows.length === 0) return 0;
  if (!rows.some(({ relname }) => relname === "journal_version")) {
    throw new PostgresStoreNotOpened("StoreSchemaForeign", name, "it holds what is not a journal; give the journal a schema of its own");
  }
  const found = await client.query<{ version: number }>(`SELECT version FROM ${quoted(name)}.journal_version`);
  const version = found.rows[0]?.version ?? 0;
  if (version > versionNewest) {
    throw new PostgresStoreNotOpened(
      "StoreSchemaNewer",
      name,
      `it has version ${version}, this program knows up to ${versionNewest}; use the newer @backstep/postgres-store that wrote it`,
    );
  }
  return version;
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
