/** Claims: each raises the epoch, hands out the journal, and counts until the saga moves again. */
import type { CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectErr, expectOk } from "./expectations.ts";
import { loaded, loadedRecords, recordTexts, request, saga, startSaga } from "./requests.ts";

const RIVALS = 8;

export const claimCases: CaseGroup = {
  "claim: raises the epoch and reads the journal": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 2);
    const journal = expectOk(await store.claim("a"), "a saga can be claimed");
    expectEqual(
      journal,
      { sagaId: "a", saga, status: "running", epoch: 2, claimsWithoutProgress: 1, records: recordTexts("a", 2) },
      "a claim gives the journal as it stands under the new epoch",
    );
    expectEqual(await loaded(store, "a"), journal, "load tells the same");
  },

  "claim: the new owner appends under its epoch, the former one no more": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 1);
    expectOk(await store.claim("a"), "a saga can be claimed");
    const stale = await store.append(request("a", 1, { record: "by the former owner" }));
    expectErr(stale, { _tag: "StaleEpoch", sagaId: "a", epoch: 2 }, "the former owner is fenced off before the new one has written");
    expectOk(await store.append(request("a", 1, { epoch: 2 })), "the new owner goes on");
    expectEqual(await loadedRecords(store, "a"), recordTexts("a", 2), "the journal is the new owner's");
  },

  "claim: fences appends that are called after it, also before it was answered": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 1);
    const [claimed, appended] = await Promise.all([store.claim("a"), store.append(request("a", 1))]);
    const journal = expectOk(claimed, "a saga can be claimed");
    expectEqual(await loadedRecords(store, "a"), journal?.records, "after a claim was answered, nothing is added under an older epoch");
    if (appended.isOk()) expectEqual(journal?.records.length, 2, "an append that was accepted is in the claimed journal");
  },

  "claim: rivals get an epoch each, and only the last can append": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await startSaga(left, "a", 1);
    const claimed = await Promise.all(Array.from({ length: RIVALS }, (_, index) => (index % 2 === 0 ? left : right).claim("a")));
    const epochs = claimed.map((each) => expectOk(each, "a saga can be claimed")?.epoch ?? 0).sort((one, other) => one - other);
    expectEqual(
      epochs,
      Array.from({ length: RIVALS }, (_, index) => index + 2),
      "no epoch is given twice",
    );
    for (const epoch of epochs) {
      const appended = await left.append(request("a", 1, { epoch, status: "parked" }));
      expectEqual(appended.isOk(), epoch === RIVALS + 1, `epoch ${epoch} of ${RIVALS + 1} may append only if it is the last`);
    }
  },

  "claim: an unknown saga is undefined and is not created": async ({ open }) => {
    const store = await open();
    expectEqual(expectOk(await store.claim("nobody"), "claiming an unknown saga is no error"), undefined, "there is nothing to claim");
    expectEqual(await loaded(store, "nobody"), undefined, "a claim creates nothing");
    expectOk(await store.append(request("nobody", 0)), "the saga can be created afterwards, under epoch 1");
  },

  "claims without progress: counted by each claim, cleared by an append": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 1);
    const counts: (number | undefined)[] = [];
    for (let claims = 0; claims < 3; claims++)
      counts.push(expectOk(await store.claim("a"), "a saga can be claimed")?.claimsWithoutProgress);
    expectEqual(counts, [1, 2, 3], "each claim counts itself");
    expectOk(await store.append(request("a", 1, { epoch: 4 })), "the last owner appends");
    expectEqual((await loaded(store, "a"))?.claimsWithoutProgress, 0, "the saga moved");
    expectEqual(expectOk(await store.claim("a"), "a saga can be claimed")?.claimsWithoutProgress, 1, "counting begins anew");
  },

  "claims without progress: a refused append is no progress": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 1);
    expectOk(await store.claim("a"), "a saga can be claimed");
    await store.append(request("a", 1, { epoch: 1 }));
    await store.append(request("a", 7, { epoch: 2 }));
    expectEqual((await loaded(store, "a"))?.claimsWithoutProgress, 1, "only an append that counts is progress");
  },
};
