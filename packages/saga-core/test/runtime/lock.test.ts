// Goal: a name is one saga's from its lock to its end, whoever dies, waits or parks meanwhile (I16, FS-41, FS-46). Method: rivals for a name on one disk, engines that die and follow each
// other, a store that fails, answers late or has a new owner.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { all, fail, fault, lock, saga, savepoint, sleep, waitFor } from "../../src/index.ts";
import type { JournalStore, MemoryStore } from "../../src/journal.ts";
import { everyDeath } from "./every-death.ts";
import { createUser, go, HOUR, held, locked, settleDown, setUp } from "./lock-rivals.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

describe("two sagas that want one name", () => {
  test("FS-41: without a wait, the second one is refused at once, told by whom, and does nothing", async () => {
    const given = setUp();
    const { engine } = await held(given);
    const begunAt = given.bench.timer.now();
    expect(await engine.run(given.user, 2, { id: "u" })).toEqual(err(locked("h")));
    expect(given.bench.timer.now()).toBe(begunAt);
    expect(given.participants.told()).toEqual(["holder-works 1"]);
  });

  test("FS-41: the same id is the same saga, and holds what it holds", async () => {
    const given = setUp();
    const { engine } = await held(given);
    const again = engine.run(given.holder, 1, { id: "h" });
    await engine.signal("h", go, 7, { key: "k" });
    expect(await again).toEqual(ok(7));
    expect(given.participants.told()).toEqual(["holder-works 1"]);
  });

  test("with a wait, the second one works as soon as the first one has ended, and not before", async () => {
    const given = setUp(HOUR);
    const { engine } = await held(given);
    given.bench.timer.pause();
    const waiting = engine.run(given.user, 2, { id: "u" });
    await given.bench.timer.advance(HOUR / 2);
    expect(given.participants.told()).toEqual(["holder-works 1"]);
    expect((await engine.inspect("u"))._unsafeUnwrap()).toMatchObject({ status: "waiting" });
    expect((await engine.inspect("u"))._unsafeUnwrap().view.waits.get("run/lock")).toMatchObject({ lock: "order:42", state: "waiting" });
    await engine.signal("h", go, 7, { key: "k" });
    given.bench.timer.resume();
    expect(await waiting).toEqual(ok(2));
    expect((await engine.inspect("u"))._unsafeUnwrap().view.waits.get("run/lock")).toMatchObject({ state: "granted" });
  });

  test("FS-46: a wait is over at its time, while the holder is parked, and says by whom", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const stuck = participants.compensatable("stuck", { run: () => err(fault("KeyReused", "other payload")) });
    const parks = saga({
      name: "parks",
      input: numberInput,
      *run(input) {
        yield* lock("order:42");
        return yield* stuck(input);
      },
    });
    const user = createUser(participants, HOUR);
    const { engine } = bench.open([parks, user]);
    expect((await engine.run(parks, 1, { id: "p" }))._unsafeUnwrapErr()._tag).toBe("SagaParked");
    const begunAt = bench.timer.now();
    expect(await engine.run(user, 2, { id: "u" })).toEqual(err(locked("p")));
    expect(bench.timer.now() - begunAt).toBe(HOUR);
    expect((await engine.inspect("u"))._unsafeUnwrap().view.waits.get("run/lock")).toMatchObject({
      state: "refused",
      dueAt: begunAt + HOUR,
    });
    await engine.abandon("p", { by: "ada", reason: "ticket 7" });
    expect(await engine.run(user, 3, { id: "v" })).toEqual(ok(3));
  });

  test("is undone as ever when it is refused behind a step", async () => {
    const given = setUp();
    const { engine, kill } = await held(given);
    kill();
    const before = given.participants.compensatable("before");
    const late = saga({
      name: "late",
      input: numberInput,
      *run(input) {
        yield* before(input);
        yield* lock("order:42");
      },
    });
    void engine;
    const next = given.bench.open([...given.sagas, late]);
    expect(await next.engine.run(late, 5, { id: "l" })).toEqual(err(locked("h")));
    expect(given.participants.told().slice(1)).toEqual(["before 5", "undo before 5"]);
  });
});

