// Goal: workers that share a store drive each saga once between them, whatever becomes of one of them (I20, I21, I22; FS-35, FS-36, FS-39, FS-40, FS-62). Method: engines on one memory disk in virtual time, of which some die,
// freeze, lose the store or close; what is counted are attempts, adoptions and records.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { fault, type SagaNotice, saga, signal, sleep, waitFor } from "../../src/index.ts";
import type { JournalStore, MemoryStore } from "../../src/journal.ts";
import { inMemory } from "./in-memory.ts";
import { createHolder, createUser, go, rest } from "./lock-rivals.ts";
import { type Behaviour, createBench, createParticipants, numberInput, type Opened, type OpenOptions } from "./workbench.ts";

const LEASE_MS = 15_000;
/** An attempt may take as long as a test lets it. */
const PATIENT = { timeoutMs: 3_600_000, horizonMs: 7_200_000 } as const;

/** Two workers and a saga of one step, whose answer the test gives. */
function setUp(behaviour: Behaviour = {}) {
  const bench = createBench({ shared: true });
  bench.timer.pause();
  const participants = createParticipants();
  const answers: ((answer: "done") => void)[] = [];
  const asked = { run: (input: number) => new Promise<"done">((resolve) => answers.push(resolve)).then(() => ok(input)) };
  const works = participants.compensatable("works", { ...asked, retry: PATIENT, ...behaviour });
  const working = saga({
    name: "working",
    input: numberInput,
    *run(input) {
      return yield* works(input);
    },
  });
  const adoptions: string[] = [];
  const observer = (notice: SagaNotice): void => {
    if (notice._tag === "SagaAdopted") adoptions.push(notice.sagaId);
  };
  const open = (options: OpenOptions = {}): Opened => bench.open([working], { leaseMs: LEASE_MS, observer, ...options });
  const answerAll = async (): Promise<void> => {
    for (const answer of answers.splice(0)) answer("done");
    await rest(bench);
  };
  return { bench, participants, working, adoptions, open, answerAll };
}

describe("a saga of a worker that lives", () => {
  test("stays with it, however many others come", async () => {
    const { bench, participants, working, adoptions, open, answerAll } = setUp();
    const first = open();
    const result = first.engine.run(working, 1, { id: "s" });
    await rest(bench);
    const second = open();
    await bench.timer.advance(10 * LEASE_MS);
    expect([await second.engine.recovered, adoptions]).toEqual([{ adopted: 0, quarantined: 0 }, []]);
    await answerAll();
    expect([await result, participants.made.length]).toEqual([ok(1), 1]);
    expect(bench.disk.sagas.get("s")?.epoch).toBe(1);
  });

  test("tells its result to those who ask another worker", async () => {
    const { bench, working, open, answerAll } = setUp();
    const first = open();
    (await first.engine.start(working, 1, { id: "s" }))._unsafeUnwrap();
    const asked = open().engine.result(working, "s");
    await rest(bench);
    await answerAll();
    await bench.timer.advance(1_000);
    expect(await asked).toEqual(ok(1));
    expect(bench.disk.sagas.get("s")?.epoch).toBe(1);
  });

  test("is started once, though two workers are asked for it", async () => {
    const { bench, participants, working, open, answerAll } = setUp();
    const results = [open(), open()].map(({ engine }) => engine.run(working, 1, { id: "s" }));
    await rest(bench);
    await answerAll();
    await bench.timer.advance(1_000);
    expect([await Promise.all(results), participants.made.length]).toEqual([[ok(1), ok(1)], 1]);
  });
});

