// Goal: time passes for a saga on the store's clock, never early and never lost, through crashes, clocks that are set and timers that lie (I13, FS-37, FS-38). Method: a virtual
// timer, a store whose clock is moved away from it, a memory disk, engines that die and follow each other.
import { err } from "neverthrow";
import { describe, expect, test } from "vitest";
import { type AnySaga, all, type Engine, now, saga, savepoint, sleep, sleepUntil } from "../../src/index.ts";
import { VIRTUAL_START_MS } from "../virtual-timer.ts";
import { expectSameEndAfterEveryDeath } from "./same-end.ts";
import { slowStore } from "./slow-store.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function setUp() {
  const bench = createBench();
  const participants = createParticipants();
  const later = participants.compensatable("later");
  /** Sleeps for the minutes of its input. */
  const patient = saga({
    name: "patient",
    input: numberInput,
    *run(minutes) {
      yield* sleep({ minutes });
      return yield* later(minutes);
    },
  });
  return { bench, participants, later, patient };
}

async function begin(bench: ReturnType<typeof createBench>, one: AnySaga, input = 0): Promise<Engine> {
  bench.timer.pause();
  const { engine } = bench.open([one]);
  (await engine.start(one, input, { id: "s" }))._unsafeUnwrap();
  await bench.timer.idle();
  return engine;
}

const firedAt = (bench: ReturnType<typeof createBench>) =>
  bench.entries("s").flatMap(({ _tag, at }) => (_tag === "TimerFired" ? [Number(at)] : []));

