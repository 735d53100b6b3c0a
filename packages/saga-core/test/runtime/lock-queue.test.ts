// Goal: those of one engine who wait for a name get it in the order in which they asked, at once when it is free, and cost the store no more than one of them (FS-46). Method: a holder and its
// waiters on paused time, so that whatever happens needs none; waiters that leave in every way; a store that counts, fails, and answers late.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { type AnySaga, all, fail, lock, saga, savepoint, sleep } from "../../src/index.ts";
import type { JournalStore, LockRequest, MemoryStore } from "../../src/journal.ts";
import { LockQueues } from "../../src/runtime/lock-queue.ts";
import { createVirtualTimer } from "../virtual-timer.ts";
import { createHolder, createUser, go, HOUR, held, locked, setUp } from "./lock-rivals.ts";
import { type Bench, createBench, createParticipants, numberInput, type Opened } from "./workbench.ts";

/** All that can be done without time passing. */
async function rest(bench: Bench): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await bench.timer.idle();
}

/** `u1`, `u2`, … in the order in which they stand behind `h`, time stopped, long after their first asking. */
async function queued(given: ReturnType<typeof setUp>, { engine }: Opened, count: number): Promise<readonly string[]> {
  given.bench.timer.pause();
  const ids = Array.from({ length: count }, (_, at) => `u${at + 1}`);
  for (const [at, id] of ids.entries()) {
    (await engine.start(given.user, at + 1, { id }))._unsafeUnwrap();
    await given.bench.timer.idle();
  }
  await given.bench.timer.advance(10_000);
  return ids;
}

const letGo = async ({ engine }: Opened, id = "h") => (await engine.signal(id, go, 0, { key: "k" }))._unsafeUnwrap();
const served = (given: ReturnType<typeof setUp>) => given.participants.of("uses").map(({ input }) => input);

/** The holder, with what the store was asked for. */
async function counted(given: ReturnType<typeof setUp>, asks: LockRequest[], ...more: readonly AnySaga[]): Promise<Opened> {
  const first = await held(given);
  first.kill();
  const opened = given.bench.open([...given.sagas, ...more], {
    wrap: (store) => ({
      ...store,
      lock: (request) => {
        asks.push(request);
        return store.lock(request);
      },
    }),
  });
  await opened.engine.recovered;
  return opened;
}

describe("those who wait for a name", () => {
  test("get it before any that asks later, though it come at the moment when the name is free", async () => {
    const given = setUp(HOUR);
    const opened = await held(given);
    await queued(given, opened, 1);
    await letGo(opened);
    (await opened.engine.start(given.user, 99, { id: "late" }))._unsafeUnwrap();
    await rest(given.bench);
    expect(served(given)).toEqual([1, 99]);
  });

  test("get it one after the other, the oldest first, and no time passes between two of them", async () => {
    const given = setUp(HOUR);
    const opened = await held(given);
    const ids = await queued(given, opened, 20);
    const at = given.bench.timer.now();
    await letGo(opened);
    await rest(given.bench);
    await rest(given.bench);
    expect(served(given)).toEqual(ids.map((_, nth) => nth + 1));
    expect(given.bench.timer.now()).toBe(at);
  });

  test("get it at once from a holder that an earlier process left them", async () => {
    const given = setUp(HOUR);
    const opened = await counted(given, []);
    await queued(given, opened, 3);
    await letGo(opened);
    await rest(given.bench);
    expect(served(given)).toEqual([1, 2, 3]);
  });

  test("ask the store no more often the more there are", async () => {
    const asksOf = async (waiters: number): Promise<number> => {
      const given = setUp(HOUR);
      const asks: LockRequest[] = [];
      await queued(given, await counted(given, asks), waiters);
      const before = asks.length;
      await given.bench.timer.advance(60_000);
      return asks.length - before;
    };
    const alone = await asksOf(1);
    expect(alone).toBeGreaterThan(10);
    expect(await asksOf(100)).toBe(alone);
  });

  test("get it from a holder of another engine within a second, the oldest first", async () => {
    const given = setUp(HOUR);
    const { timer, disk } = given.bench;
    disk.locks.set("order:42", "elsewhere");
    timer.pause();
    const { engine } = given.bench.open(given.sagas);
    for (const nth of [1, 2, 3]) (await engine.start(given.user, nth, { id: `e${nth}` }))._unsafeUnwrap();
    await timer.advance(10_000);
    disk.locks.delete("order:42");
    await timer.advance(1_000);
    expect(served(given)).toEqual([1, 2, 3]);
  });
});