describe("a saga of a worker that died", () => {
  test("is taken up when the lease is over, and no earlier", async () => {
    const { bench, participants, working, adoptions, open, answerAll } = setUp();
    const first = open();
    (await first.engine.start(working, 1, { id: "s" }))._unsafeUnwrap();
    const second = open();
    await rest(bench);
    first.kill();
    await bench.timer.advance(LEASE_MS - 1);
    expect(adoptions).toEqual([]);
    await bench.timer.advance(LEASE_MS);
    expect(adoptions).toEqual(["s"]);
    await answerAll();
    expect(await second.engine.result(working, "s")).toEqual(ok(1));
    const [one, other, ...more] = participants.made.map(({ call }) => call.key);
    expect([other, more]).toEqual([one, []]);
  });

  test("is shared with all others that it left, each by one worker", async () => {
    const { bench, participants, working, adoptions, open, answerAll } = setUp();
    const first = open();
    const ids = Array.from({ length: 250 }, (_, at) => `s${at}`);
    for (const id of ids) (await first.engine.start(working, 1, { id }))._unsafeUnwrap();
    first.kill();
    await bench.timer.advance(2 * LEASE_MS);
    const memories = [inMemory(), inMemory()];
    const workers = memories.map(({ observer }, at) => open({ observer, random: () => at / 2 }));
    await rest(bench);
    const shares = memories.map((memory) => memory.adoptions);
    expect(shares.flat().toSorted()).toEqual(ids.toSorted());
    expect(shares.every((share) => share.length > 0)).toBe(true);
    await answerAll();
    for (const id of ids) expect(await workers[0]?.engine.result(working, id)).toEqual(ok(1));
    expect([participants.made.length, adoptions]).toEqual([2 * ids.length, []]);
  });
});

describe("a worker that was frozen for longer than its lease", () => {
  test("finds that its saga went on elsewhere, and writes and sends nothing more (FS-35, FS-39)", async () => {
    const { bench, participants, working, open, answerAll } = setUp();
    const first = open();
    const result = first.engine.run(working, 1, { id: "s" });
    await rest(bench);
    first.freeze();
    const second = open();
    await bench.timer.advance(2 * LEASE_MS);
    const records = bench.disk.sagas.get("s")?.records.length;
    expect(bench.disk.sagas.get("s")?.epoch).toBe(2);
    first.thaw();
    // Both answers come: the one that the frozen worker had asked for, and the other's.
    await answerAll();
    await bench.timer.advance(LEASE_MS);
    expect(bench.disk.sagas.get("s")?.records.length).toBe((records ?? 0) + 1);
    expect(participants.made.length).toBe(2);
    expect([await result, await second.engine.result(working, "s")]).toEqual([ok(1), ok(1)]);
  });

  test("takes its saga up again if nobody else did", async () => {
    const { bench, working, open, answerAll } = setUp();
    const first = open();
    const result = first.engine.run(working, 1, { id: "s" });
    await rest(bench);
    first.freeze();
    await bench.timer.advance(2 * LEASE_MS);
    first.thaw();
    await bench.timer.advance(LEASE_MS);
    expect(bench.disk.sagas.get("s")?.epoch).toBe(2);
    await answerAll();
    expect(await result).toEqual(ok(1));
  });
});

