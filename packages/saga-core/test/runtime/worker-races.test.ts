// Goal: no saga is lost between workers when something comes at a bad moment: a lapse, a full memory, a lost answer, an unknown definition, a hand-over on its way (I20, I21, I22). Method: engines on one memory
// disk in virtual time, whose stores answer late, fail once or lose answers at the moment in question.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { all, fault, type SagaNotice, saga, sleep, waitFor } from "../../src/index.ts";
import type { JournalStore, MemoryStore, Workers } from "../../src/journal.ts";
import { go, rest } from "./lock-rivals.ts";
import { type Behaviour, createBench, createParticipants, numberInput, type Opened, type OpenOptions } from "./workbench.ts";

const LEASE_MS = 15_000;
const PATIENT = { timeoutMs: 3_600_000, horizonMs: 7_200_000 } as const;
const unavailable = () => Promise.resolve(err({ _tag: "StoreUnavailable", message: "away" } as const));
const never = () => new Promise<never>(() => undefined);

/** Engines with a saga of one step, some of them of a version whose body calls another one. */
function setUp(behaviour: Behaviour = {}) {
  const bench = createBench({ shared: true });
  bench.timer.pause();
  const participants = createParticipants();
  const works = participants.compensatable("works", { retry: PATIENT, ...behaviour });
  const other = participants.compensatable("other");
  const working = saga({
    name: "working",
    input: numberInput,
    *run(input) {
      return yield* works(input);
    },
  });
  const diverging = saga({
    name: "working",
    input: numberInput,
    *run(input) {
      return yield* other(input);
    },
  });
  const waiting = saga({
    name: "waiting",
    input: numberInput,
    *run() {
      return yield* waitFor(go);
    },
  });
  const open = (options: OpenOptions = {}, sagas = [working, waiting] as Parameters<typeof bench.open>[0]): Opened =>
    bench.open(sagas, { leaseMs: LEASE_MS, ...options });
  const stored = (sagaId = "s") => bench.disk.sagas.get(sagaId);
  return { bench, participants, working, diverging, waiting, open, stored };
}

function withWorkers(store: MemoryStore, change: (workers: Workers) => Partial<Workers>): JournalStore {
  if (store.workers === undefined) throw new TypeError("a shared store has workers");
  return { ...store, workers: { ...store.workers, ...change(store.workers) } };
}

describe("a lapse", () => {
  test("does not swallow a start that it lets in: its renewal takes a while, an append does not", async () => {
    const answers: (() => void)[] = [];
    const given = setUp({ run: (input) => new Promise<void>((resolve) => answers.push(resolve)).then(() => ok(input)) });
    const { bench, working, open, stored } = given;
    let slow = false;
    const wrap = (store: MemoryStore) =>
      withWorkers(store, ({ renew }) => ({
        async renew(leaseMs) {
          if (slow) await bench.timer.sleep(50);
          return renew(leaseMs);
        },
      }));
    const one = open({ inMemoryMax: 1, wrap });
    await rest(bench);
    slow = true;
    const starts = ["s1", "s2"].map((id, input) => one.engine.start(working, input, { id }));
    await rest(bench);
    one.freeze();
    await bench.timer.advance(2 * LEASE_MS);
    one.thaw();
    for (let round = 0; round < 10; round++) {
      await bench.timer.advance(LEASE_MS);
      for (const answer of answers.splice(0)) answer();
      await rest(bench);
    }
    await Promise.all(starts);
    expect(["s1", "s2"].map((id) => [stored(id)?.status, stored(id)?.driver])).toEqual([
      ["completed", undefined],
      ["completed", undefined],
    ]);
  });

  test("that the renewal is the first to meet is one: nothing more is sent of what another worker took", async () => {
    const retry = { attempts: 1_000, delayMs: 8_000, delayMsMax: 8_000, horizonMs: 360_000_000 };
    const { bench, participants, working, open } = setUp({ run: () => err(fault("Unknown", "busy")), retry });
    const left: string[] = [];
    const observer = (notice: SagaNotice): void => {
      if (notice._tag === "SagaLeft") left.push(notice.status);
    };
    const one = open({ observer, random: () => 0.5 });
    await rest(bench);
    (await one.engine.start(working, 1, { id: "s" }))._unsafeUnwrap();
    await rest(bench);
    // The machine is suspended for an hour: its clock jumps, its timers go on where they were.
    bench.clock.skewMs += 3_600_000;
    const heir = open();
    await rest(bench);
    heir.kill();
    const sent = participants.made.length;
    await bench.timer.advance(LEASE_MS - 10);
    expect([participants.made.length, left]).toEqual([sent, ["lost"]]);
  });

  test("comes at the end of a lease that is longer than any alarm", async () => {
    const { bench, working, open } = setUp({ run: never, retry: { timeoutMs: 36_000_000, horizonMs: 360_000_000 } });
    let away = false;
    const left: string[] = [];
    const observer = (notice: SagaNotice): void => {
      if (notice._tag === "SagaLeft") left.push(notice.status);
    };
    const wrap = (store: MemoryStore) =>
      withWorkers(store, ({ renew }) => ({ renew: (leaseMs) => (away ? unavailable() : renew(leaseMs)) }));
    const one = open({ leaseMs: 3_600_000, observer, wrap });
    await rest(bench);
    (await one.engine.start(working, 1, { id: "s" }))._unsafeUnwrap();
    away = true;
    await bench.timer.advance(3_600_000);
    expect(left).toEqual(["lost"]);
  });
});

