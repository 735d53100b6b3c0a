// Goal: what a worker knows of its sagas never outlives its right to them, whatever is under way when they are taken. Method: two workers on a real server; one appends as fast as it can while the other
// one takes without a lease, again and again.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createPostgresStore, type PostgresStore } from "../src/index.ts";
import { recordsOf, recordTexts, request } from "./requests.ts";
import { type Postgres, startServer } from "./server.ts";

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startServer();
});
afterAll(() => postgres.close());

async function open(count: number): Promise<readonly PostgresStore[]> {
  const schema = postgres.newSchema();
  const stores = await Promise.all(Array.from({ length: count }, () => createPostgresStore({ connectionString: postgres.url(), schema })));
  onTestFinished(async () => {
    await Promise.all(stores.map((store) => store.close()));
  });
  return stores;
}

describe("a saga that is taken while its worker appends to it", () => {
  test("has the records that were accepted before, and none after", async () => {
    const [owner, thief] = await open(2);
    if (owner === undefined || thief === undefined) throw new TypeError("no stores");
    const [sagas, records] = [60, 12];
    let taken = 0;
    async function drive(sagaId: string, place: number): Promise<void> {
      const accepted: string[] = [];
      const { promise: far, resolve: isFar } = Promise.withResolvers<void>();
      const theft = (async () => {
        await far;
        const claimed = (await thief?.claim(sagaId))?._unsafeUnwrap();
        if (claimed === undefined) return undefined;
        taken += 1;
        // Nothing comes between: the place behind the last record is the thief's.
        expect(
          (
            await thief?.append(request(sagaId, claimed.records.length, { epoch: claimed.epoch, record: "the thief's", outbox: [] }))
          )?.isOk(),
        ).toBe(true);
        return claimed.records;
      })();
      for (let sequence = 0; sequence < records; sequence++) {
        const { outbox: _, ...each } = request(sagaId, sequence);
        const verdict = await owner?.append({ ...each, outbox: [] });
        if (verdict?.isErr() === true) {
          expect(["StaleEpoch", "SequenceConflict"]).toContain(verdict.error._tag);
          break;
        }
        accepted.push(each.record);
        if (accepted.length === 1 + (place % 6)) isFar();
      }
      const found = await theft;
      if (found !== undefined) expect(found).toEqual(accepted.slice(0, found.length));
      if (found !== undefined) expect(accepted.length).toBe(found.length);
    }
    await Promise.all(Array.from({ length: sagas }, (_, place) => drive(`saga-${place}`, place)));
    expect(taken).toBe(sagas);
  });

  test("goes on where the others of its worker do: they are looked into once, and known again", async () => {
    const [owner, thief] = await open(2);
    for (const sagaId of ["a", "b"]) await owner?.append(request(sagaId, 0));
    expect((await thief?.claim("a"))?._unsafeUnwrap()?.epoch).toBe(2);
    for (const sequence of [1, 2, 3]) expect((await owner?.append(request("b", sequence)))?.isOk()).toBe(true);
    expect((await owner?.append(request("a", 1)))?._unsafeUnwrapErr()).toEqual({ _tag: "StaleEpoch", sagaId: "a", epoch: 2 });
    expect(owner && (await recordsOf(owner, "b"))).toEqual(recordTexts("b", 4));
  });
});

test("workers that take sagas from each other at once come through", async () => {
  const stores = await open(3);
  const sagaIds = Array.from({ length: 30 }, (_, index) => `saga-${index}`);
  for (const [index, sagaId] of sagaIds.entries()) await stores[index % stores.length]?.append(request(sagaId, 0));
  for (let round = 0; round < 4; round++) {
    const claims = stores.flatMap((store) => sagaIds.map((sagaId) => store.claim(sagaId)));
    for (const claimed of await Promise.all(claims))
      expect(claimed.map((journal) => journal?.records)).toEqual(claimed.map(() => expect.any(Array) as unknown));
  }
  const [first] = stores;
  for (const sagaId of sagaIds) expect((await first?.load(sagaId))?._unsafeUnwrap()?.epoch).toBe(1 + 4 * stores.length);
});

describe("notices", () => {
  test("tell that a lock was handed over, and that a worker left; one is enough for whatever was missed while the connection was lost", async () => {
    const [here, there] = await open(2);
    let heard = 0;
    const stop = there?.workers.listen?.(() => {
      heard += 1;
    });
    const hears = async (what: () => Promise<unknown>): Promise<void> => {
      const before = heard;
      await what();
      await expect.poll(() => heard, { timeout: 10_000 }).toBeGreaterThan(before);
    };
    // The first one comes when it listens.
    await expect.poll(() => heard).toBeGreaterThan(0);
    await here?.append(request("a", 0, { locks: { held: ["order:1"], wanted: [] } }));
    await here?.append(request("b", 0, { locks: { held: [], wanted: ["order:1"] } }));
    await hears(async () => here?.append(request("a", 1, { status: "completed" })));
    await here?.workers.renew(60_000);
    await hears(async () => here?.workers.leave());
    await hears(() => postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"));
    await here?.workers.renew(60_000);
    await hears(async () => here?.workers.leave());
    stop?.();
  });

  test("are not sent for records that concern nobody else", async () => {
    const [here, there] = await open(2);
    let heard = 0;
    there?.workers.listen?.(() => {
      heard += 1;
    });
    await expect.poll(() => heard).toBe(1);
    for (let sequence = 0; sequence < 5; sequence++)
      await here?.append(request("a", sequence, { locks: { held: ["order:1"], wanted: [] } }));
    await here?.append(request("a", 5, { status: "completed" }));
    await here?.workers.renew(60_000);
    await here?.workers.leave();
    // The one that it left with; an earlier one would have come before it.
    await expect.poll(() => heard).toBe(2);
  });
});

test("a claim that is still reading when its store is closed takes nothing over", async () => {
  const [owner, leaving] = await open(2);
  if (owner === undefined || leaving === undefined) throw new TypeError("no stores");
  for (let times = 0; times < 10; times++) {
    await owner.append(request(`s-${times}`, 0, { outbox: [] }));
  }
  const claims = Array.from({ length: 10 }, (_, at) => leaving.claim(`s-${at}`));
  await leaving.close();
  for (const [at, claimed] of (await Promise.all(claims)).entries()) {
    const epoch = (await owner.load(`s-${at}`))._unsafeUnwrap()?.epoch;
    expect(epoch).toBe(claimed.isOk() ? 2 : 1);
  }
  // Nobody has a lease here, so whatever was claimed and not let go of is found again.
  expect((await owner.workers.orphans({ limit: 100 }))._unsafeUnwrap().orphans).toHaveLength(10);
});

test("workers that come for the same sagas, each in an order of its own, do not stand in each other's way", async () => {
  const [former, ...rivals] = await open(3);
  if (former === undefined) throw new TypeError("no stores");
  const sagaIds = Array.from({ length: 30 }, (_, at) => `s-${at}`);
  for (const sagaId of sagaIds) await former.append(request(sagaId, 0, { outbox: [], leaves: true }));
  const deadlocks = async () => Number((await postgres.query("SELECT sum(deadlocks)::int AS count FROM pg_stat_database"))[0]?.["count"]);
  const before = await deadlocks();
  for (let rounds = 0; rounds < 10; rounds++) {
    const orders = [sagaIds, sagaIds.toReversed()];
    await Promise.all(rivals.map((rival, at) => Promise.all((orders[at] ?? []).map((sagaId) => rival.claim(sagaId)))));
    await Promise.all(rivals.map((rival) => rival.workers.release(sagaIds)));
  }
  expect(await deadlocks()).toBe(before);
});