describe("one that leaves the queue", () => {
  test.each([
    ["first", 1],
    ["in the middle", 2],
    ["last", 4],
  ])("cancelled, %s, holds up nobody", async (_where, nth) => {
    const given = setUp(HOUR);
    const opened = await held(given);
    await queued(given, opened, 4);
    await opened.engine.cancel(`u${nth}`, "changed my mind");
    await letGo(opened);
    await rest(given.bench);
    expect(served(given)).toEqual([1, 2, 3, 4].filter((each) => each !== nth));
  });

  test.each(["first", "second"])(
    "because its wait is over, %s, is told by whom the name is held at its time, and holds up nobody",
    async (place) => {
      const given = setUp(HOUR);
      const short = saga({
        name: "short",
        input: numberInput,
        *run() {
          yield* lock("order:42", { wait: 60_000 });
        },
      });
      const first = await held(given);
      first.kill();
      const opened = given.bench.open([...given.sagas, short]);
      if (place === "second") await queued(given, opened, 1);
      given.bench.timer.pause();
      const result = opened.engine.run(short, 0, { id: "short" });
      await rest(given.bench);
      (await opened.engine.start(given.user, 7, { id: "behind" }))._unsafeUnwrap();
      await given.bench.timer.advance(60_000);
      expect(await result).toEqual(err(locked("h")));
      await letGo(opened);
      await rest(given.bench);
      expect(served(given)).toEqual(place === "first" ? [7] : [1, 7]);
    },
  );

  test("because its deadline passed holds up nobody", async () => {
    const given = setUp(HOUR);
    const opened = await held(given);
    given.bench.timer.pause();
    (await opened.engine.start(given.user, 1, { id: "u1", deadline: { minutes: 1 } }))._unsafeUnwrap();
    await rest(given.bench);
    (await opened.engine.start(given.user, 2, { id: "u2" }))._unsafeUnwrap();
    await given.bench.timer.advance(60_000);
    await letGo(opened);
    await rest(given.bench);
    expect(served(given)).toEqual([2]);
  });

  test("while the store still owes it an answer holds up nobody, and what it was granted ends with it", async () => {
    const given = setUp(HOUR);
    const answer = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    given.bench.timer.pause();
    const opened = given.bench.open(given.sagas, {
      wrap: (store) => ({
        ...store,
        lock: async (request) => {
          const answered = await store.lock(request);
          if (request.sagaId !== "u1") return answered;
          asked.resolve();
          await answer.promise;
          return answered;
        },
      }),
    });
    (await opened.engine.start(given.user, 1, { id: "u1" }))._unsafeUnwrap();
    await asked.promise;
    (await opened.engine.start(given.user, 2, { id: "u2" }))._unsafeUnwrap();
    await rest(given.bench);
    await opened.engine.cancel("u1", "changed my mind");
    await rest(given.bench);
    expect(served(given)).toEqual([2]);
    answer.resolve();
    await rest(given.bench);
    expect([...given.bench.disk.locks]).toEqual([]);
  });

  test("with its engine asks no more, and the next engine serves them all", async () => {
    const given = setUp(HOUR);
    const asks: LockRequest[] = [];
    const opened = await counted(given, asks);
    await queued(given, opened, 3);
    await opened.engine.close();
    const before = asks.length;
    await given.bench.timer.advance(60_000);
    expect(asks.length).toBe(before);
    const next = given.bench.open(given.sagas);
    await next.engine.recovered;
    await rest(given.bench);
    await letGo(next);
    await rest(given.bench);
    expect(new Set(served(given))).toEqual(new Set([1, 2, 3]));
  });
});