describe("a definition that a worker does not know", () => {
  test("takes nothing from the one that does: a sleeper that is due", async () => {
    const { bench, participants, open, stored } = setUp();
    const wakes = participants.compensatable("wakes");
    const sleeper = saga({
      name: "sleeper",
      input: numberInput,
      *run(input) {
        yield* sleep({ hours: 1 });
        return yield* wakes(input);
      },
    });
    const knowing = open({}, [sleeper]);
    await rest(bench);
    (await knowing.engine.start(sleeper, 1, { id: "s" }))._unsafeUnwrap();
    await knowing.engine.close();
    const old = open({}, []);
    await bench.timer.advance(2 * 3_600_000);
    expect([stored()?.epoch, stored()?.claimsWithoutProgress]).toEqual([1, 0]);
    expect(await old.engine.parked()).toMatchObject({ value: [{ sagaId: "s", quarantine: { _tag: "UnknownSaga" } }] });
    const again = open({}, [sleeper]);
    await bench.timer.advance(60_000);
    expect([await again.engine.parked(), await old.engine.parked(), stored()?.status]).toEqual([ok([]), ok([]), "completed"]);
  });

  test("takes nothing from the one that does: a signal that came to the wrong worker, again and again", async () => {
    const { bench, waiting, open, stored } = setUp({ run: never });
    const [knowing, old] = [open(), open({}, [])];
    await rest(bench);
    (await knowing.engine.start(waiting, 1, { id: "s" }))._unsafeUnwrap();
    for (let times = 0; times < 60; times++) {
      const told = old.engine.signal("s", go, 1, { key: "k" });
      await bench.timer.advance(1_000);
      expect(await told).toMatchObject({ error: { _tag: "SagaUnavailable" } });
    }
    expect([stored()?.epoch, stored()?.claimsWithoutProgress]).toEqual([1, 0]);
    const told = knowing.engine.signal("s", go, 1, { key: "k" });
    await bench.timer.advance(1_000);
    expect(await told).toEqual(ok(undefined));
  });

  test("is no end of a saga that another worker drives, whoever asks whom", async () => {
    const { bench, working, diverging, open, stored } = setUp({ run: never });
    const first = open();
    await rest(bench);
    (await first.engine.start(working, 1, { id: "s" }))._unsafeUnwrap();
    first.kill();
    const old = open({}, [diverging]);
    await bench.timer.advance(2 * LEASE_MS);
    expect(await old.engine.parked()).toMatchObject({ value: [{ quarantine: { _tag: "ReplayDiverged" } }] });
    open();
    await bench.timer.advance(2 * LEASE_MS);
    let told: unknown = "goes on";
    void old.engine.result(diverging, "s").then((result) => {
      told = result;
    });
    await bench.timer.advance(5_000);
    expect([stored()?.status, told, await old.engine.parked()]).toEqual(["running", "goes on", ok([])]);
  });
});

