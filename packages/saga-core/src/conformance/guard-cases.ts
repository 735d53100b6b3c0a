/** The guards: an append is accepted if, and only if, its sequence and epoch are the current ones; on a refusal nothing of it exists. */
import type { CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectErr, expectOk } from "./expectations.ts";
import { event, loaded, loadedRecords, pendingIds, recordTexts, request, startSaga } from "./requests.ts";

export const guardCases: CaseGroup = {
  "sequence: a repeated place is a conflict that names the next one": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 2);
    const again = await store.append(request("a", 1, { record: "another", status: "completed" }));
    expectErr(again, { _tag: "SequenceConflict", sagaId: "a", sequence: 2 }, "place 1 is taken, place 2 is next");
    expectEqual(await loadedRecords(store, "a"), recordTexts("a", 2), "the first writer's record stands");
    expectEqual((await loaded(store, "a"))?.status, "running", "a refused append does not move the status");
  },

  "sequence: the very same append twice is a conflict the second time": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 2);
    const again = await store.append(request("a", 1));
    expectErr(again, { _tag: "SequenceConflict", sagaId: "a", sequence: 2 }, "equal bytes do not make it a success");
  },

  "sequence: a gap is a conflict": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 1);
    const tooFar = await store.append(request("a", 2));
    expectErr(tooFar, { _tag: "SequenceConflict", sagaId: "a", sequence: 1 }, "place 2 cannot come before place 1");
    expectEqual(await loadedRecords(store, "a"), recordTexts("a", 1), "nothing was written");
  },

  "sequence: a saga begins with record 0": async ({ open }) => {
    const store = await open();
    const late = await store.append(request("a", 1));
    expectErr(late, { _tag: "SequenceConflict", sagaId: "a", sequence: 0 }, "record 1 of an unknown saga is a conflict");
    expectEqual(await loaded(store, "a"), undefined, "no saga was created");
  },

  "sequence: creating a saga that exists is a conflict, also after it was claimed": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 1);
    const second = await store.append(request("a", 0, { record: "another", saga: { name: "refund", version: 1 } }));
    expectErr(second, { _tag: "SequenceConflict", sagaId: "a", sequence: 1 }, "the creator learns that the saga exists");
    expectOk(await store.claim("a"), "the saga can be claimed");
    const third = await store.append(request("a", 0));
    expectErr(third, { _tag: "SequenceConflict", sagaId: "a", sequence: 1 }, "the creator learns it whoever owns the saga now");
    expectEqual((await loaded(store, "a"))?.saga.name, "checkout", "the existing saga is untouched");
  },

  "epoch: an older epoch is refused and named": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 1);
    expectOk(await store.claim("a"), "the saga can be claimed");
    const stale = await store.append(request("a", 1, { epoch: 1, outbox: [event("a", 0)] }));
    expectErr(stale, { _tag: "StaleEpoch", sagaId: "a", epoch: 2 }, "the former owner is told the current epoch");
    expectEqual(await loadedRecords(store, "a"), recordTexts("a", 1), "nothing was written");
    expectEqual(await pendingIds(store), [], "no event was written");
  },

  "epoch: an epoch that nobody was given is refused": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 1);
    const early = await store.append(request("a", 1, { epoch: 2 }));
    expectErr(early, { _tag: "StaleEpoch", sagaId: "a", epoch: 1 }, "epoch 2 was not claimed");
    expectEqual(await loadedRecords(store, "a"), recordTexts("a", 1), "nothing was written");
  },

  "epoch: a saga is created under epoch 1": async ({ open }) => {
    const store = await open();
    const early = await store.append(request("a", 0, { epoch: 2 }));
    expectErr(early, { _tag: "StaleEpoch", sagaId: "a", epoch: 1 }, "a creator's epoch is 1");
    expectEqual(await loaded(store, "a"), undefined, "no saga was created");
  },

  "epoch: guards of one saga do not touch another": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 1);
    await startSaga(store, "b", 1);
    expectOk(await store.claim("a"), "the saga can be claimed");
    expectOk(await store.append(request("b", 1)), "the epoch of saga b is still 1");
  },
};
