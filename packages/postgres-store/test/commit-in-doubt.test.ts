// Goal: a connection that is lost while a batch is to commit is settled by what stands in the database, never by guessing. Method: a real server behind a way that is cut at chosen moments, and locks
// of the test's own that keep a batch in the middle of its transaction.
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createPostgresStore, type PostgresStore, type PostgresStoreOptions } from "../src/index.ts";
import { type Cut, type Proxy, startProxy } from "./proxy.ts";
import { pendingIds, recordsOf, recordTexts, request } from "./requests.ts";
import { type Postgres, startServer } from "./server.ts";

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startServer();
});
afterAll(() => postgres.close());

interface SetUp {
  readonly proxy: Proxy;
  readonly store: PostgresStore;
  readonly schema: string;
  /** Another worker, whose way is not cut. */
  openRival(): Promise<PostgresStore>;
}

async function setUp(options: PostgresStoreOptions = {}): Promise<SetUp> {
  const proxy = await startProxy(postgres.server.port);
  const schema = postgres.newSchema();
  const stores: PostgresStore[] = [];
  const open = async (connectionString: string): Promise<PostgresStore> => {
    const store = await createPostgresStore({ schema, writersMax: 1, ...options, connectionString });
    stores.push(store);
    return store;
  };
  onTestFinished(async () => {
    proxy.open = true;
    await Promise.all(stores.map((store) => store.close()));
    await proxy.close();
  });
  return { proxy, schema, store: await open(proxy.url), openRival: () => open(postgres.url()) };
}

/** Holds what `sql` locks until it is released. */
async function holding(sql: string): Promise<() => Promise<void>> {
  const client = new pg.Client(postgres.url());
  client.on("error", () => undefined);
  await client.connect();
  await client.query("BEGIN");
  await client.query(sql);
  return async () => {
    await client.query("COMMIT");
    await client.end();
  };
}

/** Resolves when so many statements wait for a lock. */
async function untilWaiting(count: number): Promise<void> {
  const waiting = "SELECT count(*)::int AS count FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
  await expect.poll(async () => (await postgres.query(waiting))[0]?.["count"], { interval: 10, timeout: 10_000 }).toBe(count);
}

test("an append that took effect is accepted although its answer was lost", async () => {
  const { proxy, store } = await setUp();
  proxy.cutNextBatch("answer");
  const verdicts = await Promise.all([store.append(request("a", 0)), store.append(request("a", 1)), store.append(request("b", 0))]);
  expect(verdicts.map((verdict) => verdict.isOk())).toEqual([true, true, true]);
  expect(store.statistics()).toMatchObject({ settlements: 1 });
  expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 2));
  expect(await pendingIds(store)).toEqual(["a/0", "b/0"]);
  for (const sagaId of ["a", "b"]) expect((await store.append(request(sagaId, sagaId === "a" ? 2 : 1))).isOk()).toBe(true);
});

test("an append that did not get through is refused, leaves nothing, and can be made again", async () => {
  const { proxy, store } = await setUp();
  proxy.cutNextBatch("before");
  const verdicts = await Promise.all([store.append(request("a", 0)), store.append(request("b", 0))]);
  expect(verdicts.map((verdict) => verdict._unsafeUnwrapErr()._tag)).toEqual(["StoreUnavailable", "StoreUnavailable"]);
  expect(store.statistics()).toEqual({ commits: 0, settlements: 1 });
  expect([await recordsOf(store, "a"), await pendingIds(store)]).toEqual([[], []]);
  expect((await store.append(request("a", 0))).isOk()).toBe(true);
});

