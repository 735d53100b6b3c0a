// Goal: a saga that waits for a lock leaves memory, and is woken by the append that lets the lock go, whoever lives to see it (I16, FS-46). Method: waiters that have left, counted by what the
// observer is told; engines that die, or never hear, right after the append that counts; a life with every death.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { all, fault, lock, saga, sleep } from "../../src/index.ts";
import type { JournalStore, MemoryStore } from "../../src/journal.ts";
import { everyDeath } from "./every-death.ts";
import { inMemory } from "./in-memory.ts";
import { createHolder, createUser, go, HOUR, held, letGo, locked, queued, rest, served, setUp } from "./lock-rivals.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

const MINUTE = 60_000;
const EVICT_AFTER_MS = 10_000;

describe("a saga that waits for a lock", () => {
  test("stays for a while, leaves memory, and comes back by the append that lets the lock go", async () => {
    const given = setUp(HOUR);
    const memory = inMemory();
    const opened = await held(given, { observer: memory.observer });
    given.bench.timer.pause();
    (await opened.engine.start(given.user, 1, { id: "u" }))._unsafeUnwrap();
    await given.bench.timer.advance(EVICT_AFTER_MS - 1);
    expect(memory.now()).toContain("u");
    await given.bench.timer.advance(1);
    expect(memory.now()).toEqual([]);
    // The engine's own, for the end of the wait.
    expect(given.bench.timer.sleepers).toBe(1);
    const at = given.bench.timer.now();
    await letGo(opened);
    await rest(given.bench);
    expect(served(given)).toEqual([1]);
    expect(memory.adoptions).toEqual(["h", "u"]);
    expect([given.bench.timer.now(), ...given.bench.disk.locks]).toEqual([at]);
  });

  test("is refused at the end of its wait, though it was out of memory, and told by whom", async () => {
    const given = setUp(HOUR);
    const opened = await held(given);
    const begunAt = given.bench.timer.now();
    expect(await opened.engine.run(given.user, 1, { id: "u" })).toEqual(err(locked("h")));
    expect(given.bench.timer.now() - begunAt).toBe(HOUR);
    expect(given.bench.disk.sagas.get("u")?.epoch).toBe(2);
  });

  test.each(["before", "after"])(
    "whose wait is over %s its lock is handed over, in one moment, has it or has left the line",
    async (order) => {
      const given = setUp(HOUR);
      const opened = await held(given);
      given.bench.timer.pause();
      const result = opened.engine.run(given.user, 1, { id: "u" });
      await given.bench.timer.advance(HOUR - 1);
      const lettingGo = async () => letGo(opened);
      const going = order === "after" ? given.bench.timer.sleep(1).then(lettingGo) : lettingGo();
      await given.bench.timer.advance(1);
      await going;
      await rest(given.bench);
      const ended = await result;
      expect(served(given)).toEqual(ended.isOk() ? [1] : []);
      expect(ended.isOk() || ended.error).toEqual(order === "before" ? true : locked("h"));
      expect([...given.bench.disk.locks]).toEqual([]);
    },
  );

  test("stays as long as the store does not say who has the lock", async () => {
    const given = setUp(HOUR);
    const memory = inMemory();
    const first = await held(given);
    first.kill();
    let away = true;
    const opened = given.bench.open(given.sagas, {
      observer: memory.observer,
      wrap: (store: MemoryStore): JournalStore => ({
        ...store,
        lockHolder: (name) => (away ? Promise.resolve(err({ _tag: "StoreUnavailable", message: "away" })) : store.lockHolder(name)),
      }),
    });
    given.bench.timer.pause();
    (await opened.engine.start(given.user, 1, { id: "u" }))._unsafeUnwrap();
    await given.bench.timer.advance(5 * EVICT_AFTER_MS);
    expect(memory.now()).toEqual(["u"]);
    away = false;
    await given.bench.timer.advance(EVICT_AFTER_MS);
    expect(memory.now()).toEqual([]);
  });

  test("and sleeps beside it is kept by neither, and goes on with each in its time", async () => {
    const given = setUp();
    const both = saga({
      name: "both",
      input: numberInput,
      *run(input) {
        yield* all([lock("order:42", { wait: { days: 2 } }), sleep({ hours: 1 })]);
        return input;
      },
    });
    const memory = inMemory();
    const first = await held(given);
    first.kill();
    const opened = given.bench.open([...given.sagas, both], { observer: memory.observer });
    given.bench.timer.pause();
    const result = opened.engine.run(both, 1, { id: "b" });
    await given.bench.timer.advance(2 * HOUR);
    expect([memory.now(), memory.adoptions]).toEqual([[], ["b"]]);
    await letGo(opened);
    given.bench.timer.resume();
    expect(await result).toEqual(ok(1));
    expect(memory.adoptions).toEqual(["b", "h", "b"]);
  });

  test("and is parked beside it goes on with the lock when it is handed over", async () => {
    const given = setUp();
    const stuck = given.participants.compensatable("stuck", { run: () => err(fault("KeyReused", "other payload")) });
    const uses = given.participants.compensatable("uses");
    const half = saga({
      name: "half",
      input: numberInput,
      *run(input) {
        const locking = (function* () {
          yield* lock("order:42", { wait: HOUR });
          yield* uses(input);
        })();
        yield* all([stuck(input), locking]);
      },
    });
    const memory = inMemory();
    const first = await held(given);
    first.kill();
    const opened = given.bench.open([...given.sagas, half], { observer: memory.observer });
    expect((await opened.engine.run(half, 1, { id: "p" }))._unsafeUnwrapErr()._tag).toBe("SagaParked");
    given.bench.timer.pause();
    expect([memory.now(), given.bench.disk.sagas.get("p")?.status]).toEqual([[], "parked"]);
    await letGo(opened);
    await rest(given.bench);
    expect(served(given)).toEqual([1]);
    expect([given.bench.disk.sagas.get("p")?.status, given.bench.disk.locks.get("order:42")]).toEqual(["parked", ["p"]]);
  });
});

