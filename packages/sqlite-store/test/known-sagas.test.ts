// Goal: what a connection remembers of a saga is a hint: whoever else writes to the file is not overwritten by it. Method: two connections that write by turns, and a memory that is too small.
import { describe, expect, test } from "vitest";
import { createKnownSagas, type KnownSaga } from "../src/known-sagas.ts";
import { openDatabase } from "../src/open-database.ts";
import { type SqliteStore, storeOn } from "../src/store-on.ts";
import { CommitFailed, faultyDatabase } from "./faulty-database.ts";
import { recordsOf, recordTexts, request } from "./requests.ts";
import { temporaryFile } from "./temporary-folder.ts";

function open(path: string, onCommit = (commit: () => void, _count: number): void => commit()): SqliteStore {
  const database = openDatabase({ path, synchronous: "NORMAL", busyTimeoutMs: 0 });
  return storeOn(faultyDatabase(database, onCommit), { busyTimeoutMs: 0, now: Date.now });
}

async function twoStores(): Promise<readonly [SqliteStore, SqliteStore]> {
  const path = temporaryFile();
  const stores = [open(path), open(path)] as const;
  await stores[0].append(request("a", 0));
  return stores;
}

const closeAll = (stores: readonly SqliteStore[]): Promise<unknown> => Promise.all(stores.map((store) => store.close()));

describe("after another connection", () => {
  test("appended, the same place is a conflict, and the next one is taken", async () => {
    const [mine, rival] = await twoStores();
    expect((await rival.append(request("a", 1))).isOk()).toBe(true);
    expect((await mine.append(request("a", 1)))._unsafeUnwrapErr()).toEqual({ _tag: "SequenceConflict", sagaId: "a", sequence: 2 });
    expect((await mine.append(request("a", 2))).isOk()).toBe(true);
    expect(await recordsOf(mine, "a")).toEqual(recordTexts("a", 3));
    await closeAll([mine, rival]);
  });

  test("claimed, the former epoch is stale", async () => {
    const [mine, rival] = await twoStores();
    expect((await rival.claim("a"))._unsafeUnwrap()?.epoch).toBe(2);
    expect((await mine.append(request("a", 1)))._unsafeUnwrapErr()).toEqual({ _tag: "StaleEpoch", sagaId: "a", epoch: 2 });
    await closeAll([mine, rival]);
  });

  test("made it due by giving up a lock, a record that says otherwise is what counts", async () => {
    const [mine, rival] = await twoStores();
    await rival.append(request("h", 0, { locks: { held: ["order:1"], wanted: [] } }));
    await mine.append(request("a", 1, { status: "waiting", locks: { held: [], wanted: ["order:1"] } }));
    await rival.append(request("h", 1, { status: "completed" }));
    expect((await mine.due({ until: Date.now(), limit: 10 }))._unsafeUnwrap().sagaIds).toEqual(["a"]);
    expect((await mine.append(request("a", 2, { status: "waiting" }))).isOk()).toBe(true);
    expect((await mine.due({ until: Date.now(), limit: 10 }))._unsafeUnwrap()).toEqual({ sagaIds: [] });
    await closeAll([mine, rival]);
  });

  test("put it in line for a lock, its end still takes it out", async () => {
    const [mine, rival] = await twoStores();
    await rival.append(request("a", 1, { locks: { held: ["order:1"], wanted: [] } }));
    expect((await mine.append(request("a", 2, { status: "completed" }))).isOk()).toBe(true);
    expect((await mine.lockHolder("order:1"))._unsafeUnwrap()).toBeUndefined();
    await closeAll([mine, rival]);
  });

  test("ended, forgot and began it anew, no record of the old one is written to the new", async () => {
    const [mine, rival] = await twoStores();
    await rival.append(request("a", 1, { status: "completed" }));
    expect((await rival.remove(["a"]))._unsafeUnwrap()).toEqual({ removed: 1 });
    await rival.append(request("a", 0, { outbox: [], record: "anew" }));
    expect((await mine.append(request("a", 0)))._unsafeUnwrapErr()).toEqual({ _tag: "SequenceConflict", sagaId: "a", sequence: 1 });
    expect((await mine.append(request("a", 1))).isOk()).toBe(true);
    expect(await recordsOf(rival, "a")).toEqual(["anew", recordTexts("a", 2)[1]]);
    await closeAll([mine, rival]);
  });
});

test("what a COMMIT that failed would have written is not remembered", async () => {
  const path = temporaryFile();
  const store = open(path, (commit, count) => {
    if (count === 1) throw new CommitFailed("the log cannot be written");
    commit();
  });
  // Both come to have the place of the first saga, and its record the first place of the log.
  await store.append(request("a", 0, { outbox: [] }));
  await store.append(request("b", 0, { outbox: [] }));
  expect((await store.append(request("a", 1)))._unsafeUnwrapErr()).toEqual({ _tag: "SequenceConflict", sagaId: "a", sequence: 0 });
  expect((await store.append(request("b", 1, { outbox: [] }))).isOk()).toBe(true);
  expect([await recordsOf(store, "a"), await recordsOf(store, "b")]).toEqual([[], recordTexts("b", 2)]);
  await store.close();
});

test("a write that SQLite refuses leaves nothing remembered of what ran before it in the same transaction", async () => {
  const store = open(temporaryFile());
  const [event] = request("a", 0).outbox;
  const outbox = event === undefined ? [] : [event, event];
  const [first, refused, next] = await Promise.all([
    store.append(request("a", 0)),
    store.append(request("b", 0, { outbox })),
    store.append(request("a", 1)),
  ]);
  expect([first.isOk(), refused.isOk(), next.isOk()]).toEqual([true, false, true]);
  expect((await store.append(request("b", 0, { outbox: [] }))).isOk()).toBe(true);
  expect([await recordsOf(store, "a"), await recordsOf(store, "b")]).toEqual([recordTexts("a", 2), recordTexts("b", 1)]);
  await store.close();
});

describe("the memory", () => {
  const sagaAt = (position: number): KnownSaga => ({
    position,
    status: "running",
    wakeAt: undefined,
    epoch: 1,
    nextSequence: 1,
    driver: undefined,
    lastRecord: position,
    idChecksum: 0,
    mayHavePlaces: false,
  });

  test("is bounded, and keeps those that are asked for", () => {
    const sagas = createKnownSagas(10);
    for (let position = 0; position < 1_000; position++) {
      sagas.keep(`s-${position}`, sagaAt(position));
      expect(sagas.find("s-0")?.position).toBe(0);
    }
    const found = Array.from({ length: 1_000 }, (_, position) => sagas.find(`s-${position}`)).filter((saga) => saga !== undefined);
    expect(found.length).toBeLessThanOrEqual(20);
  });

  test("forgets one, and all", () => {
    const sagas = createKnownSagas(1);
    for (const id of ["a", "b"]) sagas.keep(id, sagaAt(1));
    sagas.drop("a");
    expect([sagas.find("a"), sagas.find("b")?.position]).toEqual([undefined, 1]);
    sagas.clear();
    expect(sagas.find("b")).toBeUndefined();
  });
});
