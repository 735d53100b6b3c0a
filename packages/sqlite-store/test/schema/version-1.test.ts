// Goal: a file of the first schema goes on as if nothing had happened. Method: write one with the first schema and its own statements, open it with today's store and engine.
import { DatabaseSync } from "node:sqlite";
import { createEngine, saga, step } from "@backstep/saga-core";
import { ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { recordChecksumOfVersion4 } from "../../src/checksum.ts";
import { createSqliteStore } from "../../src/index.ts";
import { migrate, migrations } from "../../src/schema/migrate.ts";
import { pendingIds, recordsOf, recordTexts } from "../requests.ts";
import { temporaryFile } from "../temporary-folder.ts";

interface OldSaga {
  readonly sagaId: string;
  readonly status: "running" | "parked" | "completed" | "compensated" | "abandoned";
  readonly name?: string;
  readonly epoch?: number;
  readonly records: readonly string[];
}

/** A file as version 1 left it. */
function oldFile(sagas: readonly OldSaga[]): string {
  const path = temporaryFile();
  const database = new DatabaseSync(path);
  migrate(database, path, migrations.slice(0, 1));
  const insertSaga = database.prepare(
    `INSERT INTO sagas (saga_id, name, version, status, epoch, writer, next_sequence, claims_without_progress, started_at)
     VALUES (?, ?, 1, ?, ?, 7, ?, 3, 1000) RETURNING position`,
  );
  const insertRecord = database.prepare("INSERT INTO records (saga, sequence, epoch, writer, checksum, record) VALUES (?, ?, ?, 7, ?, ?)");
  for (const { sagaId, status, name = "checkout", epoch = 1, records } of sagas) {
    const position = Number(insertSaga.get(sagaId, name, status, epoch, records.length)?.["position"]);
    for (const [sequence, record] of records.entries()) {
      const checksum = recordChecksumOfVersion4({ sagaId, saga: { name, version: 1 }, sequence, epoch }, record);
      insertRecord.run(position, sequence, epoch, checksum, record);
    }
  }
  database.exec(
    "INSERT INTO outbox (id, type, source, time, saga_id, data) VALUES ('e1', 'paid', '/a', '2026-01-01T00:00:00Z', 'a', '{}')",
  );
  expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: 1 });
  database.close();
  return path;
}

const statuses = ["running", "parked", "completed", "compensated", "abandoned"] as const;
const oneOfEach = (): string =>
  oldFile(statuses.map((status, index) => ({ sagaId: status, status, epoch: index + 1, records: recordTexts(status, index + 1) })));