describe("a worker that cannot renew its lease", () => {
  function cutOff() {
    const store = { away: false };
    const unavailable = () => Promise.resolve(err({ _tag: "StoreUnavailable", message: "away" } as const));
    const wrap = (inner: MemoryStore): JournalStore => ({
      ...inner,
      append: (request) => (store.away ? unavailable() : inner.append(request)),
      claim: (sagaId, options) => (store.away ? unavailable() : inner.claim(sagaId, options)),
      workers: inner.workers && {
        ...inner.workers,
        renew: (leaseMs) => (store.away ? unavailable() : (inner.workers?.renew(leaseMs) ?? unavailable())),
      },
    });
    return { store, wrap };
  }

  test("sends nothing from before the end of its lease until it has one again, and loses nothing", async () => {
    let answer: "busy" | "done" = "busy";
    const retry = { attempts: 1_000, delayMs: 200, delayMsMax: 200, horizonMs: 3_600_000 };
    const given = setUp({ run: (input) => (answer === "busy" ? err(fault("Unknown", "busy")) : ok(input)), retry });
    const { bench, participants, working, open } = given;
    const { store, wrap } = cutOff();
    const result = open({ wrap }).engine.run(working, 1, { id: "s" });
    await bench.timer.advance(LEASE_MS);
    store.away = true;
    const at = bench.timer.now();
    await bench.timer.advance(LEASE_MS);
    const sent = participants.made.length;
    const lastAt = bench.timer.now();
    await bench.timer.advance(60_000);
    expect([sent > 10, participants.made.length, lastAt - at]).toEqual([true, sent, LEASE_MS]);
    store.away = false;
    answer = "done";
    await bench.timer.advance(LEASE_MS);
    expect([await result, participants.made.length]).toEqual([ok(1), sent + 1]);
  });

  test("goes on with what came into its memory after the lease had lapsed: a claim that was answered late", async () => {
    const { bench, participants, working, open, answerAll } = setUp();
    const dead = open();
    (await dead.engine.start(working, 1, { id: "s" }))._unsafeUnwrap();
    dead.kill();
    const { store, wrap } = cutOff();
    const answered = Promise.withResolvers<void>();
    let claims = 0;
    const late = (inner: MemoryStore): JournalStore => ({
      ...wrap(inner),
      async claim(sagaId, options) {
        const claimed = await inner.claim(sagaId, options);
        claims += 1;
        store.away = claims === 1;
        await answered.promise;
        return claimed;
      },
    });
    const { engine } = open({ wrap: late });
    await bench.timer.advance(4 * LEASE_MS);
    expect(store.away).toBe(true);
    answered.resolve();
    await rest(bench);
    expect(participants.made.length).toBe(1);
    store.away = false;
    await bench.timer.advance(LEASE_MS);
    await answerAll();
    expect(await engine.result(working, "s")).toEqual(ok(1));
  });

  test("goes on with what came into its memory after the lease had lapsed: a start that waited for its turn", async () => {
    const { bench, participants, working, open, answerAll } = setUp();
    const store = { away: false };
    const wrap = (inner: MemoryStore): JournalStore => ({
      ...inner,
      workers: inner.workers && {
        ...inner.workers,
        renew: async (leaseMs) =>
          store.away || inner.workers === undefined ? err({ _tag: "StoreUnavailable", message: "away" }) : inner.workers.renew(leaseMs),
      },
    });
    const { engine } = open({ wrap, inMemoryMax: 1 });
    await rest(bench);
    (await engine.start(working, 1, { id: "s1" }))._unsafeUnwrap();
    const waiting = engine.start(working, 2, { id: "s2" });
    await rest(bench);
    store.away = true;
    // The first one leaves its place as the lease lapses.
    await bench.timer.advance(LEASE_MS);
    expect([bench.disk.sagas.has("s2"), participants.made.length]).toEqual([true, 1]);
    // Nobody can promise that it is driven; but it is.
    expect(await waiting).toMatchObject({ error: { _tag: "SagaUnavailable" } });
    store.away = false;
    for (let round = 0; round < 4; round++) {
      await bench.timer.advance(LEASE_MS);
      await answerAll();
    }
    expect(await Promise.all(["s1", "s2"].map((id) => engine.result(working, id)))).toEqual([ok(1), ok(2)]);
  });

  test("starts nothing, and says so at once", async () => {
    const { bench, working, open } = setUp();
    const { store, wrap } = cutOff();
    store.away = true;
    const { engine } = open({ wrap });
    await rest(bench);
    const refused = await engine.start(working, 1, { id: "s" });
    expect(refused).toMatchObject({ error: { _tag: "SagaUnavailable", message: expect.stringContaining("no lease") } });
    store.away = false;
    await bench.timer.advance(LEASE_MS);
    expect(await engine.start(working, 1, { id: "s" })).toEqual(ok(undefined));
  });
});

test("a worker that closes hands over: what was in flight is journaled, and others go on at once (FS-40)", async () => {
  const bench = createBench({ shared: true });
  bench.timer.pause();
  const participants = createParticipants();
  const answers: ((answer: "done") => void)[] = [];
  const first = participants.compensatable("first", {
    run: (input) => new Promise<"done">((resolve) => answers.push(resolve)).then(() => ok(input)),
  });
  const second = participants.compensatable("second");
  const both = saga({
    name: "both",
    input: numberInput,
    *run(input) {
      yield* first(input);
      return yield* second(input);
    },
  });
  const [leaver, heir] = [0, 1].map(() => bench.open([both], { leaseMs: LEASE_MS }));
  const result = leaver?.engine.run(both, 1, { id: "s" });
  await rest(bench);
  const at = bench.timer.now();
  const closed = leaver?.engine.close();
  await rest(bench);
  for (const answer of answers) answer("done");
  await closed;
  await rest(bench);
  expect(participants.told()).toEqual(["first 1", "second 1"]);
  expect([await heir?.engine.result(both, "s"), bench.timer.now()]).toEqual([ok(1), at]);
  expect(await result).toMatchObject({ error: { _tag: "SagaUnavailable" } });
});

