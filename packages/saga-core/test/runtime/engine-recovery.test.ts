// Goal: an engine's death, a journal nobody can read and a store that fails harm no saga but their own, and that one not for good. Method: crash, damage, refuse.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { type AnySaga, all, type Engine, fault, type SagaParked, saga } from "../../src/index.ts";
import type { AppendRequest, MemoryStore } from "../../src/journal.ts";
import { VIRTUAL_START_MS } from "../virtual-timer.ts";
import { type Bench, createBench, createParticipants, numberInput } from "./workbench.ts";

const never = () => new Promise<never>(() => undefined);

/** A saga of two steps whose second one hangs until `mend` is called. */
function setUp() {
  const bench = createBench();
  const participants = createParticipants();
  let mended = false;
  const a = participants.compensatable("a");
  const b = participants.compensatable("b", {
    run: (input) => (mended ? ok(input) : never()),
    retry: { timeoutMs: 3_600_000, horizonMs: 86_400_000 },
  });
  const pair = saga({
    name: "pair",
    input: numberInput,
    *run(input) {
      const first = yield* a(input);
      return first + (yield* b(input + 1));
    },
  });
  return {
    bench,
    participants,
    pair,
    mend: () => {
      mended = true;
    },
  };
}

/** Starts sagas, lets them come as far as they can, and kills the engine. */
async function interrupt(bench: Bench, sagas: readonly AnySaga[], start: (engine: Engine) => unknown): Promise<void> {
  bench.timer.pause();
  const { engine, kill } = bench.open(sagas);
  await start(engine);
  await bench.timer.idle();
  kill();
  bench.timer.resume();
}

const begin = (bench: Bench, pair: ReturnType<typeof setUp>["pair"], ids: readonly string[] = ["s"]) =>
  interrupt(bench, [pair], (engine) => Promise.all(ids.map((id) => engine.start(pair, 1, { id }))));