test("an append that commits long after its connection was lost is accepted, and not before", async () => {
  const { proxy, store, schema } = await setUp();
  await store.append(request("a", 0));
  const release = await holding(`LOCK TABLE ${schema}.records IN EXCLUSIVE MODE`);
  proxy.cutNextBatch("sent");
  let verdict: string | undefined;
  const appended = store.append(request("a", 1)).then((each) => {
    verdict = each.isOk() ? "ok" : "err";
  });
  // The batch, for the table; and whoever settles, for the batch.
  await untilWaiting(2);
  expect(verdict).toBeUndefined();
  await release();
  await appended;
  expect(verdict).toBe("ok");
  expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 2));
  expect((await store.append(request("a", 2))).isOk()).toBe(true);
});

test("a batch that begins only after it was settled writes nothing", async () => {
  const { proxy, store, schema } = await setUp();
  await store.append(request("a", 0));
  // Whoever settles stands behind the batch here, or before it, as the server likes: what counts is that its verdict is what is there.
  const release = await holding(`SELECT 1 FROM ${schema}.lanes FOR UPDATE`);
  proxy.cutNextBatch("sent");
  const appended = store.append(request("a", 1));
  await untilWaiting(2);
  await release();
  const verdict = await appended;
  await untilWaiting(0);
  expect(await recordsOf(store, "a")).toEqual(recordTexts("a", verdict.isOk() ? 2 : 1));
});

test("equal bytes that a rival wrote meanwhile are no evidence", async () => {
  const { proxy, store, openRival } = await setUp();
  const rival = await openRival();
  await store.append(request("before", 0));
  proxy.cutNextBatch("before");
  proxy.open = false;
  const appended = store.append(request("a", 0));
  await expect.poll(proxy.cuts).toBe(1);
  expect((await rival.append(request("a", 0))).isOk()).toBe(true);
  proxy.open = true;
  expect((await appended).isOk()).toBe(false);
  expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 1));
});

test("each write of a batch in doubt keeps its own verdict", async () => {
  const { proxy, store, openRival } = await setUp();
  const rival = await openRival();
  for (const sagaId of ["a", "b"]) await rival.append(request(sagaId, 0));
  await store.append(request("known", 0));
  proxy.cutNextBatch("answer");
  const [conflict, stale, next, known, created] = await Promise.all([
    store.append(request("a", 5)),
    store.append(request("a", 1, { epoch: 2 })),
    store.append(request("b", 1)),
    store.append(request("known", 1)),
    store.append(request("new", 0)),
  ]);
  expect(conflict._unsafeUnwrapErr()).toEqual({ _tag: "SequenceConflict", sagaId: "a", sequence: 1 });
  expect(stale._unsafeUnwrapErr()).toEqual({ _tag: "StaleEpoch", sagaId: "a", epoch: 1 });
  expect([next, known, created].map((each) => each.isOk())).toEqual([true, true, true]);
  expect(store.statistics().settlements).toBe(1);
});

test("a removal has a transaction of its own: one that is lost takes no append with it", async () => {
  const { proxy, store, openRival } = await setUp();
  const rival = await openRival();
  for (const sagaId of ["first", "second"]) await rival.append(request(sagaId, 0, { status: "completed" }));
  await store.append(request("a", 0));
  const removing = store.remove(["first"]);
  const appended = store.append(request("a", 1));
  expect((await removing)._unsafeUnwrap()).toEqual({ removed: 1 });
  expect((await appended).isOk()).toBe(true);
  expect(store.statistics().commits).toBe(3);
  await Promise.all([store.remove(["nobody"]), store.workers?.release(["a"])]);
  expect(store.statistics().commits).toBe(5);
  proxy.cutNextBatch("answer");
  expect((await store.remove(["second"]))._unsafeUnwrap()).toEqual({ removed: 1 });
});

test.each(["before", "answer", "sent"] as const)(
  "a claim whose connection is lost (%s) is granted if, and only if, the epoch was raised",
  async (cut) => {
    const { proxy, store, openRival } = await setUp();
    const rival = await openRival();
    await rival.append(request("a", 0));
    proxy.cutNextBatch(cut);
    const claimed = await store.claim("a");
    expect((await store.load("a"))._unsafeUnwrap()?.epoch).toBe(claimed.isOk() ? 2 : 1);
    if (cut !== "sent") expect(claimed.isOk()).toBe(cut === "answer");
    expect((await rival.append(request("a", 1))).isOk()).toBe(claimed.isErr());
  },
);

