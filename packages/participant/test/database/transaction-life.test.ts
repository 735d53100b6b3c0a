// Goal: a transaction that is misused ends, says so, and harms nobody after it. Method: bodies that break each rule, on every database.
import { createMemoryDatabase, type Database, type Table, type Transaction } from "@backstep/participant";
import { createPostgresDatabase } from "@backstep/participant/postgres";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import { ok } from "neverthrow";
import { afterEach, describe, expect, test } from "vitest";
import { freshSchema, sharedServer } from "../postgres-harness.ts";

interface Item {
  readonly id: string;
}

const items: Table<Item> = { name: "items", key: (row) => row.id, decode: (document) => document as Item };
const kinds: readonly (readonly [string, () => Promise<Database>])[] = [
  ["memory", async () => createMemoryDatabase()],
  ["sqlite", async () => createSqliteDatabase({ path: ":memory:" })],
  ["postgres", async () => createPostgresDatabase({ connection: (await sharedServer()).url(), schema: freshSchema() })],
];
const opened: Database[] = [];

afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});

const count = async (database: Database): Promise<number> => (await database.transaction((transaction) => transaction.list(items))).length;
const misused = expect.objectContaining({ _tag: "DatabaseMisused" });

describe.each(kinds)("a transaction of the %s database", (_, create) => {
  async function open(): Promise<Database> {
    const database = await create();
    opened.push(database);
    return database;
  }

  test("refuses one inside itself, which would wait for ever", async () => {
    const database = await open();
    await expect(database.transaction(() => count(database))).rejects.toEqual(misused);
    expect(await count(database)).toBe(0);
  });

  test("does not mind one that was started from code which outlived it", async () => {
    const database = await open();
    const over = Promise.withResolvers<void>();
    const { later } = await database.transaction(async () => ({ later: over.promise.then(() => count(database)) }));
    over.resolve();
    expect(await later).toBe(0);
  });

  test("lets one of another database run inside", async () => {
    const [outer, inner] = [await open(), await open()];
    expect(await outer.transaction(() => count(inner))).toBe(0);
  });

  test("refuses parts that overlap", async () => {
    const database = await open();
    const overlapping = database.transaction(async (transaction) => {
      const part = (id: string) => () => transaction.insert(items, { id }).then(ok);
      await Promise.all([transaction.nested(part("a")), transaction.nested(part("b"))]);
    });
    await expect(overlapping).rejects.toEqual(misused);
    expect(await count(database)).toBe(0);
  });

  test("refuses to end before a part of it", async () => {
    const database = await open();
    const leaving = database.transaction(async (transaction) => {
      void transaction.nested(() => new Promise<never>(() => undefined));
    });
    await expect(leaving).rejects.toEqual(misused);
    expect(await count(database)).toBe(0);
  });

  test("is undone when an operation failed, even if the body swallowed it", async () => {
    const database = await open();
    const swallowing = (operation: (transaction: Transaction) => Promise<unknown>) =>
      database.transaction(async (transaction) => {
        await transaction.insert(items, { id: "a" });
        await operation(transaction).catch(() => undefined);
      });
    await expect(swallowing((transaction) => transaction.put(items, { id: "" }))).rejects.toEqual(misused);
    await expect(swallowing((transaction) => transaction.list({ ...items, name: "No Name" }))).rejects.toEqual(misused);
    await expect(swallowing((transaction) => transaction.get({ ...items, indexes: ["id; DROP" as "id"] }, "a"))).rejects.toEqual(misused);
    expect(await count(database)).toBe(0);
  });
});