describe("the next engine on the store", () => {
  test("takes up what was under way and answers for it", async () => {
    const { bench, participants, pair, mend } = setUp();
    await begin(bench, pair, ["s", "t"]);
    mend();
    const { engine } = bench.open([pair]);
    expect(await engine.recovered).toEqual({ adopted: 2, quarantined: 0 });
    expect((await engine.result(pair, "s"))._unsafeUnwrap()).toBe(3);
    expect((await engine.result(pair, "t"))._unsafeUnwrap()).toBe(3);
    expect(participants.of("a").length).toBe(2);
  });

  test("answers for what had ended before, without taking it up", async () => {
    const { bench, participants, pair, mend } = setUp();
    mend();
    await bench.open([pair]).engine.run(pair, 1, { id: "s" });
    const { engine } = bench.open([pair]);
    expect(await engine.recovered).toEqual({ adopted: 0, quarantined: 0 });
    expect((await engine.result(pair, "s"))._unsafeUnwrap()).toBe(3);
    expect((await engine.inspect("s"))._unsafeUnwrap()).toMatchObject({ status: "completed", saga: { name: "pair", version: 1 } });
    expect(participants.made.length).toBe(2);
  });

  test("I5: sends again what may have been sent, with the same key, input and time of issue, and counts its attempts anew", async () => {
    const { bench, participants, pair, mend } = setUp();
    await begin(bench, pair);
    bench.timer.pause();
    await bench.timer.advance(60_000);
    bench.timer.resume();
    mend();
    await bench.open([pair]).engine.result(pair, "s");
    const [before, after] = participants.of("b");
    expect(participants.of("b").length).toBe(2);
    expect(after?.input).toBe(before?.input);
    expect([before?.call, after?.call]).toMatchObject(
      [1, 2].map(() => ({ key: "s/run/b/action", issuedAt: VIRTUAL_START_MS, attempt: 1, sagaId: "s" })),
    );
  });

  test("gives an operation whose horizon passed meanwhile one attempt of its own", async () => {
    const { bench, participants, pair, mend } = setUp();
    await begin(bench, pair);
    bench.timer.pause();
    await bench.timer.advance(10 * 86_400_000);
    bench.timer.resume();
    mend();
    expect((await bench.open([pair]).engine.result(pair, "s"))._unsafeUnwrap()).toBe(3);
    expect(participants.of("b").length).toBe(2);
  });

  test("goes on going back where it was: what is undone stays undone, what was being undone is undone again", async () => {
    const bench = createBench();
    const participants = createParticipants();
    let mended = false;
    const a = participants.compensatable("a", { compensate: () => (mended ? ok(undefined) : never()) });
    const b = participants.compensatable("b");
    const c = participants.compensatable("c", { run: () => err({ _tag: "Refused" }) });
    const back = saga({
      name: "back",
      input: numberInput,
      *run() {
        yield* a(1);
        yield* b(2);
        yield* c(3);
      },
    });
    await interrupt(bench, [back], (engine) => engine.start(back, 0, { id: "s" }));
    expect(participants.told()).toEqual(["a 1", "b 2", "c 3", "undo b 2", "undo a 1"]);
    mended = true;
    expect((await bench.open([back]).engine.result(back, "s"))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.told().slice(5)).toEqual(["undo a 1"]);
    expect(new Set(participants.of("a", "compensation").map(({ call }) => call.key))).toEqual(new Set(["s/run/a/compensation"]));
  });

  test("starts no attempt in an all that had failed: what was open there is undone in doubt", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const hangs = participants.compensatable("hangs", { run: never, retry: { timeoutMs: 3_600_000 } });
    const no = participants.compensatable("no", { run: () => err({ _tag: "Refused" }) });
    const some = saga({
      name: "some",
      input: numberInput,
      *run() {
        yield* all([hangs(1), no(2)]);
      },
    });
    await interrupt(bench, [some], (engine) => engine.start(some, 0, { id: "s" }));
    expect(participants.told()).toEqual(["hangs 1", "no 2"]);
    expect((await bench.open([some]).engine.result(some, "s"))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.told().slice(2)).toEqual(["undo hangs 1"]);
    expect(participants.of("hangs", "compensation")[0]?.outcome).toEqual({ _tag: "InDoubt", known: "nothing" });
  });

  test("takes up more sagas than fit a page", async () => {
    const { bench, participants, pair, mend } = setUp();
    const ids = Array.from({ length: 230 }, (_, index) => `s${index}`);
    await begin(bench, pair, ids);
    mend();
    const { engine } = bench.open([pair]);
    expect(await engine.recovered).toEqual({ adopted: 230, quarantined: 0 });
    const results = await Promise.all(ids.map((id) => engine.result(pair, id)));
    expect(results.every((result) => result.isOk())).toBe(true);
    expect(participants.of("a").length).toBe(230);
  });

  test("takes up a saga that is asked for again before the recovery came to it", async () => {
    const { bench, pair, mend } = setUp();
    await begin(bench, pair);
    mend();
    // The store answers appends before it has found out what is unfinished, as one with a long list would.
    const lateList = (store: MemoryStore) => ({
      ...store,
      unfinished: async (page: Parameters<MemoryStore["unfinished"]>[0]) => {
        await new Promise((resolve) => setImmediate(resolve));
        return store.unfinished(page);
      },
      append: async (request: AppendRequest) => {
        for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
        return store.append(request);
      },
    });
    const { engine } = bench.open([pair], { wrap: lateList });
    const answer = bench.timer.during(Promise.race([engine.run(pair, 1, { id: "s" }), turns(60).then(() => "nobody drives it")]));
    expect(await answer).toEqual(ok(3));
  });
});

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("I7: two engines on one store", () => {
  test("the newer one owns what it took up; the older one writes nothing more, and its answer is the newer one's", async () => {
    const { bench, participants, pair, mend } = setUp();
    bench.timer.pause();
    const gate = Promise.withResolvers<void>();
    const a = participants.compensatable("slow", {
      run: async (input) => {
        await gate.promise;
        return ok(input);
      },
      retry: { timeoutMs: 3_600_000 },
    });
    const one = saga({
      name: "one",
      input: numberInput,
      *run(input) {
        return yield* a(input);
      },
    });
    mend();
    const older = bench.open([one, pair]).engine;
    await older.start(one, 1, { id: "s" });
    const newer = bench.open([one, pair]).engine;
    expect(await newer.recovered).toEqual({ adopted: 1, quarantined: 0 });
    gate.resolve();
    bench.timer.resume();
    expect((await older.result(one, "s"))._unsafeUnwrap()).toBe(1);
    expect((await newer.result(one, "s"))._unsafeUnwrap()).toBe(1);
    expect(bench.commits.map(({ sequence, epoch }) => [sequence, epoch])).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });
});

