// Goal: Postgres and memory are one behaviour, also where several workers share the storage: what one knows of its sagas never shows. Method: random groups of calls, each group on one of two stores, on
// both storages; every answer must be the same, and so must all that can be asked afterwards.
import {
  type AppendRequest,
  createMemoryDisk,
  createMemoryStore,
  type JournalStore,
  type SagaStatus,
  type Workers,
} from "@backstep/saga-core/journal";
import fc from "fast-check";
import type { Result } from "neverthrow";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPostgresStore, type PostgresStore } from "../src/index.ts";
import { type Postgres, startServer } from "./server.ts";

/** Where the sagas stood before the group, so that most appends are near the mark, and some just beside it. */
type Standing = ReadonlyMap<string, { readonly sequence: number; readonly epoch: number }>;
/** Given the prefix of all names of its run, for the tables are shared by all runs. */
type Call = (store: JournalStore, run: string, standing: Standing) => Promise<unknown>;

const RUNS = Math.ceil(60 * Number(process.env["BACKSTEP_RUNS"] ?? 1));
const LONG_MS = 600_000;
/** Far from any clock: what is due because of a lock is due at the present time. */
const EVER = Number.MAX_SAFE_INTEGER;
const sagaIds = ["a", "b", "c"] as const;
const names = ["x", "X", "y"] as const;

let postgres: Postgres;
let stores: readonly [PostgresStore, PostgresStore];
const schema = "twin";
let runs = 0;
beforeAll(async () => {
  postgres = await startServer();
  const open = () => createPostgresStore({ connectionString: postgres.url(), schema });
  stores = [await open(), await open()];
});
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await postgres.close();
});

const sagaId = fc.constantFrom(...sagaIds);
const status = fc.constantFrom<SagaStatus>("running", "running", "running", "parked", "waiting", "completed");
const someNames: fc.Arbitrary<readonly string[]> = fc.uniqueArray(fc.constantFrom(...names), { maxLength: 2 });
const noNames: fc.Arbitrary<readonly string[]> = fc.constant([]);
const locks = fc.record({ held: fc.oneof({ weight: 3, arbitrary: noNames }, someNames), wanted: someNames });

const append: fc.Arbitrary<Call> = fc
  .record({
    sagaId,
    status,
    wakeAt: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined, freq: 2 }),
    locks: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, locks),
    leaves: fc.constantFrom(undefined, undefined, undefined, false, true),
    ahead: fc.constantFrom(0, 0, 0, 0, 1, 1, 2, -1),
    epochAhead: fc.constantFrom(0, 0, 0, 0, 0, 1, -1),
    record: fc.string({ maxLength: 8 }).filter((text) => !text.includes("\u0000")),
    saga: fc.record({ name: fc.constantFrom("checkout", "refund"), version: fc.integer({ min: 1, max: 2 }) }),
    event: fc.constantFrom(undefined, undefined, undefined, 1, 2, 3),
  })
  .map(({ event, ahead, epochAhead, ...members }): Call => {
    return async (store, run, standing) => {
      const { sequence, epoch } = standing.get(members.sagaId) ?? { sequence: 0, epoch: 1 };
      const own = run + members.sagaId;
      const outbox = event === undefined ? [] : [{ id: `${own}-${event}`, type: "t", source: "s", time: "now", sagaId: own, data: "{}" }];
      const request: AppendRequest = {
        ...members,
        sagaId: own,
        locks: members.locks && {
          held: members.locks.held.map((name) => run + name),
          wanted: members.locks.wanted.map((name) => run + name),
        },
        outbox,
        sequence: Math.max(0, sequence + ahead),
        epoch: Math.max(1, epoch + epochAhead),
      };
      return told(await store.append(request));
    };
  });

/** One saga's records in a row, as a saga makes them: most of what a store sees. */
const steps: fc.Arbitrary<readonly Call[]> = fc
  .record({ id: sagaId, count: fc.integer({ min: 1, max: 4 }), ends: fc.boolean() })
  .map(({ id, count, ends }) =>
    Array.from(
      { length: count },
      (_, index): Call =>
        async (store, run, standing) => {
          const { sequence, epoch } = standing.get(id) ?? { sequence: 0, epoch: 1 };
          const last = ends && index === count - 1;
          const saga = { name: "checkout", version: 1 };
          return told(
            await store.append({
              sagaId: run + id,
              sequence: sequence + index,
              epoch,
              saga,
              status: last ? "completed" : "running",
              record: "step",
              outbox: [],
            }),
          );
        },
    ),
  );

const alone: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(sagaId, fc.constantFrom(false, false, true)).map(
      ([id, want]): Call =>
        async (store, run) =>
          told(await store.claim(run + id, { want })),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.uniqueArray(sagaId).map(
      (ids): Call =>
        async (store, run) =>
          told(await store.remove(ids.map((id) => run + id))),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.uniqueArray(sagaId).map(
      (ids): Call =>
        async (store, run) =>
          told(await workersOf(store).release(ids.map((id) => run + id))),
    ),
  },
  {
    weight: 1,
    arbitrary: sagaId.map(
      (id): Call =>
        async (store, run) =>
          told(await store.outbox.published([`${run}${id}-1`, "nobody's"])),
    ),
  },
  { weight: 3, arbitrary: fc.constant<Call>(async (store) => (await workersOf(store).renew(LONG_MS)).isOk()) },
  { weight: 1, arbitrary: fc.constant<Call>(async (store) => told(await workersOf(store).leave())) },
);

