/** Sagas that time moves: which are due, in which order, when the next one is, and that nothing but an append changes it. */
import type { DueSagas, JournalStore, SagaStatus } from "../journal/journal-store.ts";
import type { CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectErr, expectOk } from "./expectations.ts";
import { event, request } from "./requests.ts";

/** Epoch milliseconds, far from the clock's: what is due depends on what is asked, never on the time of the case. */
const T = 4_102_444_800_000;

export const dueCases: CaseGroup = {
  "due: an empty store has nothing due, and nothing next": async ({ open }) => {
    expectEqual(await due(await open(), T), { sagaIds: [] }, "no saga, no time");
  },

  "due: sagas without a wakeAt are never due": async ({ open }) => {
    const store = await open();
    for (const status of ["running", "parked", "waiting"] as const) {
      expectOk(await store.append(request(status, 0, { status })), "a saga is started");
    }
    expectEqual(
      await due(store, Number.MAX_SAFE_INTEGER),
      { sagaIds: [] },
      "what only an answer, a signal or an operator moves has no time",
    );
  },

  "due: a saga is due from its wakeAt on, and until then it is the next": async ({ open }) => {
    const store = await open();
    await sleep(store, "a", T);
    expectEqual(await due(store, T - 1), { sagaIds: [], next: T }, "a millisecond before");
    expectEqual(await due(store, T), { sagaIds: ["a"] }, "at its time");
    expectEqual(await due(store, T + 1), { sagaIds: ["a"] }, "and after it");
    expectEqual(await due(store, T + 1), { sagaIds: ["a"] }, "asking changes nothing");
  },

  "due: running and parked sagas are due as well as waiting ones": async ({ open }) => {
    const store = await open();
    const statuses: readonly SagaStatus[] = ["running", "parked", "waiting"];
    for (const [place, status] of statuses.entries()) {
      expectOk(await store.append(request(status, 0, { status, wakeAt: T + place })), "a saga is started");
    }
    expectEqual(await due(store, T + 2), { sagaIds: statuses }, "a deadline goes on whatever the saga does");
  },

  "due: the longest over first": async ({ open }) => {
    const store = await open();
    for (const [sagaId, wakeAt] of [
      ["m", 5],
      ["z", 1],
      ["a", 4],
      ["k", 2],
      ["b", 3],
    ] as const)
      await sleep(store, sagaId, T + wakeAt);
    expectEqual(await due(store, T + 5), { sagaIds: ["z", "k", "b", "a", "m"] }, "in order of their times, not of their starts or ids");
    expectEqual(await due(store, T + 3), { sagaIds: ["z", "k", "b"], next: T + 4 }, "only those whose time has come");
  },

  "due: `limit` takes the longest over, and next looks past all that are due": async ({ open }) => {
    const store = await open();
    for (const wakeAt of [3, 1, 2, 9]) await sleep(store, `saga-${wakeAt}`, T + wakeAt);
    expectEqual(
      await due(store, T + 3, 2),
      { sagaIds: ["saga-1", "saga-2"], next: T + 9 },
      "two of three; the third is due, and so not next",
    );
    expectEqual(await due(store, T + 3, 3), { sagaIds: ["saga-1", "saga-2", "saga-3"], next: T + 9 }, "just enough room for all");
  },

  "due: sagas of one time are all there": async ({ open }) => {
    const store = await open();
    const sagaIds = Array.from({ length: 12 }, (_, index) => `saga-${index}`);
    await Promise.all(sagaIds.map((sagaId) => sleep(store, sagaId, T)));
    const found = await due(store, T);
    expectEqual(found.sagaIds.toSorted(), sagaIds.toSorted(), "each of them once");
  },

  "due: each record says anew when, earlier or later": async ({ open }) => {
    const store = await open();
    await sleep(store, "a", T);
    await sleep(store, "a", T + 7, 1);
    expectEqual(await due(store, T), { sagaIds: [], next: T + 7 }, "a later time replaces the earlier one");
    await sleep(store, "a", T - 7, 2);
    expectEqual(await due(store, T), { sagaIds: ["a"] }, "and an earlier one the later");
  },

  "due: a record that names no time takes the saga off the list": async ({ open }) => {
    const store = await open();
    await sleep(store, "a", T);
    expectOk(await store.append(request("a", 1, { status: "waiting" })), "it waits on, and for no time");
    expectEqual(await due(store, T), { sagaIds: [] }, "the time of an earlier record counts no more");
    await sleep(store, "a", T, 2);
    expectOk(await store.append(request("a", 3, { status: "running" })), "it runs");
    expectEqual(await due(store, T), { sagaIds: [] }, "whatever its status");
  },

  "due: a saga that has ended never is": async ({ open }) => {
    const store = await open();
    for (const status of ["completed", "compensated", "abandoned"] as const) {
      await sleep(store, status, T);
      expectOk(await store.append(request(status, 1, { status })), "it ends");
      expectOk(await store.append(request(`${status} at once`, 0, { status, wakeAt: T })), "another ends with its first record");
      await sleep(store, `${status} with a time`, T);
      expectOk(await store.append(request(`${status} with a time`, 1, { status, wakeAt: T + 1 })), "a third names a time at its end");
    }
    expectEqual(await due(store, T - 1), { sagaIds: [] }, "it is not the next one");
    expectEqual(await due(store, T + 1), { sagaIds: [] }, "nor due");
  },

  "due: a refused append changes no time": async ({ open }) => {
    const store = await open();
    await sleep(store, "a", T);
    const conflict = await store.append(request("a", 0, { wakeAt: T + 1, outbox: [event("a", 0)] }));
    expectErr(conflict, { _tag: "SequenceConflict" }, "the place is taken");
    expectErr(await store.append(request("a", 1, { epoch: 2 })), { _tag: "StaleEpoch" }, "the epoch is not the current one");
    expectEqual(await due(store, T), { sagaIds: ["a"] }, "what stands is what was accepted");
  },

  "due: claims and looks change no time": async ({ open }) => {
    const store = await open();
    await sleep(store, "a", T);
    expectEqual(expectOk(await store.claim("a"), "a saga can be claimed")?.status, "waiting", "a claim leaves the status alone");
    expectOk(await store.load("a"), "a saga can be loaded");
    expectOk(await store.lockHolder("order:1"), "it can be looked who holds a lock");
    expectEqual(await due(store, T - 1), { sagaIds: [], next: T }, "not earlier");
    expectEqual(await due(store, T), { sagaIds: ["a"] }, "not later");
  },

  "due: what one store appended is due in the other": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await sleep(left, "a", T);
    expectEqual(await due(right, T), { sagaIds: ["a"] }, "at once");
    expectOk(await right.append(request("a", 1)), "and what the other one appends");
    expectEqual(await due(left, T), { sagaIds: [] }, "counts here");
  },

  "reopen: times are still there": async ({ open }) => {
    const first = await open();
    await sleep(first, "a", T);
    await sleep(first, "b", T + 5);
    await sleep(first, "c", T);
    expectOk(await first.append(request("c", 1)), "saga c runs");
    await first.close();
    const second = await open();
    expectEqual(await due(second, T), { sagaIds: ["a"], next: T + 5 }, "a time outlives the store that wrote it");
  },
};

async function sleep(store: JournalStore, sagaId: string, wakeAt: number, sequence = 0): Promise<void> {
  expectOk(await store.append(request(sagaId, sequence, { status: "waiting", wakeAt })), "a saga goes to sleep");
}

async function due(store: JournalStore, until: number, limit = 100): Promise<DueSagas> {
  return expectOk(await store.due({ until, limit }), "due sagas can be listed");
}
