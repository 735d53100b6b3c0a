/** Retention: which sagas ended before a time, and that forgetting takes those that were named and have ended, whole, and nothing else. */
import type { JournalStore } from "../journal/journal-store.ts";
import type { CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectErr, expectOk } from "./expectations.ts";
import {
  end,
  event,
  hold,
  holder,
  loaded,
  loadedRecords,
  nextTick,
  pendingIds,
  recordTexts,
  request,
  startSaga,
  want,
} from "./requests.ts";

/** Later than any end of a case. */
const EVER = Number.MAX_SAFE_INTEGER;

export const retentionCases: CaseGroup = {
  "ended: every way to end counts, and no saga that goes on": async ({ open }) => {
    const store = await open();
    for (const status of ["running", "parked", "waiting", "completed", "compensated", "abandoned"] as const) {
      expectOk(await store.append(request(status, 0, { status })), "a saga is started");
    }
    const found = await ended(store, EVER);
    expectEqual(found.toSorted(), ["abandoned", "compensated", "completed"], "only sagas that have ended are listed");
  },

  "ended: before is before the saga's last append, not its first": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a");
    await nextTick(store);
    const earliest = store.now();
    await end(store, "a", 1);
    const latest = store.now();
    expectEqual(await ended(store, earliest), [], "it had not ended by then");
    expectEqual(await ended(store, latest + 1), ["a"], "it has by now");
  },

  "ended: the one that ended first comes first, at most `limit`": async ({ open }) => {
    const store = await open();
    const sagaIds = ["m", "z", "a", "k", "b"];
    for (const sagaId of sagaIds.toSorted()) await startSaga(store, sagaId);
    const times = new Set<number>();
    for (const sagaId of sagaIds) {
      await nextTick(store);
      await end(store, sagaId, 1);
      times.add(store.now());
    }
    expectEqual((await ended(store, EVER)).toSorted(), sagaIds.toSorted(), "each of them once");
    expectEqual((await ended(store, EVER, 2)).length, 2, "`limit` is a limit");
    // A clock that stands still tells no order.
    if (times.size < sagaIds.length) return;
    expectEqual(await ended(store, EVER), sagaIds, "in order of their ends, not of their starts or ids");
    expectEqual(await ended(store, EVER, 2), sagaIds.slice(0, 2), "`limit` takes those that ended first");
  },

  "ended: claiming and reading an ended saga does not make it younger": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a");
    await end(store, "a", 1);
    const latest = store.now();
    await nextTick(store);
    expectOk(await store.claim("a"), "an ended saga can be claimed");
    await loaded(store, "a");
    expectEqual(await ended(store, latest + 1), ["a"], "only an append counts");
  },

  "remove: an ended saga is gone with all its records": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 3);
    await startSaga(store, "b", 2);
    await end(store, "a", 3);
    await end(store, "b", 2);
    expectEqual(await remove(store, "a"), 1, "one was removed");
    expectEqual(await loaded(store, "a"), undefined, "it is as if it had never been");
    expectEqual(expectOk(await store.claim("a"), "claiming it is no error"), undefined, "there is nothing to claim");
    expectEqual(await ended(store, EVER), ["b"], "it is not listed");
    expectEqual((await loadedRecords(store, "b"))?.length, 3, "another one is untouched");
  },

  "remove: an unfinished saga is never removed, however it is asked": async ({ open }) => {
    const store = await open();
    const sagaIds = ["running", "parked", "waiting"] as const;
    for (const status of sagaIds) expectOk(await store.append(request(status, 0, { status, wakeAt: 5 })), "a saga is started");
    await startSaga(store, "ended");
    await end(store, "ended", 1);
    expectEqual(await remove(store, "running", "ended", "parked", "waiting"), 1, "only the ended one counts");
    for (const sagaId of sagaIds) expectEqual(await loadedRecords(store, sagaId), recordTexts(sagaId, 1), `a ${sagaId} saga stands`);
    const unfinished = expectOk(await store.unfinished({ limit: 10, waiting: true }), "unfinished sagas can be listed");
    expectEqual(unfinished.sagaIds.toSorted(), sagaIds.toSorted(), "and is known to be unfinished");
  },

  "remove: unknown ids are ignored, and each saga counts once": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a");
    await startSaga(store, "it's");
    await end(store, "a", 1);
    await end(store, "it's", 1);
    expectEqual(await remove(store), 0, "nothing may be removed");
    expectEqual(await remove(store, "nobody", "A", "a ", "'a' OR 1=1"), 0, "ids are compared exactly");
    expectEqual(await remove(store, "it's", "nobody", "it's"), 1, "named twice, removed once");
    expectEqual(await ended(store, EVER), ["a"], "what was not named stays");
    expectEqual(await remove(store, "a", "it's"), 1, "what is gone already is unknown");
  },

  "remove: events that were committed stay until they are published": async ({ open }) => {
    const store = await open();
    expectOk(
      await store.append(request("a", 0, { status: "completed", outbox: [event("a", 0), event("a", 1)] })),
      "a saga ends with events",
    );
    expectEqual(await remove(store, "a"), 1, "it is removed");
    expectEqual(await pendingIds(store), [event("a", 0).id, event("a", 1).id], "a promise to publish outlives its saga");
    expectOk(await store.outbox.published([event("a", 0).id]), "an event is published");
    expectEqual(await pendingIds(store), [event("a", 1).id], "as ever");
  },

  "remove: the id is free for a new saga, and closed to the former owner": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 2);
    expectOk(await store.claim("a"), "the saga is claimed");
    expectOk(await store.append(request("a", 2, { epoch: 2, status: "completed" })), "the saga ends");
    expectEqual(await remove(store, "a"), 1, "it is removed");
    for (const [sequence, epoch] of [
      [3, 2],
      [0, 2],
      [2, 1],
    ] as const) {
      const refused = await store.append(request("a", sequence, { epoch }));
      expectEqual(refused.isErr(), true, `record ${sequence} under epoch ${epoch} belongs to the saga that was`);
    }
    await startSaga(store, "a", 1);
    const journal = await loaded(store, "a");
    expectEqual([journal?.epoch, journal?.records], [1, recordTexts("a", 1)], "a new saga begins anew");
    expectEqual([await ended(store, EVER), await remove(store, "a")], [[], 0], "and has not ended");
  },

  "remove: a cursor over unfinished sagas goes on where it was": async ({ open }) => {
    const store = await open();
    for (const sagaId of ["a", "b", "c"]) {
      await startSaga(store, sagaId);
      await nextTick(store);
    }
    const first = expectOk(await store.unfinished({ limit: 2 }), "the first page can be read");
    for (const sagaId of ["b", "c"]) await end(store, sagaId, 1);
    expectEqual(await remove(store, "c", "b"), 2, "the youngest are removed");
    for (const sagaId of ["d", "e"]) {
      await nextTick(store);
      await startSaga(store, sagaId);
    }
    const second = expectOk(await store.unfinished({ limit: 2, after: first.next }), "the second page can be read");
    expectEqual(
      [first.sagaIds, second.sagaIds],
      [
        ["a", "b"],
        ["d", "e"],
      ],
      "a place that was given is not given again",
    );
  },

  "remove: of two that remove one saga, one does": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    const sagaIds = Array.from({ length: 8 }, (_, index) => `saga-${index}`);
    for (const sagaId of sagaIds) {
      await startSaga(left, sagaId);
      await end(left, sagaId, 1);
    }
    const removed = await Promise.all([remove(left, ...sagaIds), remove(right, ...sagaIds.toReversed())]);
    expectEqual(removed[0] + removed[1], sagaIds.length, "each saga counts once");
    expectEqual(await ended(left, EVER), [], "and all are gone");
  },

  "remove: takes nobody out of a line": async ({ open }) => {
    const store = await open();
    await hold(store, "a", 0, "one");
    await hold(store, "b", 0, "two");
    await want(store, "c", 0, "one", "two");
    await end(store, "a", 1);
    expectEqual(await remove(store, "a", "b", "c"), 1, "the ended one is removed");
    expectEqual([await holder(store, "one"), await holder(store, "two")], ["c", "b"], "its lock went with its end; the others go on");
    await hold(store, "a", 0, "three");
    await end(store, "b", 1);
    expectEqual(
      [await holder(store, "two"), await holder(store, "three")],
      ["c", "a"],
      "a new saga of its id has what it takes, and no more",
    );
  },

  "reopen: what ended is still known to have ended, what was removed does not come back": async ({ open }) => {
    const first = await open();
    for (const sagaId of ["a", "b", "c"]) await startSaga(first, sagaId);
    for (const sagaId of ["a", "b"]) {
      await end(first, sagaId, 1);
      await nextTick(first);
    }
    expectEqual(await remove(first, "a"), 1, "one was removed");
    await first.close();
    const second = await open();
    expectEqual(await ended(second, EVER), ["b"], "the other one's end is remembered");
    expectEqual(await loaded(second, "a"), undefined, "the removed one is gone for good");
    expectErr(await second.append(request("a", 2)), { _tag: "SequenceConflict", sequence: 0 }, "nothing follows its records");
  },
};

async function ended(store: JournalStore, before: number, limit = 100): Promise<readonly string[]> {
  return expectOk(await store.ended({ before, limit }), "ended sagas can be listed").sagaIds;
}

async function remove(store: JournalStore, ...sagaIds: readonly string[]): Promise<number> {
  return expectOk(await store.remove(sagaIds), "ended sagas can be removed").removed;
}