describe("a lock", () => {
  test("is the saga's own however often it asks: in sequence, side by side and in another scope, it is asked for once", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a");
    const inner = saga({
      name: "inner",
      input: numberInput,
      *run(input) {
        yield* lock("order:1");
        return yield* a(input);
      },
    });
    const again = saga({
      name: "again",
      input: numberInput,
      *run() {
        yield* lock("order:1");
        yield* lock("order:1");
        yield* all([lock("order:1"), inner(1)]);
        const tried = yield* savepoint(function* () {
          yield* lock("order:1");
        });
        return tried.isOk();
      },
    });
    expect(await bench.open([again]).engine.run(again, 0, { id: "s" })).toEqual(ok(true));
    expect(bench.entries("s").filter(({ _tag }) => _tag === "LockWanted").length).toBe(1);
  });

  test("that two members of one all ask for at once is granted to both", async () => {
    const bench = createBench();
    const twice = saga({
      name: "twice",
      input: numberInput,
      *run() {
        yield* all([lock("order:1"), lock("order:1")]);
        return 1;
      },
    });
    expect(await bench.open([twice]).engine.run(twice, 0, { id: "s" })).toEqual(ok(1));
    expect([...bench.disk.locks]).toEqual([]);
  });

  test("is held while the saga sleeps out of memory, and through the death of its process", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const sleeper = saga({
      name: "sleeper",
      input: numberInput,
      *run() {
        yield* lock("order:42");
        yield* sleep({ days: 2 });
        return 1;
      },
    });
    const user = createUser(participants, 0);
    const first = bench.open([sleeper, user]);
    bench.timer.pause();
    await first.engine.start(sleeper, 0, { id: "s" });
    await settleDown(bench);
    expect(bench.disk.sagas.get("s")?.status).toBe("waiting");
    expect(await first.engine.run(user, 1, { id: "u" })).toEqual(err(locked("s")));
    first.kill();
    const second = bench.open([sleeper, user]);
    await bench.timer.advance(86_400_000);
    expect(await second.engine.run(user, 2, { id: "v" })).toEqual(err(locked("s")));
    bench.timer.resume();
    expect(await second.engine.result(sleeper, "s")).toEqual(ok(1));
    expect(await second.engine.run(user, 3, { id: "w" })).toEqual(ok(3));
  });

  test.each(["completed", "compensated", "abandoned"] as const)(
    "is held while the saga goes back or is parked, and let go with the append that makes it %s",
    async (ending) => {
      const bench = createBench();
      const participants = createParticipants();
      let mended = false;
      const stuck = participants.compensatable("stuck", {
        compensate: () => (mended ? ok(undefined) : err(fault("Faulted", "no"))),
      });
      const parks = saga({
        name: "parks",
        input: numberInput,
        *run(input) {
          yield* lock("order:42");
          yield* stuck(input);
          if (ending !== "completed") yield* fail({ _tag: "NotThis" });
          return yield* waitFor(go);
        },
      });
      const heldAt: string[] = [];
      const { engine } = bench.open([parks], {
        faults: {
          beforeCommit: ({ status }) => {
            heldAt.push(`${status}: ${bench.disk.locks.get("order:42")?.[0] ?? "free"}`);
            return undefined;
          },
        },
      });
      await engine.start(parks, 1, { id: "s" });
      if (ending === "completed") await engine.signal("s", go, 1, { key: "k" });
      await engine.result(parks, "s");
      mended = true;
      if (ending === "compensated") await engine.retry("s", { path: "run/stuck", slot: "compensation", by: "ada", reason: "mended" });
      if (ending === "abandoned") await engine.abandon("s", { by: "ada", reason: "ticket 7" });
      await engine.result(parks, "s");
      expect(heldAt[0]).toBe("waiting: free");
      expect(new Set(heldAt.slice(1).map((at) => at.split(": ")[1]))).toEqual(new Set(["s"]));
      expect(heldAt.at(-1)).toBe(`${ending}: s`);
      if (ending !== "completed") expect(heldAt).toContain("parked: s");
      expect([...bench.disk.locks]).toEqual([]);
    },
  );

  test("that is refused inside a savepoint is caught as its error, and the body goes on", async () => {
    const given = setUp();
    const { kill } = await held(given);
    kill();
    const a = given.participants.compensatable("a");
    const tries = saga({
      name: "tries",
      input: numberInput,
      *run(input) {
        const tried = yield* savepoint(function* () {
          yield* a(input);
          yield* lock("order:42");
        });
        yield* a(input + 1);
        return tried.isErr() && tried.error._tag === "Locked" ? tried.error.lockedBy : "nobody";
      },
    });
    const { engine } = given.bench.open([...given.sagas, tries]);
    expect(await engine.run(tries, 5, { id: "t" })).toEqual(ok("h"));
    expect(given.participants.told().slice(1)).toEqual(["a 5", "undo a 5", "a 6"]);
  });

  test("that is refused in one member of an all fails all of it, once what is in flight has settled", async () => {
    const given = setUp();
    const { kill } = await held(given);
    kill();
    const slow = given.participants.compensatable("slow", {
      run: async (input) => {
        await given.bench.timer.sleep(1_000);
        return ok(input);
      },
    });
    const side = saga({
      name: "side",
      input: numberInput,
      *run() {
        yield* all([slow(5), lock("order:42"), sleep({ days: 1 })]);
      },
    });
    const { engine } = given.bench.open([...given.sagas, side]);
    const begunAt = given.bench.timer.now();
    expect(await engine.run(side, 5, { id: "t" })).toEqual(err(locked("h")));
    expect(given.participants.told().slice(1)).toEqual(["slow 5", "undo slow 5"]);
    expect(given.bench.timer.now() - begunAt).toBe(1_000);
  });

  test("that nobody wants any more, because another member of its all failed, is waited for no longer", async () => {
    const given = setUp();
    const { kill } = await held(given);
    kill();
    const no = given.participants.compensatable("no", {
      run: async () => {
        await given.bench.timer.sleep(5_000);
        return err({ _tag: "Refused" } as const);
      },
    });
    const side = saga({
      name: "side",
      input: numberInput,
      *run() {
        yield* all([no(5), lock("order:42", { wait: HOUR })]);
      },
    });
    const { engine } = given.bench.open([...given.sagas, side]);
    const begunAt = given.bench.timer.now();
    expect(await engine.run(side, 5, { id: "t" })).toEqual(err({ _tag: "Refused" }));
    expect(given.bench.timer.now() - begunAt).toBe(5_000);
    expect((await engine.inspect("t"))._unsafeUnwrap().view.waits.get("run/all/1/lock")).toMatchObject({ state: "left" });
  });

  test.each(["", "a b", "ä", "x".repeat(129), "a\n"])("named %j is refused at its call", async (name) => {
    const bench = createBench();
    const odd = saga({
      name: "odd",
      input: numberInput,
      *run() {
        yield* lock(name);
      },
    });
    expect((await bench.open([odd]).engine.run(odd, 0, { id: "s" }))._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaFaulted",
      fault: { message: expect.stringContaining("a name has 1 to 128 characters") },
    });
  });
});