describe("a saga that somebody wants at another worker", () => {
  const word = signal({ name: "word", payload: numberInput });

  test("is handed over at once where it only waits", async () => {
    const bench = createBench({ shared: true });
    bench.timer.pause();
    const waiting = saga({
      name: "waiting",
      input: numberInput,
      *run() {
        return yield* waitFor(word);
      },
    });
    const [one, other] = [0, 1].map(() => bench.open([waiting], { leaseMs: LEASE_MS })) as [Opened, Opened];
    await rest(bench);
    const result = one.engine.run(waiting, 1, { id: "s" });
    await rest(bench);
    const told = other.engine.signal("s", word, 7, { key: "k" });
    await bench.timer.advance(100);
    expect(await told).toEqual(ok(undefined));
    await bench.timer.advance(1_000);
    expect([await result, bench.disk.sagas.get("s")?.epoch]).toEqual([ok(7), 2]);
  });

  test("is handed over once its attempt in flight has brought its outcome home, and nothing is sent twice", async () => {
    const { bench, participants, working, open, answerAll } = setUp();
    const [one, other] = [open(), open()];
    await rest(bench);
    const result = one.engine.run(working, 1, { id: "s" });
    await rest(bench);
    const cancelled = other.engine.cancel("s", "no more");
    await bench.timer.advance(5_000);
    expect(bench.disk.sagas.get("s")?.epoch).toBe(1);
    await answerAll();
    await bench.timer.advance(5_000);
    // The step was the last one: with its outcome the saga had ended.
    expect(await cancelled).toMatchObject({ error: { _tag: "CancelRefused", reason: "ended" } });
    expect([await result, participants.told()]).toEqual([ok(1), ["works 1"]]);
  });

  test("is not handed over in the middle of what repeats: its wait ends at once, and what it knows is kept", async () => {
    const given = setUp({
      run: () => err(fault("Unknown", "away")),
      retry: { attempts: 1_000, delayMs: 60_000, delayMsMax: 60_000, horizonMs: 3_600_000 },
    });
    const { bench, participants, working, open } = given;
    const [one, other] = [open(), open()];
    await rest(bench);
    const result = one.engine.run(working, 1, { id: "s" });
    await bench.timer.advance(1_000);
    const cancelled = other.engine.cancel("s", "no more");
    await bench.timer.advance(5_000);
    expect(await cancelled).toEqual(ok(undefined));
    await bench.timer.advance(5_000);
    expect(await result).toMatchObject({ error: { _tag: "SagaCancelled" } });
    // The one attempt that every adoption makes, and the undo of what is in doubt.
    expect(participants.told()).toEqual(["works 1", "works 1", "undo works 1"]);
  });

  test("stays where it is when its attempt is long, and whoever wants it is told so", async () => {
    const { bench, working, open } = setUp();
    const [one, other] = [open(), open()];
    await rest(bench);
    (await one.engine.start(working, 1, { id: "s" }))._unsafeUnwrap();
    const cancelled = other.engine.cancel("s", "no more");
    await bench.timer.advance(60_000);
    expect(await cancelled).toMatchObject({ error: { _tag: "SagaUnavailable", message: expect.stringContaining("another worker") } });
  });

  test("is given back by an operator's verb as by a signal", async () => {
    let works = false;
    const bench = createBench({ shared: true });
    bench.timer.pause();
    const participants = createParticipants();
    const refuses = participants.compensatable("refuses", { run: () => err({ _tag: "Refused" }) });
    const undone = participants.compensatable("undone", { compensate: () => (works ? ok(undefined) : err(fault("Faulted", "never"))) });
    const stuck = saga({
      name: "stuck",
      input: numberInput,
      *run(input) {
        yield* undone(input);
        return yield* refuses(input);
      },
    });
    const [one, other] = [0, 1].map(() => bench.open([stuck], { leaseMs: LEASE_MS })) as [Opened, Opened];
    await rest(bench);
    expect(await one.engine.run(stuck, 1, { id: "s" })).toMatchObject({ error: { _tag: "SagaParked" } });
    works = true;
    expect(await other.engine.retry("s", { path: "run/undone", slot: "compensation", by: "ann", reason: "mended" })).toEqual(ok(undefined));
    await rest(bench);
    expect(await other.engine.result(stuck, "s")).toMatchObject({ error: { _tag: "Refused" } });
  });
});

