// Goal: a file is brought to the newest schema in one step, or left as it was. Method: migrations of the test's own behind the released ones.
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { createSqliteStore, SqliteStoreNotOpened } from "../../src/index.ts";
import { migrate, migrations } from "../../src/schema/migrate.ts";
import { recordsOf, recordTexts, request } from "../requests.ts";
import { temporaryFile } from "../temporary-folder.ts";

const path = "journal.db";

function versionOf(database: DatabaseSync): unknown {
  return database.prepare("PRAGMA user_version").get()?.["user_version"];
}

function tablesOf(database: DatabaseSync): readonly unknown[] {
  const rows = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name").all();
  return rows.map(({ name }) => name);
}

test("a new file gets every migration, in order", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database, path, [...migrations, "CREATE TABLE later (a INTEGER) STRICT", "ALTER TABLE later ADD COLUMN b TEXT"]);
  expect(versionOf(database)).toBe(migrations.length + 2);
  expect(tablesOf(database)).toEqual(["later", "lock_places", "outbox", "records", "sagas", "settlements", "workers"]);
});

test("an older file gets the missing ones and keeps what it holds", async () => {
  const file = temporaryFile();
  const store = createSqliteStore({ path: file, thread: false });
  await store.append(request("a", 0));
  await store.close();
  const database = new DatabaseSync(file);
  migrate(database, path, [...migrations, "CREATE TABLE later (a INTEGER) STRICT"]);
  expect(versionOf(database)).toBe(migrations.length + 1);
  // Applied once: a second run finds nothing to do.
  migrate(database, path, [...migrations, "CREATE TABLE later (a INTEGER) STRICT"]);
  database.exec(`PRAGMA user_version = ${migrations.length}`);
  database.close();
  const reopened = createSqliteStore({ path: file, thread: false });
  expect(await recordsOf(reopened, "a")).toEqual(recordTexts("a", 1));
  await reopened.close();
});

test("a migration that fails leaves the version before it, whole", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database, path);
  const steps = [...migrations, "CREATE TABLE later (a INTEGER) STRICT", "CREATE TABLE later (a INTEGER) STRICT"];
  expect(() => migrate(database, path, steps)).toThrow(/already exists/);
  expect(versionOf(database)).toBe(migrations.length);
  expect(tablesOf(database)).not.toContain("later");
  expect(database.isTransaction).toBe(false);
});

test("a newer file is refused and left alone", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database, path, [...migrations, "CREATE TABLE later (a INTEGER) STRICT"]);
  expect(() => migrate(database, path)).toThrow(SqliteStoreNotOpened);
  expect(versionOf(database)).toBe(migrations.length + 1);
  expect(database.isTransaction).toBe(false);
});

// Once released, a migration is what files in the field were made by: editing it would leave them behind.
test("the first schema is the released one", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database, path, migrations.slice(0, 1));
  const columns = (table: string): readonly unknown[] =>
    database
      .prepare(`SELECT name FROM pragma_table_info('${table}')`)
      .all()
      .map(({ name }) => name);
  expect(Object.fromEntries(tablesOf(database).map((table) => [table, columns(String(table))]))).toMatchInlineSnapshot(`
    {
      "outbox": [
        "position",
        "id",
        "type",
        "source",
        "subject",
        "time",
        "saga_id",
        "data",
      ],
      "records": [
        "position",
        "saga",
        "sequence",
        "epoch",
        "writer",
        "checksum",
        "record",
      ],
      "sagas": [
        "position",
        "saga_id",
        "name",
        "version",
        "status",
        "epoch",
        "writer",
        "next_sequence",
        "claims_without_progress",
        "started_at",
      ],
      "settlements": [
        "only_row",
        "count",
      ],
    }
  `);
});
