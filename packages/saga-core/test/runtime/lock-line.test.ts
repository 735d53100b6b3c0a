// Goal: those who wait for a name get it in the order in which they came, at once when it is free, and cost the store nothing meanwhile (I16, FS-46). Method: a holder and its waiters on paused time, so
// that whatever happens needs none; waiters that leave in every way; two engines on one disk; a store that counts, fails, and answers late.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { type AnySaga, all, fail, lock, saga, savepoint, sleep } from "../../src/index.ts";
import type { JournalStore, MemoryStore } from "../../src/journal.ts";
import { createHolder, createUser, HOUR, held, letGo, locked, queued, rest, served, setUp } from "./lock-rivals.ts";
import { createBench, createParticipants, numberInput, type Opened } from "./workbench.ts";

/** The holder, with the names that the store was asked for. */
async function counted(given: ReturnType<typeof setUp>, asks: string[], ...more: readonly AnySaga[]): Promise<Opened> {
  const first = await held(given);
  first.kill();
  const opened = given.bench.open([...given.sagas, ...more], {
    wrap: (store) => ({
      ...store,
      lockHolder: (name) => {
        asks.push(name);
        return store.lockHolder(name);
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

  test("ask the store once each, and then for nothing until their time is over", async () => {
    const given = setUp(HOUR);
    const asks: string[] = [];
    await queued(given, await counted(given, asks), 100);
    expect(asks.length).toBe(100);
    await given.bench.timer.advance(HOUR / 2);
    expect(asks.length).toBe(100);
  });

  test.each([0, HOUR])(
    "get it from a holder of another engine, the oldest first, whoever of the two they are live in (they stay %i ms)",
    async (evictAfterMs) => {
      const given = setUp(HOUR);
      const left = await held(given);
      const right = given.bench.open(given.sagas, { evictAfterMs });
      await right.engine.recovered;
      await queued(given, right, 3);
      const at = given.bench.timer.now();
      await letGo(left);
      await rest(given.bench);
      await rest(given.bench);
      expect(served(given)).toEqual([1, 2, 3]);
      expect(given.bench.timer.now()).toBe(at);
      expect([...given.bench.disk.locks]).toEqual([]);
    },
  );

  test("come in their order from two engines", async () => {
    const given = setUp(HOUR);
    const left = await held(given);
    const right = given.bench.open(given.sagas);
    await right.engine.recovered;
    for (const [nth, { engine }] of [left, right, left, right, right].entries()) {
      (await engine.start(given.user, nth, { id: `u${nth}` }))._unsafeUnwrap();
      await given.bench.timer.idle();
    }
    await letGo(left);
    for (let turn = 0; turn < 5; turn++) await rest(given.bench);
    expect(served(given)).toEqual([0, 1, 2, 3, 4]);
  });
});

describe("one that leaves the line", () => {
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

  test("while the store still owes it an answer holds up nobody, though it was first", async () => {
    const given = setUp(HOUR);
    const answer = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    let asks = 0;
    given.bench.timer.pause();
    const opened = given.bench.open(given.sagas, {
      wrap: (store) => ({
        ...store,
        lockHolder: async (name) => {
          asks += 1;
          const answered = await store.lockHolder(name);
          if (asks > 1) return answered;
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
    const asks: string[] = [];
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

test("what the store answers while an engine closes is left to the next one", async () => {
  const given = setUp();
  const answer = Promise.withResolvers<void>();
  const slow = given.participants.compensatable("slow", {
    run: async (input) => {
      await given.bench.timer.sleep(1_000);
      return ok(input);
    },
  });
  const both = saga({
    name: "both",
    input: numberInput,
    *run(input) {
      yield* all([slow(input), lock("order:42", { wait: HOUR })]);
      return input;
    },
  });
  given.bench.timer.pause();
  const { engine } = given.bench.open([both], {
    wrap: (store) => ({ ...store, lockHolder: (name) => answer.promise.then(() => store.lockHolder(name)) }),
  });
  (await engine.start(both, 1, { id: "s" }))._unsafeUnwrap();
  await rest(given.bench);
  const closed = engine.close();
  answer.resolve();
  await given.bench.timer.advance(1_000);
  await closed;
  expect(given.bench.entries("s").map(({ _tag }) => _tag)).toEqual(["SagaStarted", "OperationIntended", "LockWanted", "OperationSettled"]);
  const next = given.bench.open([both]);
  given.bench.timer.resume();
  expect(await next.engine.result(both, "s")).toEqual(ok(1));
});

describe("one that may not wait", () => {
  test("is refused at once behind those who wait, told by whom the name is held", async () => {
    const given = setUp(HOUR);
    const hasty = saga({
      name: "hasty",
      input: numberInput,
      *run() {
        yield* lock("order:42");
      },
    });
    const opened = await counted(given, [], hasty);
    await queued(given, opened, 2);
    expect(await opened.engine.run(hasty, 0, { id: "n" })).toEqual(err(locked("h")));
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

describe("a saga that asks again for a name", () => {
  test("because it left a wait for it, comes at the end of the line", async () => {
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
    const first = await held(given);
    first.kill();
    given.bench.timer.pause();
    const opened = given.bench.open([...given.sagas, again]);
    const result = opened.engine.run(again, 0, { id: "s" });
    await rest(given.bench);
    await queued(given, opened, 2);
    expect(given.bench.disk.locks.get("order:42")).toEqual(["h", "u1", "u2", "s"]);
    await letGo(opened);
    for (let turn = 0; turn < 3; turn++) await rest(given.bench);
    expect(await result).toEqual(ok(1));
    expect(served(given)).toEqual([1, 2]);
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
        lockHolder: async (name) => {
          const answered = await store.lockHolder(name);
          if (answered.isOk() && answered.value === "h") {
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
        lockHolder: (name) => (away ? Promise.resolve(err({ _tag: "StoreUnavailable", message: "away" })) : store.lockHolder(name)),
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

test("a member of an all that failed lets go of its place in line", async () => {
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