describe("a store that answers badly once", () => {
  test("when it is told what is let go of: another worker finds it all the same", async () => {
    let hangs = true;
    const { bench, working, diverging, open, stored } = setUp({ run: (input) => (hangs ? never() : ok(input)) });
    const first = open();
    await rest(bench);
    (await first.engine.start(working, 1, { id: "s" }))._unsafeUnwrap();
    first.kill();
    hangs = false;
    let failures = 3;
    const wrap = (store: MemoryStore) =>
      withWorkers(store, ({ release }) => ({ release: (sagaIds) => (failures-- > 0 ? unavailable() : release(sagaIds)) }));
    open({ wrap }, [diverging]);
    await bench.timer.advance(2 * LEASE_MS);
    open();
    await bench.timer.advance(10 * LEASE_MS);
    expect(stored()?.status).toBe("completed");
  });

  test("to a claim that took effect: the saga is taken up all the same", async () => {
    const { bench, working, open, stored } = setUp({ run: (input, nth) => (nth === 1 ? never() : ok(input)) });
    const dead = open();
    await rest(bench);
    (await dead.engine.start(working, 1, { id: "s" }))._unsafeUnwrap();
    dead.kill();
    let failures = 1;
    const wrap = (store: MemoryStore): JournalStore => ({
      ...store,
      async claim(sagaId, options) {
        const claimed = await store.claim(sagaId, options);
        return claimed.isOk() && failures-- > 0 ? unavailable() : claimed;
      },
    });
    open({ wrap });
    await bench.timer.advance(10 * LEASE_MS);
    expect([stored()?.status, stored()?.epoch]).toEqual(["completed", 3]);
  });

  test("by throwing: whatever asks it asks again", async () => {
    const { bench, open } = setUp();
    let failures = 1;
    const wrap = (store: MemoryStore) =>
      withWorkers(store, ({ orphans }) => ({
        orphans: (options) => (failures-- > 0 ? Promise.reject(new Error("broken")) : orphans(options)),
      }));
    const { engine } = open({ wrap });
    let recovered: unknown = "not yet";
    void engine.recovered.then((found) => {
      recovered = found;
    });
    await bench.timer.advance(LEASE_MS);
    expect(recovered).toEqual({ adopted: 0, quarantined: 0 });
  });
});

describe("a hand-over", () => {
  test("does not undo a claim whose answer is on its way", async () => {
    const { bench, waiting, open, stored } = setUp();
    const dead = open({ evictAfterMs: 0 });
    await rest(bench);
    (await dead.engine.start(waiting, 1, { id: "s" }))._unsafeUnwrap();
    await rest(bench);
    const wrap = (store: MemoryStore): JournalStore => ({
      ...store,
      async claim(sagaId, options) {
        const claimed = await store.claim(sagaId, options);
        await bench.timer.sleep(1_200);
        return claimed;
      },
    });
    const [slow, quick] = [open({ wrap }), open()];
    await rest(bench);
    const told = slow.engine.signal("s", go, 1, { key: "k" });
    await rest(bench);
    const claimed = stored()?.driver;
    const cancelled = quick.engine.cancel("s", "no more");
    await bench.timer.advance(600);
    expect([claimed === undefined, stored()?.driver]).toEqual([false, claimed]);
    await bench.timer.advance(5_000);
    expect((await told).isOk()).toBe(true);
    expect(await cancelled).toMatchObject({ error: { reason: "ended" } });
  });

  test("is made by a worker that has no room for more", async () => {
    const retry = { attempts: 100_000, delayMs: 3_600_000, delayMsMax: 3_600_000, horizonMs: 360_000_000 };
    const { bench, participants, working, open } = setUp({ run: () => err(fault("Unknown", "busy")), retry });
    const busy = participants.compensatable("busy", { run: never, retry: PATIENT });
    const sleeper = saga({
      name: "sleeper",
      input: numberInput,
      *run(input) {
        yield* sleep({ minutes: 1 });
        return yield* busy(input);
      },
    });
    const one = open({ inMemoryMax: 1 }, [working, sleeper]);
    await rest(bench);
    (await one.engine.start(sleeper, 1, { id: "z" }))._unsafeUnwrap();
    await bench.timer.advance(50_000);
    (await one.engine.start(working, 1, { id: "s" }))._unsafeUnwrap();
    await bench.timer.advance(20_000);
    const other = open({}, [working]);
    await rest(bench);
    const cancelled = other.engine.cancel("s", "no more");
    await bench.timer.advance(20_000);
    expect(await cancelled).toEqual(ok(undefined));
  });

  test("that a verb asked for in vain leaves the saga to be driven", async () => {
    const bench = createBench({ shared: true });
    bench.timer.pause();
    const participants = createParticipants();
    let mended = false;
    const answers: (() => void)[] = [];
    const later = () => new Promise<void>((resolve) => answers.push(resolve)).then(() => ok(undefined));
    const also = participants.compensatable("also", { compensate: later, compensationRetry: PATIENT });
    const undone = participants.compensatable("undone", { compensate: () => (mended ? later() : err(fault("Faulted", "never"))) });
    const refuses = participants.compensatable("refuses", { run: () => err({ _tag: "Refused" }) });
    const stuck = saga({
      name: "stuck",
      input: numberInput,
      *run(input) {
        yield* also(input);
        yield* undone(input);
        return yield* refuses(input);
      },
    });
    let meanwhile: (() => Promise<void>) | undefined;
    const wrap = (store: MemoryStore): JournalStore => ({
      ...store,
      async load(sagaId) {
        const loaded = await store.load(sagaId);
        const then = meanwhile;
        meanwhile = undefined;
        await then?.();
        return loaded;
      },
    });
    const [one, other] = [bench.open([stuck], { leaseMs: LEASE_MS, wrap }), bench.open([stuck], { leaseMs: LEASE_MS })];
    await rest(bench);
    expect(await other.engine.run(stuck, 1, { id: "s" })).toMatchObject({ error: { _tag: "SagaParked" } });
    mended = true;
    // Between one operator's look at the journal and the claim, another one's verb goes through.
    meanwhile = async () => {
      const order = { path: "run/undone", slot: "compensation", by: "ann", reason: "mended" } as const;
      (await other.engine.retry("s", order))._unsafeUnwrap();
    };
    const abandoned = one.engine.abandon("s", { by: "bob", reason: "no more" });
    await rest(bench);
    for (let round = 0; round < 10; round++) {
      await bench.timer.advance(LEASE_MS);
      for (const answer of answers.splice(0)) answer();
      await rest(bench);
    }
    const { status, driver } = bench.disk.sagas.get("s") ?? {};
    expect([(await abandoned).isErr(), status, driver]).toEqual([true, "compensated", undefined]);
  });
});

