// Goal: a COMMIT that fails is settled by what stands in the file, never by guessing. Method: real SQLite, with COMMITs that fail to order.
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { openDatabase } from "../src/open-database.ts";
import { type SqliteStore, storeOn } from "../src/store-on.ts";
import { CommitFailed, faultyDatabase, type OnCommit } from "./faulty-database.ts";
import { pendingIds, recordsOf, recordTexts, request } from "./requests.ts";
import { temporaryFile } from "./temporary-folder.ts";

const BUSY_TIMEOUT_MS = 200;

function openFaulty(path: string, onCommit: OnCommit): SqliteStore {
  const database = openDatabase({ path, synchronous: "NORMAL", busyTimeoutMs: BUSY_TIMEOUT_MS });
  return storeOn(faultyDatabase(database, onCommit), { busyTimeoutMs: BUSY_TIMEOUT_MS, now: Date.now });
}

/** Fails the given COMMIT before it takes effect. */
function lostBefore(failing: number): OnCommit {
  return (commit, count) => {
    if (count === failing) throw new CommitFailed("the log cannot be written");
    commit();
  };
}

/** Lets the given COMMIT take effect and loses its answer. */
function lostAfter(failing: number): OnCommit {
  return (commit, count) => {
    commit();
    if (count === failing) throw new CommitFailed("the answer is lost");
  };
}

/** Fails the first COMMIT and every attempt to settle it, until it is released. */
function lostUntilReleased(): { readonly onCommit: OnCommit; release(): void } {
  let released = false;
  return {
    onCommit(commit) {
      if (!released) throw new CommitFailed("the log cannot be written");
      commit();
    },
    release() {
      released = true;
    },
  };
}

test("an append whose COMMIT took effect is accepted although its answer was lost", async () => {
  const path = temporaryFile();
  const store = openFaulty(path, lostAfter(1));
  const verdicts = await Promise.all([store.append(request("a", 0)), store.append(request("a", 1)), store.append(request("b", 0))]);
  expect(verdicts.map((verdict) => verdict.isOk())).toEqual([true, true, true]);
  expect(store.statistics()).toEqual({ commits: 0, settlements: 1 });
  expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 2));
  expect(await pendingIds(store)).toEqual(["a/0", "b/0"]);
  await store.close();
});

test("an append whose COMMIT did not take effect is refused, leaves nothing, and can be made again", async () => {
  const path = temporaryFile();
  const store = openFaulty(path, lostBefore(1));
  const verdicts = await Promise.all([store.append(request("a", 0)), store.append(request("b", 0))]);
  expect(verdicts.map((verdict) => verdict._unsafeUnwrapErr())).toMatchObject([
    { _tag: "StoreUnavailable", message: expect.stringContaining("the log cannot be written") as string },
    { _tag: "StoreUnavailable" },
  ]);
  expect(await recordsOf(store, "a")).toEqual([]);
  expect(await pendingIds(store)).toEqual([]);
  expect((await store.append(request("a", 0))).isOk()).toBe(true);
  await store.close();
  const reopened = createSqliteStore({ path, thread: false });
  expect(await recordsOf(reopened, "a")).toEqual(recordTexts("a", 1));
  expect(await recordsOf(reopened, "b")).toEqual([]);
  await reopened.close();
});

test("settling commits a write of its own, so that the log cannot bring the failed one back", async () => {
  const path = temporaryFile();
  const committed: number[] = [];
  const store = openFaulty(path, (commit, count) => {
    if (count === 1) throw new CommitFailed("the log cannot be written");
    commit();
    committed.push(count);
  });
  await store.append(request("a", 0));
  expect(committed).toEqual([2]);
  expect(store.statistics().settlements).toBe(1);
  await store.close();
  const database = new DatabaseSync(path);
  expect(database.prepare("SELECT count FROM settlements").get()).toEqual({ count: 1 });
  database.close();
});

