// Goal: records of a file of the fourth schema, which an index found, are found by their chains. Method: write one with that schema and its own checksums, open it with today's store.
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { recordChecksumOfVersion4 } from "../../src/checksum.ts";
import { createSqliteStore, SqliteStoreNotOpened } from "../../src/index.ts";
import { migrate, migrations } from "../../src/schema/migrate.ts";
import { recordsOf, recordText, recordTexts, request } from "../requests.ts";
import { temporaryFile } from "../temporary-folder.ts";

const saga = { name: "checkout", version: 1 };
const statuses = { a: "running", b: "waiting", c: "completed" } as const;
const sagaIds = ["a", "b", "c"] as const;
const RECORDS = 4;

/** Three sagas that wrote by turns, so that no record stands beside the one before it. */
function oldFile(damage = ""): string {
  const path = temporaryFile();
  const database = new DatabaseSync(path);
  migrate(database, path, migrations.slice(0, 4));
  const insertSaga = database.prepare(
    `INSERT INTO sagas (saga_id, name, version, status, wake_at, ended_at, epoch, writer, next_sequence, claims_without_progress, started_at)
     VALUES (?, 'checkout', 1, ?, ?, ?, 1, 7, ${RECORDS}, 0, 1000) RETURNING position`,
  );
  const insertRecord = database.prepare("INSERT INTO records (saga, sequence, epoch, writer, checksum, record) VALUES (?, ?, 1, 7, ?, ?)");
  const positions = sagaIds.map((sagaId) => {
    const status = statuses[sagaId];
    return Number(insertSaga.get(sagaId, status, status === "waiting" ? 5 : null, status === "completed" ? 1_000 : null)?.["position"]);
  });
  for (let sequence = 0; sequence < RECORDS; sequence++) {
    for (const [at, sagaId] of sagaIds.entries()) {
      const record = recordText(sagaId, sequence);
      const checksum = recordChecksumOfVersion4({ sagaId, saga, sequence, epoch: 1 }, record);
      insertRecord.run(positions[at] ?? 0, sequence, checksum, record);
    }
  }
  database.exec(damage);
  database.close();
  return path;
}

describe("a file of version 4", () => {
  test("keeps every record, and takes more behind them", async () => {
    const store = createSqliteStore({ path: oldFile(), synchronous: "NORMAL", thread: false });
    for (const sagaId of sagaIds) expect(await recordsOf(store, sagaId)).toEqual(recordTexts(sagaId, RECORDS));
    for (let sequence = RECORDS; sequence < RECORDS + 3; sequence++) {
      expect((await store.append(request("a", sequence, { outbox: [] }))).isOk()).toBe(true);
    }
    expect(await recordsOf(store, "a")).toEqual(recordTexts("a", RECORDS + 3));
    await store.close();
  });

  test("lists its sagas as before", async () => {
    const store = createSqliteStore({ path: oldFile(), synchronous: "NORMAL", thread: false });
    expect((await store.unfinished({ limit: 10 }))._unsafeUnwrap()).toEqual({ sagaIds: ["a"] });
    expect((await store.unfinished({ limit: 10, waiting: true }))._unsafeUnwrap()).toEqual({ sagaIds: ["a", "b"] });
    expect((await store.due({ until: 5, limit: 10 }))._unsafeUnwrap()).toEqual({ sagaIds: ["b"] });
    expect((await store.ended({ before: 1_001, limit: 10 }))._unsafeUnwrap()).toEqual({ sagaIds: ["c"] });
    await store.close();
  });

  test("forgets an old saga with all its records, and no other", async () => {
    const path = oldFile();
    const store = createSqliteStore({ path, synchronous: "NORMAL", thread: false });
    expect((await store.remove(["a", "c"]))._unsafeUnwrap()).toEqual({ removed: 1 });
    expect(await recordsOf(store, "a")).toEqual(recordTexts("a", RECORDS));
    await store.close();
    const database = new DatabaseSync(path);
    expect(database.prepare("SELECT count(*) AS count FROM records").get()).toEqual({ count: 2 * RECORDS });
    expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    database.close();
  });

  test.each([
    ["a record that is missing", "DELETE FROM records WHERE saga = 1 AND sequence = 2"],
    ["a last record that is missing", "DELETE FROM records WHERE saga = 1 AND sequence = 3"],
    ["records that are all missing", "DELETE FROM records WHERE saga = 1"],
    ["a record that changed", "UPDATE records SET record = 'x' WHERE saga = 1 AND sequence = 0"],
    ["an old checksum for another place", "UPDATE records SET epoch = 2 WHERE saga = 1 AND sequence = 0"],
  ])("%s is still found out, for its saga alone", async (_what, damage) => {
    const store = createSqliteStore({ path: oldFile(damage), synchronous: "NORMAL", thread: false });
    expect((await store.load("a"))._unsafeUnwrapErr()).toMatchObject({ _tag: "JournalCorrupt", sagaId: "a" });
    expect(await recordsOf(store, "b")).toEqual(recordTexts("b", RECORDS));
    await store.close();
  });

  test("that has a table too few is left at version 4", () => {
    const path = oldFile("DROP TABLE outbox; DROP TABLE records");
    expect(() => createSqliteStore({ path })).toThrow(SqliteStoreNotOpened);
    const database = new DatabaseSync(path);
    expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: 4 });
    database.close();
  });
});