test("a renewal that is under way when its worker leaves does not bring the lease back", async () => {
  const { bench, open } = setUp();
  let slow = false;
  const wrap = (store: MemoryStore) =>
    withWorkers(store, ({ renew }) => ({
      async renew(leaseMs) {
        if (slow) await bench.timer.sleep(100);
        return renew(leaseMs);
      },
    }));
  const { engine } = open({ wrap });
  await rest(bench);
  slow = true;
  await bench.timer.advance(LEASE_MS / 3);
  const closed = engine.close();
  await bench.timer.advance(200);
  await closed;
  await bench.timer.advance(200);
  expect(bench.disk.leases.size).toBe(0);
});

describe("a place in memory", () => {
  test("is given back by a start whose first record fits no journal", async () => {
    const { bench, participants, working, open } = setUp();
    const eats = participants.compensatable("eats");
    const text = "x".repeat(1_000_000);
    const big = saga({
      name: "big",
      input: z.string(),
      *run() {
        yield* all([1, 2, 3, 4, 5].map((each) => eats(`${text}${each}` as unknown as number)));
        return 1;
      },
    });
    const { engine } = open({ inMemoryMax: 1 }, [big, working]);
    await rest(bench);
    expect(await engine.start(big, "", { id: "b" })).toMatchObject({ error: { _tag: "SagaUnavailable" } });
    const result = engine.run(working, 7, { id: "s" });
    await bench.timer.advance(1_000);
    expect(await result).toEqual(ok(7));
  });

  test("is made by one that rests as soon as nobody holds it any more", async () => {
    const { bench, working, open } = setUp();
    const patient = saga({
      name: "patient",
      input: numberInput,
      *run() {
        yield* waitFor(go);
        return yield* waitFor(go);
      },
    });
    let gate: Promise<void> | undefined;
    const wrap = (store: MemoryStore): JournalStore => ({
      ...store,
      async append(request) {
        const appended = await store.append(request);
        await gate;
        return appended;
      },
    });
    const { engine } = open({ inMemoryMax: 1, evictAfterMs: 3_600_000, wrap }, [patient, working]);
    await rest(bench);
    (await engine.start(patient, 1, { id: "w" }))._unsafeUnwrap();
    await rest(bench);
    const opened = Promise.withResolvers<void>();
    gate = opened.promise;
    const told = engine.signal("w", go, 1, { key: "k" });
    await rest(bench);
    const result = engine.run(working, 7, { id: "s" });
    await rest(bench);
    gate = undefined;
    opened.resolve();
    await bench.timer.advance(1_000);
    expect([(await told).isOk(), await result]).toEqual([true, ok(7)]);
  });
});