describe("a sleep", () => {
  test("lets as much time pass as it says, and no step before", async () => {
    const { bench, patient } = setUp();
    const { engine } = bench.open([patient]);
    expect((await engine.run(patient, 43_200, { id: "s" }))._unsafeUnwrap()).toBe(43_200);
    expect(bench.timer.now() - VIRTUAL_START_MS).toBe(30 * DAY);
  });

  test("leaves memory when it is long, and is waking at its time in the next engine", async () => {
    const { bench, participants, later } = setUp();
    const patient = saga({
      name: "patient",
      input: numberInput,
      *run() {
        yield* all([sleep({ days: 1 }), sleepUntil(VIRTUAL_START_MS + 2 * DAY)]);
        return yield* later(1);
      },
    });
    const first = bench.open([patient]);
    (await first.engine.start(patient, 0, { id: "s" }))._unsafeUnwrap();
    first.kill();
    const { engine } = bench.open([patient]);
    expect((await engine.result(patient, "s"))._unsafeUnwrap()).toBe(1);
    expect(bench.timer.now() - VIRTUAL_START_MS).toBe(2 * DAY);
    expect(participants.told()).toEqual(["later 1"]);
  });

  test("adds up its parts, and what it has slept through is what now() tells", async () => {
    const { bench } = setUp();
    const clock = saga({
      name: "clock",
      input: numberInput,
      *run() {
        const before = yield* now();
        yield* sleep({ days: 1, hours: 2, minutes: 3, seconds: 4, ms: 5 });
        return (yield* now()) - before;
      },
    });
    const { engine } = bench.open([clock]);
    expect((await engine.run(clock, 0, { id: "s" }))._unsafeUnwrap()).toBe(DAY + 2 * HOUR + 3 * MINUTE + 4_000 + 5);
  });

  test("of no time, or until a time that is over, lets the body go on at once", async () => {
    const { bench, later } = setUp();
    const hasty = saga({
      name: "hasty",
      input: numberInput,
      *run() {
        yield* sleep(0);
        yield* sleep({});
        yield* sleepUntil(VIRTUAL_START_MS - DAY);
        yield* sleepUntil(-1);
        return yield* later(1);
      },
    });
    const { engine } = bench.open([hasty]);
    expect((await engine.run(hasty, 0, { id: "s" }))._unsafeUnwrap()).toBe(1);
    expect(bench.timer.now()).toBe(VIRTUAL_START_MS);
  });

  test("of many side by side ends each at its own time, the shorter ones first", async () => {
    const { bench, participants, later } = setUp();
    const choir = saga({
      name: "choir",
      input: numberInput,
      *run() {
        const voice = function* (minutes: number) {
          yield* sleep({ minutes });
          yield* later(minutes);
        };
        yield* all([voice(30), voice(10), voice(20), voice(10)]);
      },
    });
    const engine = await begin(bench, choir);
    for (const [minute, calls] of [
      [10, 2],
      [20, 3],
      [30, 4],
    ] as const) {
      await bench.timer.advance(10 * MINUTE);
      expect([minute, participants.made.length]).toEqual([minute, calls]);
    }
    expect(participants.told()).toEqual(["later 10", "later 10", "later 20", "later 30"]);
    expect((await engine.result(choir, "s")).isOk()).toBe(true);
  });

  test("is over early for a member of an all beside which another fails, and never fires afterwards", async () => {
    const { bench, participants, later } = setUp();
    const no = participants.compensatable("no", { run: () => err({ _tag: "Refused" }) });
    const group = saga({
      name: "group",
      input: numberInput,
      *run() {
        const tried = yield* savepoint(function* () {
          yield* all([sleep({ hours: 1 }), no(1)]);
        });
        yield* sleep({ hours: 2 });
        return yield* later(tried.isErr() ? 1 : 0);
      },
    });
    const engine = await begin(bench, group);
    await bench.timer.advance(2 * HOUR);
    expect((await engine.result(group, "s"))._unsafeUnwrap()).toBe(1);
    expect(firedAt(bench)).toEqual([VIRTUAL_START_MS + 2 * HOUR]);
  });

  test("that ends while a body breaks after the point of no return leaves the saga parked, and the engine at rest", async () => {
    const { bench } = setUp();
    const broken = saga({
      name: "broken",
      input: numberInput,
      // biome-ignore lint/correctness/useYield: nothing is to be done before
      *run() {
        return 1;
      },
      *complete() {
        const breaks = (function* () {
          yield* sleep({ hours: 1 });
          throw new Error("as told");
        })();
        yield* all([breaks, sleep({ hours: 1 }), sleep({ hours: 2 })]);
      },
    });
    const engine = await begin(bench, broken);
    await bench.timer.advance(HOUR);
    expect((await engine.result(broken, "s"))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaParked", quarantine: { _tag: "BodyFailed" } });
    await bench.timer.advance(DAY);
    expect(bench.timer.sleepers).toBe(0);
  });

  test.each([
    -1,
    0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    { fortnights: 1 },
    { days: 36_526 },
    { ms: 0.5 },
    { hours: 1, ms: -3_600_001 },
    "1h",
    null,
    undefined,
    [1],
    { hours: "1" },
    1n,
  ])("of %s is a mistake of the body, and the saga goes back", async (duration) => {
    const { bench, participants, later } = setUp();
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* later(1);
        yield* sleep(duration as never);
      },
    });
    const failure = (await bench.open([one]).engine.run(one, 0, { id: "s" }))._unsafeUnwrapErr();
    expect(failure).toMatchObject({
      _tag: "SagaFaulted",
      fault: { message: expect.stringContaining("sleep: must be whole milliseconds") },
    });
    expect(participants.told()).toEqual(["later 1", "undo later 1"]);
  });

  test.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "1", new Date(0), null])(
    "until %s is a mistake of the body",
    async (at) => {
      const { bench } = setUp();
      const one = saga({
        name: "one",
        input: numberInput,
        *run() {
          yield* sleepUntil(at as never);
        },
      });
      const failure = (await bench.open([one]).engine.run(one, 0, { id: "s" }))._unsafeUnwrapErr();
      expect(failure).toMatchObject({
        _tag: "SagaFaulted",
        fault: { message: expect.stringContaining("sleepUntil: epoch milliseconds are a whole number") },
      });
    },
  );
});