const calls: fc.Arbitrary<readonly Call[]> = fc.oneof<fc.Arbitrary<readonly Call[]>[]>(
  fc.array(append, { minLength: 1, maxLength: 6 }),
  steps,
  alone.map((call) => [call]),
);
const group = fc.record({ worker: fc.constantFrom(0, 0, 1), calls });

test("any calls, in any groups, on either of two workers, are answered alike and leave the same behind", async () => {
  let accepted = 0;
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(group, { minLength: 4, maxLength: 16 }), fc.boolean(), async (groups, leased) => {
      const run = `run ${(runs += 1)}: `;
      await postgres.query(
        `TRUNCATE ${["sagas", "records", "outbox", "lock_places", "workers"].map((table) => `${schema}.${table}`).join()}`,
      );
      const disk = createMemoryDisk();
      const memory = [createMemoryStore({ disk, shared: true }), createMemoryStore({ disk, shared: true })] as const;
      if (leased) for (const store of [stores[0], memory[0]]) (await workersOf(store).renew(LONG_MS))._unsafeUnwrap();
      for (const { worker, calls: together } of groups) {
        const standing = await standingIn(memory[0], run);
        const ask = (store: JournalStore) => Promise.all(together.map((call) => call(store, run, standing)));
        const side = worker === 0 ? 0 : 1;
        const [ofPostgres, ofMemory] = await Promise.all([ask(stores[side]), ask(memory[side])]);
        expect(ofPostgres).toEqual(ofMemory);
        for (const answer of ofMemory) {
          if (typeof answer === "object" && answer !== null && "value" in answer) accepted += 1;
          for (const word of ["StoreUnavailable", "SagaDriven", "StaleEpoch", "SequenceConflict"])
            if (JSON.stringify(answer).includes(word)) seen.add(word);
        }
        for (const index of [0, 1] as const) expect(await left(stores[index], run)).toEqual(await left(memory[index], run));
      }
    }),
    { numRuns: RUNS },
  );
  // Most of the calls, or the test would compare refusals only.
  expect(accepted).toBeGreaterThan(RUNS * 5);
  if (RUNS >= 60) expect([...seen].toSorted()).toEqual(["SagaDriven", "SequenceConflict", "StaleEpoch", "StoreUnavailable"]);
}, 240_000);

/** Without what differs between two that behave the same: words, and times. */
function told(answer: Result<unknown, { readonly _tag: string }>): unknown {
  return answer.match(
    (value) => ({ value }),
    (error) => ({ ...error, message: undefined, until: undefined }),
  );
}

function workersOf({ workers }: JournalStore): Workers {
  if (workers === undefined) throw new TypeError("the store has no workers");
  return workers;
}

async function standingIn(store: JournalStore, run: string): Promise<Standing> {
  const standing = new Map<string, { readonly sequence: number; readonly epoch: number }>();
  for (const id of sagaIds) {
    const journal = (await store.load(run + id))._unsafeUnwrap();
    if (journal !== undefined) standing.set(id, { sequence: journal.records.length, epoch: journal.epoch });
  }
  return standing;
}

/** Everything that can be asked of a store without changing it. Times that come from a clock are left out. */
async function left(store: JournalStore, run: string): Promise<unknown> {
  const due = async (until: number): Promise<unknown> => {
    const { sagaIds: ids, next } = (await store.due({ until, limit: 100 }))._unsafeUnwrap();
    return { ids: ids.toSorted(), next: next !== undefined && next < 100 ? next : next !== undefined };
  };
  const answers = await Promise.all([...sagaIds.map((id) => store.load(run + id)), ...names.map((name) => store.lockHolder(run + name))]);
  const listed = await Promise.all([
    store.unfinished({ limit: 100 }),
    store.unfinished({ limit: 100, waiting: true }),
    store.ended({ before: EVER, limit: 100 }),
  ]);
  const { orphans } = (await workersOf(store).orphans({ limit: 100 }))._unsafeUnwrap();
  // Events of one saga keep their order. Of two sagas that start, or commit, together, either may be first.
  const events = (await store.outbox.pending({ limit: 100 }))._unsafeUnwrap();
  return [
    ...answers.map((answer) => answer._unsafeUnwrap()),
    ...listed.map((each) => each._unsafeUnwrap().sagaIds.toSorted()),
    orphans.map((orphan) => JSON.stringify(orphan)).toSorted(),
    events.toSorted((one, other) => (one.sagaId < other.sagaId ? -1 : one.sagaId > other.sagaId ? 1 : 0)),
    await due(0),
    await due(3),
    await due(6),
    await due(EVER),
  ];
}
