// Goal: SQLite and memory are one behaviour. Method: random groups of calls under way together, on both; every answer must be the same.
import { type AppendRequest, createMemoryStore, type JournalStore, type SagaStatus } from "@backstep/saga-core/journal";
import fc from "fast-check";
import { ok, type Result } from "neverthrow";
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
const status = fc.constantFrom<SagaStatus>("running", "running", "parked", "waiting", "waiting", "completed", "compensated");
/** The clock stands still within a group, so that both stores see one time, and moves on by one between groups. */
const START_MS = 1_000;
const wakeAt = fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined });

const names = ["x", "X", "y"] as const;
const someNames = fc.uniqueArray(fc.constantFrom(...names), { maxLength: 2 });

const append: fc.Arbitrary<Call> = fc
  .record({
    sagaId,
    status,
    wakeAt,
    locks: fc.option(fc.record({ held: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, someNames), wanted: someNames }), {
      nil: undefined,
    }),
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
    arbitrary: fc.array(fc.constantFrom(...sagaIds, "nobody"), { maxLength: 3 }).map(
      (ids): Call =>
        async (store) =>
          withoutMessage(await store.remove(ids)),
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

/** Which of two connections on the file a group of calls goes to: what the other one knows of the sagas is then no longer so. */
const group = fc.record({ calls: fc.array(call, { minLength: 1, maxLength: 6 }), rival: fc.boolean() });

test("any calls, in any groups, on any connection, are answered alike and leave the same behind", async () => {
  let accepted = 0;
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(group, { maxLength: 12 }), async (groups) => {
      let time = START_MS;
      const now = (): number => time;
      const options = { path: temporaryFile(), synchronous: "NORMAL", now } as const;
      const mine = createSqliteStore(options);
      let rivals: JournalStore | undefined;
      const memory = createMemoryStore({ now });
      for (const { calls, rival } of groups) {
        const sqlite = rival ? (rivals ??= createSqliteStore(options)) : mine;
        time += 1;
        const standing = await standingIn(memory);
        const [ofSqlite, ofMemory] = await Promise.all(
          [sqlite, memory].map((store) => Promise.all(calls.map((each) => each(store, standing)))),
        );
        expect(ofSqlite).toEqual(ofMemory);
        accepted += (ofMemory ?? []).filter((answer) => typeof answer === "object" && answer !== null && "value" in answer).length;
        for (const text of (ofMemory ?? []).map((answer) => JSON.stringify(answer))) {
          for (const word of ["StoreUnavailable", '"removed":1', '"removed":2']) if (text.includes(word)) seen.add(word);
        }
        expect(await left(sqlite, time)).toEqual(await left(memory, time));
      }
      await Promise.all([mine.close(), rivals?.close()]);
    }),
    { numRuns: RUNS },
  );
  // Most of the calls, or the test would compare refusals only.
  expect(accepted).toBeGreaterThan(300);
  expect(seen).toContain("StoreUnavailable");
  expect(seen).toContain('"removed":1');
});

function withoutMessage(answer: Result<unknown, { readonly _tag: string }>): unknown {
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

/** Everything that can be asked of a store without changing it. */
async function left(store: JournalStore, time: number): Promise<unknown> {
  const answers = await Promise.all([
    ...sagaIds.map((id) => store.load(id)),
    unfinishedIn(store, { limit: 100 }),
    unfinishedIn(store, { limit: 100, waiting: true }),
    unfinishedIn(store, { limit: 1, waiting: true }),
    ...[0, 3, 6, time].flatMap((until) => [store.due({ until, limit: 100 }), store.due({ until, limit: 1 })]),
    ...names.map((name) => store.lockHolder(name)),
    ...[time - 2, time, time + 1].map((before) => store.ended({ before, limit: 100 })),
    store.ended({ before: time + 1, limit: 1 }),
    store.outbox.pending({ limit: 100 }),
  ]);
  return answers.map((answer) => answer._unsafeUnwrap());
}

/** Page by page: where the next one begins is each store's own to say, and means nothing to anybody else. */
async function unfinishedIn(store: JournalStore, wanted: { readonly limit: number; readonly waiting?: boolean }) {
  const pages: (readonly string[])[] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.unfinished({ ...wanted, after });
    if (page.isErr()) return page;
    pages.push(page.value.sagaIds);
    after = page.value.next;
    if (after === undefined) return ok(pages);
  }
}
