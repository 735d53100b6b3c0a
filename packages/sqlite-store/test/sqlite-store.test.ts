// Goal: what is SQLite's own: shared commits, values that never reach SQL, the index behind each list. Method: real files, counted commits.
import type { AppendRequest } from "@backstep/saga-core/journal";
import { describe, expect, test } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { openDatabase } from "../src/open-database.ts";
import { LIST_ENDED } from "../src/operations/forget-ended.ts";
import { FIND_NEXT, LIST_DUE, LIST_DUE_HERE } from "../src/operations/list-due.ts";
import { LIST_ACTIVE, LIST_WAITING } from "../src/operations/list-unfinished.ts";
import { FIND_FIRST, LEAVE_LOCKS } from "../src/operations/lock-lines.ts";
import { REMOVE_RECORD } from "../src/operations/record-log.ts";
import { LIST_ORPHANS, LIST_WANTED } from "../src/operations/worker-leases.ts";
import { pendingIds, recordsOf, recordTexts, request } from "./requests.ts";
import { temporaryFile } from "./temporary-folder.ts";

describe("group commit", () => {
  test("appends of one turn of the event loop share one commit", async () => {
    const store = createSqliteStore({ path: temporaryFile(), thread: false });
    const verdicts = await Promise.all(Array.from({ length: 500 }, (_, index) => store.append(request(`saga-${index}`, 0))));
    expect(verdicts.every((verdict) => verdict.isOk())).toBe(true);
    expect(store.statistics()).toEqual({ commits: 1, settlements: 0 });
    await store.close();
  });

  test("sagas that wait for their commits gather for the next one", async () => {
    const store = createSqliteStore({ path: temporaryFile(), thread: false });
    const [sagas, records] = [50, 10];
    async function run(sagaId: string): Promise<void> {
      for (let sequence = 0; sequence < records; sequence++) {
        // Sagas get out of step, as network answers do.
        if ((sequence + sagaId.length) % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
        expect((await store.append(request(sagaId, sequence))).isOk()).toBe(true);
      }
    }
    await Promise.all(Array.from({ length: sagas }, (_, index) => run("saga".repeat((index % 3) + 1) + index)));
    expect(store.statistics().commits).toBeLessThan((sagas * records) / 10);
    await store.close();
  });

  test("a batch is bounded; what is over the bound goes with the next, in order", async () => {
    const store = createSqliteStore({ path: temporaryFile(), synchronous: "NORMAL", thread: false });
    const verdicts = await Promise.all(
      Array.from({ length: 2_500 }, (_, sequence) => store.append(request("a", sequence, { record: "r", outbox: [] }))),
    );
    expect(verdicts.every((verdict) => verdict.isOk())).toBe(true);
    expect(store.statistics().commits).toBe(3);
    const large = "x".repeat(3 * 1024 * 1024);
    await Promise.all(Array.from({ length: 6 }, (_, index) => store.append(request(`large-${index}`, 0, { record: large }))));
    expect(store.statistics().commits).toBe(5);
    await store.close();
  });

  test("events count towards the bound of a batch as records do", async () => {
    const store = createSqliteStore({ path: temporaryFile(), synchronous: "NORMAL", thread: false });
    const appends = Array.from({ length: 6 }, (_, index) => {
      const [event] = request(`large-${index}`, 0).outbox;
      return request(`large-${index}`, 0, { outbox: event === undefined ? [] : [{ ...event, data: "x".repeat(3 * 1024 * 1024) }] });
    });
    const verdicts = await Promise.all(appends.map((append) => store.append(append)));
    expect(verdicts.map((verdict) => verdict.isOk())).toEqual(appends.map(() => true));
    expect(store.statistics().commits).toBe(2);
    await store.close();
  });

  test("a write that SQLite refuses is undone alone", async () => {
    const store = createSqliteStore({ path: temporaryFile(), thread: false });
    const [event] = request("a", 0).outbox;
    if (event === undefined) throw new Error("the request has no event");
    const [first, repeated, other] = await Promise.all([
      store.append(request("a", 0)),
      store.append(request("b", 0, { outbox: [{ ...event, id: "new" }, event] })),
      store.append(request("c", 0)),
    ]);
    expect([first?.isOk(), other?.isOk()]).toEqual([true, true]);
    expect(repeated?._unsafeUnwrapErr()).toMatchObject({
      _tag: "StoreUnavailable",
      message: expect.stringContaining("outbox.id") as string,
    });
    expect(await recordsOf(store, "b")).toEqual([]);
    expect(await pendingIds(store)).toEqual(["a/0", "c/0"]);
    await store.close();
  });
});

describe("values", () => {
  const wrong: Readonly<Record<string, Partial<AppendRequest>>> = {
    "a sequence that is no integer": { sequence: 0.5 },
    "a negative sequence": { sequence: -1 },
    "an epoch of 0": { epoch: 0 },
    "an epoch beyond exact integers": { epoch: 2 ** 53 },
    "an empty saga id": { sagaId: "" },
    "a saga id with a lone surrogate": { sagaId: "\ud800" },
    "a version that is no integer": { saga: { name: "checkout", version: 1.5 } },
    "a wakeAt that is no integer": { status: "waiting", wakeAt: 1.5 },
    "a record with a lone surrogate": { record: "\udc00" },
    "an event with a lone surrogate": { outbox: [{ id: "e", type: "t", source: "s", time: "t", sagaId: "a", data: "\ud800" }] },
  };

  test.each(Object.entries(wrong))("%s is refused before it queues", async (_name, changes) => {
    const store = createSqliteStore({ path: temporaryFile(), thread: false });
    const [refused, beside] = await Promise.all([store.append(request("a", 0, changes)), store.append(request("b", 0))]);
    expect(refused._unsafeUnwrapErr()._tag).toBe("StoreUnavailable");
    expect(beside.isOk()).toBe(true);
    expect(await recordsOf(store, "a")).toEqual([]);
    await store.close();
  });

  test("an id is data, whatever SQL it looks like", async () => {
    const store = createSqliteStore({ path: temporaryFile(), thread: false });
    const sagaId = "'; DROP TABLE records; --";
    await store.append(request(sagaId, 0));
    expect((await store.outbox.published(["x'); DELETE FROM outbox; --", '"]'])).isOk()).toBe(true);
    expect(await recordsOf(store, sagaId)).toEqual(recordTexts(sagaId, 1));
    expect(await pendingIds(store)).toEqual([`${sagaId}/0`]);
    await store.close();
  });

  test("text is kept exactly, whatever it holds", async () => {
    const path = temporaryFile();
    const store = createSqliteStore({ path, thread: false });
    const awkward = ["", "\u0000", "a\u0000b", "\ufeff", "\ufffd\uffff", "😀é", "'\"\\\r\n"];
    for (const [index, text] of awkward.entries()) {
      const [event] = request("a", 0).outbox;
      const outbox = event === undefined ? [] : [{ ...event, id: `${index}${text}`, data: text, subject: text }];
      expect((await store.append(request(`s-${index}${text}`, 0, { record: text, outbox }))).isOk()).toBe(true);
    }
    await store.close();
    const reopened = createSqliteStore({ path, thread: false });
    const [events, unfinished] = [await reopened.outbox.pending({ limit: 100 }), await reopened.unfinished({ limit: 100 })];
    expect(events._unsafeUnwrap().map(({ id, data, subject }) => [id, data, subject])).toEqual(
      awkward.map((text, index) => [`${index}${text}`, text, text]),
    );
    expect(unfinished._unsafeUnwrap().sagaIds).toEqual(awkward.map((text, index) => `s-${index}${text}`));
    for (const [index, text] of awkward.entries()) expect(await recordsOf(reopened, `s-${index}${text}`)).toEqual([text]);
    await reopened.outbox.published(awkward.map((text, index) => `${index}${text}`));
    expect(await pendingIds(reopened)).toEqual([]);
    await reopened.close();
  });

  test("the clock is the one that was given", async () => {
    const store = createSqliteStore({ path: temporaryFile(), now: () => 1_234 });
    expect(store.now()).toBe(1_234);
    await store.close();
  });
});

describe("query plans", () => {
  const indexes: Readonly<Record<string, { readonly sql: string; readonly index: string }>> = {
    "the list of those that do more than wait": { sql: LIST_ACTIVE, index: "sagas_active" },
    "the list of those that wait": { sql: LIST_WAITING, index: "sagas_waiting" },
    "the list of those that are due": { sql: LIST_DUE, index: "sagas_due" },
    "the next that is due": { sql: FIND_NEXT, index: "sagas_due" },
    "the list of ended sagas": { sql: LIST_ENDED, index: "sagas_ended" },
    "leaving the lines for locks": { sql: LEAVE_LOCKS, index: "lock_places_of_saga" },
    "the first in line for a lock": { sql: FIND_FIRST, index: "lock_places_in_line" },
    "forgetting a record": { sql: REMOVE_RECORD, index: "USING INTEGER PRIMARY KEY" },
  };

  test.each(Object.entries(indexes))("%s reads its index, sorts nothing, and never the table of all sagas", (_what, { sql, index }) => {
    const database = openDatabase({ path: temporaryFile(), synchronous: "NORMAL", busyTimeoutMs: 0 });
    const placeholders = Array.from(sql.matchAll(/\?/g), () => 1);
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...placeholders);
    expect(plan.map(({ detail }) => detail)).toEqual([expect.stringContaining(index)]);
    database.close();
  });
});