describe("a cancellation while a saga waits for a lock", () => {
  test("takes it back at once, and it holds nothing of it", async () => {
    const given = setUp(HOUR);
    const { engine } = await held(given);
    given.bench.timer.pause();
    const waiting = engine.run(given.user, 2, { id: "u" });
    await given.bench.timer.advance(5_000);
    expect(await engine.cancel("u", "changed my mind", { by: "ada" })).toEqual(ok(undefined));
    expect(await waiting).toEqual(err({ _tag: "SagaCancelled", sagaId: "u", by: "ada", reason: "changed my mind" }));
    expect(given.participants.told()).toEqual(["holder-works 1"]);
    expect([...given.bench.disk.locks]).toEqual([["order:42", ["h"]]]);
  });

  test("which is told at that moment that it holds it lets it go", async () => {
    const given = setUp(HOUR);
    const answer = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const { engine } = given.bench.open(given.sagas, {
      wrap: (store) => ({
        ...store,
        lockHolder: async (name) => {
          const holder = await store.lockHolder(name);
          asked.resolve();
          await answer.promise;
          return holder;
        },
      }),
    });
    const waiting = engine.run(given.user, 2, { id: "u" });
    await asked.promise;
    await engine.cancel("u", "changed my mind");
    expect((await waiting)._unsafeUnwrapErr()._tag).toBe("SagaCancelled");
    answer.resolve();
    await settleDown(given.bench);
    expect(given.participants.told()).toEqual([]);
    expect([...given.bench.disk.locks]).toEqual([]);
    expect(given.bench.entries("u").map(({ _tag }) => _tag)).not.toContain("LockGranted");
  });
});

