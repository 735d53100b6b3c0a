/** The list of sagas that have not ended: what it holds, its order, its pages. */
import type { JournalStore, SagaStatus } from "../journal/journal-store.ts";
import type { CaseGroup } from "./conformance-case.ts";
import { ConformanceFailure, expectEqual, expectOk } from "./expectations.ts";
import { nextTick, request, startSaga } from "./requests.ts";

const PAGES_MAX = 50;

export const unfinishedCases: CaseGroup = {
  "unfinished: an empty store has one empty page": async ({ open }) => {
    const store = await open();
    expectEqual(await pages(store, 10), [[]], "nothing is unfinished, and there is no next page");
  },

  "unfinished: running and parked sagas are listed, ended ones are not": async ({ open }) => {
    const store = await open();
    const statuses: readonly SagaStatus[] = ["running", "parked", "completed", "compensated", "abandoned"];
    for (const status of statuses) expectOk(await store.append(request(status, 0, { status })), "a saga is started");
    expectEqual((await pages(store, 10)).flat().sort(), ["parked", "running"], "only sagas that have not ended are listed");
  },

  "unfinished: a saga leaves the list with the record that ends it": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 1);
    expectOk(await store.append(request("a", 1, { status: "parked" })), "the saga is parked");
    expectEqual(await pages(store, 10), [["a"]], "a parked saga is unfinished");
    await store.append(request("a", 1, { status: "completed" }));
    expectEqual(await pages(store, 10), [["a"]], "a refused append does not end it");
    expectOk(await store.append(request("a", 2, { status: "completed" })), "the saga ends");
    expectEqual(await pages(store, 10), [[]], "an ended saga is not listed");
  },

  "unfinished: sagas that only wait are listed when they are asked for": async ({ open }) => {
    const store = await open();
    const statuses: readonly SagaStatus[] = ["waiting", "running", "completed", "parked"];
    for (const status of statuses) {
      expectOk(await store.append(request(status, 0, { status })), "a saga is started");
      await nextTick(store);
    }
    expectOk(await store.append(request("timed", 0, { status: "waiting", wakeAt: 1 })), "a saga is started");
    expectEqual(await pages(store, 10), [["running", "parked"]], "they are left out, whatever they wait for");
    expectEqual(await pages(store, 10, false), [["running", "parked"]], "also when that is said");
    expectEqual(
      await pages(store, 10, true),
      [["waiting", "running", "parked", "timed"]],
      "they have not ended, and stand in their places",
    );
    expectEqual((await pages(store, 1, true)).flat(), ["waiting", "running", "parked", "timed"], "over pages, too");
  },

  "unfinished: a saga comes and goes as it waits and moves, and keeps its place": async ({ open }) => {
    const store = await open();
    for (const sagaId of ["a", "b", "c"]) {
      await startSaga(store, sagaId, 1);
      await nextTick(store);
    }
    expectOk(await store.append(request("b", 1, { status: "waiting" })), "the saga waits");
    expectEqual(await pages(store, 10), [["a", "c"]], "it waits");
    expectOk(await store.claim("b"), "the saga is claimed");
    expectEqual(await pages(store, 10), [["a", "c"]], "whoever owns it");
    expectOk(await store.append(request("b", 2, { epoch: 2 })), "the saga moves");
    expectEqual(await pages(store, 10), [["a", "b", "c"]], "it runs");
    expectOk(await store.append(request("b", 3, { epoch: 2, status: "waiting" })), "the saga waits again");
    expectOk(await store.append(request("b", 4, { epoch: 2, status: "compensated" })), "the saga ends");
    expectEqual(await pages(store, 10, true), [["a", "c"]], "it has ended, and is not listed at all");
  },

  "unfinished: pages are full though many that wait lie between": async ({ open }) => {
    const store = await open();
    const sagaIds = Array.from({ length: 30 }, (_, index) => `saga-${String(index).padStart(2, "0")}`);
    for (const [index, sagaId] of sagaIds.entries()) {
      expectOk(await store.append(request(sagaId, 0, { status: index % 10 === 9 ? "running" : "waiting" })), "a saga is started");
    }
    expectEqual(await pages(store, 2), [["saga-09", "saga-19"], ["saga-29"]], "a page holds `limit` sagas, not what is left of them");
  },

  "unfinished: oldest first, by time of start": async ({ open }) => {
    const store = await open();
    const sagaIds = ["m", "z", "a", "k", "b"];
    for (const sagaId of sagaIds) {
      await startSaga(store, sagaId, 1);
      await nextTick(store);
    }
    // Moving and claiming an old saga does not make it young.
    expectOk(await store.append(request("m", 1)), "the oldest saga moves");
    expectOk(await store.claim("z"), "the second oldest is claimed");
    expectEqual((await pages(store, 10)).flat(), sagaIds, "sagas are listed in the order they were started");
    expectEqual((await pages(store, 2)).flat(), sagaIds, "and over pages, too");
  },

  "unfinished: pages hold at most `limit`, lose none and repeat none": async ({ open }) => {
    const store = await open();
    const sagaIds = Array.from({ length: 7 }, (_, index) => `saga-${index}`);
    await Promise.all(sagaIds.map((sagaId) => startSaga(store, sagaId, 1)));
    for (const limit of [1, 2, 3, 6, 7, 8]) {
      const found = await pages(store, limit);
      expectEqual(found.flat().sort(), sagaIds, `pages of ${limit} hold every saga once`);
      const sizes = Array.from({ length: Math.ceil(7 / limit) }, (_, page) => Math.min(limit, 7 - page * limit));
      expectEqual(
        found.map((page) => page.length),
        sizes,
        `pages of ${limit} are full but for the last, which has no next`,
      );
    }
  },

  "unfinished: a cursor goes on where it was when sagas end and start meanwhile": async ({ open }) => {
    const store = await open();
    for (const sagaId of ["a", "b", "c", "d"]) {
      await startSaga(store, sagaId, 1);
      await nextTick(store);
    }
    const first = expectOk(await store.unfinished({ limit: 2 }), "the first page can be read");
    for (const sagaId of ["a", "b", "c"]) expectOk(await store.append(request(sagaId, 1, { status: "completed" })), "a saga ends");
    await startSaga(store, "e", 1);
    const second = expectOk(await store.unfinished({ limit: 2, after: first.next }), "the second page can be read");
    expectEqual(
      [first.sagaIds, second.sagaIds],
      [
        ["a", "b"],
        ["d", "e"],
      ],
      "the second page begins behind the first",
    );
  },
};

async function pages(store: JournalStore, limit: number, waiting?: boolean): Promise<readonly (readonly string[])[]> {
  const found: (readonly string[])[] = [];
  for (let after: string | undefined, page = 0; page < PAGES_MAX; page++) {
    const { sagaIds, next } = expectOk(await store.unfinished({ limit, after, waiting }), "unfinished sagas can be listed");
    found.push(sagaIds);
    if (next === undefined) return found;
    after = next;
  }
  throw new ConformanceFailure("paging comes to an end", `at most ${PAGES_MAX} pages`, found.length);
}