describe("query plans of a file that workers share", () => {
  const indexes: Readonly<Record<string, { readonly sql: string; readonly index: string }>> = {
    "the list of those that are due here": { sql: LIST_DUE_HERE, index: "sagas_due" },
    "the list of orphans": { sql: LIST_ORPHANS, index: "sagas_active" },
    "the list of those that are wanted": { sql: LIST_WANTED, index: "sagas_wanted" },
  };

  test.each(Object.entries(indexes))("%s reads its index, sorts nothing, and never the table of all sagas", (_what, { sql, index }) => {
    const database = openDatabase({ path: temporaryFile(), synchronous: "NORMAL", busyTimeoutMs: 0 });
    const placeholders = Array.from(sql.matchAll(/\?/g), () => 1);
    const plan = database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...placeholders)
      .map(({ detail }) => String(detail));
    expect(plan[0]).toContain(index);
    expect(plan.filter((detail) => detail.includes("SCAN sagas") && !detail.includes("USING INDEX"))).toEqual([]);
    expect(plan.filter((detail) => detail.includes("ORDER BY"))).toEqual([]);
    database.close();
  });
});

describe("forgetting", () => {
  test("ids that JSON or a C string would bend are compared whole", async () => {
    const store = createSqliteStore({ path: temporaryFile(), synchronous: "NORMAL", thread: false });
    for (const sagaId of ["a", "a\u0000b"]) await store.append(request(sagaId, 0, { status: "completed" }));
    expect((await store.remove(["a\u0000", "a\u0000c", '["a"]']))._unsafeUnwrap()).toEqual({ removed: 0 });
    expect((await store.remove(["a\u0000b"]))._unsafeUnwrap()).toEqual({ removed: 1 });
    expect(await recordsOf(store, "a")).toHaveLength(1);
    await store.close();
  });

  test("leaves no row behind", async () => {
    const path = temporaryFile();
    const store = createSqliteStore({ path, synchronous: "NORMAL", thread: false });
    for (let sequence = 0; sequence < 5; sequence++) await store.append(request("a", sequence, { outbox: [] }));
    await store.append(request("a", 5, { outbox: [], locks: { held: ["order:1"], wanted: ["order:2"] } }));
    await store.append(request("a", 6, { status: "completed", outbox: [] }));
    await store.remove(["a"]);
    await store.close();
    const database = openDatabase({ path, synchronous: "NORMAL", busyTimeoutMs: 0 });
    const counts = ["sagas", "records", "lock_places", "outbox"].map((table) =>
      database.prepare(`SELECT count(*) AS count FROM ${table}`).get(),
    );
    expect(counts).toEqual([{ count: 0 }, { count: 0 }, { count: 0 }, { count: 0 }]);
    database.close();
  });
});
