// Goal (I17): a saga stays with the version it began with, and before a deploy it is told which running ones the new definitions would break (FS-53, FS-54). Method: journals begun by
// one set of definitions, driven and examined by another one, on a store that counts what is asked of it.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type AnySaga, type Engine, examineSagas, fault, lock, saga, signal, sleep, waitFor } from "../../src/index.ts";
import { createMemoryStore, type JournalStore } from "../../src/journal.ts";
import { type Bench, createBench, createParticipants, numberInput } from "./workbench.ts";

const never = () => new Promise<never>(() => undefined);
const go = signal({ name: "go", payload: z.number() });

/** `pay` in two versions; the step between them hangs until it is mended. */
function setUp() {
  const bench = createBench();
  const participants = createParticipants();
  let mended = false;
  const [first, second, third] = [
    participants.compensatable("first"),
    participants.compensatable("second"),
    participants.compensatable("third"),
  ];
  const hangs = participants.compensatable("hangs", {
    run: (input) => (mended ? ok(input) : never()),
    retry: { timeoutMs: 3_600_000, horizonMs: 86_400_000 },
  });
  const v1 = saga({
    name: "pay",
    input: numberInput,
    *run(input) {
      yield* first(input);
      yield* hangs(input);
      return yield* second(input);
    },
  });
  const v2 = saga({
    name: "pay",
    version: 2,
    input: numberInput,
    *run(input) {
      yield* third(input);
      return yield* hangs(input);
    },
  });
  const mend = (): void => {
    mended = true;
  };
  return { bench, participants, v1, v2, mend, steps: { first, second, third, hangs } };
}

/** Begins sagas, lets them come as far as they can, and kills the engine. */
async function begin(bench: Bench, sagas: readonly AnySaga[], start: (engine: Engine) => unknown): Promise<void> {
  bench.timer.pause();
  const { engine, kill } = bench.open(sagas);
  await start(engine);
  for (let turn = 0; turn < 3; turn++) await bench.timer.idle();
  kill();
  bench.timer.resume();
}

const onDisk = (bench: Bench) => JSON.stringify([[...bench.disk.sagas], [...bench.disk.locks], [...bench.disk.outbox]]);

describe("several versions registered at once", () => {
  test("FS-53: each drive their own sagas, begun before and begun now", async () => {
    const { bench, participants, v1, v2, mend } = setUp();
    await begin(bench, [v1], (engine) => engine.start(v1, 1, { id: "old" }));
    mend();
    const { engine } = bench.open([v1, v2]);
    const fresh = await engine.run(v2, 2, { id: "new" });
    expect([await engine.result(v1, "old"), fresh]).toEqual([ok(1), ok(2)]);
    const told = [...new Set(participants.told())];
    expect(told.filter((call) => call.endsWith("1"))).toEqual(["first 1", "hangs 1", "second 1"]);
    expect(told.filter((call) => call.endsWith("2"))).toEqual(["third 2", "hangs 2"]);
    expect((await engine.inspect("old"))._unsafeUnwrap().saga).toEqual({ name: "pay", version: 1 });
    expect((await engine.inspect("new"))._unsafeUnwrap().saga).toEqual({ name: "pay", version: 2 });
  });

  test("FS-53: one that is gone parks its sagas, calls nobody, and a rollback of the deploy sets them free", async () => {
    const { bench, participants, v1, v2, mend } = setUp();
    await begin(bench, [v1], (engine) => engine.start(v1, 1, { id: "old" }));
    mend();
    const told = participants.told();
    const deployed = bench.open([v2]);
    expect(await deployed.engine.recovered).toEqual({ adopted: 0, quarantined: 1 });
    expect((await deployed.engine.result(v1, "old"))._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaParked",
      operations: [],
      quarantine: { _tag: "UnknownSaga", message: "no definition of saga pay version 1 is registered with this engine" },
    });
    expect(participants.told()).toEqual(told);
    deployed.kill();
    expect(await bench.open([v1]).engine.result(v1, "old")).toEqual(ok(1));
  });

  test("the same id and input are the same saga whichever version asks for it: it stays with the one it began with", async () => {
    const { bench, v1, v2, mend } = setUp();
    await begin(bench, [v1], (engine) => engine.start(v1, 1, { id: "s" }));
    mend();
    const { engine } = bench.open([v1, v2]);
    expect(await engine.run(v2, 1, { id: "s" })).toEqual(ok(1));
    expect((await engine.inspect("s"))._unsafeUnwrap().saga.version).toBe(1);
  });
});

