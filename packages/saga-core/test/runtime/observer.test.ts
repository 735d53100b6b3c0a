// Goal: what a saga does can be watched, all of it and in order, and who watches can do no harm. Method: observers that keep what they are told, throw, hang, change what they
// get or call the engine, beside sagas that retry, park, crash and are taken up.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type AnySaga,
  all,
  createEngine,
  type Engine,
  emit,
  fail,
  fault,
  lock,
  type Observer,
  type SagaNotice,
  saga,
  savepoint,
  signal,
  sleep,
  waitFor,
} from "../../src/index.ts";
import { createMemoryStore, type MemoryStoreFaults } from "../../src/journal.ts";
import { type Bench, createBench, createParticipants, numberInput } from "./workbench.ts";

const go = signal({ name: "go", payload: z.number() });
const paid = { type: "order.paid", data: z.object({ orderId: z.number() }) } as const;

/** An engine on the bench's disk that somebody watches. */
function watched(bench: Bench, sagas: readonly AnySaga[], observer: Observer | undefined, faults: MemoryStoreFaults = {}) {
  const store = createMemoryStore({ now: bench.timer.now, disk: bench.disk, faults });
  return { store, engine: createEngine({ sagas, store, timer: bench.timer, random: () => 0, observer }) };
}

function keep(): { readonly seen: SagaNotice[]; readonly observer: Observer } {
  const seen: SagaNotice[] = [];
  return { seen, observer: (notice) => seen.push(notice) };
}

/** One line per notice. */
function lineOf(notice: SagaNotice): string {
  switch (notice._tag) {
    case "EntryAppended":
      return `${notice.sagaId}#${notice.sequence} ${notice.entry._tag}${"path" in notice.entry ? ` ${notice.entry.path}` : ""}`;
    case "AttemptMade":
      return `${notice.sagaId} ${notice.slot} ${notice.path}: ${notice.attempt} ${notice.outcome} after ${notice.tookMs} ms`;
    case "QueryMade":
      return `${notice.sagaId} ${notice.slot} ${notice.path}: asked ${notice.asked}, ${notice.found} after ${notice.tookMs} ms`;
    case "SagaAdopted":
      return `${notice.sagaId} adopted, epoch ${notice.epoch}, ${notice.entries} entries`;
    case "SagaQuarantined":
      return `${notice.sagaId} quarantined: ${notice.quarantine._tag}`;
    case "SagaLeft":
      return `${notice.sagaId} left ${notice.status}${notice.wakeAt === undefined ? "" : " until a time"}`;
    case "RecoveryEnded":
      return `recovered ${notice.adopted}, quarantined ${notice.quarantined}`;
  }
}

async function settleDown(bench: Bench): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await bench.timer.idle();
}

/** Fails once, is slow, and cannot be undone until it is mended. */
function setUp() {
  const bench = createBench();
  const participants = createParticipants();
  const state = { mended: false };
  const a = participants.compensatable("a", {
    run: async (input, nth) => {
      await bench.timer.sleep(30);
      return nth === 1 ? err(fault("Unknown", "no answer")) : ok(input);
    },
    compensate: () => (state.mended ? ok(undefined) : err(fault("Faulted", "no"))),
  });
  const rich = saga({
    name: "rich",
    input: numberInput,
    *run(input) {
      yield* a(input);
      yield* fail({ _tag: "NotThis" });
    },
  });
  return { bench, participants, rich, mend: () => (state.mended = true) };
}