describe("a lock", () => {
  test("that an operator's abandon lets go is handed over, held or stood in line for", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const stuck = participants.compensatable("stuck", { run: () => err(fault("KeyReused", "other payload")) });
    const parks = saga({
      name: "parks",
      input: numberInput,
      *run(input) {
        yield* all([stuck(input), lock("order:42", { wait: HOUR })]);
      },
    });
    const user = createUser(participants, HOUR);
    const { engine } = bench.open([parks, user]);
    for (const id of ["p1", "p2"]) expect((await engine.run(parks, 1, { id }))._unsafeUnwrapErr()._tag).toBe("SagaParked");
    bench.timer.pause();
    (await engine.start(user, 2, { id: "u" }))._unsafeUnwrap();
    await bench.timer.advance(2 * EVICT_AFTER_MS);
    expect(bench.disk.locks.get("order:42")).toEqual(["p1", "p2", "u"]);
    for (const id of ["p2", "p1"]) {
      (await engine.abandon(id, { by: "ada", reason: "ticket 7" }))._unsafeUnwrap();
      await rest(bench);
    }
    expect(participants.of("uses").map(({ input }) => input)).toEqual([2]);
  });

  test("that is handed to a saga which nobody can drive stays with it, as with any parked one, until that is ended", async () => {
    const given = setUp(HOUR);
    const opened = await held(given);
    await queued(given, opened, 1);
    opened.kill();
    const comes = given.participants.compensatable("comes");
    const stranger = saga({
      name: "stranger",
      input: numberInput,
      *run(input) {
        yield* lock("order:42", { wait: HOUR });
        return yield* comes(input);
      },
    });
    const next = given.bench.open([given.holder, stranger]);
    await next.engine.recovered;
    (await next.engine.start(stranger, 7, { id: "s" }))._unsafeUnwrap();
    await letGo(next);
    await rest(given.bench);
    expect((await next.engine.inspect("u1"))._unsafeUnwrap()).toMatchObject({ status: "parked", quarantine: { _tag: "UnknownSaga" } });
    expect([served(given), given.bench.disk.locks.get("order:42")]).toEqual([[], ["u1", "s"]]);
    (await next.engine.abandon("u1", { by: "ada", reason: "ticket 7" }))._unsafeUnwrap();
    await rest(given.bench);
    expect(given.participants.told().slice(1)).toEqual(["comes 7"]);
  });

  test("whose holder ends with the last breath of its process is found handed over by the next engine, at its start", async () => {
    const given = setUp(HOUR);
    const opened = await held(given);
    await queued(given, opened, 2);
    opened.kill();
    const last = given.bench.open([given.holder], {
      faults: { afterCommit: ({ sagaId, status }) => (sagaId === "h" && status === "completed" ? "crash" : undefined) },
    });
    void last.engine.signal("h", go, 0, { key: "k" });
    await rest(given.bench);
    last.kill();
    expect([given.bench.disk.sagas.get("h")?.status, given.bench.disk.locks.get("order:42")]).toEqual(["completed", ["u1", "u2"]]);
    const memory = inMemory();
    const next = given.bench.open(given.sagas, { observer: memory.observer });
    expect(await next.engine.recovered).toEqual({ adopted: 0, quarantined: 0 });
    await rest(given.bench);
    expect([served(given), memory.adoptions]).toEqual([
      [1, 2],
      ["u1", "u2"],
    ]);
  });

  test("whose holder ends with the last breath of its process is had by whoever asks another living engine for it", async () => {
    const given = setUp(HOUR);
    let dying = false;
    const releaser = await held(given, {
      faults: { afterCommit: ({ status }) => (dying && status === "completed" ? "crash" : undefined) },
    });
    (await releaser.engine.start(given.user, 1, { id: "u" }))._unsafeUnwrap();
    given.bench.timer.pause();
    await given.bench.timer.advance(2 * EVICT_AFTER_MS);
    const other = given.bench.open(given.sagas);
    await other.engine.recovered;
    const askedAt = given.bench.timer.now();
    const result = other.engine.result(given.user, "u");
    await given.bench.timer.idle();
    dying = true;
    void releaser.engine.signal("h", go, 0, { key: "k" }).then(() => undefined);
    await given.bench.timer.idle();
    releaser.kill();
    given.bench.timer.resume();
    expect(await result).toEqual(ok(1));
    expect(given.bench.timer.now() - askedAt).toBeLessThan(MINUTE);
  });

  test("whose holder ended by an append that was answered as failed is handed over once that is found out", async () => {
    const given = setUp(HOUR);
    const opened = await held(given);
    await queued(given, opened, 1);
    opened.kill();
    const next = given.bench.open(given.sagas, {
      wrap: (store) => ({
        ...store,
        append: async (request) => {
          const appended = await store.append(request);
          return request.sagaId === "h" && request.status === "completed"
            ? err({ _tag: "StoreUnavailable", message: "the answer was lost" })
            : appended;
        },
      }),
    });
    await next.engine.recovered;
    void next.engine.signal("h", go, 0, { key: "k" });
    await given.bench.timer.advance(1_000);
    expect(served(given)).toEqual([1]);
  });

  test("that the journal says is wanted, and for which the saga has no place, as in one from before there were lines, is had if it is free", async () => {
    const given = setUp(HOUR);
    const opened = await held(given);
    given.bench.timer.pause();
    for (const [nth, id] of ["u1", "u2"].entries()) (await opened.engine.start(given.user, nth + 1, { id }))._unsafeUnwrap();
    await rest(given.bench);
    opened.kill();
    given.bench.disk.locks.set("order:42", ["h"]);
    for (const id of ["u1", "u2"]) Object.assign(given.bench.disk.sagas.get(id) ?? {}, { status: "running", wakeAt: undefined });
    const next = given.bench.open(given.sagas);
    expect(await next.engine.recovered).toEqual({ adopted: 2, quarantined: 0 });
    await given.bench.timer.advance(HOUR / 2);
    await letGo(next);
    await given.bench.timer.advance(HOUR / 2 + 5_000);
    expect(new Set(served(given))).toEqual(new Set([1, 2]));
    expect([...given.bench.disk.locks]).toEqual([]);
  });
});

