// Goal: what is Postgres's own: shared commits, values that never reach SQL, the index behind each list, rows that are left behind. Method: a real server, counted commits, its own plans.
import type { AppendRequest } from "@backstep/saga-core/journal";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createPostgresStore, type PostgresStore, type PostgresStoreOptions } from "../src/index.ts";
import { dueSql, endedSql, nextDueSql, orphansSql, unfinishedSql, wantedSql } from "../src/operations/lists.ts";
import { readSagasSql } from "../src/operations/read-journal.ts";
import { pendingIds, recordsOf, recordTexts, request } from "./requests.ts";
import { type Postgres, startServer } from "./server.ts";

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startServer();
});
afterAll(() => postgres.close());

async function open(options: PostgresStoreOptions = {}): Promise<PostgresStore> {
  const store = await createPostgresStore({ connectionString: postgres.url(), schema: postgres.newSchema(), ...options });
  onTestFinished(() => store.close());
  return store;
}

describe("group commit", () => {
  test("appends of one turn of the event loop share a commit on each lane", async () => {
    for (const writersMax of [1, 2, 3]) {
      const store = await open({ writersMax });
      const verdicts = await Promise.all(Array.from({ length: 500 }, (_, index) => store.append(request(`saga-${index}`, 0))));
      expect(verdicts.every((verdict) => verdict.isOk())).toBe(true);
      expect(store.statistics()).toEqual({ commits: writersMax, settlements: 0 });
    }
  });

  test("sagas that wait for their commits gather for the next one", async () => {
    const store = await open();
    const [sagas, records] = [50, 10];
    async function run(sagaId: string): Promise<void> {
      for (let sequence = 0; sequence < records; sequence++) {
        // Sagas get out of step, as network answers do.
        if ((sequence + sagaId.length) % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
        expect((await store.append(request(sagaId, sequence))).isOk()).toBe(true);
      }
    }
    await Promise.all(Array.from({ length: sagas }, (_, index) => run("saga".repeat((index % 3) + 1) + index)));
    expect(store.statistics().commits).toBeLessThan((sagas * records) / 4);
    for (let index = 0; index < sagas; index++) {
      const sagaId = "saga".repeat((index % 3) + 1) + index;
      expect(await recordsOf(store, sagaId)).toEqual(recordTexts(sagaId, records));
    }
  });

  test("a batch is bounded; what is over the bound goes with the next, in order, on whatever lane", async () => {
    for (const writersMax of [1, 2]) {
      const store = await open({ writersMax });
      const verdicts = await Promise.all(
        Array.from({ length: 2_500 }, (_, sequence) => store.append(request("a", sequence, { record: "r", outbox: [] }))),
      );
      expect(verdicts.every((verdict) => verdict.isOk())).toBe(true);
      const large = "x".repeat(3 * 1024 * 1024);
      const before = store.statistics().commits;
      await Promise.all(Array.from({ length: 6 }, (_, index) => store.append(request(`large-${index}`, 0, { record: large }))));
      if (writersMax === 1) expect(store.statistics().commits - before).toBe(2);
    }
  });

  test("a write that Postgres refuses is undone alone, whichever way the others go", async () => {
    const store = await open();
    for (const sagaId of ["known", "taken"]) await store.append(request(sagaId, 0));
    const [event] = request("a", 0).outbox;
    if (event === undefined) throw new Error("the request has no event");
    const verdicts = await Promise.all([
      store.append(request("a", 0)),
      store.append(request("b", 0, { outbox: [{ ...event, id: "new" }, event] })),
      store.append(request("taken", 0)),
      store.append(request("known", 1, { outbox: [{ ...event, id: "known/0" }] })),
      store.append(request("c", 0)),
    ]);
    expect(verdicts.map((verdict) => (verdict.isOk() ? "ok" : verdict.error._tag))).toEqual([
      "ok",
      "StoreUnavailable",
      "SequenceConflict",
      "StoreUnavailable",
      "ok",
    ]);
    expect([await recordsOf(store, "b"), await recordsOf(store, "known")]).toEqual([[], recordTexts("known", 1)]);
    expect((await pendingIds(store)).toSorted()).toEqual(["a/0", "c/0", "known/0", "taken/0"]);
  });
});

describe("values", () => {
  const wrong: Readonly<Record<string, Partial<AppendRequest>>> = {
    "a sequence that is no integer": { sequence: 0.5 },
    "a negative sequence": { sequence: -1 },
    "a sequence beyond the column": { sequence: 2 ** 31 },
    "an epoch of 0": { epoch: 0 },
    "an epoch beyond the column": { epoch: 2 ** 31 },
    "an empty saga id": { sagaId: "" },
    "a saga id with a lone surrogate": { sagaId: "\ud800" },
    "a saga id with U+0000": { sagaId: "a\u0000" },
    "a saga id that no index holds": { sagaId: "금".repeat(700) },
    "a name with U+0000": { saga: { name: "\u0000", version: 1 } },
    "a version that is no integer": { saga: { name: "checkout", version: 1.5 } },
    "a wakeAt that is no integer": { status: "waiting", wakeAt: 1.5 },
    "a record with a lone surrogate": { record: "\udc00" },
    "a record with U+0000": { record: "\u0000" },
    "a lock with U+0000": { locks: { held: [], wanted: ["\u0000"] } },
    "a lock that no index holds": { locks: { held: ["x".repeat(2_001)], wanted: [] } },
    "an event with a lone surrogate": { outbox: [{ id: "e", type: "t", source: "s", time: "t", sagaId: "a", data: "\ud800" }] },
    "an event with U+0000": { outbox: [{ id: "e", type: "t", source: "s", time: "t", sagaId: "a", data: "\u0000" }] },
  };

  test("that Postgres would refuse or bend are refused before they queue", async () => {
    const store = await open();
    for (const [name, changes] of Object.entries(wrong)) {
      const [refused, beside] = await Promise.all([
        store.append(request("a", 0, changes)),
        store.append(request(`beside ${name}`, 0, { outbox: [] })),
      ]);
      expect([name, refused._unsafeUnwrapErr()._tag, beside.isOk()]).toEqual([name, "StoreUnavailable", true]);
    }
    expect([await recordsOf(store, "a"), await pendingIds(store)]).toEqual([[], []]);
    for (const sagaId of ["a\u0000", "\ud800", "금".repeat(700)]) {
      expect((await store.load(sagaId))._unsafeUnwrap()).toBeUndefined();
      expect((await store.claim(sagaId))._unsafeUnwrap()).toBeUndefined();
      expect((await store.remove([sagaId]))._unsafeUnwrap()).toEqual({ removed: 0 });
      expect((await store.outbox.published([sagaId])).isOk()).toBe(true);
      expect((await store.workers.release([sagaId])).isOk()).toBe(true);
    }
  });

  test("at the bounds of their columns come back", async () => {
    const store = await open();
    const saga = { name: "", version: Number.MIN_SAFE_INTEGER };
    for (const [sagaId, wakeAt] of [
      ["금".repeat(660), Number.MAX_SAFE_INTEGER],
      ["b", -1],
      ["c", Number.MIN_SAFE_INTEGER],
    ] as const) {
      for (const sequence of [0, 1])
        expect((await store.append(request(sagaId, sequence, { saga, wakeAt, status: "waiting" }))).isOk()).toBe(true);
      expect((await store.load(sagaId))._unsafeUnwrap()?.saga).toEqual(saga);
    }
    expect((await store.due({ until: -1, limit: 9 }))._unsafeUnwrap()).toEqual({ sagaIds: ["c", "b"], next: Number.MAX_SAFE_INTEGER });
  });

  test("are data, whatever SQL they look like", async () => {
    const store = await open();
    const sagaId = "'; DROP TABLE records; -- \\ {} \"";
    const locks = { held: [sagaId], wanted: [] };
    for (const sequence of [0, 1])
      expect((await store.append(request(sagaId, sequence, sequence === 0 ? {} : { locks }))).isOk()).toBe(true);
    expect((await store.lockHolder(sagaId))._unsafeUnwrap()).toBe(sagaId);
    expect((await store.outbox.published(["x'); DELETE FROM outbox; --", '"]', "{}"])).isOk()).toBe(true);
    expect(await recordsOf(store, sagaId)).toEqual(recordTexts(sagaId, 2));
    expect(await pendingIds(store)).toEqual([`${sagaId}/0`]);
  });
});

describe("query plans", () => {
  const schema = "plans";
  const indexes: Readonly<Record<string, readonly [sql: string, indexes: readonly string[]]>> = {
    "the list of all unfinished sagas": [unfinishedSql(schema, [0, 1, 2]), ["sagas_unfinished"]],
    "the list of those that do more than wait": [unfinishedSql(schema, [0, 1]), ["sagas_unfinished"]],
    "the list of those that are due": [dueSql(schema), ["sagas_due"]],
    "the next that is due": [nextDueSql(schema), ["sagas_due"]],
    "the list of those that are wanted": [wantedSql(schema), ["sagas_wanted"]],
    "the list of orphans": [orphansSql(schema), ["sagas_unfinished"]],
    "the list of ended sagas": [endedSql(schema), ["sagas_ended"]],
    "the first in line for a lock": [
      `SELECT saga FROM ${schema}.lock_places WHERE name = 'a' ORDER BY position LIMIT 1`,
      ["lock_places_in_line"],
    ],
    "the end of a journal": [`SELECT max(sequence) FROM ${schema}.records WHERE saga = 5`, ["records_pkey"]],
    "a journal": [readSagasSql(schema).replace("$1", "'{a,b}'"), ["sagas_saga_id_key", "records_pkey"]],
  };
  beforeAll(async () => {
    await (await createPostgresStore({ connectionString: postgres.url(), schema })).close();
  });

  test.each(Object.entries(indexes))("%s reads its index, and never a whole table", async (_what, [sql, expected]) => {
    const literal = sql.replaceAll(/\$\d/g, "5");
    // Of an empty table a scan is cheapest; asked not to, Postgres shows whether it could do without.
    const rows = await postgres.query(`SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN ${literal}`);
    const plan = rows.map((row) => String(row["QUERY PLAN"])).join("\n");
    expect([...new Set(Array.from(plan.matchAll(/using (\w+)/g), ([, index]) => index))].toSorted(byText)).toEqual(expected.toSorted());
    // There are as many workers as stores that are open.
    expect(plan.replaceAll("Seq Scan on workers", "")).not.toContain("Seq Scan");
    // What is sorted at most is a page of unfinished sagas, or what one journal holds.
    expect([...plan.matchAll(/Sort {2}\(/g)].length).toBeLessThanOrEqual(sql.includes("UNION") ? 3 : 1);
  });
});

test("sagas that are loaded at once are read together, each as itself", async () => {
  const store = await open();
  const sagaIds = Array.from({ length: 200 }, (_, index) => `saga-${index % 150}`);
  for (const sagaId of new Set(sagaIds)) await store.append(request(sagaId, 0));
  await store.append(request("saga-7", 1));
  const loaded = await Promise.all([...sagaIds, "nobody"].map((sagaId) => store.load(sagaId)));
  const records = loaded.map((each) => each._unsafeUnwrap()?.records);
  expect(records).toEqual([...sagaIds.map((sagaId) => recordTexts(sagaId, sagaId === "saga-7" ? 2 : 1)), undefined]);
});

test("forgetting leaves no row behind", async () => {
  const schema = postgres.newSchema();
  const store = await open({ schema });
  for (let sequence = 0; sequence < 5; sequence++) await store.append(request("a", sequence, { outbox: [] }));
  await store.append(request("a", 5, { outbox: [], locks: { held: ["order:1"], wanted: ["order:2"] } }));
  await store.append(request("a", 6, { status: "completed", outbox: [] }));
  await store.remove(["a"]);
  await store.workers.renew(60_000);
  await store.close();
  for (const table of ["sagas", "records", "lock_places", "outbox", "workers", "lanes"]) {
    expect([table, await postgres.query(`SELECT count(*)::int AS count FROM ${schema}.${table}`)]).toEqual([table, [{ count: 0 }]]);
  }
});

test("a last record that is missing is noticed once the saga's row was written after it", async () => {
  const schema = postgres.newSchema();
  const store = await open({ schema });
  for (const sagaId of ["ended", "claimed"]) for (const sequence of [0, 1]) await store.append(request(sagaId, sequence));
  await store.append(request("ended", 2, { status: "completed" }));
  expect((await store.claim("claimed")).isOk()).toBe(true);
  await postgres.query(`DELETE FROM ${schema}.records USING ${schema}.sagas WHERE saga = sagas.position AND sequence = length - 1`);
  for (const sagaId of ["ended", "claimed"]) expect((await store.load(sagaId))._unsafeUnwrapErr()._tag).toBe("JournalCorrupt");
});

function byText(one = "", other = ""): number {
  return one < other ? -1 : 1;
}
