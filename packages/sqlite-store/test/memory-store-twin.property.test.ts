// Goal: SQLite and memory are one behaviour. Method: random groups of calls under way together, on both; every answer must be the same.
import { type AppendRequest, createMemoryStore, type JournalStore, type SagaStatus } from "@backstep/saga-core/journal";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { temporaryFile } from "./temporary-folder.ts";

/** Where the sagas stood before the group, so that most appends are near the mark, and some just beside it. */
type Standing = ReadonlyMap<string, { readonly sequence: number; readonly epoch: number }>;
type Call = (store: JournalStore, standing: Standing) => Promise<unknown>;

const RUNS = 60;
const sagaIds = ["a", "b", "c"] as const;
const sagaId = fc.constantFrom(...sagaIds);
const eventId = fc.constantFrom("e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8");
const status = fc.constantFrom<SagaStatus>("running", "running", "parked", "completed");

const append: fc.Arbitrary<Call> = fc
  .record({
    sagaId,
    status,
    ahead: fc.constantFrom(0, 0, 0, 1, 1, 2, -1),
    epochAhead: fc.constantFrom(0, 0, 0, 0, 1, -1),
    record: fc.string({ maxLength: 8 }),
    saga: fc.record({ name: fc.constantFrom("checkout", "refund"), version: fc.integer({ min: 1, max: 2 }) }),
    eventIds: fc.uniqueArray(eventId, { maxLength: 1 }),
  })
  .map(({ eventIds, ahead, epochAhead, ...members }): Call => {
    const outbox = eventIds.map((id) => ({ id, type: "t", source: "s", time: "2026-01-01T00:00:00Z", sagaId: members.sagaId, data: "{}" }));
    return async (store, standing) => {
      const { sequence, epoch } = standing.get(members.sagaId) ?? { sequence: 0, epoch: 1 };
      const request: AppendRequest = {
        ...members,
        outbox,
        sequence: Math.max(0, sequence + ahead),
        epoch: Math.max(1, epoch + epochAhead),
      };
      return withoutMessage(await store.append(request));
    };
  });

const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 8, arbitrary: append },
  {
    weight: 1,
    arbitrary: sagaId.map(
      (id): Call =>
        async (store) =>
          withoutMessage(await store.claim(id)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.uniqueArray(eventId).map(
      (ids): Call =>
        async (store) =>
          withoutMessage(await store.outbox.published(ids)),
    ),
  },
);

test("any calls, in any groups, are answered alike and leave the same behind", async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(call, { minLength: 1, maxLength: 6 }), { maxLength: 12 }), async (groups) => {
      const sqlite = createSqliteStore({ path: temporaryFile(), synchronous: "NORMAL" });
      const memory = createMemoryStore();
      for (const group of groups) {
        const standing = await standingIn(memory);
        const [ofSqlite, ofMemory] = await Promise.all(
          [sqlite, memory].map((store) => Promise.all(group.map((each) => each(store, standing)))),
        );
        expect(ofSqlite).toEqual(ofMemory);
        accepted += (ofMemory ?? []).filter((answer) => typeof answer === "object" && answer !== null && "value" in answer).length;
        expect(await left(sqlite)).toEqual(await left(memory));
      }
      await sqlite.close();
    }),
    { numRuns: RUNS },
  );
  // Most of the calls, or the test would compare refusals only.
  expect(accepted).toBeGreaterThan(300);
});

function withoutMessage(answer: Awaited<ReturnType<JournalStore["append" | "claim" | "load"]>>): unknown {
  return answer.match(
    (value) => ({ value }),
    (error) => ({ ...error, message: undefined }),
  );
}

async function standingIn(store: JournalStore): Promise<Standing> {
  const journals = await Promise.all(sagaIds.map(async (id) => (await store.load(id))._unsafeUnwrap()));
  return new Map(
    journals.flatMap((journal) =>
      journal === undefined ? [] : [[journal.sagaId, { sequence: journal.records.length, epoch: journal.epoch }]],
    ),
  );
}

async function left(store: JournalStore): Promise<unknown> {
  const journals = await Promise.all(sagaIds.map((id) => store.load(id)));
  const unfinished = (await store.unfinished({ limit: 100 }))._unsafeUnwrap();
  const events = (await store.outbox.pending({ limit: 100 }))._unsafeUnwrap();
  return { journals: journals.map((journal) => journal._unsafeUnwrap()), unfinished, events };
}