test("a lock that is granted in the very turn in which the saga is cancelled is granted or left, and nothing in between", async () => {
  const endings = new Set<string>();
  for (let turns = -20; turns < 20; turns++) {
    const given = setUp(HOUR);
    const answer = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const { engine } = given.bench.open(given.sagas, {
      wrap: (store) => ({
        ...store,
        lockHolder: async (name) => {
          const holder = await store.lockHolder(name);
          asked.resolve();
          await answer.promise;
          return holder;
        },
      }),
    });
    const waiting = engine.run(given.user, 2, { id: "u" });
    await asked.promise;
    if (turns < 0) answer.resolve();
    for (let turn = turns; turn < 0; turn++) await Promise.resolve();
    const cancelling = engine.cancel("u", "changed my mind");
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    answer.resolve();
    const cancelled = await cancelling;
    const ended = await waiting;
    expect({ turns, cancelled: cancelled.isOk() || cancelled.error._tag }).toEqual({ turns, cancelled: ended.isErr() || "CancelRefused" });
    endings.add(ended.isOk() ? "completed" : ended.error._tag);
    expect({ turns, locks: [...given.bench.disk.locks], quarantine: (await engine.inspect("u"))._unsafeUnwrap().quarantine }).toEqual({
      turns,
      locks: [],
    });
  }
  expect(endings).toContain("SagaCancelled");
});

test("a deadline that passes while a saga waits for a lock takes it back at its time, and not at the end of the wait", async () => {
  const given = setUp(HOUR);
  const { engine } = await held(given);
  const begunAt = given.bench.timer.now();
  const late = await engine.run(given.user, 2, { id: "u", deadline: { minutes: 1 } });
  expect(late).toEqual(err({ _tag: "SagaDeadlineExceeded", sagaId: "u", deadlineAt: begunAt + 60_000 }));
  expect(given.bench.timer.now() - begunAt).toBe(60_000);
  expect(given.participants.told()).toEqual(["holder-works 1"]);
});

describe("I7: the owner of a saga that waits for a lock", () => {
  test("that lost it to another engine gets no lock and writes nothing more", async () => {
    const given = setUp(HOUR);
    const holding = await held(given);
    given.bench.timer.pause();
    await holding.engine.start(given.user, 2, { id: "u" });
    await given.bench.timer.advance(1_000);
    const second = given.bench.open(given.sagas);
    await second.engine.recovered;
    const records = () => given.bench.disk.sagas.get("u")?.records.length;
    const before = records();
    await given.bench.timer.advance(30_000);
    expect(records()).toBe(before);
    await second.engine.signal("h", go, 1, { key: "k" });
    await given.bench.timer.advance(5_000);
    expect(await second.engine.result(given.user, "u")).toEqual(ok(2));
    expect(given.participants.of("uses").length).toBe(1);
  });
});

