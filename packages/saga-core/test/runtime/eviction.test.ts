// Goal: a saga that waits for long costs no memory, and comes back in time, on a signal or on a cancellation. Method: an engine's live sagas are told by what only they
// leave: sleepers in the virtual timer, and claims, which raise the epoch.
import { err } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { all, fault, saga, signal, sleep, waitFor } from "../../src/index.ts";
import type { JournalStore, MemoryStore } from "../../src/journal.ts";
import { VIRTUAL_START_MS } from "../virtual-timer.ts";
import { inMemory } from "./in-memory.ts";
import { type Bench, createBench, createParticipants, numberInput } from "./workbench.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The engine's default. */
const EVICT_AFTER_MS = 10_000;

const approved = signal({ name: "approved", payload: z.number() });

const epochOf = (bench: Bench, sagaId = "s") => bench.disk.sagas.get(sagaId)?.epoch;
const statusOn = (bench: Bench, sagaId = "s") => bench.disk.sagas.get(sagaId)?.status;

/** Sleeps for the minutes of its input, then calls a step. */
function setUp() {
  const bench = createBench();
  bench.timer.pause();
  const participants = createParticipants();
  const later = participants.compensatable("later");
  const patient = saga({
    name: "patient",
    input: numberInput,
    *run(minutes) {
      yield* sleep({ minutes });
      return yield* later(minutes);
    },
  });
  const hopeful = saga({
    name: "hopeful",
    input: numberInput,
    *run() {
      return yield* later(yield* waitFor(approved));
    },
  });
  const greedy = saga({
    name: "greedy",
    input: numberInput,
    *run(count) {
      let sum = 0;
      for (let nth = 0; nth < count; nth += 1) sum += yield* waitFor(approved);
      return sum;
    },
  });
  return { bench, participants, patient, hopeful, greedy };
}

/** Counts the claims and looks for due sagas that go through it, and may have some of them fail. */
function watchedStore(failsClaim: () => boolean = () => false) {
  const seen = { claims: 0, looks: 0 };
  const wrap = (store: MemoryStore): JournalStore => ({
    ...store,
    claim: async (sagaId) => {
      seen.claims += 1;
      return failsClaim() ? err({ _tag: "StoreUnavailable", message: "as told" }) : store.claim(sagaId);
    },
    due: (wanted) => {
      seen.looks += 1;
      return store.due(wanted);
    },
  });
  return { seen, wrap };
}