test("nobody reads what a failed COMMIT left in the air", async () => {
  const path = temporaryFile();
  let seen: Promise<readonly string[]> | undefined;
  const store = openFaulty(path, (commit, count) => {
    if (count > 1) return commit();
    // Runs as soon as the batch gives up the thread, before it is settled.
    queueMicrotask(() => {
      seen = recordsOf(store, "a");
    });
    throw new CommitFailed("the log cannot be written");
  });
  expect((await store.append(request("a", 0))).isOk()).toBe(false);
  expect(await seen).toEqual([]);
  await store.close();
});

test("no verdict is given while it cannot be found out, and later appends wait their turn", async () => {
  const path = temporaryFile();
  const fault = lostUntilReleased();
  const store = openFaulty(path, fault.onCommit);
  const settled: string[] = [];
  const first = store.append(request("a", 0)).then((verdict) => settled.push(`first ${verdict.isOk()}`));
  await new Promise((resolve) => setImmediate(resolve));
  const second = store.append(request("a", 0)).then((verdict) => settled.push(`second ${verdict.isOk()}`));
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(settled).toEqual([]);
  fault.release();
  await Promise.all([first, second]);
  expect(settled).toEqual(["first false", "second true"]);
  await store.close();
});

test("equal bytes that a rival wrote meanwhile are no evidence", async () => {
  const path = temporaryFile();
  const fault = lostUntilReleased();
  const store = openFaulty(path, fault.onCommit);
  const rival = createSqliteStore({ path, thread: false });
  const appended = store.append(request("a", 0));
  await new Promise((resolve) => setImmediate(resolve));
  expect((await rival.append(request("a", 0))).isOk()).toBe(true);
  fault.release();
  expect((await appended).isOk()).toBe(false);
  expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 1));
  await Promise.all([store.close(), rival.close()]);
});

test("a claim whose answer was lost is accepted only if the epoch is this store's", async () => {
  const path = temporaryFile();
  const rival = createSqliteStore({ path, thread: false });
  await rival.append(request("a", 0));

  const lucky = openFaulty(path, lostAfter(1));
  expect((await lucky.claim("a"))._unsafeUnwrap()?.epoch).toBe(2);
  await lucky.close();

  const fault = lostUntilReleased();
  const unlucky = openFaulty(path, fault.onCommit);
  const claimed = unlucky.claim("a");
  await new Promise((resolve) => setImmediate(resolve));
  // The epoch that the failed claim would have had.
  expect((await rival.claim("a"))._unsafeUnwrap()?.epoch).toBe(3);
  fault.release();
  expect((await claimed)._unsafeUnwrapErr()._tag).toBe("StoreUnavailable");
  expect((await rival.append(request("a", 1, { epoch: 3 }))).isOk()).toBe(true);
  await Promise.all([unlucky.close(), rival.close()]);
});

describe("a record that moves a line", () => {
  const wants = (sagaId: string) => request(sagaId, 0, { locks: { held: [], wanted: ["order:1"] } });
  const lineOf = async (store: SqliteStore) => {
    const due = await store.due({ until: Date.now(), limit: 10 });
    return [(await store.lockHolder("order:1"))._unsafeUnwrap(), due._unsafeUnwrap().sagaIds];
  };

  test("and whose COMMIT took effect moved it once, although its answer was lost", async () => {
    const store = openFaulty(temporaryFile(), lostAfter(2));
    await Promise.all([store.append(wants("a")), store.append(wants("b"))]);
    expect((await store.append(request("a", 1, { status: "completed" }))).isOk()).toBe(true);
    expect(await lineOf(store)).toEqual(["b", ["b"]]);
    expect((await store.append(request("b", 1, { locks: { held: ["order:1"], wanted: [] } }))).isOk()).toBe(true);
    expect(await lineOf(store)).toEqual(["b", []]);
    await store.close();
  });

  test("and whose COMMIT did not take effect moved nothing, and made nobody due", async () => {
    const store = openFaulty(temporaryFile(), lostBefore(2));
    await Promise.all([store.append(wants("a")), store.append(wants("b"))]);
    expect((await store.append(request("a", 1, { status: "completed" }))).isOk()).toBe(false);
    expect(await lineOf(store)).toEqual(["a", ["a"]]);
    expect((await store.ended({ before: Number.MAX_SAFE_INTEGER, limit: 10 }))._unsafeUnwrap()).toEqual({ sagaIds: [] });
    await store.close();
  });

  test("and that a rival overtook while it was in doubt moved nothing, either", async () => {
    const path = temporaryFile();
    const rival = createSqliteStore({ path, thread: false });
    await Promise.all([rival.append(wants("a")), rival.append(wants("b"))]);
    const fault = lostUntilReleased();
    const store = openFaulty(path, fault.onCommit);
    const ending = store.append(request("a", 1, { status: "completed" }));
    await new Promise((resolve) => setImmediate(resolve));
    expect((await rival.append(request("a", 1, { locks: { held: ["order:1"], wanted: [] } }))).isOk()).toBe(true);
    fault.release();
    expect((await ending)._unsafeUnwrapErr()._tag).toBe("StoreUnavailable");
    expect(await lineOf(rival)).toEqual(["a", []]);
    await Promise.all([store.close(), rival.close()]);
  });
});