test("a saga of a version that a worker does not know waits for one that does, and is not claimed in vain", async () => {
  const { bench, working, open, answerAll } = setUp();
  const first = open();
  (await first.engine.start(working, 1, { id: "s" }))._unsafeUnwrap();
  first.kill();
  const old = bench.open([], { leaseMs: LEASE_MS });
  await bench.timer.advance(3 * LEASE_MS);
  expect(await old.engine.parked()).toMatchObject({ value: [{ sagaId: "s", quarantine: { _tag: "UnknownSaga" } }] });
  expect(bench.disk.sagas.get("s")?.epoch).toBe(1);
  const knowing = open();
  await bench.timer.advance(LEASE_MS);
  expect(await old.engine.parked()).toEqual(ok([]));
  await answerAll();
  expect(await knowing.engine.result(working, "s")).toEqual(ok(1));
});

test("a lock that a saga of one worker lets go of wakes the one of another worker", async () => {
  const bench = createBench({ shared: true });
  bench.timer.pause();
  const participants = createParticipants();
  const holder = createHolder(participants, "holder", 0, "order:42");
  const user = createUser(participants, 3_600_000);
  const [one, other] = [0, 1].map(() => bench.open([holder, user], { leaseMs: LEASE_MS }));
  if (one === undefined || other === undefined) throw new Error("two workers are opened");
  (await one.engine.start(holder, 1, { id: "h" }))._unsafeUnwrap();
  await rest(bench);
  const used = other.engine.run(user, 2, { id: "u" });
  await rest(bench);
  expect(await one.engine.signal("h", go, 1, { key: "k" })).toEqual(ok(undefined));
  await bench.timer.advance(10);
  expect(await used).toEqual(ok(2));
});

test("a sleeper that left memory is woken by one worker, whichever", async () => {
  const bench = createBench({ shared: true });
  bench.timer.pause();
  const participants = createParticipants();
  const wakes = participants.compensatable("wakes");
  const sleeper = saga({
    name: "sleeper",
    input: numberInput,
    *run(input) {
      yield* sleep({ hours: 1 });
      return yield* wakes(input);
    },
  });
  const workers = [0, 1, 2].map(() => bench.open([sleeper], { leaseMs: LEASE_MS }));
  const ids = Array.from({ length: 40 }, (_, at) => `s${at}`);
  for (const id of ids) (await workers[0]?.engine.start(sleeper, 1, { id }))?._unsafeUnwrap();
  expect([...bench.disk.sagas.values()].map(({ driver }) => driver)).toEqual(ids.map(() => undefined));
  await bench.timer.advance(3_700_000);
  expect(participants.made.length).toBe(ids.length);
  expect([...bench.disk.sagas.values()].map(({ status, epoch }) => [status, epoch])).toEqual(ids.map(() => ["completed", 2]));
});

