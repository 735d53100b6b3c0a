/** Several workers on one storage: who drives a saga, who may take it over, and what is left to whoever comes. */
import type { AppendRequest, ClaimOptions, JournalStore, OrphanPage, Workers } from "../journal/journal-store.ts";
import { hostTimer } from "../primitives/host.ts";
import type { CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectErr, expectOk } from "./expectations.ts";
import { dueNow, end, hold, loaded, recordTexts, request, saga, startSaga, want } from "./requests.ts";

/** Longer than any case takes. */
const LONG_MS = 600_000;
const SHORT_MS = 20;
const RIVALS = 8;

export const workerCases: CaseGroup = {
  "workers: a lease runs from now on the store's clock, and anew when it is renewed": async ({ open }) => {
    const store = await open();
    const before = store.now();
    const first = await renew(store, LONG_MS);
    // Clocks of a store and of its server may be apart by what it takes to read them.
    expectEqual(Math.abs(first - (before + LONG_MS)) < LONG_MS / 2, true, "it ends about so long from now");
    const second = await renew(store, 2 * LONG_MS);
    expectEqual(second > first, true, "a later end replaces the earlier one");
  },

  "workers: a saga whose worker has a lease is not claimed by another one": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    const until = await renew(left, LONG_MS);
    await startSaga(left, "a", 2);
    expectErr(await right.claim("a"), { _tag: "SagaDriven", sagaId: "a", until }, "it is told until when");
    expectEqual(
      await loaded(right, "a"),
      { sagaId: "a", saga, status: "running", epoch: 1, claimsWithoutProgress: 0, records: recordTexts("a", 2) },
      "nothing was changed",
    );
    expectOk(await left.append(request("a", 2)), "its worker goes on");
  },

  "workers: who wants a saga is heard by the one that drives it, until that one lets go": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await Promise.all([renew(left, LONG_MS), renew(right, LONG_MS)]);
    for (const sagaId of ["a", "b", "c"]) await startSaga(left, sagaId);
    expectErr(await right.claim("a"), { _tag: "SagaDriven" }, "a claim by the way");
    expectEqual(await wanted(left), [], "wants nothing");
    for (const sagaId of ["c", "a", "c"])
      expectErr(await right.claim(sagaId, { want: true }), { _tag: "SagaDriven" }, "it is not given at once");
    expectEqual((await wanted(left)).toSorted(), ["a", "c"], "each once, however often it is asked for");
    expectEqual(await wanted(right), [], "and to nobody else");
    await append(left, "c", 1);
    expectEqual((await wanted(left)).toSorted(), ["a", "c"], "its driver may go on first");
    await release(left, "a");
    await append(left, "c", 2, { leaves: true });
    expectEqual(await wanted(left), [], "what is let go of is given");
    for (const sagaId of ["a", "c"]) expectEqual((await claim(right, sagaId, { want: true }))?.epoch, 2, "to whoever comes");
    expectEqual(await wanted(right), [], "who is not asked for it in turn");
  },

  "workers: nobody wants what has ended, or what nobody drives": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await Promise.all([renew(left, LONG_MS), renew(right, LONG_MS)]);
    await startSaga(left, "a");
    expectErr(await right.claim("a", { want: true }), { _tag: "SagaDriven" }, "it is wanted");
    await end(left, "a", 1);
    expectEqual(await wanted(left), [], "until it has ended");
    await append(left, "b", 0, { leaves: true });
    expectEqual((await claim(right, "b", { want: true }))?.epoch, 2, "a saga that is free is claimed");
    expectEqual(await wanted(right), [], "and not wanted");
    expectEqual(await claim(right, "nobody", { want: true }), undefined, "what does not exist is not there");
  },

  "workers: without a lease a saga is anybody's": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await startSaga(left, "a");
    expectEqual((await claim(right, "a"))?.epoch, 2, "its worker never had a lease");
    await renew(left, SHORT_MS);
    await startSaga(left, "b");
    await untilOver(left, SHORT_MS);
    expectEqual((await claim(right, "b"))?.epoch, 2, "its worker's lease is over");
    expectEqual((await claim(left, "b"))?.epoch, 3, "the one that has it now has none either");
  },

  "workers: a lease that was renewed in time goes on": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await renew(left, SHORT_MS);
    await startSaga(left, "a");
    await renew(left, LONG_MS);
    await untilOver(left, SHORT_MS);
    expectErr(await right.claim("a"), { _tag: "SagaDriven" }, "the later end counts");
  },

  "workers: a worker may claim its own sagas again": async ({ open }) => {
    const store = await open();
    await renew(store, LONG_MS);
    await startSaga(store, "a");
    expectEqual((await claim(store, "a"))?.epoch, 2, "a claim is a claim");
    expectEqual((await claim(store, "a"))?.epoch, 3, "however often");
  },

  "workers: whoever claims a saga drives it": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await startSaga(left, "a");
    const until = await renew(right, LONG_MS);
    await claim(right, "a");
    expectErr(await left.claim("a"), { _tag: "SagaDriven", until }, "its creator does so no more");
    expectOk(await right.append(request("a", 1, { epoch: 2 })), "the new one goes on");
    expectErr(await left.claim("a"), { _tag: "SagaDriven", until }, "appends change nothing of it");
  },

  "workers: of rivals for one orphan, one worker gets it": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await startSaga(left, "a");
    await Promise.all([renew(left, LONG_MS), renew(right, LONG_MS)]);
    await release(left, "a");
    const claimed = await Promise.all(Array.from({ length: RIVALS }, (_, index) => (index % 2 === 0 ? left : right).claim("a")));
    const winners = new Set(claimed.flatMap((each, index) => (each.isOk() ? [index % 2] : [])));
    expectEqual(winners.size, 1, "all claims that were granted are of one worker");
    for (const each of claimed) if (each.isErr()) expectErr(each, { _tag: "SagaDriven" }, "the other one is told that it came too late");
  },

  "workers: who leaves leaves its sagas to the others": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await renew(left, LONG_MS);
    await startSaga(left, "a");
    expectOk(await workersOf(left).leave(), "a worker can leave");
    expectEqual(await orphans(right), ["a"], "at once");
    expectEqual((await claim(right, "a"))?.epoch, 2, "and whoever comes has it");
  },

  "workers: a store that is closed has left": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await renew(left, LONG_MS);
    await startSaga(left, "a");
    await left.close();
    expectEqual((await claim(right, "a"))?.epoch, 2, "nobody waits for its lease");
  },

  "workers: a lease is one for all sagas of a worker, and no other's": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await Promise.all([renew(left, LONG_MS), renew(right, LONG_MS)]);
    for (const sagaId of ["a", "b"]) await startSaga(left, sagaId);
    await startSaga(right, "c");
    expectOk(await workersOf(left).leave(), "a worker can leave");
    expectEqual(await orphans(right), ["a", "b"], "all of its sagas, and only these");
  },

  "workers: sagas that are let go of are anybody's": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await Promise.all([renew(left, LONG_MS), renew(right, LONG_MS)]);
    for (const sagaId of ["a", "b"]) await startSaga(left, sagaId);
    await release(left, "a", "nobody");
    expectEqual((await claim(right, "a"))?.epoch, 2, "it can be claimed");
    expectErr(await right.claim("b"), { _tag: "SagaDriven" }, "the other one cannot");
    await release(left, "a");
    expectErr(await left.claim("a"), { _tag: "SagaDriven" }, "nobody lets go of what another one drives");
  },

  "workers: a record after which its saga leaves lets go of it": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await Promise.all([renew(left, LONG_MS), renew(right, LONG_MS)]);
    await append(left, "at once", 0, { leaves: true, status: "waiting" });
    await append(left, "later", 0);
    await append(left, "later", 1, { leaves: true, status: "parked" });
    await append(left, "back", 0, { leaves: true, status: "waiting" });
    await append(left, "back", 1);
    expectEqual((await claim(right, "at once"))?.epoch, 2, "with its first record");
    expectEqual((await claim(right, "later"))?.epoch, 2, "with a later one");
    expectErr(await right.claim("back"), { _tag: "SagaDriven" }, "who appends again drives it again");
  },

  "workers: nobody drives a saga that has ended": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await renew(left, LONG_MS);
    await startSaga(left, "a");
    await end(left, "a", 1);
    expectEqual((await claim(right, "a"))?.status, "completed", "it can be claimed like one that was let go of");
    expectEqual((await claim(left, "a"))?.status, "completed", "and a claim changes nothing of that");
  },

  "workers: orphans are running, and driven by nobody": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await Promise.all([renew(left, LONG_MS), renew(right, LONG_MS)]);
    await startSaga(left, "driven here");
    await startSaga(right, "driven there");
    for (const status of ["parked", "waiting", "completed", "compensated", "abandoned"] as const) {
      await append(left, status, 0, { status, leaves: true });
    }
    await append(left, "orphan", 0, { leaves: true });
    for (const store of [left, right]) expectEqual(await orphans(store), ["orphan"], "the same for whoever asks");
    await claim(right, "orphan");
    expectEqual(await orphans(left), [], "until somebody takes it");
  },

  "workers: orphans come oldest first, with their names, in pages": async ({ open }) => {
    const store = await open();
    for (const sagaId of ["c", "a", "d", "b"]) await append(store, sagaId, 0);
    const first = await orphanPage(store, { limit: 3 });
    expectEqual(
      first.orphans,
      ["c", "a", "d"].map((sagaId) => ({ sagaId, saga })),
      "in order of their starts",
    );
    const second = await orphanPage(store, { limit: 3, after: first.next });
    expectEqual(second, { orphans: [{ sagaId: "b", saga }] }, "and the last page says that it is the last");
  },

  "workers: what another worker drives is not due here": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await Promise.all([renew(left, LONG_MS), renew(right, LONG_MS)]);
    await append(left, "a", 0, { status: "waiting", wakeAt: 1 });
    await append(left, "b", 0, { status: "waiting", wakeAt: 2, leaves: true });
    expectEqual(await dueNow(right), ["b"], "it is left to the one that has it in memory");
    expectEqual(await dueNow(left), ["a", "b"], "who sees it");
    expectOk(await workersOf(left).leave(), "a worker can leave");
    expectEqual(await dueNow(right), ["a", "b"], "until that one is gone");
  },

  "workers: a lock that is let go of here makes a saga due that is driven there": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await Promise.all([renew(left, LONG_MS), renew(right, LONG_MS)]);
    await hold(left, "a", 0, "order:1");
    await want(right, "b", 0, "order:1");
    await end(left, "a", 1);
    expectEqual(await dueNow(right), ["b"], "where it is driven");
    expectEqual(await dueNow(left), [], "and not elsewhere");
  },

  "reopen: leases outlive the store that took them": async ({ open }) => {
    const first = await open();
    await renew(first, LONG_MS);
    await startSaga(first, "a");
    const second = await open();
    expectErr(await second.claim("a"), { _tag: "SagaDriven" }, "a worker that may only be slow keeps its saga");
  },
};