describe("a saga that waits", () => {
  test("for longer than the threshold is waiting on the disk, and leaves one sleeper for all: the engine's own", async () => {
    const { bench, patient } = setUp();
    const { engine } = bench.open([patient]);
    for (let nth = 0; nth < 50; nth += 1) (await engine.start(patient, 60 + nth, { id: `s${nth}` }))._unsafeUnwrap();
    await bench.timer.idle();
    expect(bench.timer.sleepers).toBe(1);
    expect(statusOn(bench, "s7")).toBe("waiting");
  });

  test("is claimed once when its time comes, and goes on from its journal", async () => {
    const { bench, participants, patient } = setUp();
    const { engine } = bench.open([patient]);
    (await engine.start(patient, 60, { id: "s" }))._unsafeUnwrap();
    await bench.timer.advance(HOUR - 1);
    expect([epochOf(bench), participants.told()]).toEqual([1, []]);
    await bench.timer.advance(1);
    expect([epochOf(bench), participants.told()]).toEqual([2, ["later 60"]]);
    expect((await engine.result(patient, "s"))._unsafeUnwrap()).toBe(60);
  });

  test("no longer than the threshold stays, and is never claimed", async () => {
    const { bench, patient } = setUp();
    const { engine } = bench.open([patient], { evictAfterMs: 5 * MINUTE });
    (await engine.start(patient, 5, { id: "short" }))._unsafeUnwrap();
    (await engine.start(patient, 6, { id: "long" }))._unsafeUnwrap();
    await bench.timer.advance(6 * MINUTE);
    expect([epochOf(bench, "short"), epochOf(bench, "long")]).toEqual([1, 2]);
    expect([statusOn(bench, "short"), statusOn(bench, "long")]).toEqual(["completed", "completed"]);
  });

  test("leaves at once when the threshold is nothing", async () => {
    const { bench, patient } = setUp();
    const { engine } = bench.open([patient], { evictAfterMs: 0 });
    (await engine.start(patient, 1, { id: "s" }))._unsafeUnwrap();
    await bench.timer.advance(MINUTE);
    expect([epochOf(bench), statusOn(bench)]).toEqual([2, "completed"]);
  });

  test("for a signal alone leaves nothing in memory, not even a timer, and is woken by it", async () => {
    const { bench, participants, hopeful } = setUp();
    const { engine } = bench.open([hopeful]);
    (await engine.start(hopeful, 0, { id: "s" }))._unsafeUnwrap();
    await bench.timer.advance(EVICT_AFTER_MS);
    expect([bench.timer.sleepers, statusOn(bench)]).toEqual([0, "waiting"]);
    (await engine.signal("s", approved, 7, { key: "k" }))._unsafeUnwrap();
    await bench.timer.idle();
    expect([epochOf(bench), participants.told()]).toEqual([2, ["later 7"]]);
  });

  test("for signals stays until it has been at rest for a while, and each of them begins that anew", async () => {
    const { bench, greedy } = setUp();
    const memory = inMemory();
    const { engine } = bench.open([greedy], { observer: memory.observer });
    (await engine.start(greedy, 3, { id: "s" }))._unsafeUnwrap();
    for (const key of ["a", "b"]) {
      await bench.timer.advance(EVICT_AFTER_MS - 1);
      (await engine.signal("s", approved, 1, { key }))._unsafeUnwrap();
    }
    await bench.timer.advance(EVICT_AFTER_MS - 1);
    // A signal that is known already is none.
    (await engine.signal("s", approved, 1, { key: "a" }))._unsafeUnwrap();
    expect(memory.now()).toEqual(["s"]);
    await bench.timer.advance(1);
    expect([memory.now(), bench.timer.sleepers, epochOf(bench)]).toEqual([[], 0, 1]);
    (await engine.signal("s", approved, 1, { key: "c" }))._unsafeUnwrap();
    expect((await engine.result(greedy, "s"))._unsafeUnwrap()).toBe(3);
  });

  test("for a thousand signals takes all of them with one replay of its journal, and leaves", async () => {
    const { bench, greedy } = setUp();
    const memory = inMemory();
    const { engine } = bench.open([greedy], { observer: memory.observer });
    (await engine.start(greedy, 2_000, { id: "s" }))._unsafeUnwrap();
    await bench.timer.advance(EVICT_AFTER_MS);
    expect(memory.now()).toEqual([]);
    for (let nth = 0; nth < 1_000; nth += 1) {
      (await engine.signal("s", approved, 1, { key: `k${nth}` }))._unsafeUnwrap();
      await bench.timer.advance(5);
    }
    expect(memory.adoptions).toEqual(["s"]);
    expect(bench.entries("s").filter(({ _tag }) => _tag === "SignalTaken").length).toBe(1_000);
    await bench.timer.advance(EVICT_AFTER_MS);
    expect([memory.now(), bench.timer.sleepers]).toEqual([[], 0]);
  });

  test("for a signal or a time leaves after a while at rest, unless the time is near by then", async () => {
    const { bench } = setUp();
    const memory = inMemory();
    const either = saga({
      name: "either",
      input: numberInput,
      *run(seconds) {
        return (yield* waitFor(approved, { timeout: { seconds } })).isOk();
      },
    });
    const { engine } = bench.open([either], { observer: memory.observer });
    for (const seconds of [19, 21]) (await engine.start(either, seconds, { id: `s${seconds}` }))._unsafeUnwrap();
    await bench.timer.advance(EVICT_AFTER_MS);
    expect(memory.now()).toEqual(["s19"]);
    await bench.timer.advance(EVICT_AFTER_MS + 1_000);
    expect([memory.adoptions, statusOn(bench, "s19"), statusOn(bench, "s21")]).toEqual([["s21"], "completed", "completed"]);
  });

  test("for a signal leaves at once, too, when the threshold is nothing", async () => {
    const { bench, hopeful } = setUp();
    const memory = inMemory();
    const { engine } = bench.open([hopeful], { evictAfterMs: 0, observer: memory.observer });
    (await engine.start(hopeful, 0, { id: "s" }))._unsafeUnwrap();
    await bench.timer.idle();
    expect([memory.now(), bench.timer.sleepers]).toEqual([[], 0]);
  });

  test("is woken by a cancellation, and goes back", async () => {
    const { bench, patient } = setUp();
    const { engine } = bench.open([patient]);
    (await engine.start(patient, 60, { id: "s" }))._unsafeUnwrap();
    await bench.timer.idle();
    (await engine.cancel("s", "changed my mind"))._unsafeUnwrap();
    await bench.timer.idle();
    expect([epochOf(bench), statusOn(bench)]).toEqual([2, "compensated"]);
    await bench.timer.advance(HOUR);
    expect([epochOf(bench), bench.timer.sleepers]).toEqual([2, 0]);
  });

  test("can be asked for the same signal, or be cancelled in vain, as often as anybody likes: it is not taken over for it", async () => {
    const { bench, hopeful, participants } = setUp();
    const after = participants.retriable("after");
    const forward = saga({
      name: "forward",
      input: numberInput,
      // biome-ignore lint/correctness/useYield: nothing is to be done before
      *run() {
        return undefined;
      },
      *complete() {
        yield* waitFor(approved);
        yield* waitFor(approved);
        return yield* after(1);
      },
    });
    const { engine } = bench.open([hopeful, forward]);
    (await engine.start(forward, 0, { id: "s" }))._unsafeUnwrap();
    await bench.timer.idle();
    for (let nth = 0; nth < 60; nth += 1) {
      (await engine.signal("s", approved, 7, { key: "k" }))._unsafeUnwrap();
      expect((await engine.signal("s", approved, 8, { key: "k" }))._unsafeUnwrapErr()).toMatchObject({ reason: "keyReused" });
      expect((await engine.cancel("s", "too late"))._unsafeUnwrapErr()).toMatchObject({ reason: "pastPivot" });
    }
    expect(epochOf(bench)).toBe(1);
    await bench.timer.advance(EVICT_AFTER_MS);
    for (let nth = 0; nth < 60; nth += 1) {
      (await engine.signal("s", approved, 7, { key: "k" }))._unsafeUnwrap();
      expect((await engine.cancel("s", "too late"))._unsafeUnwrapErr()).toMatchObject({ reason: "pastPivot" });
    }
    expect(epochOf(bench)).toBe(1);
    (await engine.signal("s", approved, 7, { key: "another" }))._unsafeUnwrap();
    expect((await engine.result(forward, "s"))._unsafeUnwrap()).toBe(1);
  });
});