describe("FS-37: the store's clock decides, wherever it and the timer part:", () => {
  /** A saga that sleeps in memory, and one that left it. */
  const PLACES = [
    { where: "in memory", evictAfterMs: 10 * DAY },
    { where: "on the disk alone", evictAfterMs: 0 },
  ] as const;

  test.each(PLACES)("set back by hours, it makes nobody wake early, $where", async ({ evictAfterMs }) => {
    const { bench, participants, patient } = setUp();
    bench.timer.pause();
    const { engine } = bench.open([patient], { evictAfterMs });
    (await engine.start(patient, 60, { id: "s" }))._unsafeUnwrap();
    await bench.timer.idle();
    bench.clock.skewMs = -5 * HOUR;
    await bench.timer.advance(HOUR);
    expect(participants.made).toEqual([]);
    await bench.timer.advance(5 * HOUR + 10 * MINUTE);
    expect(participants.told()).toEqual(["later 60"]);
    expect(firedAt(bench).every((at) => at >= VIRTUAL_START_MS + HOUR)).toBe(true);
  });

  test.each(PLACES)("set forward by hours, it is noticed within ten minutes, $where", async ({ evictAfterMs }) => {
    const { bench, participants, patient } = setUp();
    bench.timer.pause();
    const { engine } = bench.open([patient], { evictAfterMs });
    (await engine.start(patient, 300, { id: "s" }))._unsafeUnwrap();
    await bench.timer.advance(MINUTE);
    bench.clock.skewMs = 6 * HOUR;
    await bench.timer.advance(10 * MINUTE);
    expect(participants.told()).toEqual(["later 300"]);
  });

  test.each(PLACES)("set forth and back again and again, it loses no timer and fires each once, $where", async ({ evictAfterMs }) => {
    const { bench, participants, patient } = setUp();
    bench.timer.pause();
    const { engine } = bench.open([patient], { evictAfterMs });
    for (let nth = 0; nth < 20; nth += 1) (await engine.start(patient, 30 * (nth + 1), { id: `s${nth}` }))._unsafeUnwrap();
    for (const skewHours of [3, -4, 8, -1, 0, 12, -12, 5, 0]) {
      bench.clock.skewMs = skewHours * HOUR;
      await bench.timer.advance(25 * MINUTE);
    }
    await bench.timer.advance(12 * HOUR);
    expect(participants.made.map(({ input }) => input).toSorted((left, right) => left - right)).toEqual(
      Array.from({ length: 20 }, (_, nth) => 30 * (nth + 1)),
    );
    for (let nth = 0; nth < 20; nth += 1) {
      const fired = bench.entries(`s${nth}`).filter(({ _tag }) => _tag === "TimerFired");
      const began = bench.entries(`s${nth}`).find(({ _tag }) => _tag === "WaitBegan");
      expect([fired.length, Number(fired[0]?.["at"]) >= Number(began?.["dueAt"])]).toEqual([1, true]);
    }
    expect(bench.timer.sleepers).toBe(0);
  });

  test("set back between the look at the store and the waking, it sends the saga to sleep again, and wakes it in time", async () => {
    const { bench, participants, patient } = setUp();
    bench.timer.pause();
    const { engine } = bench.open([patient], {
      wrap: (store) => ({
        ...store,
        claim: async (sagaId) => {
          if (bench.clock.skewMs === 0) bench.clock.skewMs = -2 * HOUR;
          return store.claim(sagaId);
        },
      }),
    });
    (await engine.start(patient, 60, { id: "s" }))._unsafeUnwrap();
    await bench.timer.advance(HOUR);
    expect([bench.disk.sagas.get("s")?.epoch, participants.made.length]).toEqual([2, 0]);
    await bench.timer.advance(2 * HOUR);
    expect(participants.told()).toEqual(["later 60"]);
  });

  test("fast or slow all the time, it is still the measure", async () => {
    const { bench, participants, patient } = setUp();
    bench.timer.pause();
    const { engine } = bench.open([patient]);
    (await engine.start(patient, 240, { id: "s" }))._unsafeUnwrap();
    // Half as fast again as the timer.
    for (let quarter = 0; quarter < 12; quarter += 1) {
      await bench.timer.advance(15 * MINUTE);
      bench.clock.skewMs += 7.5 * MINUTE;
    }
    await bench.timer.advance(10 * MINUTE);
    expect(participants.told()).toEqual(["later 240"]);
    expect(Number(firedAt(bench)[0])).toBeLessThanOrEqual(VIRTUAL_START_MS + 4 * HOUR + 15 * MINUTE);
  });
});

