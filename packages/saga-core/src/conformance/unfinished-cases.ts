/** The list of sagas that have not ended: what it holds, its order, its pages. */
import type { JournalStore, SagaStatus } from "../journal/journal-store.ts";
import { hostTimer } from "../primitives/host.ts";
import type { CaseGroup } from "./conformance-case.ts";
import { ConformanceFailure, expectEqual, expectOk } from "./expectations.ts";
import { request, startSaga } from "./requests.ts";

const PAGES_MAX = 50;
const TICK_TRIES_MAX = 100;

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

async function pages(store: JournalStore, limit: number): Promise<readonly (readonly string[])[]> {
  const found: (readonly string[])[] = [];
  for (let after: string | undefined, page = 0; page < PAGES_MAX; page++) {
    const { sagaIds, next } = expectOk(await store.unfinished({ limit, after }), "unfinished sagas can be listed");
    found.push(sagaIds);
    if (next === undefined) return found;
    after = next;
  }
  throw new ConformanceFailure("paging comes to an end", `at most ${PAGES_MAX} pages`, found.length);
}

/** Lets the store's clock move on, so that starts are apart; a clock that stands still leaves them to the order of the calls. */
async function nextTick(store: JournalStore): Promise<void> {
  const before = store.now();
  for (let tries = 0; tries < TICK_TRIES_MAX && store.now() === before; tries++) await hostTimer.sleep(1);
}
