// Goal: a lock that another connection holds is waited for, off the thread and not for ever. Method: a second real connection that holds it.
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { pendingIds, recordsOf, recordTexts, request } from "./requests.ts";
import { temporaryFile } from "./temporary-folder.ts";

function lock(path: string): { release(): void } {
  const database = new DatabaseSync(path);
  database.exec("BEGIN IMMEDIATE");
  return {
    release() {
      database.exec("ROLLBACK");
      database.close();
    },
  };
}

test("a write waits for the lock without holding up the event loop", async () => {
  const path = temporaryFile();
  const store = createSqliteStore({ path, busyTimeoutMs: 20_000, thread: false });
  const held = lock(path);
  const writes = [store.append(request("a", 0)), store.append(request("a", 1))];
  // Were the thread held, this timer could not release the lock, and the writes would fail.
  setTimeout(() => held.release(), 50);
  expect((await Promise.all(writes)).map((verdict) => verdict.isOk())).toEqual([true, true]);
  expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 2));
  await store.close();
});

test("reads do not wait for a writer", async () => {
  const path = temporaryFile();
  const store = createSqliteStore({ path, busyTimeoutMs: 0, thread: false });
  await store.append(request("a", 0));
  const held = lock(path);
  expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 1));
  expect((await store.unfinished({ limit: 10 }))._unsafeUnwrap().sagaIds).toEqual(["a"]);
  expect(await pendingIds(store)).toEqual(["a/0"]);
  held.release();
  await store.close();
});

test("a write whose wait is over is refused and never happens, and the next one is tried anew", async () => {
  const path = temporaryFile();
  const store = createSqliteStore({ path, busyTimeoutMs: 30, thread: false });
  await store.append(request("a", 0));
  const held = lock(path);
  const refused = await Promise.all([store.append(request("a", 1)), store.claim("a"), store.outbox.published(["a/0"])]);
  for (const verdict of refused) {
    expect(verdict._unsafeUnwrapErr()).toMatchObject({ _tag: "StoreUnavailable", message: expect.stringContaining("locked") as string });
  }
  held.release();
  expect((await store.append(request("a", 1, { record: "later" }))).isOk()).toBe(true);
  const journal = (await store.load("a"))._unsafeUnwrap();
  expect(journal).toMatchObject({ epoch: 1, records: [recordTexts("a", 1)[0], "later"] });
  expect(await pendingIds(store)).toEqual(["a/0"]);
  await store.close();
});

test("close waits for writes that wait for the lock", async () => {
  const path = temporaryFile();
  const store = createSqliteStore({ path, busyTimeoutMs: 20_000, thread: false });
  const held = lock(path);
  const appended = store.append(request("a", 0));
  const closed = store.close();
  setTimeout(() => held.release(), 20);
  expect((await appended).isOk()).toBe(true);
  await closed;
});