describe("one that may not wait", () => {
  test("is refused at once behind those who wait, told by whom the name is held, and costs the store nothing", async () => {
    const given = setUp(HOUR);
    const asks: LockRequest[] = [];
    const hasty = saga({
      name: "hasty",
      input: numberInput,
      *run() {
        yield* lock("order:42");
      },
    });
    const opened = await counted(given, asks, hasty);
    await queued(given, opened, 2);
    expect(await opened.engine.run(hasty, 0, { id: "n" })).toEqual(err(locked("h")));
    expect(asks.filter(({ sagaId }) => sagaId === "n")).toEqual([]);
  });

  test("is told of the one ahead of it, when that one is granted the name meanwhile", async () => {
    const given = setUp();
    given.bench.timer.pause();
    const { engine } = given.bench.open(given.sagas);
    const [, refused] = await Promise.all([engine.start(given.holder, 1, { id: "h" }), engine.run(given.user, 2, { id: "u" })]);
    expect(refused).toEqual(err(locked("h")));
  });

  test("any more, because it was granted a name behind this one, is refused at once wherever it stands (FS-44)", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const holders = { a: createHolder(participants, "has-a", 0, "a"), b: createHolder(participants, "has-b", 0, "b") };
    const user = createUser(participants, HOUR, "a");
    const both = saga({
      name: "both",
      input: numberInput,
      *run() {
        yield* all([lock("a", { wait: HOUR }), lock("b", { wait: HOUR })]);
      },
    });
    bench.timer.pause();
    const opened = bench.open([holders.a, holders.b, user, both]);
    const { engine } = opened;
    await engine.start(holders.a, 0, { id: "a" });
    await engine.start(holders.b, 0, { id: "b" });
    await rest(bench);
    await engine.start(user, 1, { id: "u" });
    await rest(bench);
    const result = engine.run(both, 2, { id: "both" });
    await bench.timer.advance(10_000);
    await letGo(opened, "b");
    await rest(bench);
    expect(await result).toEqual(err(locked("a", "a")));
  });
});

describe("a saga that has the name in the store, and asks again", () => {
  test("is not put behind those who wait for it", async () => {
    const given = setUp(HOUR);
    given.bench.timer.pause();
    const no = given.participants.compensatable("no", { run: () => err({ _tag: "Refused" } as const) });
    const again = saga({
      name: "again",
      input: numberInput,
      *run() {
        yield* savepoint(function* () {
          yield* all([lock("order:42", { wait: HOUR }), no(0)]);
        });
        yield* sleep(5_000);
        yield* lock("order:42", { wait: HOUR });
        return 1;
      },
    });
    const first = Promise.withResolvers<void>();
    let nth = 0;
    const { engine } = given.bench.open([...given.sagas, again], {
      wrap: (store) => ({
        ...store,
        lock: async (request) => {
          const answer = await store.lock(request);
          // What was granted first is not heard of.
          if (request.sagaId === "s" && nth++ === 0) await first.promise;
          return answer;
        },
      }),
    });
    const result = engine.run(again, 0, { id: "s" });
    await rest(given.bench);
    await engine.start(given.user, 1, { id: "u1" });
    await rest(given.bench);
    const at = given.bench.timer.now();
    await given.bench.timer.advance(5_000);
    await rest(given.bench);
    expect(await result).toEqual(ok(1));
    expect(given.bench.timer.now()).toBe(at + 5_000);
    expect(served(given)).toEqual([1]);
  });

  test("side by side, with another one in between, is granted it both times", async () => {
    const given = setUp(HOUR);
    const opened = await held(given);
    opened.kill();
    const twice = saga({
      name: "twice",
      input: numberInput,
      *run() {
        const later = (function* () {
          yield* sleep(1_000);
          yield* lock("order:42", { wait: HOUR });
        })();
        yield* all([lock("order:42", { wait: HOUR }), later]);
        return 1;
      },
    });
    const next = given.bench.open([...given.sagas, twice]);
    await next.engine.recovered;
    given.bench.timer.pause();
    const result = next.engine.run(twice, 0, { id: "s" });
    await rest(given.bench);
    await queued(given, next, 1);
    await letGo(next);
    await rest(given.bench);
    expect(await result).toEqual(ok(1));
    expect(served(given)).toEqual([1]);
  });
});

describe("a store", () => {
  test("whose answer is overtaken by the end of the holder costs nobody time", async () => {
    const given = setUp(HOUR);
    const answer = Promise.withResolvers<void>();
    const first = await held(given);
    first.kill();
    const asked = Promise.withResolvers<void>();
    given.bench.timer.pause();
    const opened = given.bench.open(given.sagas, {
      wrap: (store) => ({
        ...store,
        lock: async (request) => {
          const answered = await store.lock(request);
          if (answered.isOk() && answered.value._tag === "HeldBy") {
            asked.resolve();
            await answer.promise;
          }
          return answered;
        },
      }),
    });
    await opened.engine.recovered;
    (await opened.engine.start(given.user, 1, { id: "u1" }))._unsafeUnwrap();
    await asked.promise;
    await letGo(opened);
    await rest(given.bench);
    answer.resolve();
    await rest(given.bench);
    expect(served(given)).toEqual([1]);
  });

  test("that fails for a while keeps the order, and all are served", async () => {
    const given = setUp(HOUR);
    const first = await held(given);
    first.kill();
    let away = false;
    const opened = given.bench.open(given.sagas, {
      wrap: (store: MemoryStore): JournalStore => ({
        ...store,
        lock: (request) => (away ? Promise.resolve(err({ _tag: "StoreUnavailable", message: "away" })) : store.lock(request)),
      }),
    });
    await opened.engine.recovered;
    await queued(given, opened, 3);
    away = true;
    await letGo(opened);
    await given.bench.timer.advance(10_000);
    expect(served(given)).toEqual([]);
    away = false;
    await given.bench.timer.advance(500);
    expect(served(given)).toEqual([1, 2, 3]);
  });
});

