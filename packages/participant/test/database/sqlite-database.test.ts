// Goal: what is SQLite's own behind the port: the file, locks of other processes, and failures as typed errors.
// Method: real files, changed, locked, filled and damaged from outside.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Database, Table } from "@backstep/participant";
import { isDatabaseError } from "@backstep/participant";
import { createSqliteDatabase, type SqliteDatabaseOptions } from "@backstep/participant/sqlite";
import { err, ok } from "neverthrow";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SqliteConnection } from "../../src/database/sqlite-connection.ts";
import { databaseOn } from "../../src/database/sqlite-database.ts";

interface Item {
  readonly id: string;
  readonly color: string;
}

const items: Table<Item> = { name: "items", key: (row) => row.id, decode: (document) => document as Item, indexes: ["color"] };

let directory: string;
let path: string;
const opened: Database[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "backstep-sqlite-"));
  path = join(directory, "test.db");
});

afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
  await rm(directory, { recursive: true });
});

function open(options: { readonly busyTimeoutMs?: number } = {}): Database {
  const database = createSqliteDatabase({ path, ...options });
  opened.push(database);
  return database;
}

const insert = (database: Database, id: string): Promise<boolean> =>
  database.transaction((transaction) => transaction.insert(items, { id, color: "red" }));

async function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
}

describe("the file", () => {
  test("is in WAL mode, holds one table per table and an index per field, and finds by the index", async () => {
    await insert(open(), "a");
    const raw = new DatabaseSync(path);
    expect(raw.prepare("PRAGMA journal_mode").get()).toMatchObject({ journal_mode: "wal" });
    const plan = raw
      .prepare("EXPLAIN QUERY PLAN SELECT key FROM items WHERE json_extract(document, '$.color') = 'red' AND key > '' ORDER BY key")
      .all();
    expect(JSON.stringify(plan)).toContain("items__color");
    expect(JSON.stringify(plan)).not.toContain("TEMP B-TREE");
    raw.close();
  });

  test("gets an index that a later release declares", async () => {
    const before = open();
    await before.transaction((transaction) => transaction.insert({ ...items, indexes: [] }, { id: "a", color: "red" }));
    await before.close();
    const found = await open().transaction((transaction) => transaction.find(items, { field: "color", equals: "red" }));
    expect(found).toEqual([{ id: "a", color: "red" }]);
  });

  test("keeps its tables when the part that first used them is undone", async () => {
    const database = open();
    await database.transaction(async (transaction) => {
      await transaction.nested(async () => err(await transaction.insert(items, { id: "undone", color: "red" })));
      await transaction.insert(items, { id: "kept", color: "red" });
    });
    await database.transaction(async (transaction) => {
      await transaction.nested(async () => ok(await transaction.insert({ ...items, name: "others" }, { id: "b", color: "red" })));
    });
    expect(await insert(database, "kept")).toBe(false);
    expect(await insert(database, "undone")).toBe(true);
  });
});

describe("another process at the same file", () => {
  test("is waited for without stopping this one", async () => {
    const [database, other] = [open(), open()];
    const holding = Promise.withResolvers<void>();
    const held = other.transaction(async (transaction) => {
      await transaction.insert(items, { id: "a", color: "red" });
      await holding.promise;
    });
    const waiting = insert(database, "a");
    // If waiting stopped the process, nothing could ever end the other transaction.
    await new Promise((resolve) => setTimeout(resolve, 30));
    holding.resolve();
    await held;
    expect(await waiting).toBe(false);
  });

  test("is not waited for longer than was granted", async () => {
    const [database, other] = [open({ busyTimeoutMs: 20 }), open()];
    await insert(other, "a");
    const holding = Promise.withResolvers<void>();
    const held = other.transaction(() => holding.promise);
    const failure = await rejection(insert(database, "b"));
    holding.resolve();
    await held;
    expect(failure).toMatchObject({ _tag: "DatabaseUnavailable", message: "the database is locked by another process" });
    expect(isDatabaseError(failure)).toBe(true);
    expect(await insert(database, "b")).toBe(true);
  });
});

describe("options", () => {
  test.each<[string, Partial<SqliteDatabaseOptions>]>([
    ["no path", { path: "" }],
    ["a path that is no text", { path: 7 as never }],
    ["a negative wait", { busyTimeoutMs: -1 }],
    ["a wait that is no number", { busyTimeoutMs: Number.NaN }],
    ["a wait without end", { busyTimeoutMs: Number.POSITIVE_INFINITY }],
  ])("%s is refused", (_, wrong) => {
    expect(() => createSqliteDatabase({ path, ...wrong })).toThrow(expect.objectContaining({ _tag: "OptionInvalid" }));
  });
});

