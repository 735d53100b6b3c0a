/** Named locks: a line per name, whose first saga holds it, in order of coming; who is due by which record; and that nothing but a record moves a line. */
import type { SagaStatus } from "../journal/journal-store.ts";
import type { CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectErr, expectOk } from "./expectations.ts";
import { dueNow, end, event, hold, holder, loaded, request, startSaga, want } from "./requests.ts";

const NAME = "order:42";
/** Epoch milliseconds, far from the clock's. */
const T = 4_102_444_800_000;
const RIVALS = 8;
const endings = ["completed", "compensated", "abandoned"] as const satisfies readonly SagaStatus[];

export const lockCases: CaseGroup = {
  "lock: one that wants a free name holds it, and is due at once": async ({ open }) => {
    const store = await open();
    expectEqual(await holder(store, NAME), undefined, "nobody has asked yet");
    await startSaga(store, "a");
    await want(store, "a", 1, NAME);
    expectEqual(await holder(store, NAME), "a", "nobody was before it");
    expectEqual(await dueNow(store), ["a"], "whoever finds it can go on with it");
    await want(store, "b", 0, "order:43");
    expectEqual(await holder(store, "order:43"), "b", "so does one that begins with it");
    expectEqual((await dueNow(store)).toSorted(), ["a", "b"], "and is due as well");
  },

  "lock: one that wants a name which another one holds waits, and is not due": async ({ open }) => {
    const store = await open();
    await hold(store, "a", 0, NAME);
    await want(store, "b", 0, NAME);
    expectOk(await store.append(request("c", 0, { status: "waiting", wakeAt: T, locks: { held: [], wanted: [NAME] } })), "c waits up to T");
    expectEqual(await holder(store, NAME), "a", "the first one has it");
    expectEqual(await dueNow(store), [], "the others have nothing to go on with");
    expectEqual(expectOk(await store.due({ until: T, limit: 10 }), "due sagas can be listed").sagaIds, ["c"], "but for the end of a wait");
  },

  "lock: one that wants what it holds is due until a record says that it has it": async ({ open }) => {
    const store = await open();
    await want(store, "a", 0, NAME);
    await want(store, "a", 1, NAME);
    expectEqual(await dueNow(store), ["a"], "a record without a time hides nothing");
    expectOk(
      await store.append(request("a", 2, { wakeAt: T, locks: { held: [NAME], wanted: [NAME] } })),
      "it wants it twice, and has it once",
    );
    expectEqual(await dueNow(store), ["a"], "nor does a later time");
    expectOk(await store.append(request("a", 3, { wakeAt: T, locks: { held: [NAME], wanted: [] } })), "it knows that it has it");
    expectEqual(await dueNow(store), [], "now its own time counts");
    expectEqual(await holder(store, NAME), "a", "and it has it still");
  },

  "lock: a time that is over stays the one that it is due since": async ({ open }) => {
    const store = await open();
    await hold(store, "a", 0, NAME);
    for (const [sagaId, wanted] of [
      ["b", NAME],
      ["c", "order:43"],
    ] as const) {
      expectOk(await store.append(request(sagaId, 0, { wakeAt: 1, locks: { held: [], wanted: [wanted] } })), "it was due long ago");
    }
    await end(store, "a", 1);
    const found = expectOk(await store.due({ until: 1, limit: 10 }), "due sagas can be listed");
    expectEqual(found.sagaIds.toSorted(), ["b", "c"], "neither a lock that was handed over nor one that was free makes it later");
  },

  "lock: each way to end hands over all that the saga had, and nothing else": async ({ open }) => {
    const store = await open();
    const names = ["one", "two", "three"];
    await hold(store, "other", 0, "other's");
    await want(store, "behind other", 0, "other's");
    for (const status of endings) {
      await hold(store, status, 0, ...names);
      for (const name of names) await want(store, `${name} after ${status}`, 0, name);
      expectEqual(await dueNow(store), [], "nobody is due before");
      expectOk(await store.append(request(status, 1, { status })), "the saga ends");
      const heirs = names.map((name) => `${name} after ${status}`);
      for (const [index, name] of names.entries())
        expectEqual(await holder(store, name), heirs[index], `${status}: ${name} is handed over`);
      expectEqual((await dueNow(store)).toSorted(), heirs.toSorted(), `${status}: each of those who got one is due`);
      for (const heir of heirs) await end(store, heir, 1);
      for (const name of names) expectEqual(await holder(store, name), undefined, "and the last one leaves nobody behind");
    }
    expectEqual(await holder(store, "other's"), "other", "a lock of another saga stays");
  },

  "lock: a line is served in order of coming, whatever the ids, times and starts": async ({ open }) => {
    const store = await open();
    const sagaIds = ["m", "z", "a", "k", "b"];
    for (const sagaId of sagaIds.toSorted()) await startSaga(store, sagaId);
    for (const [place, sagaId] of sagaIds.entries()) {
      const wakeAt = place === 0 ? undefined : T - place;
      expectOk(await store.append(request(sagaId, 1, { wakeAt, locks: { held: [], wanted: [NAME] } })), "a saga comes");
    }
    for (const sagaId of sagaIds) {
      expectEqual([await holder(store, NAME), await dueNow(store)], [sagaId, [sagaId]], "one at a time, and only that one is due");
      await end(store, sagaId, 2);
    }
  },

  "lock: the one that is handed it is due whatever its status": async ({ open }) => {
    const store = await open();
    const statuses = ["running", "parked", "waiting"] as const;
    for (const status of statuses) {
      await hold(store, `before ${status}`, 0, status);
      expectOk(await store.append(request(status, 0, { status, locks: { held: [], wanted: [status] } })), "a saga waits");
    }
    for (const status of statuses) await end(store, `before ${status}`, 1);
    expectEqual((await dueNow(store)).toSorted(), statuses.toSorted(), "there may be more to it than an open call or a parked one");
    for (const status of statuses) expectEqual((await loaded(store, status))?.status, status, "and the status is the saga's own");
  },

  "lock: one that leaves the line makes nobody due, and is passed over": async ({ open }) => {
    const store = await open();
    await hold(store, "a", 0, NAME);
    for (const sagaId of ["b", "c", "d"]) await want(store, sagaId, 0, NAME);
    await want(store, "c", 1);
    expectEqual([await holder(store, NAME), await dueNow(store)], ["a", []], "the first one is who it was");
    await end(store, "b", 1);
    expectEqual([await holder(store, NAME), await dueNow(store)], ["a", []], "also when one that waits ends");
    await end(store, "a", 1);
    expectEqual([await holder(store, NAME), await dueNow(store)], ["d", ["d"]], "the next one is the one behind them");
  },

  "lock: a name that a record does not list is let go, and the others are kept": async ({ open }) => {
    const store = await open();
    await hold(store, "a", 0, "one", "two");
    await want(store, "b", 0, "one", "two");
    await hold(store, "a", 1, "two");
    expectEqual([await holder(store, "one"), await holder(store, "two")], ["b", "a"], "the one it lists no longer is handed over");
    expectEqual(await dueNow(store), ["b"], "whoever gets it is due");
    await hold(store, "b", 1, "one");
    expectEqual([await holder(store, "one"), await dueNow(store)], ["b", []], "it has it, and waits for the other no longer");
    expectOk(await store.append(request("a", 2, { locks: { held: [], wanted: [] } })), "a record lists none at all");
    expectEqual(await holder(store, "two"), undefined, "which lets go of all, with nobody left in line");
  },

  "lock: a place that was left is taken anew at the end": async ({ open }) => {
    const store = await open();
    await want(store, "a", 0, NAME);
    for (const sagaId of ["b", "c"]) await want(store, sagaId, 0, NAME);
    await want(store, "a", 1);
    await want(store, "a", 2, NAME);
    for (const sagaId of ["b", "c", "a"]) {
      expectEqual(await holder(store, NAME), sagaId, "who comes back comes last");
      await end(store, sagaId, sagaId === "a" ? 3 : 1);
    }
  },

  "lock: a record that says nothing of locks changes none": async ({ open }) => {
    const store = await open();
    await hold(store, "a", 0, NAME);
    await want(store, "b", 0, NAME);
    for (const [place, status] of (["running", "waiting", "parked", "running"] as const).entries()) {
      for (const sagaId of ["a", "b"])
        expectOk(await store.append(request(sagaId, place + 1, { status })), `a record with status ${status} is accepted`);
      expectEqual(await holder(store, NAME), "a", `a saga that is ${status} keeps its lock`);
    }
    await end(store, "a", 5);
    expectEqual([await holder(store, NAME), await dueNow(store)], ["b", ["b"]], "and its place in line");
  },

  "lock: names are locks of their own, compared exactly": async ({ open }) => {
    const store = await open();
    const names = ["order:1", "ORDER:1", "order:1 ", "order:10", "주문:1", "주문:1".normalize("NFD"), "'; --", ""];
    for (const [index, name] of names.entries()) await hold(store, `saga-${index}`, 0, name);
    for (const [index, name] of names.entries()) {
      expectEqual(await holder(store, name), `saga-${index}`, `${JSON.stringify(name)} is nobody else's`);
    }
  },

  "lock: names that a storage cannot hold apart are refused, never taken for one": async ({ open }) => {
    const store = await open();
    for (const [index, name] of ["half \ud83d", "half \ud83c"].entries()) {
      const sagaId = `saga-${index}`;
      const appended = await store.append(request(sagaId, 0, { locks: { held: [], wanted: [name] } }));
      const asked = await store.lockHolder(name);
      if (appended.isErr()) {
        expectErr(appended, { _tag: "StoreUnavailable" }, "the refusal is typed");
        expectErr(asked, { _tag: "StoreUnavailable" }, "and nobody is said to hold it, or not to");
      } else expectEqual(expectOk(asked, "what is kept can be looked at"), sagaId, "two names are two locks");
    }
  },

  "lock: a record that lists as held what another saga holds is refused, and nothing of it is written": async ({ open }) => {
    const store = await open();
    await want(store, "a", 0, NAME);
    await want(store, "b", 0, NAME);
    const thief = request("b", 1, { status: "waiting", wakeAt: T, outbox: [event("b", 0)], locks: { held: ["free", NAME], wanted: [] } });
    expectErr(await store.append(thief), { _tag: "StoreUnavailable" }, "one saga has it at a time");
    expectErr(await store.append({ ...thief, sagaId: "c", sequence: 0 }), { _tag: "StoreUnavailable" }, "a new one does not get it either");
    expectEqual([(await loaded(store, "b"))?.records.length, await loaded(store, "c")], [1, undefined], "there is no such record");
    expectEqual([await holder(store, NAME), await holder(store, "free")], ["a", undefined], "and no such place");
    await end(store, "a", 1);
    expectOk(await store.append(thief), "once it is handed over, it is accepted");
    expectEqual([await holder(store, NAME), await holder(store, "free")], ["b", "b"], "with all that it lists");
    expectEqual(await dueNow(store), [], "which nobody has to be told of");
  },

  "lock: a refused record moves no line": async ({ open }) => {
    const store = await open();
    await hold(store, "a", 0, NAME);
    await want(store, "b", 0, NAME);
    expectOk(await store.append(request("c", 0, { outbox: [event("c", 0)] })), "an event is committed");
    const refused: readonly (readonly [string, ReturnType<typeof request>])[] = [
      ["SequenceConflict", request("a", 7, { status: "completed" })],
      ["SequenceConflict", request("a", 7, { locks: { held: [], wanted: ["other"] } })],
      ["StaleEpoch", request("a", 1, { epoch: 2, status: "completed" })],
      ["StaleEpoch", request("a", 1, { epoch: 2, locks: { held: [], wanted: ["other"] } })],
      ["StoreUnavailable", request("a", 1, { outbox: [event("c", 0)], locks: { held: [], wanted: ["other"] } })],
    ];
    for (const [_tag, each] of refused) expectErr(await store.append(each), { _tag }, "the record is refused");
    expectEqual([await holder(store, NAME), await holder(store, "other")], ["a", undefined], "the saga goes on, and so does its lock");
    expectEqual(await dueNow(store), [], "and nobody is due");
  },

  "lock: a saga that ends with a list is in no line": async ({ open }) => {
    const store = await open();
    await hold(store, "a", 0, NAME);
    await want(store, "b", 0, NAME);
    for (const status of endings) {
      const locks = { held: [NAME], wanted: ["other"] };
      expectOk(
        await store.append(request(`${status} at once`, 0, { status, locks })),
        "it ends with its first record, whatever that lists",
      );
    }
    expectOk(await store.append(request("a", 1, { status: "completed", locks: { held: [NAME], wanted: [] } })), "so does the holder");
    expectEqual([await holder(store, NAME), await holder(store, "other")], ["b", undefined], "nothing could ever let it go");
    expectEqual(await dueNow(store), ["b"], "the one that goes on is due, and no ended one");
  },

  "lock: claims keep places, and make nobody due": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await hold(left, "a", 0, NAME);
    for (const sagaId of ["b", "c"]) await want(left, sagaId, 0, NAME);
    for (const sagaId of ["a", "b"]) expectOk(await right.claim(sagaId), "the saga can be claimed");
    expectEqual([await holder(right, NAME), await dueNow(right)], ["a", []], "a lock goes with its saga to the next owner");
    expectOk(await right.append(request("a", 1, { epoch: 2, status: "completed" })), "which lets it go");
    expectEqual([await holder(left, NAME), await dueNow(left)], ["b", ["b"]], "and the place in line went along, too");
  },

  "lock: changes nothing else of those who wait": async ({ open }) => {
    const store = await open();
    await hold(store, "a", 0, NAME);
    await want(store, "b", 0, NAME);
    expectOk(await store.claim("b"), "the saga can be claimed");
    const before = await loaded(store, "b");
    await end(store, "a", 1);
    await holder(store, NAME);
    expectEqual(await loaded(store, "b"), before, "a lock that is handed over is no record, and no progress");
    expectOk(await store.append(request("b", 1, { epoch: 2 })), "the saga goes on where it was");
  },

  "lock: of rivals in two stores each comes to hold it, and none twice": async ({ open }) => {
    const stores = [await open(), await open()] as const;
    const sagaIds = Array.from({ length: RIVALS }, (_, index) => `rival-${index}`);
    await Promise.all(sagaIds.map((sagaId, index) => want(stores[index % 2 === 0 ? 0 : 1], sagaId, 0, NAME)));
    const served: string[] = [];
    for (const [turn] of sagaIds.entries()) {
      const [here, there] = turn % 2 === 0 ? stores : ([stores[1], stores[0]] as const);
      const first = await holder(here, NAME);
      expectEqual([await holder(there, NAME), await dueNow(there)], [first, [first]], "both know who has it");
      served.push(String(first));
      await end(here, String(first), 1);
    }
    expectEqual(served.toSorted(), sagaIds, "each of them once");
    expectEqual(await holder(stores[0], NAME), undefined, "and then nobody");
  },

  "lock: one that comes while the holder ends is not left waiting": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    for (let round = 0; round < RIVALS; round++) {
      const [holding, coming, name] = [`ending-${round}`, `coming-${round}`, `lock-${round}`];
      await hold(left, holding, 0, name);
      const ending = () => end(left, holding, 1);
      const asking = () => want(right, coming, 0, name);
      await Promise.all(round % 2 === 0 ? [ending(), asking()] : [asking(), ending()]);
      expectEqual([await holder(left, name), await dueNow(left)], [coming, [coming]], "whichever was first, it holds it, and is due");
      await end(right, coming, 1);
    }
  },

  "reopen: lines are as they were": async ({ open }) => {
    const first = await open();
    await hold(first, "a", 0, NAME);
    for (const sagaId of ["b", "c"]) await want(first, sagaId, 0, NAME);
    await hold(first, "d", 0, "order:43");
    await want(first, "e", 0, "order:43");
    await end(first, "d", 1);
    await first.close();
    const second = await open();
    expectEqual(
      [await holder(second, NAME), await holder(second, "order:43")],
      ["a", "e"],
      "a lock outlives the store that it was taken in",
    );
    expectEqual(await dueNow(second), ["e"], "whoever came to hold one is found, though nobody lives who was told");
    await end(second, "a", 1);
    expectEqual(await holder(second, NAME), "b", "those who wait have their places");
    await end(second, "b", 1);
    expectEqual(await holder(second, NAME), "c", "in their order");
  },
};
