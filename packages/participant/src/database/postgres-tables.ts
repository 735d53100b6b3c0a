/**
 * Tables as they lie in a schema: their names, how they come into being with their first use, and which are known to exist. They are made in
 * transactions of their own, under one lock per schema, so that processes which start together do not collide, and never inside a transaction
 * that has read or written: that one is run again when its table is there.
 */
import { createHash } from "node:crypto";
import { DatabaseMisused, DatabaseUnavailable } from "./database-errors.ts";
import type { PostgresConnection } from "./postgres-connection.ts";
import type { AnyTable } from "./row-check.ts";

/** A page of the index must hold three entries, so an indexed value is found by its beginning first. */
const PREFIX_CHARACTERS = 100;
/** Of Postgres, in bytes; it cuts off the rest without a word. */
const NAME_BYTES_MAX = 63;

/** Ends an attempt whose table is not there; the runner makes it and begins again. */
export class TableMissing extends DatabaseUnavailable {
  readonly table: AnyTable;

  constructor(table: AnyTable) {
    super("a table is about to be made");
    this.table = table;
  }
}

export class PostgresTables {
  readonly schema: string;
  readonly #known = new Set<string>();

  constructor(schema: string) {
    this.schema = schema;
  }

  /** As statements write it. */
  nameOf(table: AnyTable): string {
    return `"${this.schema}"."${table.name}"`;
  }

  /** An empty table that is locked in more or less exclusive modes: see `postgres-database.ts`. No table of a service can have this name. */
  get gate(): string {
    return `"${this.schema}"."backstep gate"`;
  }

  /** `undefined` for a table that is known. @throws {TableMissing} */
  assertThere(connection: PostgresConnection, table: AnyTable): Promise<void> | undefined {
    const identity = identityOf(table);
    return this.#known.has(identity) ? undefined : this.#look(connection, table, identity);
  }

  async #look(connection: PostgresConnection, table: AnyTable, identity: string): Promise<void> {
    const names = [table.name, ...(table.indexes ?? []).map((field) => indexName(table, field))];
    const statement =
      "SELECT count(*)::int AS count FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = ANY($2)";
    const [found] = await connection.ask<{ readonly count: number }>(statement, [this.schema, names]);
    if (found?.count !== names.length) throw new TableMissing(table);
    this.#known.add(identity);
  }

  /** Somebody removed what was known. */
  forget(): void {
    this.#known.clear();
  }

  /** Makes the schema and its gate, and the table if one is given, where they are missing. A crash leaves all of it or nothing. */
  async create(connection: PostgresConnection, table: AnyTable | undefined, lockTimeoutMs: number): Promise<void> {
    await connection.command(`BEGIN; SET LOCAL lock_timeout = ${lockTimeoutMs}`);
    await connection.ask("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`backstep ${this.schema}`]);
    const [found] = await connection.ask<{ readonly schema: boolean; readonly encoding: string }>(
      "SELECT to_regnamespace($1) IS NOT NULL AS schema, current_setting('server_encoding') AS encoding",
      [`"${this.schema}"`],
    );
    if (found?.encoding !== "UTF8") throw new DatabaseMisused("the database's encoding is not UTF-8, so it cannot hold every text");
    // Asking for what is there takes a right that a service may not have.
    if (!found.schema) await connection.command(`CREATE SCHEMA "${this.schema}"`);
    await connection.command(`CREATE TABLE IF NOT EXISTS ${this.gate} ()`);
    if (table !== undefined) await connection.command(this.#statements(table).join("; "));
    await connection.command("COMMIT");
  }

  #statements(table: AnyTable): readonly string[] {
    const name = this.nameOf(table);
    const columns = `key text COLLATE "C" NOT NULL CONSTRAINT "${bounded(`${table.name} key`)}" PRIMARY KEY, document text NOT NULL`;
    return [
      // Room on each page: a row that is changed in place touches no index, and so nobody who reads the rows beside it.
      `CREATE TABLE IF NOT EXISTS ${name} (${columns}) WITH (fillfactor = 70)`,
      ...(table.indexes ?? []).flatMap((field) => [
        `ALTER TABLE ${name} ADD COLUMN IF NOT EXISTS ${columnOf(field)} text COLLATE "C" GENERATED ALWAYS AS (${fieldExpression(field)}) STORED`,
        `CREATE INDEX IF NOT EXISTS "${indexName(table, field)}" ON ${name} (${beginningOf(columnOf(field))}, key)`,
      ]),
    ];
  }
}

export function columnOf(field: string): string {
  return `"${bounded(`field ${field}`)}"`;
}

/** The same text in index and query, or the index is not used. */
export function beginningOf(value: string): string {
  return `left(${value}, ${PREFIX_CHARACTERS})`;
}

export function identityOf(table: AnyTable): string {
  return `${table.name}:${(table.indexes ?? []).join(",")}`;
}

/** As `find` compares: only texts are equal to a text. Field names were checked to be plain words. */
function fieldExpression(field: string): string {
  return `CASE WHEN jsonb_typeof(document::jsonb -> '${field}') = 'string' THEN document::jsonb ->> '${field}' END`;
}

/** With blanks, which no table's name has: tables and indexes share their names' space. */
function indexName(table: AnyTable, field: string): string {
  return bounded(`${table.name} by ${field}`);
}

function bounded(name: string): string {
  if (Buffer.byteLength(name) <= NAME_BYTES_MAX) return name;
  return `${name.slice(0, 40)} ${createHash("sha256").update(name).digest("hex").slice(0, 20)}`;
}