describe("errors", () => {
  test("a missing directory is unavailable", () => {
    expect(() => createSqliteDatabase({ path: join(directory, "missing", "test.db") })).toThrow(
      expect.objectContaining({ _tag: "DatabaseUnavailable" }),
    );
  });

  test("a file that is no database is corrupt", async () => {
    await writeFile(path, "no database at all ".repeat(500));
    expect(() => createSqliteDatabase({ path })).toThrow(expect.objectContaining({ _tag: "DatabaseCorrupt" }));
  });

  test("a document that is no JSON is corrupt, with its place and without its text", async () => {
    const database = open();
    await insert(database, "a");
    const raw = new DatabaseSync(path);
    raw.exec("DROP INDEX items__color; UPDATE items SET document = 'secret {'");
    raw.close();
    const failure = await rejection(database.transaction((transaction) => transaction.get(items, "a")));
    expect(failure).toMatchObject({ _tag: "DatabaseCorrupt", row: { table: "items", key: "a" } });
    expect(String(failure)).not.toContain("secret");
  });

  test("a statement that fails ends its transaction, and its message quotes no statement", async () => {
    const database = open();
    await insert(database, "a");
    const raw = new DatabaseSync(path);
    raw.exec("DROP TABLE items");
    raw.close();
    const failure = await rejection(
      database.transaction(async (transaction) => {
        await transaction.insert({ ...items, name: "others", indexes: [] }, { id: "b", color: "red" });
        await rejection(transaction.get(items, "a"));
      }),
    );
    expect(failure).toMatchObject({ _tag: "DatabaseUnavailable" });
    expect(String(failure)).not.toMatch(/select|items/i);
    const others = await database.transaction((transaction) => transaction.list({ ...items, name: "others", indexes: [] }));
    expect(others).toEqual([]);
  });

  test("a document that lies under another key is corrupt, since writing it back would change that other row", async () => {
    const database = open();
    await insert(database, "a");
    const raw = new DatabaseSync(path);
    raw.exec("UPDATE items SET key = 'b'");
    raw.close();
    const failure = await rejection(database.transaction((transaction) => transaction.get(items, "b")));
    expect(failure).toMatchObject({ _tag: "DatabaseCorrupt", row: { table: "items", key: "b" } });
  });

  test("a damaged page is corrupt, and the transaction that met it leaves nothing", async () => {
    const database = open();
    const plain = { ...items, indexes: [] };
    await database.transaction(async (transaction) => {
      await transaction.insert(plain, { id: "large", color: "x".repeat(100_000) });
      await transaction.insert(plain, { id: "small", color: "red" });
    });
    await database.close();
    const bytes = await readFile(path);
    // Overflow pages begin with the number of the next one; there is no page 0xffffffff.
    const page = Math.floor(bytes.indexOf("x".repeat(4_090)) / 4_096) * 4_096;
    bytes.fill(0xff, page, page + 4);
    await writeFile(path, bytes);
    const reopened = open();
    const meeting = reopened.transaction(async (transaction) => {
      await transaction.insert(plain, { id: "new", color: "red" });
      await transaction.get(plain, "large");
    });
    expect(await rejection(meeting)).toMatchObject({ _tag: "DatabaseCorrupt" });
    const [small, fresh] = await reopened.transaction(async (transaction) => [
      await transaction.get(plain, "small"),
      await transaction.get(plain, "new"),
    ]);
    expect([small, fresh]).toEqual([{ id: "small", color: "red" }, undefined]);
  });

  test("a full disk is unavailable, leaves nothing, and the database goes on when there is room", async () => {
    const connection = new SqliteConnection(path, 0);
    const database = databaseOn(connection, { now: Date.now, busyTimeoutMs: 0 });
    opened.push(database);
    await insert(database, "a");
    connection.exec("PRAGMA max_page_count = 1"); // SQLite takes the present size where that is larger.
    const filling = database.transaction(async (transaction) => {
      await transaction.insert(items, { id: "b", color: "red" });
      // A body that goes on as if nothing had happened does not commit the rest.
      await rejection(transaction.insert(items, { id: "large", color: "x".repeat(100_000) }));
    });
    expect(await rejection(filling)).toMatchObject({ _tag: "DatabaseUnavailable", message: "the disk of the database is full" });
    expect(await database.transaction((transaction) => transaction.list(items))).toEqual([{ id: "a", color: "red" }]);
    connection.exec("PRAGMA max_page_count = 100000");
    expect(await insert(database, "b")).toBe(true);
  });

  test("a file that another process has for itself is unavailable, and opens when it is given up", async () => {
    const raw = new DatabaseSync(path);
    raw.exec("PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE held (a)");
    expect(() => open({ busyTimeoutMs: 20 })).toThrow(expect.objectContaining({ _tag: "DatabaseUnavailable" }));
    raw.close();
    await open().ping();
  });

  test("ping tells when the file is gone bad", async () => {
    const database = open();
    await database.ping();
    await database.close();
    expect(await rejection(database.ping())).toMatchObject({ _tag: "DatabaseUnavailable" });
  });
});