function workersOf({ workers }: JournalStore): Workers {
  if (workers === undefined) throw new TypeError("the harness says that its stores have `workers`, and this one has none");
  return workers;
}

async function renew(store: JournalStore, leaseMs: number): Promise<number> {
  return expectOk(await workersOf(store).renew(leaseMs), "a lease is granted").until;
}

async function release(store: JournalStore, ...sagaIds: readonly string[]): Promise<void> {
  expectOk(await workersOf(store).release(sagaIds), "sagas can be let go of");
}

async function append(store: JournalStore, sagaId: string, sequence: number, changes: Partial<AppendRequest> = {}): Promise<void> {
  expectOk(await store.append(request(sagaId, sequence, changes)), `record ${sequence} of saga ${sagaId} is accepted`);
}

async function claim(store: JournalStore, sagaId: string, options?: ClaimOptions): Promise<Awaited<ReturnType<typeof loaded>>> {
  return expectOk(await store.claim(sagaId, options), `saga ${sagaId} can be claimed`);
}

async function orphanPage(store: JournalStore, options: Parameters<Workers["orphans"]>[0]): Promise<OrphanPage> {
  return expectOk(await workersOf(store).orphans(options), "orphans can be listed");
}

async function orphans(store: JournalStore): Promise<readonly string[]> {
  return (await orphanPage(store, { limit: 100 })).orphans.map(({ sagaId }) => sagaId);
}

async function wanted(store: JournalStore): Promise<readonly string[]> {
  return expectOk(await store.due({ until: store.now(), limit: 100 }), "due sagas can be listed").wanted ?? [];
}

async function untilOver(store: JournalStore, leaseMs: number): Promise<void> {
  const until = store.now() + 2 * leaseMs;
  while (store.now() <= until) await hostTimer.sleep(leaseMs);
}