describe("an examination", () => {
  test("of an empty store finds nothing to examine", async () => {
    const { v1 } = setUp();
    expect(await examineSagas({ sagas: [v1], store: createMemoryStore() })).toEqual(ok({ examined: 0, broken: [] }));
  });

  test("finds nothing wrong with the definitions that drive the sagas, whatever these wait for", async () => {
    const { bench, participants, v1 } = setUp();
    const waits = saga({
      name: "waits",
      input: numberInput,
      *run(input) {
        if (input > 0) yield* sleep({ days: input });
        return yield* waitFor(go);
      },
    });
    const stuck = participants.compensatable("stuck", { run: () => err(fault("KeyReused", "other payload")) });
    const parks = saga({
      name: "parks",
      input: numberInput,
      *run(input) {
        return yield* stuck(input);
      },
    });
    const sagas = [v1, waits, parks];
    await begin(bench, sagas, async (engine) => {
      await engine.start(v1, 1, { id: "runs" });
      await engine.start(waits, 3, { id: "sleeps" });
      await engine.start(waits, 0, { id: "listens" });
      await engine.start(parks, 0, { id: "parked" });
    });
    expect([...bench.disk.sagas.values()].map(({ status }) => status)).toEqual(["running", "waiting", "waiting", "parked"]);
    expect(await examineSagas({ sagas, store: createMemoryStore({ disk: bench.disk }) })).toEqual(ok({ examined: 4, broken: [] }));
  });

  test("names what is broken, and why: a version that is gone, a journal that cannot be read, and both sides of every divergence", async () => {
    const { bench, v1, v2, steps } = setUp();
    const sleeper = (days: number, name: string) =>
      saga({
        name: "sleeper",
        input: numberInput,
        *run(input) {
          yield* days > 0 ? sleep({ days }) : steps.first(input);
          return name;
        },
      });
    await begin(bench, [v1, v2, sleeper(1, "old")], async (engine) => {
      await engine.start(v1, 1, { id: "renamed" });
      await engine.start(v2, 2, { id: "gone" });
      await engine.start(v1, 3, { id: "unreadable" });
      await engine.start(v1, 4, { id: "undecodable" });
      await engine.start(sleeper(1, "old"), 5, { id: "asleep" });
    });
    bench.disk.corrupt.add("unreadable");
    bench.disk.sagas.get("undecodable")?.records.push("{");
    const renamed = saga({
      name: "pay",
      input: numberInput,
      *run(input) {
        yield* steps.first(input);
        yield* steps.second(input);
        return yield* steps.hangs(input);
      },
    });
    const examined = (
      await examineSagas({ sagas: [renamed, sleeper(0, "new")], store: createMemoryStore({ disk: bench.disk }) })
    )._unsafeUnwrap();
    expect(examined.examined).toBe(5);
    const pay = { name: "pay", version: 1 };
    expect(examined.broken).toMatchObject([
      {
        sagaId: "renamed",
        saga: pay,
        quarantine: {
          _tag: "ReplayDiverged",
          divergence: {
            entry: 3,
            recorded: "OperationIntended run/hangs (hangs) with 1",
            decided: "OperationIntended run/second (second) with 1",
          },
        },
      },
      {
        sagaId: "gone",
        saga: { name: "pay", version: 2 },
        quarantine: { _tag: "UnknownSaga", message: "no definition of saga pay version 2 is among those to be deployed" },
      },
      { sagaId: "unreadable", saga: { name: "", version: 0 }, quarantine: { _tag: "JournalCorrupt" } },
      { sagaId: "undecodable", saga: pay, quarantine: { _tag: "JournalCorrupt" } },
      {
        sagaId: "asleep",
        saga: { name: "sleeper", version: 1 },
        quarantine: {
          _tag: "ReplayDiverged",
          divergence: { entry: 1, recorded: "WaitBegan run/sleep, up to a time", decided: "OperationIntended run/first (first) with 5" },
        },
      },
    ]);
  });

  test("names a body that breaks after its point of no return, and a saga that would end otherwise than it did", async () => {
    const { bench, participants } = setUp();
    const [before, after] = [
      participants.compensatable("before"),
      participants.retriable("after", { run: never, retry: { timeoutMs: 3_600_000 } }),
    ];
    const forward = (complete: "as it was" | "throws" | "is shorter") =>
      saga({
        name: "forward",
        input: numberInput,
        *run(input) {
          return yield* before(input);
        },
        *complete(value) {
          if (complete === "throws") throw new Error("a bug");
          if (complete === "as it was") yield* after(value);
          return value;
        },
      });
    await begin(bench, [forward("as it was")], (engine) => engine.start(forward("as it was"), 1, { id: "s" }));
    const store = createMemoryStore({ disk: bench.disk });
    const found = async (deployed: AnySaga) => (await examineSagas({ sagas: [deployed], store }))._unsafeUnwrap().broken;
    expect(await found(forward("as it was"))).toEqual([]);
    expect(await found(forward("throws"))).toMatchObject([
      { quarantine: { _tag: "ReplayDiverged", divergence: { decided: "nothing more" } } },
    ]);
    expect(await found(forward("is shorter"))).toMatchObject([
      { quarantine: { divergence: { recorded: "OperationIntended complete/after (after) with 1", decided: "SagaCompleted with 1" } } },
    ]);
  });

  test("FS-54: names sides that differ by nothing but a step's input, or by nothing but a lock's name", async () => {
    const { bench, steps } = setUp();
    const payed = (add: number) =>
      saga({
        name: "pay",
        input: numberInput,
        *run(input) {
          if (input === 0) yield* lock(`order:${add}`, { wait: { days: 1 } });
          return yield* steps.hangs(input + add);
        },
      });
    await begin(bench, [payed(0)], async (engine) => {
      await engine.start(payed(0), 1, { id: "s" });
      await engine.start(payed(0), 0, { id: "t" });
    });
    const { broken } = (await examineSagas({ sagas: [payed(1)], store: createMemoryStore({ disk: bench.disk }) }))._unsafeUnwrap();
    expect(broken.map(({ quarantine }) => quarantine.divergence)).toEqual([
      { entry: 1, recorded: "OperationIntended run/hangs (hangs) with 1", decided: "OperationIntended run/hangs (hangs) with 2" },
      { entry: 1, recorded: "LockWanted run/lock for order:0", decided: "LockWanted run/lock for order:1" },
    ]);
  });

  test("of sagas that an engine drives calls nobody, claims nothing and writes nothing, and they go on undisturbed", async () => {
    const { bench, participants, v1, v2, mend } = setUp();
    bench.timer.pause();
    const { engine } = bench.open([v1]);
    for (const id of ["s", "t"]) await engine.start(v1, 1, { id });
    for (let turn = 0; turn < 3; turn++) await bench.timer.idle();
    const before = [onDisk(bench), participants.told().length];
    const asked: string[] = [];
    const store = new Proxy(createMemoryStore({ disk: bench.disk }), {
      get(target, name: keyof JournalStore) {
        asked.push(name);
        return target[name];
      },
    });
    expect((await examineSagas({ sagas: [v2], store }))._unsafeUnwrap().broken.length).toBe(2);
    expect([...new Set(asked)].toSorted()).toEqual(["load", "unfinished"]);
    expect([onDisk(bench), participants.told().length]).toEqual(before);
    mend();
    await bench.timer.advance(3_600_000 + 60_000);
    expect(await engine.result(v1, "s")).toEqual(ok(1));
    expect(await engine.result(v1, "t")).toEqual(ok(1));
  });

  test("goes through every page, and leaves out what has ended and what was removed meanwhile", async () => {
    const { bench, v1, v2, mend } = setUp();
    const ids = Array.from({ length: 450 }, (_, index) => `s${index}`);
    await begin(bench, [v1], async (engine) => Promise.all(ids.map((id) => engine.start(v1, 1, { id }))));
    mend();
    const running = bench.open([v1]);
    await running.engine.result(v1, "s7");
    running.kill();
    const unfinished = [...bench.disk.sagas].filter(([, { status }]) => status === "running").map(([id]) => id);
    const memory = createMemoryStore({ disk: bench.disk });
    const { broken } = (await examineSagas({ sagas: [v2], store: memory }))._unsafeUnwrap();
    expect(broken.map(({ sagaId }) => sagaId)).toEqual(unfinished);
    expect(unfinished).not.toContain("s7");
    const store: JournalStore = { ...memory, load: async (sagaId) => (sagaId === unfinished[0] ? ok(undefined) : memory.load(sagaId)) };
    expect((await examineSagas({ sagas: [v2], store }))._unsafeUnwrap().broken.length).toBe(unfinished.length - 1);
  });

  test.each(["unfinished", "load"] as const)(
    "of a store that fails at %s is refused as a whole: half an answer would pass for a whole one",
    async (at) => {
      const { bench, v1 } = setUp();
      await begin(bench, [v1], (engine) => engine.start(v1, 1, { id: "s" }));
      const away = async () => err({ _tag: "StoreUnavailable", message: "away" } as const);
      const store: JournalStore = { ...createMemoryStore({ disk: bench.disk }), [at]: away };
      const refused = (await examineSagas({ sagas: [v1], store }))._unsafeUnwrapErr();
      expect(refused).toMatchObject({ _tag: "SagaUnavailable", message: "away" });
    },
  );
});