test("a record that moves a line moves it once, although its answer was lost", async () => {
  const { proxy, store } = await setUp();
  const wants = (sagaId: string) => request(sagaId, 0, { status: "waiting", locks: { held: [], wanted: ["order:1"] } });
  for (const sagaId of ["a", "b", "c"]) expect((await store.append(wants(sagaId))).isOk()).toBe(true);
  proxy.cutNextBatch("answer");
  expect((await store.append(request("a", 1, { status: "completed" }))).isOk()).toBe(true);
  expect((await store.lockHolder("order:1"))._unsafeUnwrap()).toBe("b");
  expect((await store.due({ until: store.now(), limit: 10 }))._unsafeUnwrap().sagaIds).toEqual(["b"]);
});

describe("while the database is away", () => {
  test("no verdict is given on what may have counted, all else is refused at once, and then everything goes on", async () => {
    const { proxy, store } = await setUp();
    await store.append(request("a", 0));
    proxy.open = false;
    proxy.cutNextBatch("answer");
    let settled = false;
    const doubtful = store.append(request("a", 1)).finally(() => {
      settled = true;
    });
    await expect.poll(proxy.cuts).toBe(1);
    proxy.cutAll();
    const others = [
      await store.append(request("b", 0)),
      await store.load("a"),
      await store.claim("a"),
      await store.unfinished({ limit: 10 }),
      await store.workers.renew(1_000),
      await store.outbox.pending({ limit: 10 }),
    ];
    expect(others.map((each) => (each.isErr() ? each.error._tag : "ok"))).toEqual(others.map(() => "StoreUnavailable"));
    expect(settled).toBe(false);
    proxy.open = true;
    expect((await doubtful).isOk()).toBe(true);
    expect((await store.append(request("b", 0))).isOk()).toBe(true);
    expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 2));
    expect(await recordsOf(store, "b")).toEqual(recordTexts("b", 1));
  });

  test("later appends of a saga wait behind the one in doubt", async () => {
    const { proxy, store } = await setUp();
    await store.append(request("a", 0));
    proxy.open = false;
    proxy.cutNextBatch("answer");
    const settled: string[] = [];
    const first = store.append(request("a", 1)).then((verdict) => settled.push(`first ${verdict.isOk()}`));
    await expect.poll(proxy.cuts).toBe(1);
    const second = store.append(request("a", 2)).then((verdict) => settled.push(`second ${verdict.isOk()}`));
    proxy.open = true;
    await Promise.all([first, second]);
    expect(settled).toEqual(["first true", "second true"]);
  });

  test("close gives up what cannot be settled: no verdict, and the database says what happened", async () => {
    const { proxy, store, openRival } = await setUp({ answerTimeoutMs: 300 });
    const rival = await openRival();
    await store.append(request("before", 0));
    proxy.open = false;
    proxy.cutNextBatch("answer");
    let answered = false;
    void store.append(request("a", 0)).then(() => {
      answered = true;
    });
    await expect.poll(proxy.cuts).toBe(1);
    await store.close();
    expect(answered).toBe(false);
    expect(await recordsOf(rival, "a")).toEqual(recordTexts("a", 1));
  });

  test("close ends although writes of the same saga wait behind what is given up", async () => {
    const { proxy, store, openRival } = await setUp({ answerTimeoutMs: 300, writersMax: 2 });
    const rival = await openRival();
    await store.append(request("before", 0));
    proxy.open = false;
    proxy.cutNextBatch("answer");
    void store.append(request("a", 0));
    await expect.poll(proxy.cuts).toBe(1);
    const behind = [store.append(request("a", 1)), store.claim("a")];
    await store.close();
    for (const verdict of await Promise.all(behind)) expect(verdict.isErr()).toBe(true);
    expect(await recordsOf(rival, "a")).toEqual(recordTexts("a", 1));
  });

  test("one that falls silent counts as lost when the answer is overdue", async () => {
    const { proxy, store } = await setUp({ answerTimeoutMs: 300 });
    proxy.cutNextBatch("silent");
    expect((await store.append(request("a", 0))).isOk()).toBe(true);
    expect(store.statistics().settlements).toBe(1);
    expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 1));
  });
});