test("a removal whose answer was lost counts what is gone, and is refused when nothing is", async () => {
  const path = temporaryFile();
  const store = openFaulty(path, (commit, count) => {
    if (count === 2) throw new CommitFailed("the log cannot be written");
    commit();
    if (count === 4) throw new CommitFailed("the answer is lost");
  });
  await Promise.all([store.append(request("a", 0, { status: "completed" })), store.append(request("b", 0))]);
  expect((await store.remove(["a", "b"]))._unsafeUnwrapErr()._tag).toBe("StoreUnavailable");
  expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 1));
  expect((await store.remove(["a", "b"]))._unsafeUnwrap()).toEqual({ removed: 1 });
  expect(store.statistics().settlements).toBe(2);
  expect(await recordsOf(store, "a")).toEqual([]);
  expect(await recordsOf(store, "b")).toEqual(recordTexts("b", 1));
  await store.close();
});

test("what was refused in a batch in doubt stays refused, what landed is accepted", async () => {
  const path = temporaryFile();
  const store = openFaulty(path, lostAfter(2));
  await store.append(request("a", 0));
  const [conflict, next, unknown] = await Promise.all([
    store.append(request("a", 0)),
    store.append(request("a", 1)),
    store.claim("nobody"),
  ]);
  expect(conflict.isErr()).toBe(true);
  expect(next.isOk()).toBe(true);
  expect(unknown._unsafeUnwrap()).toBeUndefined();
  await store.close();
});

test("close gives up a batch that cannot be settled: no verdict, and the file says what happened", async () => {
  const path = temporaryFile();
  const store = openFaulty(path, lostUntilReleased().onCommit);
  let answered = false;
  void store.append(request("a", 0)).then(() => {
    answered = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  await store.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect(answered).toBe(false);
  const reopened = createSqliteStore({ path, thread: false });
  expect(await recordsOf(reopened, "a")).toEqual([]);
  await reopened.close();
});

test("a full disk refuses what does not fit, and the store goes on when there is room", async () => {
  const path = temporaryFile();
  const database = openDatabase({ path, synchronous: "NORMAL", busyTimeoutMs: BUSY_TIMEOUT_MS });
  const store = storeOn(database, { busyTimeoutMs: BUSY_TIMEOUT_MS, now: Date.now });
  await store.append(request("a", 0));
  database.exec("PRAGMA max_page_count = 1"); // SQLite takes the present size where that is larger.
  const large = await store.append(request("a", 1, { record: "x".repeat(100_000) }));
  expect(large._unsafeUnwrapErr()).toMatchObject({ _tag: "StoreUnavailable", message: expect.stringContaining("full") as string });
  expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 1));
  database.exec("PRAGMA max_page_count = 100000");
  expect((await store.append(request("a", 1))).isOk()).toBe(true);
  await store.close();
});