describe("I12: a saga that cannot be driven is parked, and no other", () => {
  async function parkedOf(engine: Engine, pair: ReturnType<typeof setUp>["pair"], id = "s"): Promise<SagaParked> {
    const failed = (await engine.result(pair, id))._unsafeUnwrapErr();
    if (failed._tag !== "SagaParked") throw new Error(`${id} is not parked: ${failed._tag}`);
    expect((await engine.inspect(id)).map(({ status, quarantine }) => [status, quarantine])).toEqual(ok(["parked", failed.quarantine]));
    expect((await engine.parked())._unsafeUnwrap()).toEqual([failed]);
    return failed;
  }

  test("an unknown saga, and one of an unknown version; an engine that knows it takes it up", async () => {
    const { bench, pair, participants, mend } = setUp();
    await begin(bench, pair, ["s"]);
    mend();
    const other = saga({ name: "pair", version: 2, input: numberInput, run: pair["~saga"].run as never }) as unknown as typeof pair;
    const { engine, kill } = bench.open([other]);
    expect(await engine.recovered).toEqual({ adopted: 0, quarantined: 1 });
    const { quarantine, operations } = await parkedOf(engine, pair);
    expect(quarantine).toEqual({ _tag: "UnknownSaga", message: "no definition of saga pair version 1 is registered with this engine" });
    expect(operations).toEqual([]);
    expect((await engine.run(other, 1, { id: "fine" }))._unsafeUnwrap()).toBe(3);
    expect((await engine.readmit("s"))._unsafeUnwrapErr()).toMatchObject({ _tag: "VerbRefused", message: quarantine?.message });
    kill();

    const knowing = bench.open([other, pair]).engine;
    expect((await knowing.result(pair, "s"))._unsafeUnwrap()).toBe(3);
    expect((await knowing.inspect("s"))._unsafeUnwrap().quarantine).toBe(undefined);
    expect(participants.of("a").map(({ call }) => call.sagaId)).toEqual(["s", "fine"]);
  });

  test("a definition that decides otherwise than it did: both sides are in the message, and nothing is called", async () => {
    const { bench, participants, pair, mend } = setUp();
    await begin(bench, pair);
    mend();
    const [b, a] = [participants.compensatable("b"), participants.compensatable("a")];
    const variants = {
      name: function* (input: number) {
        return yield* b(input);
      },
      input: function* (input: number) {
        yield* a(input + 1);
        return yield* b(input);
      },
      end: function* (input: number) {
        return yield* a(input);
      },
      throws: (): never => {
        throw new Error("not implemented");
      },
    };
    const messages: string[] = [];
    for (const run of Object.values(variants)) {
      const changed = saga({ name: "pair", input: numberInput, run });
      const { engine, kill } = bench.open([changed]);
      const { quarantine } = await parkedOf(engine, pair);
      expect(quarantine?._tag).toBe("ReplayDiverged");
      messages.push(quarantine?.message ?? "");
      kill();
    }
    const has = (entry: number, recorded: string, decided: string): string =>
      `saga pair version 1: entry ${entry} of the journal: it has ${recorded}, where this definition has ${decided}`;
    expect(messages).toEqual([
      has(1, "OperationIntended run/a (a) with 1", "OperationIntended run/b (b) with 1"),
      has(1, "OperationIntended run/a (a) with 1", "OperationIntended run/a (a) with 2"),
      has(3, "OperationIntended run/b (b) with 2", "SagaCompleted with 1"),
      has(1, "OperationIntended run/a (a) with 1", "WentBack run"),
    ]);
    expect(participants.told()).toEqual(["a 1", "b 2"]);
    expect((await bench.open([pair]).engine.result(pair, "s"))._unsafeUnwrap()).toBe(3);
  });

  test("a journal that the store cannot read; once it is mended, the same engine takes it up when it is told to", async () => {
    const { bench, pair, mend } = setUp();
    await begin(bench, pair, ["s", "t"]);
    mend();
    bench.disk.corrupt.add("s");
    const { engine } = bench.open([pair]);
    expect(await engine.recovered).toEqual({ adopted: 1, quarantined: 1 });
    expect((await engine.result(pair, "t"))._unsafeUnwrap()).toBe(3);
    expect((await engine.result(pair, "s"))._unsafeUnwrapErr()).toEqual({
      _tag: "SagaParked",
      sagaId: "s",
      operations: [],
      firstError: undefined,
      quarantine: { _tag: "JournalCorrupt", message: "the journal of saga s is marked as corrupt" },
    });
    expect((await engine.parked())._unsafeUnwrap().map(({ sagaId }) => sagaId)).toEqual(["s"]);
    expect((await engine.readmit("s"))._unsafeUnwrapErr()._tag).toBe("VerbRefused");
    bench.disk.corrupt.delete("s");
    expect((await engine.readmit("s")).isOk()).toBe(true);
    expect((await engine.result(pair, "s"))._unsafeUnwrap()).toBe(3);
    expect((await engine.readmit("s"))._unsafeUnwrapErr()).toMatchObject({ _tag: "VerbRefused", message: "it is not quarantined" });
  });

  const record = (...entries: readonly object[]) => JSON.stringify({ v: 1, entries: entries.map((entry) => ({ at: 1, ...entry })) });
  const started = { _tag: "SagaStarted", seed: "s", input: 1 };
  const intended = { _tag: "OperationIntended", path: "run/a", step: "a", kind: "compensatable", input: 1 };
  const settled = { _tag: "OperationSettled", path: "run/a", slot: "action", attempts: 1 };
  test.each<[what: string, records: readonly string[], tag: string]>([
    ["records that are no JSON", ["{"], "JournalCorrupt"],
    ["records of a later format", ['{"v":2,"entries":[]}'], "JournalCorrupt"],
    ["no records", [], "JournalCorrupt"],
    ["a journal without its start", [record(intended)], "JournalCorrupt"],
    ["a journal with two starts", [record(started, intended), record(started)], "JournalCorrupt"],
    ["an outcome of an unknown kind", [record(started, intended), record({ ...settled, outcome: { _tag: "Perhaps" } })], "JournalCorrupt"],
    [
      "an outcome of what was never intended",
      [record(started, intended), record({ ...settled, path: "run/x", outcome: { _tag: "Succeeded" } })],
      "ReplayDiverged",
    ],
    [
      "two outcomes of one operation",
      [
        record(started, intended),
        record({ ...settled, outcome: { _tag: "Succeeded", output: 1 } }, { ...intended, path: "run/b", step: "b", input: 2 }),
        record({ ...settled, outcome: { _tag: "Succeeded" } }),
      ],
      "ReplayDiverged",
    ],
    [
      "a decision that nothing leads to",
      [record(started, intended), record({ _tag: "CompensationIntended", path: "run/a" })],
      "ReplayDiverged",
    ],
    [
      "an operator's verb on what is not parked",
      [record(started, intended), record({ _tag: "OperatorRetried", path: "run/a", slot: "action", by: "a", reason: "b" })],
      "ReplayDiverged",
    ],
  ])("%s", async (_what, records, tag) => {
    const { bench, pair, participants, mend } = setUp();
    await begin(bench, pair, ["before", "s", "after"]);
    mend();
    const called = participants.made.length;
    const stored = bench.disk.sagas.get("s");
    stored?.records.splice(0, stored.records.length, ...records);
    const { engine } = bench.open([pair]);
    expect(await engine.recovered).toEqual({ adopted: 2, quarantined: 1 });
    expect((await parkedOf(engine, pair)).quarantine?._tag).toBe(tag);
    for (const id of ["before", "after"]) expect((await engine.result(pair, id))._unsafeUnwrap()).toBe(3);
    expect(participants.made.slice(called).map(({ call }) => call.sagaId)).toEqual(["before", "after"]);
  });

  test("a body that hands the engine what cannot even be looked at, live and on replay", async () => {
    const { bench, pair, participants, mend } = setUp();
    const a = participants.compensatable("a", { run: (input) => (input === 0 ? never() : ok(input)), retry: { timeoutMs: 3_600_000 } });
    const trap = {
      get _tag(): string {
        throw new Error("a trap");
      },
    };
    let trapped = false;
    const hostile = saga({
      name: "hostile",
      input: numberInput,
      *run(input) {
        if (trapped) yield trap as never;
        yield* a(input);
        yield trap as never;
      },
    });
    await interrupt(bench, [hostile, pair], (engine) =>
      Promise.all([engine.start(hostile, 0, { id: "h" }), engine.start(pair, 1, { id: "s" })]),
    );
    mend();
    trapped = true;
    const { engine } = bench.open([hostile, pair]);
    expect(await engine.recovered).toEqual({ adopted: 1, quarantined: 1 });
    expect((await engine.result(pair, "s"))._unsafeUnwrap()).toBe(3);
    const quarantine = { _tag: "BodyFailed", message: "saga hostile version 1: a trap" };
    expect((await engine.result(hostile, "h"))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaParked", quarantine });
    trapped = false;
    const live = (await engine.run(hostile, 1, { id: "live" }))._unsafeUnwrapErr();
    expect(live).toMatchObject({
      _tag: "SagaParked",
      quarantine: { _tag: "BodyFailed", message: expect.stringContaining("a trap") as string },
    });
  });

  test("one that brings every owner down: after fifty owners without progress it waits for an operator, who can still use every verb", async () => {
    const { bench, pair, participants, mend } = setUp();
    await begin(bench, pair);
    for (let owner = 0; owner < 50; owner++) {
      const { engine, kill } = bench.open([pair]);
      bench.timer.pause();
      expect(await engine.recovered).toEqual({ adopted: 1, quarantined: 0 });
      kill();
    }
    bench.timer.resume();
    const { engine } = bench.open([pair]);
    expect(await engine.recovered).toEqual({ adopted: 0, quarantined: 1 });
    expect((await parkedOf(engine, pair)).quarantine).toEqual({ _tag: "NoProgress", message: "adopted 51 times without a single entry" });
    const called = participants.made.length;
    mend();
    expect((await engine.readmit("s")).isOk()).toBe(true);
    expect((await engine.result(pair, "s"))._unsafeUnwrap()).toBe(3);
    expect(participants.made.length).toBe(called + 1);
  });
});

describe("a store that fails in the middle", () => {
  test.each([1, 2])(
    "I4: an append that is refused sends nothing, and the saga goes on once the store is back (append %d)",
    async (sequence) => {
      const { bench, participants, pair, mend } = setUp();
      mend();
      let refusals = 5;
      const sent: number[] = [];
      const { engine } = bench.open([pair], {
        faults: {
          beforeCommit: (request) => {
            if (request.sequence !== sequence || refusals === 0) return undefined;
            refusals -= 1;
            sent.push(participants.of("b").length);
            return "refuse";
          },
        },
      });
      expect((await engine.run(pair, 1, { id: "s" }))._unsafeUnwrap()).toBe(3);
      expect(refusals).toBe(0);
      // Before its intent is on the disk, b is never called; its outcome is asked for again as often as it could not be kept.
      expect(new Set(sent)).toEqual(new Set(sequence === 1 ? [0] : [1, 2, 3, 4, 5]));
      expect(new Set(participants.made.map(({ call }) => call.key)).size).toBe(2);
    },
  );

  test("a store that breaks its port by throwing loses nothing but the append", async () => {
    const { bench, participants, pair, mend } = setUp();
    mend();
    let throws = 1;
    const { engine } = bench.open([pair], {
      wrap: (store) => ({
        ...store,
        append: (request) => {
          if (request.sequence === 1 && throws-- > 0) throw new TypeError("socket closed");
          return store.append(request);
        },
      }),
    });
    expect((await engine.run(pair, 1, { id: "s" }))._unsafeUnwrap()).toBe(3);
    expect(participants.told()).toEqual(["a 1", "a 1", "b 2"]);
  });

  test("an append that took effect though its answer was lost is found again, and done once", async () => {
    const { bench, participants, pair, mend } = setUp();
    mend();
    let lost = 1;
    const { engine } = bench.open([pair], {
      wrap: (store) => ({
        ...store,
        append: async (request) => {
          const appended = await store.append(request);
          return request.sequence === 1 && lost-- > 0 ? err({ _tag: "StoreUnavailable", message: "no answer to COMMIT" }) : appended;
        },
      }),
    });
    expect((await engine.run(pair, 1, { id: "s" }))._unsafeUnwrap()).toBe(3);
    expect(participants.told()).toEqual(["a 1", "b 2"]);
  });

  test("a store that is away while the engine starts is waited for", async () => {
    const { bench, pair, mend } = setUp();
    await begin(bench, pair);
    mend();
    let away = 3;
    const { engine } = bench.open([pair], {
      wrap: (store) => ({
        ...store,
        unfinished: async (page) => (away-- > 0 ? err({ _tag: "StoreUnavailable", message: "away" }) : store.unfinished(page)),
      }),
    });
    expect(await engine.recovered).toEqual({ adopted: 1, quarantined: 0 });
    expect((await engine.result(pair, "s"))._unsafeUnwrap()).toBe(3);
  });

  test("a saga that cannot be claimed at first is taken up later", async () => {
    const { bench, pair, mend } = setUp();
    await begin(bench, pair);
    mend();
    let away = 3;
    const { engine } = bench.open([pair], {
      wrap: (store) => ({
        ...store,
        claim: async (id) => (away-- > 0 ? err({ _tag: "StoreUnavailable", message: "away" }) : store.claim(id)),
      }),
    });
    await engine.recovered;
    expect((await engine.result(pair, "s"))._unsafeUnwrap()).toBe(3);
  });

  test("a caller who waits is told that the store cannot be asked, and may ask again", async () => {
    const { bench, pair, mend } = setUp();
    mend();
    let away = 0;
    const { engine } = bench.open([pair], {
      wrap: (store) => ({
        ...store,
        load: async (id) => (away-- > 0 ? err({ _tag: "StoreUnavailable", message: "away" }) : store.load(id)),
      }),
    });
    expect((await engine.run(pair, 1, { id: "s" }))._unsafeUnwrap()).toBe(3);
    away = 1;
    expect((await engine.result(pair, "s"))._unsafeUnwrapErr()).toEqual({ _tag: "SagaUnavailable", sagaId: "s", message: "away" });
    expect((await engine.result(pair, "s"))._unsafeUnwrap()).toBe(3);
  });
});

describe("closing an engine", () => {
  test("awaits the attempts in flight and keeps their outcomes, starts nothing more, and leaves the rest to the next engine", async () => {
    const { bench, participants, mend } = setUp();
    const gate = Promise.withResolvers<void>();
    const slow = participants.compensatable("slow", {
      run: async (input) => {
        await gate.promise;
        return ok(input);
      },
    });
    const next = participants.compensatable("next");
    const chain = saga({
      name: "chain",
      input: numberInput,
      *run(input) {
        yield* slow(input);
        return yield* next(input);
      },
    });
    mend();
    bench.timer.pause();
    // Appends take a while, as on a disk.
    const { engine, store } = bench.open([chain], {
      wrap: (inner) => ({
        ...inner,
        append: async (request) => {
          await turns(3);
          return inner.append(request);
        },
      }),
    });
    await engine.start(chain, 1, { id: "s" });
    let closed = false;
    const closing = engine.close().then(() => {
      closed = true;
    });
    await turns(3);
    expect(closed).toBe(false);
    gate.resolve();
    await closing;
    expect(bench.entries("s").map(({ _tag }) => _tag)).toEqual([
      "SagaStarted",
      "OperationIntended",
      "OperationSettled",
      "OperationIntended",
    ]);
    await turns(10);
    expect(participants.told()).toEqual(["slow 1"]);
    await store.close();
    bench.timer.resume();
    expect((await bench.open([chain]).engine.result(chain, "s"))._unsafeUnwrap()).toBe(1);
    expect(participants.told()).toEqual(["slow 1", "next 1"]);
  });

  test("ends waits between attempts at once", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a", {
      run: () => err(fault("NotSent", "refused", { retryAfterMs: 3_600_000 })),
      retry: { horizonMs: 86_400_000 },
    });
    const one = saga({
      name: "one",
      input: numberInput,
      *run(input) {
        return yield* a(input);
      },
    });
    bench.timer.pause();
    const { engine } = bench.open([one]);
    await engine.start(one, 1, { id: "s" });
    await bench.timer.idle();
    await engine.close();
    expect([participants.made.length, bench.timer.now()]).toEqual([1, VIRTUAL_START_MS]);
  });

  test("answers who still waits for a saga that it is unavailable here", async () => {
    const { bench, pair } = setUp();
    bench.timer.pause();
    const { engine } = bench.open([pair]);
    await engine.start(pair, 1, { id: "s" });
    const waiting = engine.result(pair, "s");
    await bench.timer.idle();
    void engine.close();
    await bench.timer.advance(3_600_000);
    const answered = await Promise.race([waiting, turns(20).then(() => "still waits")]);
    expect(answered).toEqual(
      err({ _tag: "SagaUnavailable", sagaId: "s", message: "the engine was closed while the saga ran; ask the next one" }),
    );
  });

  test("refuses starts and verbs afterwards, and takes nothing up that it was about to", async () => {
    const { bench, participants, pair, mend } = setUp();
    await begin(bench, pair);
    const called = participants.made.length;
    mend();
    const gate = Promise.withResolvers<void>();
    const { engine } = bench.open([pair], {
      wrap: (store) => ({
        ...store,
        claim: async (id) => {
          await gate.promise;
          return store.claim(id);
        },
      }),
    });
    await turns(2);
    const closing = engine.close();
    gate.resolve();
    await closing;
    await turns(5);
    expect(participants.made.length).toBe(called);
    expect((await engine.start(pair, 1, { id: "t" }))._unsafeUnwrapErr()).toEqual({
      _tag: "SagaUnavailable",
      sagaId: "t",
      message: "the engine is closed",
    });
    const order = { path: "run/b", slot: "action", by: "ada", reason: "again" } as const;
    expect((await engine.retry("s", order))._unsafeUnwrapErr()._tag).toBe("SagaUnavailable");
    expect((await bench.open([pair]).engine.result(pair, "s"))._unsafeUnwrap()).toBe(3);
  });
});
