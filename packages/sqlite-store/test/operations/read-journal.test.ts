// Goal: a journal is read as one state of the file, and damage is told by its place. Method: a rival connection that writes between two statements.
import { readFileSync, writeFileSync } from "node:fs";
import type { AppendRequest } from "@backstep/saga-core/journal";
import { expect, test } from "vitest";
import type { SqliteDatabase } from "../../src/driver.ts";
import { openDatabase } from "../../src/open-database.ts";
import { prepareAppend } from "../../src/operations/append-record.ts";
import { prepareLockLines } from "../../src/operations/lock-lines.ts";
import { prepareRecordLog } from "../../src/operations/record-log.ts";
import { storeOn } from "../../src/store-on.ts";
import { recordsOf, recordTexts, request } from "../requests.ts";
import { temporaryFile } from "../temporary-folder.ts";

const options = { synchronous: "NORMAL", busyTimeoutMs: 0 } as const;

/** Appends at once, in a transaction of its own. */
function appender(path: string): { append(appended: AppendRequest): void; close(): void } {
  const database = openDatabase({ path, ...options });
  const [writer, now] = [1, Date.now];
  const context = { log: prepareRecordLog(database, writer), lockLines: prepareLockLines(database, now), writer, shared: false, now };
  const operation = prepareAppend(database, context);
  return {
    append(appended) {
      database.exec("BEGIN IMMEDIATE");
      operation.began();
      operation.append(appended)._unsafeUnwrap();
      database.exec("COMMIT");
    },
    close: () => database.close(),
  };
}

/** Calls `between` each time a record is about to be read. */
function interrupted(database: SqliteDatabase, between: () => void): SqliteDatabase {
  return {
    exec: (sql) => database.exec(sql),
    close: () => database.close(),
    get isTransaction() {
      return database.isTransaction;
    },
    prepare(sql) {
      const statement = database.prepare(sql);
      if (!sql.startsWith("SELECT saga, sequence, epoch, checksum, previous, record")) return statement;
      return {
        run: (...values) => statement.run(...values),
        get(...values) {
          between();
          return statement.get(...values);
        },
        all: (...values) => statement.all(...values),
      };
    },
  };
}

test("a record that another process appends meanwhile is wholly in what is read, or not at all", async () => {
  const path = temporaryFile();
  const rival = appender(path);
  rival.append(request("a", 0));
  let next = 1;
  const database = interrupted(openDatabase({ path, ...options }), () => rival.append(request("a", next++)));
  const store = storeOn(database, { busyTimeoutMs: 0, now: Date.now });
  expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 1));
  expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 2));
  await store.close();
  rival.close();
});

test.each([
  ["DELETE FROM records WHERE sequence = 1", "3 records were written, record 1 is missing"],
  ["DELETE FROM records WHERE sequence = 2", "3 records were written, record 2 is missing"],
  ["UPDATE records SET record = 'x' WHERE sequence = 1", "record 1 does not match its checksum"],
  ["UPDATE records SET previous = position WHERE sequence = 1", "record 0 is missing"],
  ["UPDATE records SET previous = position + 1 WHERE sequence = 0", "a record stands before the first"],
  ["UPDATE records SET saga = saga + 1 WHERE sequence = 1", "record 1 is missing"],
  ["UPDATE sagas SET last_record = last_record - 1", "record 2 is missing"],
  ["UPDATE sagas SET last_record = NULL", "record 2 is missing"],
])("after %s, the message says: %s", async (sql, message) => {
  const database = openDatabase({ path: temporaryFile(), ...options });
  const store = storeOn(database, { busyTimeoutMs: 0, now: Date.now });
  for (let sequence = 0; sequence < 3; sequence++) await store.append(request("a", sequence));
  database.exec(sql);
  expect((await store.load("a"))._unsafeUnwrapErr()).toEqual({
    _tag: "JournalCorrupt",
    sagaId: "a",
    message: expect.stringContaining(message) as string,
  });
  await store.close();
});

test("a damaged page under the outbox holds up the events and no saga", async () => {
  const path = temporaryFile();
  const store = storeOn(openDatabase({ path, ...options }), { busyTimeoutMs: 0, now: Date.now });
  const [event] = request("a", 0).outbox;
  if (event === undefined) throw new TypeError("the request has no event");
  await store.append(request("a", 0, { outbox: [{ ...event, data: "e".repeat(100_000) }] }));
  await store.append(request("b", 0));
  await store.close();
  const bytes = readFileSync(path);
  const page = Math.floor(bytes.indexOf("e".repeat(4_000)) / 4_096) * 4_096;
  bytes.fill(0xff, page, page + 4);
  writeFileSync(path, bytes);

  const reopened = storeOn(openDatabase({ path, ...options }), { busyTimeoutMs: 0, now: Date.now });
  expect((await reopened.outbox.pending({ limit: 10 }))._unsafeUnwrapErr()._tag).toBe("StoreUnavailable");
  expect((await reopened.claim("a"))._unsafeUnwrap()?.epoch).toBe(2);
  expect((await reopened.append(request("a", 1, { epoch: 2 }))).isOk()).toBe(true);
  expect(await recordsOf(reopened, "b")).toEqual(recordTexts("b", 1));
  await reopened.close();
});

test("a damaged page gives JournalCorrupt for the sagas that lie on it, and they are not taken over", async () => {
  const path = temporaryFile();
  const database = openDatabase({ path, ...options });
  const store = storeOn(database, { busyTimeoutMs: 0, now: Date.now });
  // The record of `a` fills pages of its own, so that damage to one is damage to `a` alone.
  await store.append(request("a", 0, { record: "a".repeat(100_000) }));
  await store.append(request("b", 0));
  await store.close();
  const bytes = readFileSync(path);
  // Overflow pages begin with the number of the next one; there is no page 0xffffffff.
  const page = Math.floor(bytes.indexOf("a".repeat(4_000)) / 4_096) * 4_096;
  bytes.fill(0xff, page, page + 4);
  writeFileSync(path, bytes);

  const reopened = storeOn(openDatabase({ path, ...options }), { busyTimeoutMs: 0, now: Date.now });
  expect((await reopened.load("a"))._unsafeUnwrapErr()).toMatchObject({ _tag: "JournalCorrupt", sagaId: "a" });
  const [before, damaged, after] = await Promise.all([reopened.append(request("b", 1)), reopened.claim("a"), reopened.claim("b")]);
  expect(damaged._unsafeUnwrapErr()).toMatchObject({ _tag: "JournalCorrupt", sagaId: "a" });
  // SQLite commits nothing of a transaction that met the damage, and yet those that shared it are not concerned.
  expect([before.isOk(), after._unsafeUnwrap()?.epoch]).toEqual([true, 2]);
  expect(reopened.statistics().settlements).toBe(0);
  expect(await recordsOf(reopened, "b")).toEqual(recordTexts("b", 2));
  await reopened.close();
});