describe("FS-38: a timer that", () => {
  test("rings late tells the time at which it was noticed, and wakes its saga all the same", async () => {
    const { bench, participants, patient } = setUp();
    const first = bench.open([patient]);
    bench.timer.pause();
    (await first.engine.start(patient, 60, { id: "s" }))._unsafeUnwrap();
    await bench.timer.idle();
    first.kill();
    await bench.timer.advance(9 * HOUR);
    bench.open([patient]);
    await bench.timer.advance(1);
    expect(firedAt(bench)).toEqual([VIRTUAL_START_MS + 9 * HOUR]);
    expect(participants.told()).toEqual(["later 60"]);
  });

  test("rings early, by a timer that never waits, fires nothing before its time", async () => {
    const { bench, participants, patient } = setUp();
    bench.timer.pause();
    const { engine } = bench.open([patient], { evictAfterMs: DAY });
    (await engine.start(patient, 60, { id: "s" }))._unsafeUnwrap();
    for (let minute = 0; minute < 60; minute += 1) {
      bench.clock.skewMs -= MINUTE;
      await bench.timer.advance(MINUTE);
    }
    expect(participants.made).toEqual([]);
    await bench.timer.advance(HOUR + 10 * MINUTE);
    expect(firedAt(bench).length).toBe(1);
  });

  test("rings in two processes is told by the one that owns the saga", async () => {
    const { bench, participants, patient } = setUp();
    bench.timer.pause();
    const first = bench.open([patient], { evictAfterMs: DAY });
    (await first.engine.start(patient, 60, { id: "s" }))._unsafeUnwrap();
    await bench.timer.idle();
    bench.open([patient], { evictAfterMs: DAY });
    await bench.timer.advance(2 * HOUR);
    expect(firedAt(bench).length).toBe(1);
    expect(participants.told()).toEqual(["later 60"]);
  });

  test("rings again while what it told is on its way to the journal tells nothing more", async () => {
    const { bench, participants, patient } = setUp();
    bench.timer.pause();
    const disk = slowStore(({ record }) => record.includes("TimerFired"));
    const { engine } = bench.open([patient], { evictAfterMs: DAY, wrap: disk.wrap });
    (await engine.start(patient, 60, { id: "s" }))._unsafeUnwrap();
    await bench.timer.advance(5 * HOUR);
    disk.letGo();
    await bench.timer.advance(1);
    expect(firedAt(bench).length).toBe(1);
    expect(participants.told()).toEqual(["later 60"]);
  });

  test("would ring after its saga's end does not", async () => {
    const { bench, participants, patient } = setUp();
    const engine = await begin(bench, patient, 60);
    (await engine.cancel("s", "changed my mind"))._unsafeUnwrap();
    await bench.timer.advance(DAY);
    expect([firedAt(bench), participants.made, bench.timer.sleepers]).toEqual([[], [], 0]);
  });

  test("meets a store that fails is told again when it is well", async () => {
    const { bench, participants, patient } = setUp();
    bench.timer.pause();
    let refusals = 3;
    const { engine } = bench.open([patient], {
      faults: { beforeCommit: ({ record }) => (record.includes("TimerFired") && refusals-- > 0 ? "refuse" : undefined) },
    });
    (await engine.start(patient, 60, { id: "s" }))._unsafeUnwrap();
    await bench.timer.advance(HOUR + 10_000);
    expect(participants.told()).toEqual(["later 60"]);
    expect(firedAt(bench).length).toBe(1);
  });
});

describe("whatever process dies,", () => {
  test("a saga of sleeps sleeps each of them once, and ends the same", async () => {
    const { result, called } = await expectSameEndAfterEveryDeath({
      declare: (participants) => {
        const [later, after] = [participants.compensatable("later"), participants.retriable("after")];
        return saga({
          name: "long",
          input: numberInput,
          *run() {
            yield* sleep({ hours: 1 });
            yield* later(1);
            yield* all([sleep({ seconds: 1 }), later(2), sleep({ days: 1 })]);
            return yield* later(3);
          },
          *complete() {
            yield* sleep({ hours: 1 });
            return yield* after(4);
          },
        });
      },
      outside: (engine, one) => engine.start(one, 0, { id: "s" }),
    });
    expect([result._unsafeUnwrap(), called]).toEqual([4, ["after 4", "later 1", "later 2", "later 3"]]);
  });
});