describe("an observer", () => {
  test("is told every entry, attempt, park, verb and end, in order", async () => {
    const { bench, rich, mend } = setUp();
    const { seen, observer } = keep();
    const { engine } = watched(bench, [rich], observer);
    await engine.recovered;
    await engine.run(rich, 1, { id: "s" });
    mend();
    await engine.retry("s", { path: "run/a", slot: "compensation", by: "ada", reason: "mended" });
    await engine.result(rich, "s");
    await settleDown(bench);
    expect(seen.map(lineOf)).toEqual([
      "recovered 0, quarantined 0",
      "s#0 SagaStarted",
      "s#0 OperationIntended run/a",
      "s action run/a: 1 Unknown after 30 ms",
      "s action run/a: 2 Succeeded after 30 ms",
      "s#1 OperationSettled run/a",
      "s#1 WentBack run",
      "s#1 CompensationIntended run/a",
      "s compensation run/a: 1 Faulted after 0 ms",
      "s#2 OperationParked run/a",
      "s left parked",
      "s adopted, epoch 2, 6 entries",
      "s#3 OperatorRetried run/a",
      "s compensation run/a: 1 Succeeded after 0 ms",
      "s#4 OperationSettled run/a",
      "s#4 SagaCompensated",
      "s left compensated",
    ]);
    expect(seen.flatMap((notice) => (notice._tag === "EntryAppended" ? [notice.entry] : []))).toEqual(bench.entries("s"));
    expect(seen.find(({ _tag }) => _tag === "AttemptMade")).toMatchObject({ step: "a" });
    expect(seen.find(({ _tag }) => _tag === "EntryAppended")).toMatchObject({ saga: { name: "rich", version: 1 } });
  });

  test("is told of waits, signals, locks, events and cancellations, and of what leaves memory and comes back", async () => {
    const bench = createBench();
    const patient = saga({
      name: "patient",
      input: numberInput,
      *run() {
        yield* lock("order:1");
        yield* emit(paid, { orderId: 1 });
        yield* waitFor(go);
        yield* sleep({ days: 1 });
        return yield* waitFor(go);
      },
    });
    const { seen, observer } = keep();
    const { engine } = watched(bench, [patient], observer);
    bench.timer.pause();
    await engine.start(patient, 0, { id: "s" });
    await bench.timer.advance(10_000);
    await engine.signal("s", go, 1, { key: "k" });
    await bench.timer.advance(86_400_000);
    await bench.timer.advance(10_000);
    await engine.cancel("s", "enough");
    await settleDown(bench);
    expect(seen.map(lineOf).filter((line) => !line.startsWith("recovered"))).toEqual([
      "s#0 SagaStarted",
      "s#0 LockWanted run/lock",
      "s#1 LockGranted run/lock",
      "s#1 WaitBegan run/go",
      "s left waiting",
      "s adopted, epoch 2, 4 entries",
      "s#2 SignalReceived",
      "s#2 SignalTaken run/go",
      "s#2 WaitBegan run/sleep",
      "s left waiting until a time",
      "s adopted, epoch 3, 7 entries",
      "s#3 TimerFired run/sleep",
      "s#3 WaitBegan run/go~2",
      "s left waiting",
      "s adopted, epoch 4, 9 entries",
      "s#4 CancelRequested",
      "s#4 WaitLeft run/go~2",
      "s#4 WentBack run",
      "s#4 SagaCompensated",
      "s left compensated",
    ]);
  });

  test("is told of the deciding queries of an operation in doubt", async () => {
    const bench = createBench();
    const participants = createParticipants();
    let asked = 0;
    const a = participants.compensatable("a", {
      run: () => err(fault("Unknown", "no answer")),
      retry: { attempts: 1 },
      inDoubt: "resolve",
      resolve: () => {
        asked += 1;
        return asked === 1 ? ok({ _tag: "StillUnknown" }) : ok({ _tag: "Applied", output: 7 });
      },
    });
    const one = saga({
      name: "one",
      input: numberInput,
      *run(input) {
        return yield* a(input);
      },
    });
    const { seen, observer } = keep();
    const { engine } = watched(bench, [one], observer);
    expect(await engine.run(one, 1, { id: "s" })).toEqual(ok(7));
    await settleDown(bench);
    expect(seen.map(lineOf).filter((line) => line.startsWith("s action"))).toEqual([
      "s action run/a: 1 Unknown after 0 ms",
      "s action run/a: asked 1, StillUnknown after 0 ms",
      "s action run/a: asked 2, Succeeded after 0 ms",
    ]);
  });

  test("is told of the end of a saga that an operator gives up", async () => {
    const { bench, rich } = setUp();
    const { seen, observer } = keep();
    const { engine } = watched(bench, [rich], observer);
    await engine.run(rich, 1, { id: "s" });
    await engine.abandon("s", { by: "ada", reason: "ticket 7" });
    await settleDown(bench);
    expect(lineOf(seen.at(-1) as SagaNotice)).toBe("s#3 OperatorAbandoned");
    expect(seen.at(-1)).toMatchObject({ saga: { name: "rich", version: 1 }, entry: { by: "ada", stands: [{ path: "run/a" }] } });
  });

  test("is told of the attempts of a saga that takes back another one as that saga's, whatever participants know it by", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a");
    const one = saga({
      name: "one",
      input: numberInput,
      *run(input) {
        return yield* a(input);
      },
    });
    const { seen, observer } = keep();
    const { engine } = watched(bench, [one], observer);
    await engine.run(one, 1, { id: "s" });
    await engine.compensate("s", "returned");
    await engine.result(one, "s~undo");
    await settleDown(bench);
    expect(seen.map(lineOf).slice(-7)).toEqual([
      "s~undo#0 SagaStarted",
      "s~undo#0 WentBack run",
      "s~undo#0 CompensationIntended run/a",
      "s~undo compensation run/a: 1 Succeeded after 0 ms",
      "s~undo#1 OperationSettled run/a",
      "s~undo#1 SagaCompensated",
      "s~undo left compensated",
    ]);
  });

  test("is told of what is taken up and what is not after a crash, and when that is done", async () => {
    const { bench, rich, mend } = setUp();
    mend();
    const gone = saga({
      name: "gone",
      input: numberInput,
      *run() {
        return yield* waitFor(go);
      },
    });
    const other = saga({
      name: "other",
      input: numberInput,
      *run(input) {
        return yield* createParticipants().compensatable("x", { run: () => new Promise(() => undefined), retry: { timeoutMs: 3_600_000 } })(
          input,
        );
      },
    });
    bench.timer.pause();
    const first = bench.open([rich, gone, other]);
    await first.engine.start(rich, 1, { id: "s" });
    await first.engine.start(other, 1, { id: "t" });
    await settleDown(bench);
    first.kill();
    const { seen, observer } = keep();
    const { engine } = watched(bench, [rich], observer);
    expect(await engine.recovered).toEqual({ adopted: 1, quarantined: 1 });
    bench.timer.resume();
    await engine.result(rich, "s");
    await settleDown(bench);
    const lines = seen.map(lineOf);
    expect(lines.slice(0, 3)).toEqual(["s adopted, epoch 2, 2 entries", "t quarantined: UnknownSaga", "recovered 1, quarantined 1"]);
    expect(lines.at(-1)).toBe("s left compensated");
  });

  test("is told of a saga that is lost, and of the one that takes its place", async () => {
    const { bench, rich, mend } = setUp();
    mend();
    let refuse = 1;
    const { seen, observer } = keep();
    const { engine } = watched(bench, [rich], observer, {
      beforeCommit: ({ sequence }) => (sequence === 1 && refuse-- > 0 ? "refuse" : undefined),
    });
    expect((await engine.run(rich, 1, { id: "s" }))._unsafeUnwrapErr()).toEqual({ _tag: "NotThis" });
    await settleDown(bench);
    const lines = seen.map(lineOf);
    expect(lines).toContain("s left lost");
    expect(lines.indexOf("s adopted, epoch 2, 2 entries")).toBe(lines.indexOf("s left lost") + 1);
    // What was refused never became an entry.
    expect(seen.flatMap((notice) => (notice._tag === "EntryAppended" ? [notice.entry] : []))).toEqual(bench.entries("s"));
  });

  test("is told when a close takes a saga from memory", async () => {
    const { bench, rich } = setUp();
    const { seen, observer } = keep();
    const { engine } = watched(bench, [rich], observer);
    bench.timer.pause();
    await engine.start(rich, 1, { id: "s" });
    bench.timer.resume();
    await engine.close();
    await settleDown(bench);
    expect(lineOf(seen.at(-1) as SagaNotice)).toBe("s left closed");
  });
});