describe("a store that fails while it is asked who holds a lock", () => {
  const outage =
    (fails: () => "answers" | "refuses" | "throws") =>
    (store: MemoryStore): JournalStore => ({
      ...store,
      lockHolder(name) {
        const how = fails();
        if (how === "throws") return Promise.reject(new Error("a bug of the store"));
        return how === "refuses" ? Promise.resolve(err({ _tag: "StoreUnavailable", message: "away" })) : store.lockHolder(name);
      },
    });

  test.each(["refuses", "throws"] as const)("and %s is asked again, and the saga goes on once it answers", async (how) => {
    const given = setUp();
    let left = 20;
    const { engine } = given.bench.open(given.sagas, { wrap: outage(() => (left-- > 0 ? how : "answers")) });
    expect(await engine.run(given.user, 2, { id: "u" })).toEqual(ok(2));
    expect(left).toBe(-1);
  });

  test("and fails to the end of a wait and beyond leaves the saga asking: nobody has said that it is held", async () => {
    const given = setUp(1_000);
    let away = true;
    const { engine } = given.bench.open(given.sagas, { wrap: outage(() => (away ? "refuses" : "answers")) });
    given.bench.timer.pause();
    const running = engine.run(given.user, 2, { id: "u" });
    await given.bench.timer.advance(HOUR);
    expect((await engine.inspect("u"))._unsafeUnwrap().status).toBe("waiting");
    away = false;
    await given.bench.timer.advance(1_000);
    expect(await running).toEqual(ok(2));
  });
});

test("an engine that closes while a saga waits for a lock leaves the wait to the next one", async () => {
  const given = setUp(HOUR);
  const { engine } = await held(given);
  given.bench.timer.pause();
  await engine.start(given.user, 2, { id: "u" });
  await given.bench.timer.advance(1_000);
  await engine.close();
  const next = given.bench.open(given.sagas);
  await next.engine.signal("h", go, 1, { key: "k" });
  given.bench.timer.resume();
  expect(await next.engine.result(given.user, "u")).toEqual(ok(2));
});

test("I6: a process that dies before or after any append changes nothing", async () => {
  const { undisturbed, lives } = await everyDeath(async ({ bench, live, participants, told }) => {
    const names = ["a", "b", "fails"] as const;
    const [a, b] = names.map((name) => participants.compensatable(name));
    if (a === undefined || b === undefined) throw new TypeError("two steps are declared");
    const holds = saga({
      name: "holds",
      input: numberInput,
      *run() {
        yield* lock("order:1");
        yield* a(1);
        yield* sleep({ minutes: 1 });
        yield* lock("order:2");
        const tried = yield* savepoint(function* () {
          yield* all([lock("order:3"), b(2)]);
          return yield* fail({ _tag: "NotThis" });
        });
        return tried.isErr();
      },
    });
    const waits = saga({
      name: "waits",
      input: numberInput,
      *run() {
        yield* lock("order:1", { wait: { hours: 1 } });
        yield* b(3);
        yield* fail({ _tag: "NotThat" });
      },
    });
    const left = await live([holds, waits], async (engine) => {
      await engine.start(holds, 0, { id: "h" });
      for (let turn = 0; turn < 4; turn++) await bench.timer.idle();
      const results = await Promise.all([engine.run(holds, 0, { id: "h" }), engine.run(waits, 0, { id: "w" })]);
      return results;
    });
    return { left, told: told(), locks: [...bench.disk.locks] };
  });
  expect(undisturbed.left).toEqual([ok(true), err({ _tag: "NotThat" })]);
  expect(undisturbed.told).toEqual(["a 1", "b 2", "undo b 2", "b 3", "undo b 3"]);
  expect(undisturbed.locks).toEqual([]);
  expect(lives.length).toBeGreaterThan(20);
  for (const { death, left } of lives) expect({ death, ...left }).toEqual({ death, ...undisturbed });
});

test("a process that dies right after the record that put its saga first in line leaves it due, and the next one goes on with it at once", async () => {
  const given = setUp(HOUR);
  const first = given.bench.open(given.sagas, { faults: { afterCommit: () => "crash" } });
  void first.engine.start(given.user, 2, { id: "u" });
  await settleDown(given.bench);
  first.kill();
  expect([...given.bench.disk.locks]).toEqual([["order:42", ["u"]]]);
  expect(given.bench.entries("u").map(({ _tag }) => _tag)).toEqual(["SagaStarted", "LockWanted"]);
  const at = given.bench.timer.now();
  const { engine } = given.bench.open(given.sagas);
  expect(await engine.result(given.user, "u")).toEqual(ok(2));
  expect([given.bench.timer.now(), ...given.bench.disk.locks]).toEqual([at]);
});
