/** What stands after a close and another open: everything that was accepted, and nothing that was not. */
import type { Result } from "neverthrow";
import type { JournalStore } from "../journal/journal-store.ts";
import type { CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectErr, expectOk } from "./expectations.ts";
import { event, loaded, loadedRecords, pendingIds, recordTexts, request, saga, startSaga } from "./requests.ts";

export const durabilityCases: CaseGroup = {
  "reopen: sagas, epochs, claims and events are still there": async ({ open }) => {
    const first = await open();
    await startSaga(first, "a", 2);
    expectOk(await first.append(request("b", 0, { status: "completed", outbox: [event("b", 0), event("b", 1)] })), "saga b ends");
    expectOk(await first.claim("a"), "saga a is claimed");
    expectOk(await first.outbox.published([event("b", 0).id]), "an event is published");
    await first.close();

    const second = await open();
    expectEqual(
      await loaded(second, "a"),
      { sagaId: "a", saga, status: "running", epoch: 2, claimsWithoutProgress: 1, records: recordTexts("a", 2) },
      "a journal outlives the store that wrote it",
    );
    expectEqual((await loaded(second, "b"))?.status, "completed", "so does an ended saga");
    expectEqual(await pendingIds(second), [event("b", 1).id], "and what is not published, and only that");
    const unfinished = expectOk(await second.unfinished({ limit: 10 }), "unfinished sagas can be listed");
    expectEqual(unfinished, { sagaIds: ["a"] }, "and the list of unfinished sagas");
  },

  "reopen: the guards hold on": async ({ open }) => {
    const first = await open();
    await startSaga(first, "a", 2);
    expectOk(await first.claim("a"), "saga a is claimed");
    await first.close();

    const second = await open();
    expectErr(await second.append(request("a", 2)), { _tag: "StaleEpoch", epoch: 2 }, "an old epoch stays old");
    expectErr(await second.append(request("a", 1, { epoch: 2 })), { _tag: "SequenceConflict", sequence: 2 }, "a taken place stays taken");
    expectErr(await second.append(request("a", 0)), { _tag: "SequenceConflict", sequence: 2 }, "a saga that exists goes on to exist");
    expectOk(await second.append(request("a", 2, { epoch: 2 })), "the current owner goes on");
    expectEqual(expectOk(await second.claim("a"), "saga a is claimed again")?.epoch, 3, "epochs go on rising");
  },

  "close: settles the appends that are under way": async ({ open }) => {
    const first = await open();
    const underWay = Array.from({ length: 16 }, (_, index) =>
      first.append(request(`saga-${index}`, 0, { outbox: [event(`saga-${index}`, 0)] })),
    );
    await first.close();
    const verdicts = await Promise.all(underWay);

    const second = await open();
    const events = await pendingIds(second);
    for (const [index, verdict] of verdicts.entries()) {
      const sagaId = `saga-${index}`;
      const expected = verdict.isOk() ? recordTexts(sagaId, 1) : undefined;
      expectEqual(await loadedRecords(second, sagaId), expected, "what was accepted before the close is there, what was refused is not");
      expectEqual(events.includes(event(sagaId, 0).id), verdict.isOk(), "and so are its events");
    }
  },

  "close: everything asked afterwards is refused, and nothing of it happens": async ({ open }) => {
    const first = await open();
    await startSaga(first, "a", 1);
    expectOk(await first.append(request("b", 0, { status: "completed" })), "saga b ends");
    await first.close();
    for (const [verb, ask] of Object.entries(verbs))
      expectErr(await ask(first), { _tag: "StoreUnavailable" }, `${verb} after close is refused`);

    const second = await open();
    expectEqual((await loaded(second, "a"))?.epoch, 1, "a claim after close raised nothing");
    expectEqual(await loadedRecords(second, "a"), recordTexts("a", 1), "an append after close wrote nothing");
    expectEqual((await loadedRecords(second, "b"))?.length, 1, "a removal after close removed nothing");
    expectEqual(expectOk(await second.lockHolder("order:42"), "a lock can be looked at"), undefined, "nor took a place in line");
  },

  "close: may be called again": async ({ open }) => {
    const store = await open();
    await Promise.all([store.close(), store.close()]);
    await store.close();
  },

  "close: leaves other stores on the same storage open": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await startSaga(left, "a", 1);
    await left.close();
    expectOk(await right.append(request("a", 1)), "the other store goes on");
  },
};

const verbs: Readonly<Record<string, (store: JournalStore) => Promise<Result<unknown, { readonly _tag: string }>>>> = {
  append: (store) => store.append(request("a", 1, { locks: { held: [], wanted: ["order:42"] } })),
  load: (store) => store.load("a"),
  claim: (store) => store.claim("a"),
  due: (store) => store.due({ until: 0, limit: 10 }),
  lockHolder: (store) => store.lockHolder("order:42"),
  ended: (store) => store.ended({ before: 0, limit: 10 }),
  remove: (store) => store.remove(["b"]),
  unfinished: (store) => store.unfinished({ limit: 10 }),
  "outbox.pending": (store) => store.outbox.pending({ limit: 10 }),
  "outbox.published": (store) => store.outbox.published([event("a", 0).id]),
};