describe("an observer that", () => {
  const { assign } = Object;
  const HARMFUL: Readonly<Record<string, (engine: () => Engine, one: () => AnySaga) => Observer>> = {
    throws: () => () => {
      throw new Error("a bug of the observer");
    },
    rejects: () => () => Promise.reject(new Error("a bug of the observer")),
    "never resolves": () => () => new Promise(() => undefined),
    "answers with a promise of its own making": () => () => ({
      // biome-ignore lint/suspicious/noThenProperty: that is what is tested
      then: () => {
        throw new Error("a bug of the observer");
      },
    }),
    "changes what it is given": () => (notice) => {
      const walk = (value: unknown): void => {
        if (typeof value !== "object" || value === null) return;
        for (const each of Object.values(value)) walk(each);
        assign(value, {
          doubt: false,
          applied: false,
          input: 99,
          output: 99,
          error: { _tag: "Forged" },
          path: "forged",
          until: 0,
          dueAt: 0,
        });
      };
      walk(notice);
    },
    "calls the engine": (engine, one) => async (notice) => {
      if (!("sagaId" in notice) || notice.sagaId !== "s") return;
      await engine().inspect(notice.sagaId);
      await engine().start(one(), 0, { id: "by-the-observer" });
      await engine().parked();
    },
    "closes over a slow disk": () => async () => {
      for (let turn = 0; turn < 3; turn++) await Promise.resolve();
    },
  };

  async function live(harmful: string | undefined) {
    const bench = createBench();
    const participants = createParticipants();
    const step = (name: string) =>
      participants.compensatable(name, {
        run: (input, nth) => (nth === 1 ? err(fault("Unreadable", "cut off")) : nth === 2 ? err({ _tag: "Refused" }) : ok(input)),
        inDoubt: "park",
        retry: { attempts: 1 },
      });
    const [a, b] = [step("a"), participants.compensatable("b")];
    const unsure = participants.compensatable("unsure", { run: () => err(fault("Unknown", "no answer")), retry: { attempts: 1 } });
    const slow = participants.compensatable("slow", {
      run: async (input) => {
        await bench.timer.sleep(50);
        return ok(input);
      },
    });
    const one = saga({
      name: "one",
      input: numberInput,
      *run(input) {
        yield* lock("order:1");
        const first = yield* a(input);
        yield* b(first);
        const tried = yield* savepoint(function* () {
          // The one is in doubt, and not yet undone, while the other one is still at work.
          yield* all([unsure(2), slow(3)]);
        });
        yield* fail({ _tag: "NotThis", first, tried: tried.isErr() });
      },
    });
    const small = saga({
      name: "small",
      input: numberInput,
      *run(input) {
        return yield* b(input);
      },
    });
    const engines: Engine[] = [];
    const at = () => {
      const [engine] = engines;
      if (engine === undefined) throw new TypeError("nothing is observed before there is an engine");
      return engine;
    };
    const { engine } = watched(bench, [one, small], harmful === undefined ? undefined : HARMFUL[harmful]?.(at, () => small));
    engines.push(engine);
    const parked = await engine.run(one, 1, { id: "s" });
    const order = { path: "run/a", slot: "action", by: "ada", reason: "again" } as const;
    await settleDown(bench);
    await engine.retry("s", order);
    // It is known to have been applied, so a "no" that decides nothing parks it again.
    const again = await engine.result(one, "s");
    await engine.retry("s", order);
    const ended = await engine.result(one, "s");
    await settleDown(bench);
    return {
      parked,
      again,
      ended,
      entries: bench.entries("s"),
      // The observer's own saga may stand among the calls.
      told: participants.told().filter((call) => !call.endsWith(" 0")),
      undone: participants.of("unsure", "compensation").map(({ outcome, undoes }) => [outcome, undoes]),
    };
  }

  test.each(Object.keys(HARMFUL))("%s harms no saga: its entries, calls and ends are what they are unwatched", async (harmful) => {
    const unwatched = await live(undefined);
    expect(unwatched.parked._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaParked", operations: [{ cause: { _tag: "OutputLost" } }] });
    expect(unwatched.again._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaParked", operations: [{ cause: { _tag: "OutputLost" } }] });
    expect(unwatched.ended).toEqual(err({ _tag: "NotThis", first: 1, tried: true }));
    expect(await live(harmful)).toEqual(unwatched);
  });
});

test("without an observer nothing is made for one: no notice, and no look at the clock beyond those that the saga needs", async () => {
  const looks = async (observer: Observer | undefined): Promise<number> => {
    const bench = createBench();
    const participants = createParticipants();
    const one = saga({
      name: "one",
      input: numberInput,
      *run(input) {
        return yield* participants.compensatable("a")(input);
      },
    });
    let count = 0;
    const store = createMemoryStore({ now: () => (count++, bench.timer.now()), disk: bench.disk });
    const engine = createEngine({ sagas: [one], store, timer: bench.timer, random: () => 0, observer });
    await engine.run(one, 1, { id: "s" });
    return count;
  };
  // An attempt's length is two looks.
  expect((await looks(() => undefined)) - (await looks(undefined))).toBe(2);
});
