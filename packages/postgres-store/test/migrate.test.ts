// Goal: a schema is brought to the newest version in one step, or left as it was. Method: migrations of the test's own behind the released ones.
import pg from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createPostgresStore, PostgresStoreNotOpened } from "../src/index.ts";
import { type Migration, migrate, migrations } from "../src/schema/migrate.ts";
import { recordsOf, recordTexts, request } from "./requests.ts";
import { type Postgres, startServer } from "./server.ts";

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startServer();
});
afterAll(() => postgres.close());

const addsTable: Migration = (schema) => `CREATE TABLE ${schema}.later (a integer)`;
const addsColumn: Migration = (schema) => `ALTER TABLE ${schema}.later ADD COLUMN b text`;

async function connected(): Promise<pg.Client> {
  const client = new pg.Client(postgres.url());
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

async function versionOf(schema: string): Promise<unknown> {
  return (await postgres.query(`SELECT version FROM ${schema}.journal_version`))[0]?.["version"];
}

test("a new schema gets every migration, in order", async () => {
  const schema = postgres.newSchema();
  await migrate(await connected(), schema, [...migrations, addsTable, addsColumn]);
  expect(await versionOf(schema)).toBe(migrations.length + 2);
});

test("an older one gets the missing ones, once, and keeps what it holds", async () => {
  const schema = postgres.newSchema();
  const store = await createPostgresStore({ connectionString: postgres.url(), schema });
  await store.append(request("a", 0));
  const client = await connected();
  for (let times = 0; times < 2; times++) await migrate(client, schema, [...migrations, addsTable]);
  expect(await versionOf(schema)).toBe(migrations.length + 1);
  expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 1));
  await store.close();
});

test("a migration that fails leaves the version before it, whole", async () => {
  const schema = postgres.newSchema();
  const client = await connected();
  await migrate(client, schema);
  await expect(migrate(client, schema, [...migrations, addsTable, addsTable])).rejects.toThrow(/already exists/);
  expect(await versionOf(schema)).toBe(migrations.length);
  await expect(postgres.query(`SELECT * FROM ${schema}.later`)).rejects.toThrow(/does not exist/);
  // Nothing is left open on the connection.
  await migrate(client, schema, [...migrations, addsTable]);
});

test("of a new schema, a migration that fails leaves nothing", async () => {
  const schema = postgres.newSchema();
  await expect(migrate(await connected(), schema, [...migrations, addsColumn])).rejects.toThrow(/does not exist/);
  expect(await postgres.query("SELECT 1 FROM pg_namespace WHERE nspname = $1", [schema])).toEqual([]);
});

test("a newer one is refused", async () => {
  const schema = postgres.newSchema();
  const client = await connected();
  await migrate(client, schema, [...migrations, addsTable]);
  await expect(migrate(client, schema)).rejects.toThrow(PostgresStoreNotOpened);
  expect(await versionOf(schema)).toBe(migrations.length + 1);
});

// Once released, a migration is what schemas in the field were made by: editing it would leave them behind.
test("the first schema is the released one", async () => {
  const schema = postgres.newSchema();
  await migrate(await connected(), schema, migrations.slice(0, 1));
  const columns = await postgres.query(
    "SELECT table_name, string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position) AS columns FROM information_schema.columns WHERE table_schema = $1 GROUP BY table_name ORDER BY table_name",
    [schema],
  );
  expect(Object.fromEntries(columns.map((row) => [row["table_name"], row["columns"]]))).toMatchInlineSnapshot(`
    {
      "journal_version": "only_row boolean, version integer",
      "lanes": "lane bigint, worker bigint, batch bigint, taken bigint, fenced boolean, answer jsonb, seen_at timestamp with time zone",
      "lock_places": "position bigint, name text, saga bigint",
      "outbox": "position bigint, id text, type text, source text, subject text, time text, saga_id text, data text",
      "records": "saga bigint, sequence integer, epoch integer, checksum integer, record text",
      "sagas": "position bigint, saga_id text, name text, version bigint, status smallint, wake_at bigint, ended_at bigint, epoch integer, driver bigint, wanted boolean, length integer, claims integer, claims_at integer, started_at bigint",
      "workers": "worker bigint, until bigint",
    }
  `);
});