test("a thousand sagas that wait for one name get it in the order of their coming, and hardly any is in memory", async () => {
  const given = setUp(24 * HOUR);
  const memory = inMemory();
  const opened = await held(given, { observer: memory.observer });
  const ids = await queued(given, opened, 1_000);
  expect(memory.now()).toEqual([]);
  memory.most();
  await letGo(opened);
  given.bench.timer.resume();
  expect(await opened.engine.result(given.user, ids.at(-1) ?? "")).toEqual(ok(1_000));
  expect(served(given)).toEqual(ids.map((_, nth) => nth + 1));
  // The one that ends, and the one that it hands over to.
  expect(memory.most()).toBeLessThanOrEqual(2);
  expect(memory.adoptions).toEqual(["h", ...ids]);
  expect([...given.bench.disk.locks]).toEqual([]);
});

test("I6: sagas that wait for locks out of memory end the same, whichever append their process dies before or after", async () => {
  const { undisturbed, lives } = await everyDeath(async ({ bench, live, participants, told }) => {
    const holder = createHolder(participants, "holder", 0, "order:1", "order:2");
    const user = createUser(participants, HOUR, "order:1");
    const both = saga({
      name: "both",
      input: numberInput,
      *run(input) {
        yield* lock("order:1", { wait: HOUR });
        yield* lock("order:2", { wait: HOUR });
        return input;
      },
    });
    const impatient = saga({
      name: "impatient",
      input: numberInput,
      *run() {
        yield* lock("order:2", { wait: { minutes: 5 } });
      },
    });
    const left = await live([holder, user, both, impatient], async (engine) => {
      // Whoever begins anew does so in time: what passes by itself would be the end of all waits.
      bench.timer.pause();
      const starts = [
        () => engine.start(holder, 1, { id: "h" }),
        () => engine.start(user, 2, { id: "u" }),
        () => engine.start(both, 3, { id: "b" }),
      ];
      for (const start of starts) {
        await start();
        await rest(bench);
      }
      const refused = engine.run(impatient, 4, { id: "i" });
      await bench.timer.advance(6 * MINUTE);
      await engine.signal("h", go, 5, { key: "k" });
      bench.timer.resume();
      return [await refused, await engine.result(holder, "h"), await engine.result(user, "u"), await engine.result(both, "b")];
    });
    return { left, told: told(), locks: [...bench.disk.locks] };
  });
  expect(undisturbed).toEqual({
    left: [err(locked("h", "order:2")), ok(5), ok(2), ok(3)],
    told: ["holder-works 1", "uses 2"],
    locks: [],
  });
  expect(lives.length).toBeGreaterThan(20);
  for (const { death, left } of lives) expect({ death, ...left }).toEqual({ death, ...undisturbed });
});