test("connections that are lost while nobody waits are made again, and are no doubt", async () => {
  const { proxy, store } = await setUp();
  await store.append(request("a", 0));
  await store.load("a");
  proxy.cutAll();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await store.append(request("a", 1))).isOk()).toBe(true);
  expect(await recordsOf(store, "a")).toEqual(recordTexts("a", 2));
  expect(store.statistics().settlements).toBe(0);
});

test("a database that comes back without some of what it had is believed: nothing is written behind what is gone", async () => {
  const { proxy, store, schema } = await setUp();
  await store.append(request("a", 0));
  await store.append(request("b", 0));
  await store.append(request("b", 1));
  // As a standby that had not heard of these commits, but of the lane's.
  const quotedSchema = `"${schema}"`;
  await postgres.query(`DELETE FROM ${quotedSchema}.records WHERE saga = (SELECT position FROM ${quotedSchema}.sagas WHERE saga_id = 'a')`);
  await postgres.query(`DELETE FROM ${quotedSchema}.sagas WHERE saga_id = 'a'`);
  await postgres.query(
    `DELETE FROM ${quotedSchema}.records WHERE sequence = 1 AND saga = (SELECT position FROM ${quotedSchema}.sagas WHERE saga_id = 'b')`,
  );
  proxy.cutAll();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await store.append(request("a", 1)))._unsafeUnwrapErr()).toMatchObject({ _tag: "SequenceConflict", sequence: 0 });
  expect((await store.append(request("b", 2)))._unsafeUnwrapErr()).toMatchObject({ _tag: "SequenceConflict", sequence: 1 });
  expect((await store.append(request("b", 1))).isOk()).toBe(true);
});

test("however often and whenever connections are cut, what was answered ok is there, and what was refused is not", async () => {
  const { proxy, store } = await setUp({ writersMax: 2 });
  const cuts: readonly Cut[] = ["before", "answer", "sent"];
  const [sagas, records] = [12, 15];
  const seed = Math.floor(Math.random() * 1_000);
  let cutting = true;
  const cutter = (async () => {
    for (let round = seed; cutting; round++) {
      const cut = cuts[round % cuts.length];
      if (cut !== undefined) proxy.cutNextBatch(cut);
      if (round % 7 === 0) proxy.cutAll();
      await new Promise((resolve) => setTimeout(resolve, 3 + ((round * 13) % 25)));
    }
  })();
  async function run(sagaId: string): Promise<void> {
    for (let sequence = 0, tries = 0; sequence < records && tries < 400; tries++) {
      const verdict = await store.append(request(sagaId, sequence));
      if (verdict.isOk()) sequence += 1;
      else expect([sagaId, verdict.error._tag]).toEqual([sagaId, "StoreUnavailable"]);
    }
  }
  try {
    await Promise.all(Array.from({ length: sagas }, (_, index) => run(`saga-${index}`)));
  } catch (error) {
    throw new Error(`with seed ${seed}`, { cause: error });
  } finally {
    cutting = false;
    await cutter;
  }
  expect(store.statistics().settlements).toBeGreaterThan(0);
  for (let index = 0; index < sagas; index++) {
    await expect.poll(() => store.load(`saga-${index}`).then((found) => found.isOk())).toBe(true);
    expect(await recordsOf(store, `saga-${index}`)).toEqual(recordTexts(`saga-${index}`, records));
  }
});
