// Goal: a store that cannot be opened says what and what to do, and changes nothing; those that open at one instant all do. Method: real servers, users and schemas that are wrong.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPostgresStore, PostgresStoreNotOpened, type PostgresStoreOptions } from "../src/index.ts";
import { migrations } from "../src/schema/migrate.ts";
import { recordsOf, recordTexts, request } from "./requests.ts";
import { type Postgres, startServer } from "./server.ts";

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startServer();
});
afterAll(() => postgres.close());

async function notOpened(options: PostgresStoreOptions): Promise<PostgresStoreNotOpened> {
  try {
    await (await createPostgresStore({ connectionString: postgres.url(), ...options })).close();
  } catch (error) {
    if (error instanceof PostgresStoreNotOpened) return error;
    throw error;
  }
  throw new Error("the store was opened");
}

describe("options", () => {
  test.each<PostgresStoreOptions>([
    { schema: "" },
    { schema: "Upper" },
    { schema: "pg_own" },
    { schema: "a; DROP SCHEMA public" },
    { schema: "x".repeat(41) },
    { connectionString: "" },
    { writersMax: 0 },
    { writersMax: 9 },
    { readersMax: 1.5 },
    { connectTimeoutMs: 0 },
    { answerTimeoutMs: 99 },
  ])("%o is out of range", async (options) => {
    expect((await notOpened(options))._tag).toBe("StoreOptionInvalid");
  });
});

describe("servers", () => {
  test("nobody listens", async () => {
    const error = await notOpened({ connectionString: "postgres://postgres@127.0.0.1:1/postgres" });
    expect([error._tag, error.message]).toEqual(["StoreUnreachable", expect.stringContaining("ECONNREFUSED")]);
  });

  test("a database, or a user, that is not there", async () => {
    const { server } = postgres;
    for (const connectionString of [server.url("nowhere"), server.url().replace("postgres@", "nobody@")]) {
      expect((await notOpened({ connectionString }))._tag).toBe("StoreForbidden");
    }
  });

  test("a user that may not make the schema, and one that may only use it", async () => {
    const schema = postgres.newSchema();
    await postgres.query("CREATE ROLE guest LOGIN");
    const connectionString = postgres.server.url().replace("postgres@", "guest@");
    expect((await notOpened({ connectionString, schema }))._tag).toBe("StoreForbidden");
    await (await createPostgresStore({ connectionString: postgres.url(), schema })).close();
    expect((await notOpened({ connectionString, schema }))._tag).toBe("StoreForbidden");
    await postgres.query(`GRANT USAGE ON SCHEMA ${schema} TO guest; GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO guest`);
    const store = await createPostgresStore({ connectionString, schema });
    expect((await store.append(request("a", 0))).isOk()).toBe(true);
    await store.close();
  });

  test("a database that is read-only, or keeps another encoding", async () => {
    await postgres.query("CREATE DATABASE still TEMPLATE template0");
    await postgres.query("ALTER DATABASE still SET default_transaction_read_only = on");
    await postgres.query("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    for (const database of ["still", "latin"]) {
      expect((await notOpened({ connectionString: postgres.server.url(database) }))._tag).toBe("StoreDatabaseUnfit");
    }
  });

  test("a database whose sessions are not READ COMMITTED is used as if they were", async () => {
    await postgres.query("CREATE DATABASE strict TEMPLATE template0");
    await postgres.query("ALTER DATABASE strict SET default_transaction_isolation = 'serializable'");
    const open = () => createPostgresStore({ connectionString: postgres.server.url("strict") });
    const [left, right] = [await open(), await open()];
    await left.append(request("a", 0));
    for (let sequence = 1; sequence < 20; sequence++) {
      const verdicts = await Promise.all([left, right].map((store) => store.append(request("a", sequence, { outbox: [] }))));
      expect(verdicts.map((verdict) => (verdict.isOk() ? "ok" : verdict.error._tag)).toSorted()).toEqual(["SequenceConflict", "ok"]);
    }
    await Promise.all([left.close(), right.close()]);
  });
});

describe("schemas", () => {
  test("one that holds something else is left as it was", async () => {
    const schema = postgres.newSchema();
    await postgres.query(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.sagas (a integer)`);
    expect((await notOpened({ schema }))._tag).toBe("StoreSchemaForeign");
    expect(await tablesOf(schema)).toEqual(["sagas"]);
  });

  test("one that is there and empty is taken", async () => {
    const schema = postgres.newSchema();
    await postgres.query(`CREATE SCHEMA ${schema}`);
    await (await createPostgresStore({ connectionString: postgres.url(), schema })).close();
    expect(await tablesOf(schema)).toEqual(["journal_version", "lanes", "lock_places", "outbox", "records", "sagas", "workers"]);
  });

  test("a newer one is refused and left alone", async () => {
    const schema = postgres.newSchema();
    await (await createPostgresStore({ connectionString: postgres.url(), schema })).close();
    await postgres.query(`UPDATE ${schema}.journal_version SET version = ${migrations.length + 1}`);
    const error = await notOpened({ schema });
    expect([error._tag, error.schema]).toEqual(["StoreSchemaNewer", schema]);
    expect(await postgres.query(`SELECT version FROM ${schema}.journal_version`)).toEqual([{ version: migrations.length + 1 }]);
  });

  test("one whose tables are not those of its version is foreign", async () => {
    const schema = postgres.newSchema();
    await (await createPostgresStore({ connectionString: postgres.url(), schema })).close();
    await postgres.query(`DROP TABLE ${schema}.lanes`);
    expect((await notOpened({ schema }))._tag).toBe("StoreSchemaForeign");
  });

  test("stores that are opened at one instant on a new one all open", async () => {
    const schema = postgres.newSchema();
    const stores = await Promise.all(Array.from({ length: 6 }, () => createPostgresStore({ connectionString: postgres.url(), schema })));
    const verdicts = await Promise.all(stores.map((store, index) => store.append(request(`saga-${index}`, 0))));
    expect(verdicts.every((verdict) => verdict.isOk())).toBe(true);
    await Promise.all(stores.map((store) => store.close()));
  });

  test("two of one database know nothing of each other", async () => {
    const [left, right] = await Promise.all(
      [postgres.newSchema(), postgres.newSchema()].map((schema) => createPostgresStore({ connectionString: postgres.url(), schema })),
    );
    await left?.append(request("a", 0));
    expect(left && (await recordsOf(left, "a"))).toEqual(recordTexts("a", 1));
    expect(right && (await recordsOf(right, "a"))).toEqual([]);
    await Promise.all([left?.close(), right?.close()]);
  });
});

async function tablesOf(schema: string): Promise<readonly unknown[]> {
  const rows = await postgres.query(`SELECT tablename FROM pg_tables WHERE schemaname = '${schema}' ORDER BY tablename`);
  return rows.map(({ tablename }) => tablename);
}
