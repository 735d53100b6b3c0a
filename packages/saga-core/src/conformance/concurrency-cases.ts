/** Appends that are under way together: each has its own verdict, those of one saga keep the order of the calls, and of two rivals one wins. */
import type { AppendRequest, JournalStore } from "../journal/journal-store.ts";
import type { CaseGroup } from "./conformance-case.ts";
import { ConformanceFailure, expectEqual, expectErr, expectOk } from "./expectations.ts";
import { event, loaded, loadedRecords, pendingIds, recordTexts, request, startSaga } from "./requests.ts";

const TOGETHER = 32;
const ROUNDS = 24;

export const concurrencyCases: CaseGroup = {
  "together: appends of one saga take effect in the order of the calls": async ({ open }) => {
    const store = await open();
    const verdicts = await appendAll(
      store,
      Array.from({ length: TOGETHER }, (_, sequence) => request("a", sequence)),
    );
    for (const verdict of verdicts) expectOk(verdict, "an append that follows one under way is accepted");
    expectEqual(await loadedRecords(store, "a"), recordTexts("a", TOGETHER), "records stand in the order of the calls");
  },

  "together: appends of one saga are answered in the order of the calls": async ({ open }) => {
    const store = await open();
    const answered: number[] = [];
    for (let round = 0; round < 3; round++) {
      await Promise.all(
        Array.from({ length: TOGETHER }, async (_, index) => {
          const sequence = round * TOGETHER + index;
          // Of different sizes: a long way to the disk must not be overtaken by a short one.
          const record = "x".repeat(((index * 7) % 5) * 20_000);
          expectOk(
            await store.append(request("a", sequence, { record, status: index % 2 === 0 ? "running" : "waiting" })),
            "it is accepted",
          );
          answered.push(sequence);
        }),
      );
    }
    expectEqual(
      answered,
      Array.from({ length: 3 * TOGETHER }, (_, sequence) => sequence),
      "whoever waits for one append learns of it before whoever waits for the next",
    );
  },

  "together: a refused append takes no other saga's down": async ({ open }) => {
    const store = await open();
    await startSaga(store, "taken", 1);
    const requests = [
      ...Array.from({ length: TOGETHER }, (_, index) => request(`before-${index}`, 0)),
      request("taken", 0, { record: "another", outbox: [event("taken", 0)] }),
      request("taken", 1, { epoch: 9 }),
      ...Array.from({ length: TOGETHER }, (_, index) => request(`after-${index}`, 0)),
    ];
    const verdicts = await appendAll(store, requests);
    for (const [index, verdict] of verdicts.entries()) {
      const sagaId = requests[index]?.sagaId;
      if (sagaId === "taken") expectEqual(verdict.isErr(), true, "the conflicting append is refused");
      else expectOk(verdict, `saga ${sagaId} is not concerned by the conflict`);
    }
    for (const { sagaId } of requests)
      expectEqual(await loadedRecords(store, sagaId), recordTexts(sagaId, 1), "what was accepted is there");
    expectEqual(await pendingIds(store), [], "events of a refused append are not");
  },

  "together: a refused append in the middle leaves the saga's others their verdicts": async ({ open }) => {
    const store = await open();
    const [first, second, repeated, third] = await appendAll(store, [
      request("a", 0),
      request("a", 1),
      request("a", 1, { record: "a rival's" }),
      request("a", 2),
    ]);
    for (const verdict of [first, second, third]) expectEqual(verdict?.isOk(), true, "the appends in sequence are accepted");
    if (repeated !== undefined) expectErr(repeated, { _tag: "SequenceConflict", sequence: 2 }, "the repeat is not");
    expectEqual(await loadedRecords(store, "a"), recordTexts("a", 3), "the journal holds those that were accepted");
  },

  "together: what follows a refused append of its saga is refused": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 1);
    const [stale, next] = await appendAll(store, [request("a", 1, { epoch: 2 }), request("a", 2)]);
    expectEqual([stale?.isErr(), next?.isErr()], [true, true], "a successor does not close the gap that its predecessor left");
    expectEqual(await loadedRecords(store, "a"), recordTexts("a", 1), "nothing was written");
  },

  "two stores: of two that create one saga, one does": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    for (let round = 0; round < ROUNDS; round++) {
      const sagaId = `race-${round}`;
      await expectOneWinner([left, right], (writer) =>
        request(sagaId, 0, { record: `by ${writer}`, outbox: [event(`${sagaId}-${writer}`, 0)] }),
      );
    }
    expectEqual((await pendingIds(left)).length, ROUNDS, "the winners' events, and no loser's, are in the outbox");
  },

  "two stores: of two that append to one place, one does": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await startSaga(left, "a", 1);
    for (let round = 1; round <= ROUNDS; round++) {
      await expectOneWinner([left, right], (writer) => request("a", round, { record: `by ${writer}` }));
    }
  },

  "two stores: an append that races a claim is in the claimed journal or refused": async ({ open }) => {
    const [owner, thief] = [await open(), await open()];
    for (let round = 0; round < ROUNDS; round++) {
      const sagaId = `race-${round}`;
      await startSaga(owner, sagaId, 1);
      const [appended, claimed] = await Promise.all([owner.append(request(sagaId, 1)), thief.claim(sagaId)]);
      const journal = expectOk(claimed, "the claim succeeds");
      if (appended.isErr()) expectErr(appended, { _tag: "StaleEpoch", epoch: 2 }, "the append came after the claim");
      const expected = recordTexts(sagaId, appended.isOk() ? 2 : 1);
      expectEqual(journal?.records, expected, "the new owner sees every record that was accepted, and no other");
      expectEqual(await loadedRecords(owner, sagaId), expected, "nothing is added to it afterwards");
    }
  },

  "two stores: what one appended, the other loads": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await startSaga(left, "a", 1);
    expectEqual(await loadedRecords(right, "a"), recordTexts("a", 1), "an accepted append is visible to every store at once");
    expectOk(await right.append(request("a", 1)), "and can be followed there");
    expectEqual(await loadedRecords(left, "a"), recordTexts("a", 2), "and back");
  },
};

function appendAll(
  store: JournalStore,
  requests: readonly AppendRequest[],
): Promise<readonly Awaited<ReturnType<JournalStore["append"]>>[]> {
  return Promise.all(requests.map((each) => store.append(each)));
}

async function expectOneWinner(stores: readonly JournalStore[], requestOf: (writer: number) => AppendRequest): Promise<void> {
  const verdicts = await Promise.all(stores.map((store, writer) => store.append(requestOf(writer))));
  const winners = [...verdicts.keys()].filter((writer) => verdicts[writer]?.isOk() === true);
  const [winner] = winners;
  if (winner === undefined || winners.length > 1) throw new ConformanceFailure("of two rivals exactly one wins", 1, winners.length);
  const { sagaId, sequence, record } = requestOf(winner);
  for (const verdict of verdicts) {
    if (verdict.isErr())
      expectErr(verdict, { _tag: "SequenceConflict", sagaId, sequence: sequence + 1 }, "the loser learns the next place");
  }
  for (const store of stores) {
    expectEqual((await loaded(store, sagaId))?.records[sequence], record, "the winner's record stands, in both stores");
  }
}
