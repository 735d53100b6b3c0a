// Goal: a store that cannot be opened says what, where and what to do, and changes nothing. Method: real files and folders that are wrong.
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { createSqliteStore, SqliteStoreNotOpened, type SqliteStoreOptions } from "../src/index.ts";
import { recordsOf, recordTexts, request } from "./requests.ts";
import { temporaryFile, temporaryFolder } from "./temporary-folder.ts";

/** User and group of nobody on Linux and of no file here: root, as in containers, may write everywhere and would notice nothing. */
const NOBODY = 65_534;

function notOpened(options: SqliteStoreOptions): SqliteStoreNotOpened {
  try {
    createSqliteStore(options);
  } catch (error) {
    if (error instanceof SqliteStoreNotOpened) return error;
    throw error;
  }
  throw new Error(`the store was opened on ${options.path}`);
}

function withoutRootsRights<Value>(action: () => Value): Value {
  if (process.geteuid?.() !== 0) return action();
  process.seteuid?.(NOBODY);
  try {
    return action();
  } finally {
    process.seteuid?.(0);
  }
}

describe("paths", () => {
  test("a folder in place of a file", () => {
    const path = temporaryFolder();
    expect(notOpened({ path })).toMatchObject({ _tag: "StoreFileUnusable", path, message: expect.stringContaining(path) as string });
  });

  test("a file in a folder that does not exist", () => {
    const path = join(temporaryFolder(), "missing", "journal.db");
    const error = notOpened({ path });
    expect(error._tag).toBe("StoreFileUnusable");
    expect(error.message).toContain("a folder that exists");
  });

  test("a folder that may not be written", () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o555);
    expect(withoutRootsRights(() => notOpened({ path: join(folder, "journal.db") }))._tag).toBe("StoreFileUnusable");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a journal that may not be written", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "journal.db");
    await createSqliteStore({ path, thread: false }).close();
    chmodSync(path, 0o444);
    chmodSync(folder, 0o555);
    const error = withoutRootsRights(() => notOpened({ path }));
    expect(error._tag).toBe("StoreFileUnusable");
  });

  test("a database in memory, which would forget", () => {
    const error = notOpened({ path: ":memory:" });
    expect(error._tag).toBe("StoreFileUnusable");
    expect(error.message).toContain("createMemoryStore");
  });
});

describe("what lies there", () => {
  test("a file that is no database", () => {
    const path = temporaryFile();
    writeFileSync(path, "no database ".repeat(1_000));
    const before = readFileSync(path);
    expect(notOpened({ path })._tag).toBe("StoreFileForeign");
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("a journal whose first page is damaged", async () => {
    const path = temporaryFile();
    const store = createSqliteStore({ path, thread: false });
    await store.append(request("a", 0));
    await store.close();
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 100, 4_000);
    writeFileSync(path, bytes);
    expect(notOpened({ path })._tag).toBe("StoreFileForeign");
  });

  test("a database of another program", () => {
    const path = temporaryFile();
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE customers (id INTEGER)");
    database.close();
    const before = readFileSync(path);
    const error = notOpened({ path });
    expect(error._tag).toBe("StoreFileForeign");
    expect(error.message).toContain("another program");
    // The other program's journal mode is part of its file.
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("a journal that lost a table", async () => {
    const path = temporaryFile();
    await createSqliteStore({ path, thread: false }).close();
    const database = new DatabaseSync(path);
    database.exec("DROP TABLE records");
    database.close();
    const error = notOpened({ path });
    expect(error._tag).toBe("StoreFileForeign");
    expect(error.message).toContain("no such table: records");
  });

  test("a journal of a newer schema", async () => {
    const path = temporaryFile();
    await createSqliteStore({ path, thread: false }).close();
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 99; PRAGMA journal_mode = DELETE");
    database.close();
    const before = readFileSync(path);
    const error = notOpened({ path });
    expect(error._tag).toBe("StoreSchemaNewer");
    expect(error.message).toContain("version 99");
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("a journal whose lock is never given up", async () => {
    const path = temporaryFile();
    await createSqliteStore({ path, thread: false }).close();
    const database = new DatabaseSync(path);
    database.exec("BEGIN IMMEDIATE");
    expect(notOpened({ path, busyTimeoutMs: 30 })._tag).toBe("StoreFileBusy");
    database.close();
  });

  test("an empty file becomes a journal", async () => {
    const path = temporaryFile();
    writeFileSync(path, "");
    const store = createSqliteStore({ path, thread: false });
    await store.append(request("a", 0));
    expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 1));
    await store.close();
  });

  test("missing folders are not created", () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "there"));
    notOpened({ path: join(folder, "not-there", "journal.db") });
    expect(readdirSync(folder)).toEqual(["there"]);
  });
});

describe("options", () => {
  const wrong: Readonly<Record<string, object>> = {
    "no path": { path: "" },
    "a path that is no text": { path: 7 },
    "another durability": { path: "journal.db", synchronous: "OFF" },
    "a negative wait": { path: "journal.db", busyTimeoutMs: -1 },
    "a wait that is no integer": { path: "journal.db", busyTimeoutMs: 1.5 },
    "a wait without end": { path: "journal.db", busyTimeoutMs: Number.POSITIVE_INFINITY },
  };

  test.each(Object.entries(wrong))("%s is refused, and no file appears", (_name, options) => {
    const folder = temporaryFolder();
    const before = process.cwd();
    process.chdir(folder);
    try {
      expect(notOpened(options as SqliteStoreOptions)._tag).toBe("StoreOptionInvalid");
    } finally {
      process.chdir(before);
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    ["FULL", 2],
    ["NORMAL", 1],
  ] as const)("a commit is synced as %s says", async (synchronous, expected) => {
    const { openDatabase } = await import("../src/open-database.ts");
    const database = openDatabase({ path: temporaryFile(), synchronous, busyTimeoutMs: 0 });
    expect(database.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: expected });
    expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    database.close();
  });
});