describe("the next engine", () => {
  test("takes up no saga that only waits, and wakes it in time all the same", async () => {
    const { bench, participants, patient } = setUp();
    const first = bench.open([patient]);
    (await first.engine.start(patient, 60, { id: "s" }))._unsafeUnwrap();
    await bench.timer.idle();
    first.kill();
    const { engine } = bench.open([patient]);
    expect(await engine.recovered).toEqual({ adopted: 0, quarantined: 0 });
    expect([epochOf(bench), bench.timer.sleepers]).toEqual([1, 1]);
    await bench.timer.advance(HOUR);
    expect([epochOf(bench), participants.told()]).toEqual([2, ["later 60"]]);
  });

  test("wakes at once what came due while nobody was there, more than one page of it", async () => {
    const { bench, participants, patient } = setUp();
    const first = bench.open([patient]);
    for (let nth = 0; nth < 250; nth += 1) (await first.engine.start(patient, 60, { id: `s${nth}` }))._unsafeUnwrap();
    await bench.timer.idle();
    first.kill();
    await bench.timer.advance(2 * DAY);
    bench.open([patient]);
    await bench.timer.advance(5);
    expect(participants.told().length).toBe(250);
    expect(bench.timer.sleepers).toBe(0);
  });
});

describe("a saga that is noted while the store is looked at", () => {
  test("is woken in time, though it left memory after the look had begun", async () => {
    const { bench, patient } = setUp();
    const held = Promise.withResolvers<void>();
    let looks = 0;
    const wrap = (store: MemoryStore): JournalStore => ({
      ...store,
      due: async (wanted) => {
        looks += 1;
        const answer = store.due(wanted);
        if (looks === 1) await held.promise;
        return answer;
      },
    });
    const { engine } = bench.open([patient], { wrap });
    (await engine.start(patient, 60, { id: "s" }))._unsafeUnwrap();
    await bench.timer.idle();
    held.resolve();
    await bench.timer.advance(HOUR);
    expect(statusOn(bench)).toBe("completed");
  });
});

