// Goal: past its deadline a saga goes back, unless it can no longer; then that is told and nothing is undone (I15, FS-49). Method: sagas held at every place until the deadline passes
// on a virtual clock; the caller's answer, the calls in their order, the view.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type AnySaga, all, type Duration, type Engine, fault, saga, savepoint, signal, sleep, waitFor } from "../../src/index.ts";
import { VIRTUAL_START_MS } from "../virtual-timer.ts";
import { expectSameEndAfterEveryDeath } from "./same-end.ts";
import { slowStore } from "./slow-store.ts";
import { type Behaviour, createBench, createParticipants, numberInput, type OpenOptions } from "./workbench.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const approved = signal({ name: "approved", payload: z.number() });
const unknown = err(fault("Unknown", "no answer"));

function setUp() {
  const bench = createBench();
  bench.timer.pause();
  const participants = createParticipants();
  const a = participants.compensatable("a");
  /** Answers after two hours. */
  const lasting = (how: Behaviour["run"] = (input) => ok(input)): Behaviour => ({
    run: async (input, nth) => {
      await bench.timer.sleep(2 * HOUR);
      return how(input, nth);
    },
    retry: { timeoutMs: 3 * HOUR },
  });
  return { bench, participants, a, lasting };
}

async function begin(bench: ReturnType<typeof createBench>, one: AnySaga, deadline?: Duration, open?: OpenOptions): Promise<Engine> {
  const { engine } = bench.open([one], open);
  (await engine.start(one, 0, { id: "s", deadline }))._unsafeUnwrap();
  await bench.timer.idle();
  return engine;
}

const viewIn = async (engine: Engine) => (await engine.inspect("s"))._unsafeUnwrap().view;
const exceeded = { _tag: "SagaDeadlineExceeded", sagaId: "s", deadlineAt: VIRTUAL_START_MS + HOUR } as const;

