/** Named locks: one saga has one, however often it asks and whoever drives it, until the append that ends it. */
import type { JournalStore, LockAnswer } from "../journal/journal-store.ts";
import type { CaseGroup } from "./conformance-case.ts";
import { ConformanceFailure, expectEqual, expectErr, expectOk } from "./expectations.ts";
import { loaded, request, startSaga } from "./requests.ts";

const RIVALS = 8;
const NAME = "order:42";

export const lockCases: CaseGroup = {
  "lock: a free one is granted, and then it is held": async ({ open }) => {
    const store = await open();
    await startSagas(store, "a", "b");
    expectEqual(await lock(store, "a"), { _tag: "Granted" }, "nobody had it");
    expectEqual(await lock(store, "b"), { _tag: "HeldBy", sagaId: "a" }, "the loser learns who has it");
    expectEqual(await lock(store, "b"), { _tag: "HeldBy", sagaId: "a" }, "however often it asks");
  },

  "lock: is granted again to the saga that has it": async ({ open }) => {
    const store = await open();
    await startSagas(store, "a", "b");
    for (let asked = 0; asked < 3; asked++) expectEqual(await lock(store, "a"), { _tag: "Granted" }, "its own lock is no obstacle");
    await end(store, "a", 1);
    expectEqual(await lock(store, "b"), { _tag: "Granted" }, "and is let go once for all");
  },

  "lock: names are locks of their own, compared exactly": async ({ open }) => {
    const store = await open();
    const names = ["order:1", "ORDER:1", "order:1 ", "order:10", "주문:1", "주문:1".normalize("NFD"), "'; --", ""];
    await startSagas(store, ...names.map((_, index) => `saga-${index}`));
    for (const [index, name] of names.entries()) {
      expectEqual(await lock(store, `saga-${index}`, name), { _tag: "Granted" }, `${JSON.stringify(name)} is nobody else's`);
    }
    for (const [index, name] of names.entries()) {
      const other = (index + 1) % names.length;
      expectEqual(await lock(store, `saga-${other}`, name), { _tag: "HeldBy", sagaId: `saga-${index}` }, "and each has one holder");
    }
  },

  "lock: names that a storage cannot hold apart are refused, never taken for one": async ({ open }) => {
    const store = await open();
    await startSagas(store, "a", "b");
    const names = ["half \ud83d", "half \ud83c"];
    const asked = [
      await store.lock({ sagaId: "a", epoch: 1, name: names[0] ?? "" }),
      await store.lock({ sagaId: "b", epoch: 1, name: names[1] ?? "" }),
    ];
    for (const answer of asked) {
      if (answer.isErr()) expectErr(answer, { _tag: "StoreUnavailable" }, "the refusal is typed");
      else expectEqual(answer.value, { _tag: "Granted" }, "two names are two locks");
    }
  },

  "lock: a stale epoch is refused and takes nothing": async ({ open }) => {
    const store = await open();
    await startSagas(store, "a", "b");
    expectOk(await store.claim("a"), "the saga can be claimed");
    for (const epoch of [1, 3]) {
      const refused = await store.lock({ sagaId: "a", epoch, name: NAME });
      expectErr(refused, { _tag: "StaleEpoch", sagaId: "a", epoch: 2 }, `epoch ${epoch} is not the current one, which is named`);
    }
    expectEqual(await lock(store, "b"), { _tag: "Granted" }, "the lock is still free");
    const refused = await store.lock({ sagaId: "a", epoch: 1, name: NAME });
    expectErr(refused, { _tag: "StaleEpoch", epoch: 2 }, "a stale epoch is not told who has it either");
  },

  "lock: goes with the saga to its next owner": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await startSagas(left, "a", "b");
    await lock(left, "a");
    expectOk(await right.claim("a"), "the saga can be claimed");
    expectEqual(await lock(right, "b"), { _tag: "HeldBy", sagaId: "a" }, "a claim lets nothing go");
    expectEqual(await lock(right, "a", NAME, 2), { _tag: "Granted" }, "the new owner finds it");
  },

  "lock: each way to end lets go of all that the saga has, and of nothing else": async ({ open }) => {
    const store = await open();
    await startSagas(store, "other", "next");
    await lock(store, "other", "other's");
    for (const status of ["completed", "compensated", "abandoned"] as const) {
      await startSaga(store, status);
      for (const name of ["one", "two", "three"]) await lock(store, status, name);
      expectOk(await store.append(request(status, 1, { status })), "the saga ends");
      const heir = `heir of ${status}`;
      await startSaga(store, heir);
      for (const name of ["one", "two", "three"])
        expectEqual(await lock(store, heir, name), { _tag: "Granted" }, `${status}: ${name} is free`);
      await end(store, heir, 1);
    }
    expectEqual(await lock(store, "next", "other's"), { _tag: "HeldBy", sagaId: "other" }, "a lock of another saga stays");
  },

  "lock: is kept through every other record, parked included": async ({ open }) => {
    const store = await open();
    await startSagas(store, "a", "b");
    await lock(store, "a");
    for (const [place, status] of (["running", "waiting", "parked", "running"] as const).entries()) {
      expectOk(await store.append(request("a", place + 1, { status })), `a record with status ${status} is accepted`);
      expectEqual(await lock(store, "b"), { _tag: "HeldBy", sagaId: "a" }, `a saga that is ${status} keeps its locks`);
    }
  },

  "lock: an end that was refused lets nothing go": async ({ open }) => {
    const store = await open();
    await startSagas(store, "a", "b");
    await lock(store, "a");
    expectErr(await store.append(request("a", 7, { status: "completed" })), { _tag: "SequenceConflict" }, "a gap is a conflict");
    expectErr(await store.append(request("a", 1, { status: "completed", epoch: 2 })), { _tag: "StaleEpoch" }, "so is a wrong epoch");
    expectEqual(await lock(store, "b"), { _tag: "HeldBy", sagaId: "a" }, "the saga goes on, and so does its lock");
  },

  "lock: a saga that has ended, or is not there, gets none": async ({ open }) => {
    const store = await open();
    await startSagas(store, "ended", "b");
    await end(store, "ended", 1);
    for (const sagaId of ["ended", "nobody"]) {
      const refused = await store.lock({ sagaId, epoch: 1, name: NAME });
      expectErr(refused, { _tag: "StoreUnavailable" }, "nothing could ever let it go");
    }
    expectEqual(await loaded(store, "nobody"), undefined, "asking creates nothing");
    expectEqual(await lock(store, "b"), { _tag: "Granted" }, "and takes nothing");
  },

  "lock: one that is asked for while the saga ends is not left behind": async ({ open }) => {
    const store = await open();
    for (let round = 0; round < RIVALS; round++) {
      const [sagaId, heir] = [`ending-${round}`, `heir-${round}`];
      await startSagas(store, sagaId, heir);
      const ending = () => store.append(request(sagaId, 1, { status: "completed" }));
      const asking = () => store.lock({ sagaId, epoch: 1, name: `lock-${round}` });
      const ended = round % 2 === 0 ? (await Promise.all([ending(), asking()]))[0] : (await Promise.all([asking(), ending()]))[1];
      expectOk(ended, "the saga ends");
      expectEqual(await lock(store, heir, `lock-${round}`), { _tag: "Granted" }, "whichever came first, nobody has it afterwards");
    }
  },

  "lock: of rivals in two stores one gets it, and the others learn who": async ({ open }) => {
    const stores = [await open(), await open()] as const;
    const sagaIds = Array.from({ length: RIVALS }, (_, index) => `rival-${index}`);
    await startSagas(stores[0], ...sagaIds);
    const answers = await Promise.all(sagaIds.map((sagaId, index) => lock(stores[index % 2 === 0 ? 0 : 1], sagaId)));
    const winners = sagaIds.filter((_, index) => answers[index]?._tag === "Granted");
    const [winner] = winners;
    if (winner === undefined || winners.length > 1) throw new ConformanceFailure("of rivals exactly one wins", 1, winners.length);
    for (const answer of answers) {
      if (answer._tag !== "Granted") expectEqual(answer, { _tag: "HeldBy", sagaId: winner }, "the losers learn who has it");
    }
    for (const store of stores) expectEqual(await lock(store, winner), { _tag: "Granted" }, "the winner has it, in both stores");
  },

  "lock: changes nothing of the saga": async ({ open }) => {
    const store = await open();
    await startSagas(store, "a", "b");
    expectOk(await store.claim("a"), "the saga can be claimed");
    const before = await loaded(store, "a");
    await lock(store, "a", NAME, 2);
    await lock(store, "b");
    expectEqual(await loaded(store, "a"), before, "a lock is no record, and no progress");
    expectOk(await store.append(request("a", 1, { epoch: 2 })), "the saga goes on where it was");
  },

  "reopen: locks are still held, and still let go": async ({ open }) => {
    const first = await open();
    await startSagas(first, "a", "b");
    await lock(first, "a");
    await lock(first, "b", "order:43");
    await end(first, "b", 1);
    await first.close();
    const second = await open();
    await startSaga(second, "c");
    expectEqual(await lock(second, "c"), { _tag: "HeldBy", sagaId: "a" }, "a lock outlives the store that gave it");
    expectEqual(await lock(second, "c", "order:43"), { _tag: "Granted" }, "one that was let go does not come back");
    await end(second, "a", 1);
    expectEqual(await lock(second, "c"), { _tag: "Granted" }, "the end of its saga lets it go");
  },
};

async function startSagas(store: JournalStore, ...sagaIds: readonly string[]): Promise<void> {
  for (const sagaId of sagaIds) await startSaga(store, sagaId);
}

async function end(store: JournalStore, sagaId: string, sequence: number): Promise<void> {
  expectOk(await store.append(request(sagaId, sequence, { status: "completed" })), "the saga ends");
}

async function lock(store: JournalStore, sagaId: string, name = NAME, epoch = 1): Promise<LockAnswer> {
  return expectOk(await store.lock({ sagaId, epoch, name }), "a lock can be asked for");
}