describe("sagas that cannot be woken", () => {
  const stranger = saga({
    name: "stranger",
    input: numberInput,
    *run(minutes) {
      yield* sleep({ minutes });
    },
  });

  test("are looked at once, and leave the engine at rest", async () => {
    const { bench, patient } = setUp();
    const first = bench.open([stranger]);
    for (let nth = 0; nth < 3; nth += 1) (await first.engine.start(stranger, 60, { id: `s${nth}` }))._unsafeUnwrap();
    await bench.timer.idle();
    first.kill();
    await bench.timer.advance(DAY);
    const { seen, wrap } = watchedStore();
    bench.open([patient], { wrap });
    await bench.timer.advance(DAY);
    expect(seen.claims).toBe(3);
    expect(seen.looks).toBeLessThan(3);
    expect(bench.timer.sleepers).toBe(0);
  });

  test("hold up no others, however many they are", async () => {
    const { bench, participants, patient } = setUp();
    const first = bench.open([stranger, patient]);
    for (let nth = 0; nth < 130; nth += 1) (await first.engine.start(stranger, 60, { id: `x${nth}` }))._unsafeUnwrap();
    (await first.engine.start(patient, 120, { id: "s" }))._unsafeUnwrap();
    await bench.timer.idle();
    first.kill();
    bench.open([patient]);
    await bench.timer.advance(2 * HOUR + MINUTE);
    expect(participants.told()).toEqual(["later 120"]);
  });

  test("are told to the operator as parked", async () => {
    const { bench, patient } = setUp();
    const first = bench.open([stranger]);
    (await first.engine.start(stranger, 60, { id: "s" }))._unsafeUnwrap();
    await bench.timer.idle();
    first.kill();
    const { engine } = bench.open([patient]);
    await bench.timer.advance(HOUR);
    expect((await engine.inspect("s"))._unsafeUnwrap().status).toBe("parked");
    expect((await engine.parked())._unsafeUnwrap()).toMatchObject([{ sagaId: "s", quarantine: { _tag: "UnknownSaga" } }]);
    // And can be ended, as any parked one.
    (await engine.abandon("s", { by: "ada", reason: "ticket 7" }))._unsafeUnwrap();
    expect(statusOn(bench)).toBe("abandoned");
    expect((await engine.parked())._unsafeUnwrap()).toEqual([]);
  });

  test("because the store fails are woken when it is well again, without being asked for all the time", async () => {
    const { bench, participants, patient } = setUp();
    const first = bench.open([patient]);
    for (let nth = 0; nth < 100; nth += 1) (await first.engine.start(patient, 60, { id: `s${nth}` }))._unsafeUnwrap();
    await bench.timer.idle();
    first.kill();
    let well = false;
    const { seen, wrap } = watchedStore(() => !well && seen.claims < 5_000);
    bench.open([patient], { wrap });
    await bench.timer.advance(HOUR + 10_000);
    expect(seen.claims).toBeLessThan(5_000);
    well = true;
    await bench.timer.advance(10_000);
    expect(participants.told().length).toBe(100);
  });
});

describe("a parked saga", () => {
  const unknown = () => err(fault("Unknown", "no answer"));

  test("goes on where it can when the time comes for it", async () => {
    const { bench, participants } = setUp();
    const stuck = participants.compensatable("stuck", { run: unknown, inDoubt: "park", retry: { attempts: 1 } });
    const later = participants.compensatable("afterwards");
    const both = saga({
      name: "both",
      input: numberInput,
      *run() {
        const waits = (function* () {
          yield* sleep({ hours: 1 });
          yield* later(2);
        })();
        yield* all([stuck(1), waits]);
      },
    });
    const { engine } = bench.open([both]);
    (await engine.start(both, 0, { id: "s" }))._unsafeUnwrap();
    await bench.timer.advance(HOUR - 1);
    expect([statusOn(bench), participants.told()]).toEqual(["parked", ["stuck 1"]]);
    await bench.timer.advance(1);
    expect([statusOn(bench), participants.told()]).toEqual(["parked", ["stuck 1", "afterwards 2"]]);
    expect(bench.timer.sleepers).toBe(0);
  });

  test("that was woken for a deadline, and whose clock was set back meanwhile, is answered for as parked, and woken again in time", async () => {
    const { bench, participants } = setUp();
    const stuck = participants.compensatable("stuck", { run: unknown, inDoubt: "park", retry: { attempts: 1 } });
    const one = saga({
      name: "one",
      input: numberInput,
      deadline: { hours: 1 },
      *run() {
        yield* stuck(1);
      },
    });
    const { engine } = bench.open([one], {
      wrap: (store) => ({
        ...store,
        claim: (sagaId) => {
          // Of sleepers with one time, the one that fell asleep first wakes first: the clock is set before the saga's own alarm rings.
          void bench.timer.sleep(0).then(() => {
            bench.clock.skewMs = -2 * HOUR;
          });
          return store.claim(sagaId);
        },
      }),
    });
    (await engine.start(one, 0, { id: "s" }))._unsafeUnwrap();
    await bench.timer.advance(HOUR);
    expect(epochOf(bench)).toBe(2);
    const hangs = bench.timer.idle().then(() => "hangs");
    expect(await Promise.race([engine.result(one, "s").match(String, ({ _tag }) => _tag), hangs])).toBe("SagaParked");
    await bench.timer.advance(2 * HOUR);
    expect(participants.told()).toEqual(["stuck 1", "undo stuck 1"]);
  });
});