describe("admission", () => {
  test("lets in as many sagas as may be in memory, the others in order, and turns away those who would wait behind too many", async () => {
    const { bench, participants, working, open, answerAll } = setUp();
    const { engine } = open({ inMemoryMax: 2 });
    await rest(bench);
    const results = [1, 2, 3, 4].map((input) => engine.run(working, input, { id: `s${input}` }));
    await rest(bench);
    expect(participants.told()).toEqual(["works 1", "works 2"]);
    expect(await engine.start(working, 5, { id: "s5" })).toMatchObject({ error: { _tag: "SagaUnavailable", retryAfterMs: 1_000 } });
    expect(bench.disk.sagas.has("s5")).toBe(false);
    await answerAll();
    expect(participants.told()).toEqual(["works 1", "works 2", "works 3", "works 4"]);
    await answerAll();
    expect(await Promise.all(results)).toEqual([ok(1), ok(2), ok(3), ok(4)]);
    // Whoever is in memory already is no newcomer.
    expect(await engine.start(working, 4, { id: "s4" })).toEqual(ok(undefined));
  });

  test("gives one place in the line to a saga, however often it is asked for while it waits", async () => {
    const { bench, participants, working, open, answerAll } = setUp();
    const { engine } = open({ inMemoryMax: 2 });
    await rest(bench);
    for (const input of [1, 2]) void engine.start(working, input, { id: `s${input}` }).then(() => undefined);
    await rest(bench);
    const asked = Array.from({ length: 5 }, () => engine.start(working, 3, { id: "s3" }));
    const other = engine.start(working, 4, { id: "s4" });
    const conflicting = engine.start(working, 33, { id: "s3" });
    await rest(bench);
    await answerAll();
    expect(await conflicting).toMatchObject({ error: { _tag: "SagaIdConflict" } });
    expect(await Promise.all(asked)).toEqual(asked.map(() => ok(undefined)));
    expect(await other).toEqual(ok(undefined));
    expect(participants.told()).toEqual(["works 1", "works 2", "works 3", "works 4"]);
    await answerAll();
  });

  test("takes up three that were left behind for each one that starts, within the bound", async () => {
    const { bench, participants, working, open, answerAll } = setUp();
    const dead = open();
    for (let at = 0; at < 40; at++) (await dead.engine.start(working, 100 + at, { id: `old${at}` }))._unsafeUnwrap();
    dead.kill();
    participants.made.length = 0;
    const memory = inMemory();
    const { engine } = open({ inMemoryMax: 4, observer: memory.observer });
    await bench.timer.advance(2 * LEASE_MS);
    for (let at = 0; at < 4; at++) void engine.start(working, at, { id: `new${at}` }).then(() => undefined);
    await rest(bench);
    // Of the four places that each round sets free, three go to what was under way.
    for (let round = 1; round <= 4; round++) {
      await answerAll();
      expect(participants.made.filter(({ input }) => input < 100).length).toBe(round);
    }
    for (let round = 0; round < 20; round++) await answerAll();
    await bench.timer.advance(LEASE_MS);
    expect([...bench.disk.sagas.values()].filter(({ status }) => status === "completed").length).toBe(44);
    expect(memory.most()).toBeLessThanOrEqual(4);
  });

  test("makes room of sagas that only wait", async () => {
    const bench = createBench({ shared: true });
    bench.timer.pause();
    const participants = createParticipants();
    const works = participants.compensatable("works");
    const waiting = saga({
      name: "waiting",
      input: numberInput,
      *run(input) {
        yield* waitFor(go);
        return yield* works(input);
      },
    });
    const memory = inMemory();
    const { engine } = bench.open([waiting], { inMemoryMax: 3, leaseMs: LEASE_MS, observer: memory.observer });
    await rest(bench);
    const results: ReturnType<typeof engine.run<number, number, unknown>>[] = [];
    for (let at = 0; at < 10; at++) {
      results.push(engine.run(waiting, at, { id: `s${at}` }));
      await rest(bench);
    }
    expect(bench.disk.sagas.size).toBe(10);
    for (let at = 0; at < 10; at++) expect(await engine.signal(`s${at}`, go, 1, { key: "k" })).toEqual(ok(undefined));
    await bench.timer.advance(1_000);
    expect(await Promise.all(results)).toEqual(results.map((_, at) => ok(at)));
    expect(memory.most()).toBeLessThanOrEqual(3);
  });
});

test.each([
  ["leaseMs", 49, "leaseMs must be a whole number of milliseconds from 50 on; found 49"],
  ["inMemoryMax", 0, "inMemoryMax must be a whole number of sagas from 1 on; found 0"],
])("%s of %d is refused", (option, value, message) => {
  expect(() => createBench().open([], { [option]: value })).toThrow(message);
});