describe("the queues", () => {
  const wanted = () => true;

  test("keep nothing of names that nobody waits for", () => {
    const queues = new LockQueues();
    const places = ["a", "b", "a"].map((name, nth) => queues.enter(name, { sagaId: `s${nth}`, wanted }));
    places[0]?.heldBy("x");
    places[1]?.heldBy("s1");
    expect(queues.size).toBe(3 + 2 + 2);
    for (const place of places) place.leave();
    expect(queues.size).toBe(0);
  });

  test("let the holder ask again, wherever it stands, and wake it as soon as it is known to be the holder", async () => {
    const queues = new LockQueues();
    const timer = createVirtualTimer();
    timer.pause();
    const [first, second, third] = ["s1", "s1", "s2"].map((sagaId) => queues.enter("a", { sagaId, wanted }));
    if (first === undefined || second === undefined || third === undefined) throw new TypeError("three stand there");
    const sleeping = second.sleep(timer, HOUR);
    expect(first.heldBy("s1")).toBe(true);
    await sleeping;
    expect([first.mayAsk, second.mayAsk, third.mayAsk]).toEqual([true, true, false]);
    expect(first.heldBy("s1")).toBe(false);
    queues.gone("s1");
    expect([first.mayAsk, second.mayAsk, third.mayAsk]).toEqual([true, false, false]);
  });

  test("wake one that may not wait as soon as it is known who holds the lock", async () => {
    const queues = new LockQueues();
    const timer = createVirtualTimer();
    timer.pause();
    const first = queues.enter("a", { sagaId: "s1", wanted });
    const hasty = queues.enter("a", { sagaId: "s2", wanted });
    const sleeping = hasty.sleepUntilHolder(timer, HOUR);
    first.heldBy("x");
    await sleeping;
    expect(hasty.holder).toBe("x");
  });

  test("lose no wake-up that comes while the one it is meant for is awake", async () => {
    const queues = new LockQueues();
    const timer = createVirtualTimer();
    timer.pause();
    const place = queues.enter("a", { sagaId: "s1", wanted });
    place.heldBy("x");
    queues.gone("x");
    await place.sleep(timer, HOUR);
    expect(timer.sleepers).toBe(0);
  });

  test("let go at once of one whose saga wants it no longer", () => {
    const queues = new LockQueues();
    let wants = true;
    const first = queues.enter("a", { sagaId: "s1", wanted: () => wants });
    const second = queues.enter("a", { sagaId: "s2", wanted });
    expect([first.mayAsk, second.mayAsk]).toEqual([true, false]);
    wants = false;
    queues.changed("s1");
    expect([first.mayAsk, second.mayAsk]).toEqual([false, true]);
    first.leave();
    second.leave();
    expect(queues.size).toBe(0);
  });
});

test("a member of an all that failed lets go of its place in the queue", async () => {
  const given = setUp(HOUR);
  const first = await held(given);
  first.kill();
  const side = saga({
    name: "side",
    input: numberInput,
    *run() {
      const fails = (function* () {
        yield* sleep(5_000);
        yield* fail({ _tag: "NotThis" });
      })();
      yield* all([lock("order:42", { wait: HOUR }), fails]);
    },
  });
  const next = given.bench.open([...given.sagas, side]);
  await next.engine.recovered;
  given.bench.timer.pause();
  const result = next.engine.run(side, 0, { id: "s" });
  await rest(given.bench);
  await queued(given, next, 1);
  expect(await result).toEqual(err({ _tag: "NotThis" }));
  await letGo(next);
  await rest(given.bench);
  expect(served(given)).toEqual([1]);
});