describe("an engine", () => {
  test("that has nothing to wake schedules nothing", async () => {
    const { bench, patient } = setUp();
    const { engine } = bench.open([patient]);
    await engine.recovered;
    await bench.timer.idle();
    expect(bench.timer.sleepers).toBe(0);
  });

  test("that is closed leaves no timer behind: not its own, not that of a saga that waits in memory, nor of one that waits for its result", async () => {
    const { bench, patient, hopeful } = setUp();
    const { engine } = bench.open([patient, hopeful], { evictAfterMs: HOUR });
    (await engine.start(patient, 1, { id: "short" }))._unsafeUnwrap();
    (await engine.start(patient, 120, { id: "long" }))._unsafeUnwrap();
    (await engine.start(hopeful, 1, { id: "hopeful" }))._unsafeUnwrap();
    const asked = engine.result(patient, "long");
    await bench.timer.idle();
    // Its short sleep, its own leaving, the look at the result, and the engine's.
    expect(bench.timer.sleepers).toBe(4);
    await engine.close();
    expect((await asked)._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaUnavailable" });
    await bench.timer.idle();
    expect(bench.timer.sleepers).toBe(0);
    expect([statusOn(bench, "short"), statusOn(bench, "long")]).toEqual(["waiting", "waiting"]);
    await bench.timer.advance(DAY);
    expect([epochOf(bench, "short"), epochOf(bench, "long")]).toEqual([1, 1]);
  });

  test("that is closed takes neither a signal nor a cancellation", async () => {
    const { bench, hopeful } = setUp();
    const { engine } = bench.open([hopeful]);
    (await engine.start(hopeful, 0, { id: "s" }))._unsafeUnwrap();
    await engine.close();
    expect((await engine.signal("s", approved, 1, { key: "k" }))._unsafeUnwrapErr()._tag).toBe("SagaUnavailable");
    expect((await engine.cancel("s", "closing time"))._unsafeUnwrapErr()._tag).toBe("SagaUnavailable");
    expect(bench.entries("s").some(({ _tag }) => _tag === "SignalReceived" || _tag === "CancelRequested")).toBe(false);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, "10" as never, null as never])(
    "is not created with a threshold of %s",
    (evictAfterMs) => {
      const { bench, patient } = setUp();
      expect(() => bench.open([patient], { evictAfterMs })).toThrow("evictAfterMs must be a whole number of milliseconds from 0 on");
    },
  );
});

test("a saga whose definition changed how long it sleeps is woken when its journal says, and counts as taken up no oftener than that", async () => {
  const bench = createBench();
  bench.timer.pause();
  const participants = createParticipants();
  const later = participants.compensatable("later");
  const sleeping = (hours: number) =>
    saga({
      name: "sleeping",
      input: numberInput,
      *run() {
        yield* sleep({ hours });
        return yield* later(hours);
      },
    });
  const first = bench.open([sleeping(2)]);
  (await first.engine.start(sleeping(2), 0, { id: "s" }))._unsafeUnwrap();
  await bench.timer.idle();
  first.kill();
  const { engine } = bench.open([sleeping(48)]);
  await bench.timer.advance(HOUR);
  expect((await engine.inspect("s"))._unsafeUnwrap().view.waits.get("run/sleep")?.dueAt).toBe(VIRTUAL_START_MS + 2 * HOUR);
  await bench.timer.advance(HOUR);
  expect([epochOf(bench), participants.told()]).toEqual([2, ["later 48"]]);
});