describe("a deadline that passes before the point of no return", () => {
  test.each<[how: string, run: Behaviour["run"], undone: readonly string[]]>([
    ["succeeds: it is undone with its output", (input) => ok(input), ["undo long 2", "undo a 1"]],
    ["is refused: it is not undone", () => err({ _tag: "Refused" }), ["undo a 1"]],
    ["is lost: it is undone in doubt, and not tried again", () => unknown, ["undo long 2", "undo a 1"]],
  ])("while a step is in flight waits for it; its late answer is absorbed, and it %s", async (_how, run, undone) => {
    const { bench, participants, a, lasting } = setUp();
    const long = participants.compensatable("long", lasting(run));
    const one = saga({
      name: "one",
      input: numberInput,
      deadline: { hours: 1 },
      *run() {
        yield* a(1);
        yield* long(2);
        yield* a(3);
      },
    });
    const engine = await begin(bench, one);
    await bench.timer.advance(HOUR);
    expect(bench.entries("s").at(-1)).toMatchObject({ _tag: "TimerFired", path: "deadline", at: VIRTUAL_START_MS + HOUR });
    expect(participants.told()).toEqual(["a 1", "long 2"]);
    await bench.timer.advance(HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(exceeded);
    expect(participants.told()).toEqual(["a 1", "long 2", ...undone]);
    expect(participants.of("a", "compensation")[0]?.cause).toEqual({ _tag: "DeadlineCause", deadlineAt: VIRTUAL_START_MS + HOUR });
  });

  test("while the saga waits ends the waits, in memory or not, and undoes what was done", async () => {
    for (const evictAfterMs of [0, 10 * HOUR]) {
      const { bench, participants, a } = setUp();
      const one = saga({
        name: "one",
        input: numberInput,
        deadline: { hours: 1 },
        *run() {
          yield* a(1);
          yield* all([sleep({ hours: 5 }), waitFor(approved), waitFor(approved, { timeout: { hours: 2 } })]);
          yield* a(2);
        },
      });
      const engine = await begin(bench, one, undefined, { evictAfterMs });
      await bench.timer.advance(HOUR - 1);
      expect(participants.told()).toEqual(["a 1"]);
      await bench.timer.advance(1);
      expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(exceeded);
      expect(participants.told()).toEqual(["a 1", "undo a 1"]);
      expect([...(await viewIn(engine)).waits.values()].map(({ state }) => state)).toEqual(["left", "left", "left"]);
      await bench.timer.advance(10 * HOUR);
      expect(bench.timer.sleepers).toBe(0);
    }
  });

  test("in the wait before another attempt ends that wait", async () => {
    const { bench, participants, a } = setUp();
    const flaky = participants.compensatable("flaky", {
      run: () => unknown,
      retry: { delayMs: 5 * HOUR, delayMsMax: 5 * HOUR, horizonMs: 50 * HOUR },
    });
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* a(1);
        yield* flaky(2);
      },
    });
    const engine = await begin(bench, one, { hours: 1 });
    await bench.timer.advance(HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(exceeded);
    expect(participants.told()).toEqual(["a 1", "flaky 2", "undo flaky 2", "undo a 1"]);
  });

  test("inside a savepoint is not caught by it", async () => {
    const { bench, participants, a } = setUp();
    const one = saga({
      name: "one",
      input: numberInput,
      deadline: HOUR,
      *run() {
        yield* savepoint(function* () {
          yield* a(1);
          yield* sleep({ hours: 2 });
        });
        yield* a(2);
      },
    });
    const engine = await begin(bench, one);
    await bench.timer.advance(HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(exceeded);
    expect(participants.told()).toEqual(["a 1", "undo a 1"]);
  });

  test.each([
    ["in doubt", unknown],
    ["with its output lost", err(fault("Unreadable", "cut off"))],
  ] as const)("while the saga is parked going forward, %s, takes it back: nobody is needed any more", async (_how, answer) => {
    const { bench, participants, a } = setUp();
    const stuck = participants.compensatable("stuck", { run: () => answer, inDoubt: "park", retry: { attempts: 1 } });
    const one = saga({
      name: "one",
      input: numberInput,
      deadline: { hours: 1 },
      *run() {
        yield* a(1);
        yield* stuck(2);
      },
    });
    const engine = await begin(bench, one);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()._tag).toBe("SagaParked");
    await bench.timer.advance(HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(exceeded);
    expect(participants.told()).toEqual(["a 1", "stuck 2", "undo stuck 2", "undo a 1"]);
    expect(bench.timer.sleepers).toBe(0);
  });

  test("of a saga parked over a key in disorder is told, and acts once an operator has settled it", async () => {
    const { bench, participants, a } = setUp();
    const stuck = participants.compensatable("stuck", { run: () => err(fault("KeyReused", "another payload")) });
    const one = saga({
      name: "one",
      input: numberInput,
      deadline: { hours: 1 },
      *run() {
        yield* a(1);
        yield* stuck(2);
        yield* a(3);
      },
    });
    const engine = await begin(bench, one);
    await bench.timer.advance(2 * HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()._tag).toBe("SagaParked");
    expect((await viewIn(engine)).deadlinePassedAt).toBe(VIRTUAL_START_MS + HOUR);
    expect(bench.timer.sleepers).toBe(0);
    const order = { path: "run/stuck", slot: "action", by: "ada", reason: "ticket 7", evidence: "ledger" } as const;
    (await engine.settle("s", { ...order, verdict: { _tag: "applied", output: 2 } }))._unsafeUnwrap();
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(exceeded);
    expect(participants.told()).toEqual(["a 1", "stuck 2", "undo stuck 2", "undo a 1"]);
  });

  test("while no process was there acts as soon as one is", async () => {
    const { bench, participants, a } = setUp();
    const one = saga({
      name: "one",
      input: numberInput,
      deadline: { hours: 1 },
      *run() {
        yield* a(1);
        yield* waitFor(approved);
      },
    });
    const first = bench.open([one]);
    (await first.engine.start(one, 0, { id: "s" }))._unsafeUnwrap();
    await bench.timer.idle();
    first.kill();
    await bench.timer.advance(5 * HOUR);
    const { engine } = bench.open([one]);
    await bench.timer.advance(1);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(exceeded);
    expect((await viewIn(engine)).deadlinePassedAt).toBe(VIRTUAL_START_MS + 5 * HOUR);
    expect(participants.told()).toEqual(["a 1", "undo a 1"]);
  });

  test("together with the end of a sleep comes first", async () => {
    const { bench, participants, a } = setUp();
    const one = saga({
      name: "one",
      input: numberInput,
      deadline: { hours: 1 },
      *run() {
        yield* a(1);
        yield* sleep({ hours: 1 });
        yield* a(2);
      },
    });
    const engine = await begin(bench, one);
    await bench.timer.advance(HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(exceeded);
    expect(participants.told()).toEqual(["a 1", "undo a 1"]);
  });

  test("of no time at all takes back what was begun before it was told", async () => {
    const { bench, participants, a } = setUp();
    const one = saga({
      name: "one",
      input: numberInput,
      deadline: 0,
      *run() {
        yield* sleep(1);
        yield* a(1);
      },
    });
    const engine = await begin(bench, one);
    await bench.timer.advance(0);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual({ ...exceeded, deadlineAt: VIRTUAL_START_MS });
    expect(participants.made).toEqual([]);
  });
});

describe("a deadline and a cancellation", () => {
  const slow = () => {
    const made = setUp();
    const long = made.participants.compensatable("long", made.lasting());
    const one = saga({
      name: "one",
      input: numberInput,
      deadline: { hours: 1 },
      *run() {
        yield* long(1);
      },
    });
    return { ...made, one };
  };

  test("answer with the one that came first, though the other comes before all has settled: the cancellation", async () => {
    const { bench, one, participants } = slow();
    const engine = await begin(bench, one);
    await bench.timer.advance(HOUR / 2);
    (await engine.cancel("s", "changed my mind"))._unsafeUnwrap();
    await bench.timer.advance(2 * HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaCancelled" });
    expect(participants.told()).toEqual(["long 1", "undo long 1"]);
  });

  test("answer with the one that came first, though the other comes before all has settled: the deadline", async () => {
    const { bench, one } = slow();
    const engine = await begin(bench, one);
    await bench.timer.advance(HOUR);
    (await engine.cancel("s", "changed my mind"))._unsafeUnwrap();
    await bench.timer.advance(HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(exceeded);
    expect(bench.entries("s").map(({ _tag }) => _tag)).not.toContain("CancelRequested");
  });
});

describe("a deadline that passes after the point of no return is told, and nothing is undone:", () => {
  test("in the pivot, and nowhere else", async () => {
    const { bench, participants, a, lasting } = setUp();
    const decide = participants.pivot("decide", lasting());
    const after = participants.retriable("after");
    const one = saga({
      name: "one",
      input: numberInput,
      deadline: { hours: 1 },
      *run() {
        yield* a(1);
      },
      pivot: () => decide(2),
      *complete() {
        return yield* after(3);
      },
    });
    const engine = await begin(bench, one);
    await bench.timer.advance(HOUR);
    expect(await viewIn(engine)).toMatchObject({ deadlineAt: VIRTUAL_START_MS + HOUR, deadlinePassedAt: VIRTUAL_START_MS + HOUR });
    await bench.timer.advance(HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrap()).toBe(3);
    expect(participants.told()).toEqual(["a 1", "decide 2", "after 3"]);
  });

  test("a pivot that is refused later is why the saga goes back", async () => {
    const { bench, participants, a, lasting } = setUp();
    const decide = participants.pivot(
      "decide",
      lasting(() => err({ _tag: "Refused" })),
    );
    const one = saga({
      name: "one",
      input: numberInput,
      deadline: { hours: 1 },
      *run() {
        yield* a(1);
      },
      pivot: () => decide(2),
    });
    const engine = await begin(bench, one);
    await bench.timer.advance(2 * HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.told()).toEqual(["a 1", "decide 2", "undo a 1"]);
  });

  test("in complete, while it works and while it waits", async () => {
    for (const evictAfterMs of [0, 10 * HOUR]) {
      const { bench, participants, a } = setUp();
      const after = participants.retriable("after");
      const one = saga({
        name: "one",
        input: numberInput,
        deadline: { hours: 1 },
        *run() {
          yield* a(1);
        },
        *complete() {
          yield* sleep({ hours: 2 });
          return yield* after(2);
        },
      });
      const engine = await begin(bench, one, undefined, { evictAfterMs });
      await bench.timer.advance(HOUR);
      expect((await viewIn(engine)).deadlinePassedAt).toBe(VIRTUAL_START_MS + HOUR);
      await bench.timer.advance(HOUR);
      expect((await engine.result(one, "s"))._unsafeUnwrap()).toBe(2);
      expect(participants.told()).toEqual(["a 1", "after 2"]);
    }
  });

  test("a pivot that is parked in doubt blocks both ways, and waits for its operator", async () => {
    const { bench, participants, a } = setUp();
    const decide = participants.pivot("decide", { run: () => unknown, inDoubt: "park", retry: { attempts: 1 } });
    const one = saga({
      name: "one",
      input: numberInput,
      deadline: { hours: 1 },
      *run() {
        yield* a(1);
      },
      pivot: () => decide(2),
    });
    const engine = await begin(bench, one);
    await bench.timer.advance(2 * HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()._tag).toBe("SagaParked");
    expect((await viewIn(engine)).deadlinePassedAt).toBe(VIRTUAL_START_MS + HOUR);
    expect(participants.told()).toEqual(["a 1", "decide 2"]);
    expect(bench.timer.sleepers).toBe(0);
  });
});

describe("a deadline is no news", () => {
  test("for a saga that goes back already: no compensation is hurried, and the first error stays", async () => {
    const { bench, participants } = setUp();
    const slowly = participants.compensatable("slowly", {
      compensate: async () => {
        await bench.timer.sleep(2 * HOUR);
        return ok(undefined);
      },
      compensationRetry: { timeoutMs: 3 * HOUR },
    });
    const no = participants.compensatable("no", { run: () => err({ _tag: "Refused" }) });
    const one = saga({
      name: "one",
      input: numberInput,
      deadline: { hours: 1 },
      *run() {
        yield* slowly(1);
        yield* no(2);
      },
    });
    const engine = await begin(bench, one);
    await bench.timer.advance(3 * HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(bench.entries("s").map(({ _tag }) => _tag)).not.toContain("TimerFired");
  });

  test("for a saga that has ended, also while its end is on its way to the journal", async () => {
    const { bench, a } = setUp();
    const one = saga({
      name: "one",
      input: numberInput,
      deadline: { minutes: 5 },
      *run() {
        return yield* a(1);
      },
    });
    const disk = slowStore(({ record }) => record.includes("SagaCompleted"));
    const { engine } = bench.open([one], { wrap: disk.wrap });
    (await engine.start(one, 0, { id: "s" }))._unsafeUnwrap();
    await disk.reached;
    await bench.timer.advance(2 * HOUR);
    disk.letGo();
    expect((await engine.result(one, "s"))._unsafeUnwrap()).toBe(1);
    expect(bench.entries("s").at(-1)?._tag).toBe("SagaCompleted");
    expect((await viewIn(engine)).deadlinePassedAt).toBe(undefined);
    await bench.timer.advance(HOUR);
    expect(bench.timer.sleepers).toBe(0);
  });
});

describe("the deadline of a saga", () => {
  const sleepy = (deadline?: Duration) =>
    saga({
      name: "sleepy",
      input: numberInput,
      deadline,
      *run() {
        yield* sleep({ hours: 10 });
        return 1;
      },
    });

  test("is the request's where it has one, else the saga's, and of an id that of its first start", async () => {
    const { bench } = setUp();
    const one = sleepy({ hours: 3 });
    const { engine } = bench.open([one]);
    const deadlines = async (id: string) => ((await engine.inspect(id))._unsafeUnwrap().view.deadlineAt ?? 0) - VIRTUAL_START_MS;
    (await engine.start(one, 0, { id: "own" }))._unsafeUnwrap();
    (await engine.start(one, 0, { id: "asked", deadline: { hours: 1 } }))._unsafeUnwrap();
    await bench.timer.advance(MINUTE);
    (await engine.start(one, 0, { id: "asked", deadline: { hours: 9 } }))._unsafeUnwrap();
    expect([await deadlines("own"), await deadlines("asked")]).toEqual([3 * HOUR, HOUR]);
  });

  test("is none where nobody set one", async () => {
    const { bench } = setUp();
    const one = sleepy();
    const engine = await begin(bench, one);
    await bench.timer.advance(10 * HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrap()).toBe(1);
  });

  test("stays what it was when the definition changes", async () => {
    const { bench } = setUp();
    const first = bench.open([sleepy({ hours: 1 })]);
    (await first.engine.start(sleepy({ hours: 1 }), 0, { id: "s" }))._unsafeUnwrap();
    await bench.timer.idle();
    first.kill();
    const { engine } = bench.open([sleepy({ hours: 5 })]);
    await bench.timer.advance(HOUR);
    expect((await engine.result(sleepy(), "s"))._unsafeUnwrapErr()).toEqual(exceeded);
  });

  test.each([
    -1,
    0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    { weeks: 1 },
    { days: 36_526 },
    { ms: -1 },
    "1h",
    null,
    [1],
    { hours: "1" },
    1n,
  ])("is not %s", async (deadline) => {
    const { bench } = setUp();
    if (deadline !== null) expect(() => sleepy(deadline as never)).toThrow("deadline must be whole milliseconds from 0 to a hundred years");
    const one = sleepy();
    const { engine } = bench.open([one]);
    const answer = await engine.start(one, 0, { id: "s", deadline: deadline as never });
    expect(answer._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaRequestInvalid", issues: [{ path: "deadline" }] });
    expect(bench.commits).toEqual([]);
  });
});

describe("whatever process dies, a saga past its deadline ends the same", () => {
  test("from waits", async () => {
    const { result, called } = await expectSameEndAfterEveryDeath({
      declare: (participants) => {
        const a = participants.compensatable("a");
        return saga({
          name: "waits",
          input: numberInput,
          deadline: { hours: 1 },
          *run() {
            yield* a(1);
            yield* savepoint(function* () {
              yield* a(2);
              yield* all([sleep({ days: 1 }), waitFor(approved)]);
            });
          },
        });
      },
      outside: (engine, one) => engine.start(one, 0, { id: "s" }),
    });
    expect([result._unsafeUnwrapErr(), called]).toEqual([exceeded, ["a 1", "a 2", "undo a 1", "undo a 2"]]);
  });

  test("from a park", async () => {
    const { result, called } = await expectSameEndAfterEveryDeath({
      declare: (participants) => {
        const a = participants.compensatable("a");
        const stuck = participants.compensatable("stuck", { run: () => unknown, inDoubt: "park", retry: { attempts: 1 } });
        return saga({
          name: "parks",
          input: numberInput,
          deadline: { hours: 1 },
          *run() {
            yield* a(1);
            yield* stuck(2);
          },
        });
      },
      outside: async (engine, one, bench) => {
        await engine.start(one, 0, { id: "s" });
        await bench.timer.sleep(2 * HOUR);
      },
    });
    expect([result._unsafeUnwrapErr(), called]).toEqual([exceeded, ["a 1", "stuck 2", "undo a 1", "undo stuck 2"]]);
  });

  test("from complete, where it is only told", async () => {
    const { result, called } = await expectSameEndAfterEveryDeath({
      declare: (participants) => {
        const [a, after] = [participants.compensatable("a"), participants.retriable("after")];
        return saga({
          name: "forward",
          input: numberInput,
          deadline: { hours: 1 },
          *run() {
            yield* a(1);
          },
          *complete() {
            yield* sleep({ hours: 2 });
            return yield* after(2);
          },
        });
      },
      outside: (engine, one) => engine.start(one, 0, { id: "s" }),
    });
    expect([result._unsafeUnwrap(), called]).toEqual([2, ["a 1", "after 2"]]);
  });
});