describe("a file of version 1", () => {
  test("is opened, and brought to the newest version once", async () => {
    const path = oneOfEach();
    for (let times = 0; times < 2; times++) await createSqliteStore({ path, thread: false }).close();
    const database = new DatabaseSync(path);
    expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: migrations.length });
    expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    database.close();
  });

  test("keeps every saga, record and event", async () => {
    const store = createSqliteStore({ path: oneOfEach(), thread: false });
    for (const [index, status] of statuses.entries()) {
      expect((await store.load(status))._unsafeUnwrap()).toEqual({
        sagaId: status,
        saga: { name: "checkout", version: 1 },
        status,
        epoch: index + 1,
        claimsWithoutProgress: 3,
        records: recordTexts(status, index + 1),
      });
    }
    expect(await pendingIds(store)).toEqual(["e1"]);
    expect((await store.unfinished({ limit: 10 }))._unsafeUnwrap()).toEqual({ sagaIds: ["running", "parked"] });
    expect((await store.due({ until: Number.MAX_SAFE_INTEGER, limit: 10 }))._unsafeUnwrap()).toEqual({ sagaIds: [] });
    await store.close();
  });

  test("lets its sagas wait, lock, end and be forgotten as new ones do, behind its own", async () => {
    const store = createSqliteStore({ path: oneOfEach(), thread: false });
    const saga = { name: "checkout", version: 1 };
    const append = (sagaId: string, sequence: number, status: "waiting" | "completed", wakeAt?: number) =>
      store.append({ sagaId, sequence, epoch: 1, saga, status, wakeAt, record: "later", outbox: [] });
    expect((await append("running", 1, "waiting", 5)).isOk()).toBe(true);
    expect((await append("new", 0, "waiting")).isOk()).toBe(true);
    const locks = { held: ["order:1"], wanted: [] };
    expect(
      (await store.append({ sagaId: "parked", sequence: 2, epoch: 2, saga, status: "parked", locks, record: "held", outbox: [] })).isOk(),
    ).toBe(true);
    expect((await store.lockHolder("order:1"))._unsafeUnwrap()).toBe("parked");
    expect((await store.due({ until: 5, limit: 10 }))._unsafeUnwrap()).toEqual({ sagaIds: ["running"] });
    expect((await store.unfinished({ limit: 10, waiting: true }))._unsafeUnwrap()).toEqual({ sagaIds: ["running", "parked", "new"] });
    expect((await append("running", 2, "completed")).isOk()).toBe(true);
    expect((await store.remove(["running", "completed", "parked"]))._unsafeUnwrap()).toEqual({ removed: 2 });
    expect(await recordsOf(store, "parked")).toEqual([...recordTexts("parked", 2), "held"]);
    await store.close();
  });

  test("counts what had ended as ended when it was opened, and not earlier", async () => {
    const before = Date.now();
    const store = createSqliteStore({ path: oneOfEach(), thread: false });
    expect((await store.ended({ before, limit: 10 }))._unsafeUnwrap()).toEqual({ sagaIds: [] });
    expect((await store.ended({ before: Date.now() + 1, limit: 10 }))._unsafeUnwrap()).toEqual({
      sagaIds: ["completed", "compensated", "abandoned"],
    });
    await store.close();
  });

  test("is left at version 1, whole, when the way to the next one breaks", () => {
    const path = oneOfEach();
    const database = new DatabaseSync(path);
    const broken = [...migrations, "CREATE TABLE sagas (a INTEGER) STRICT"];
    expect(() => migrate(database, path, broken)).toThrow(/already exists/);
    expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: 1 });
    expect(database.prepare("SELECT count(*) AS count FROM sagas WHERE status = 'running'").get()).toEqual({ count: 1 });
    expect(() => database.prepare("SELECT wake_at FROM sagas")).toThrow(/no such column/);
    database.close();
  });
});

test("an engine goes on with the sagas of a file of version 1", async () => {
  const called: string[] = [];
  const first = step({ name: "first", run: (input: number) => ok(answer("first", input)), compensate: () => ok(undefined) });
  const second = step({ name: "second", run: (input: number) => ok(answer("second", input)), compensate: () => ok(undefined) });
  function answer(name: string, input: number): number {
    called.push(`${name} ${input}`);
    return input + 1;
  }
  const counting = saga({
    name: "counting",
    input: z.number(),
    *run(input) {
      return yield* second(yield* first(input));
    },
  });

  // Its first two records, as an engine writes them; then it dies, and the file is version 1's.
  const recorded = createSqliteStore({ path: temporaryFile(), thread: false });
  const engine = createEngine({ sagas: [counting], store: recorded });
  expect((await engine.run(counting, 1, { id: "c" }))._unsafeUnwrap()).toBe(3);
  const records = (await recordsOf(recorded, "c")).slice(0, 2);
  await engine.close();
  await recorded.close();
  called.length = 0;

  const store = createSqliteStore({ path: oldFile([{ sagaId: "c", status: "running", name: "counting", records }]) });
  const next = createEngine({ sagas: [counting], store });
  expect(await next.recovered).toEqual({ adopted: 1, quarantined: 0 });
  expect((await next.result(counting, "c"))._unsafeUnwrap()).toBe(3);
  expect(called).toEqual(["second 2"]);
  expect((await store.load("c"))._unsafeUnwrap()?.status).toBe("completed");
  await next.close();
  await store.close();
});
