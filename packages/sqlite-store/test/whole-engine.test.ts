// Goal: what a saga waits for outlives its process on this store: time, signals, cancellations, deadlines, locks. Method: lives that follow each other on one real
// file, each a new engine on a new store, some of them days later by the store's clock; participants that remember every call.
import { all, lock, saga, sleep, waitFor } from "@backstep/saga-core";
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { temporaryFile } from "./temporary-folder.ts";
import { go, numbers } from "./whole-engine/inputs.ts";
import { accepted, comesTo, createParticipants, DAY, HOUR, live, POLL, startAndWait } from "./whole-engine/lives.ts";

/** Out of memory, a saga that waits is found again by the store's index of what is due; in memory, by timers and listeners. */
describe.each([
  ["out of memory", 0],
  ["in memory", 100 * DAY],
] as const)("a saga that waits %s", (_where, evictAfterMs) => {
  function setUp() {
    const participants = createParticipants();
    const [a, b] = [participants.compensatable("a"), participants.compensatable("b")];
    return { path: temporaryFile(), participants, a, b, evictAfterMs };
  }

  test("for time sleeps through an early life, and goes on in the one in which its time has come", async () => {
    const { a, b, participants, ...at } = setUp();
    const one = saga({
      name: "one",
      input: numbers,
      *run(input) {
        yield* a(input);
        yield* sleep({ days: 1 });
        return yield* b(input);
      },
    });
    const sagas = [one];
    await live({ ...at, sagas }, ({ engine }) => startAndWait(engine, one, 1, "s"));
    await live({ ...at, sagas, laterMs: 23 * HOUR }, async ({ engine, store }) => {
      expect((await store.due({ until: store.now(), limit: 10 }))._unsafeUnwrap().sagaIds).toEqual([]);
      expect((await engine.inspect("s"))._unsafeUnwrap().status).toBe("waiting");
    });
    expect(participants.told()).toEqual(["a 1"]);
    await live({ ...at, sagas, laterMs: DAY }, async ({ engine }) => expect(await engine.result(one, "s")).toEqual(ok(1)));
    expect(participants.told()).toEqual(["a 1", "b 1"]);
  });

  test("for signals takes each once, in order, whichever life it was sent in and however often", async () => {
    const { a, b, participants, ...at } = setUp();
    const one = saga({
      name: "one",
      input: numbers,
      *run(input) {
        yield* a(input);
        yield* sleep({ days: 1 });
        const [first, second] = [yield* waitFor(go), yield* waitFor(go)];
        yield* b(first * 10 + second);
        return yield* b(yield* waitFor(go));
      },
    });
    const sagas = [one];
    await live({ ...at, sagas }, async ({ engine }) => {
      await startAndWait(engine, one, 1, "s");
      accepted(await engine.signal("s", go, 4, { key: "early" }));
    });
    await live({ ...at, sagas, laterMs: DAY }, async ({ engine }) => {
      for (let nth = 0; nth < 3; nth++) accepted(await engine.signal("s", go, 2, { key: "late" }));
      accepted(await engine.signal("s", go, 4, { key: "early" }));
      await expect.poll(participants.told, POLL).toEqual(["a 1", "b 42"]);
      await comesTo(engine, "s", "waiting");
    });
    await live({ ...at, sagas, laterMs: DAY }, async ({ engine }) => {
      for (const [key, payload] of [
        ["early", 4],
        ["late", 2],
        ["last", 7],
      ] as const)
        accepted(await engine.signal("s", go, payload, { key }));
      expect(await engine.result(one, "s")).toEqual(ok(7));
      expect((await engine.signal("s", go, 5, { key: "after" }))._unsafeUnwrapErr()).toMatchObject({
        _tag: "SignalRefused",
        reason: "ended",
      });
    });
    expect(participants.told()).toEqual(["a 1", "b 42", "b 7"]);
  });

  test("for a signal no longer than its timeout goes on without it in the life in which that passed", async () => {
    const { a, b, participants, ...at } = setUp();
    const one = saga({
      name: "one",
      input: numbers,
      *run(input) {
        yield* a(input);
        const answer = yield* waitFor(go, { timeout: { days: 1 } });
        return yield* b(answer.unwrapOr(-1));
      },
    });
    const sagas = [one];
    await live({ ...at, sagas }, ({ engine }) => startAndWait(engine, one, 1, "s"));
    await live({ ...at, sagas, laterMs: DAY }, async ({ engine }) => expect(await engine.result(one, "s")).toEqual(ok(-1)));
    expect(participants.told()).toEqual(["a 1", "b -1"]);
  });

  test("is cancelled in a later life: its waits end, and what was done is undone, last first", async () => {
    const { a, b, participants, ...at } = setUp();
    const one = saga({
      name: "one",
      input: numbers,
      *run(input) {
        yield* a(input);
        yield* b(input + 1);
        yield* all([sleep({ days: 30 }), waitFor(go)]);
        return yield* a(9);
      },
    });
    const sagas = [one];
    const cancelled = err({ _tag: "SagaCancelled", sagaId: "s", by: "ada", reason: "changed her mind" });
    await live({ ...at, sagas }, ({ engine }) => startAndWait(engine, one, 1, "s"));
    await live({ ...at, sagas }, async ({ engine }) => {
      accepted(await engine.cancel("s", "changed her mind", { by: "ada" }));
      expect(await engine.result(one, "s")).toEqual(cancelled);
    });
    await live({ ...at, sagas, laterMs: 30 * DAY }, async ({ engine }) => {
      accepted(await engine.cancel("s", "once more"));
      expect(await engine.result(one, "s")).toEqual(cancelled);
    });
    expect(participants.told()).toEqual(["a 1", "b 2", "undo b 2", "undo a 1"]);
  });

  test("past its deadline is taken back in the life that finds it so", async () => {
    const { a, participants, ...at } = setUp();
    const one = saga({
      name: "one",
      input: numbers,
      deadline: { hours: 1 },
      *run(input) {
        yield* a(input);
        return yield* waitFor(go);
      },
    });
    const sagas = [one];
    await live({ ...at, sagas }, ({ engine }) => startAndWait(engine, one, 1, "s"));
    await live({ ...at, sagas, laterMs: HOUR }, async ({ engine }) => {
      const { startedAt, deadlineAt } = (await engine.inspect("s"))._unsafeUnwrap().view;
      expect(deadlineAt).toBe(startedAt + HOUR);
      expect(await engine.result(one, "s")).toEqual(err({ _tag: "SagaDeadlineExceeded", sagaId: "s", deadlineAt }));
    });
    expect(participants.told()).toEqual(["a 1", "undo a 1"]);
  });

  test("behind its pivot when its deadline passes, or it is cancelled, goes forward all the same", async () => {
    const { a, participants, ...at } = setUp();
    const [decide, ends] = [participants.pivot("decide"), participants.retriable("ends")];
    const one = saga({
      name: "one",
      input: numbers,
      deadline: { hours: 1 },
      *run(input) {
        return yield* a(input);
      },
      pivot: (value) => decide(value + 1),
      *complete() {
        return yield* ends(yield* waitFor(go));
      },
    });
    const sagas = [one];
    await live({ ...at, sagas }, ({ engine }) => startAndWait(engine, one, 1, "s"));
    await live({ ...at, sagas, laterMs: HOUR }, async ({ engine }) => {
      expect((await engine.cancel("s", "too late"))._unsafeUnwrapErr()).toMatchObject({ _tag: "CancelRefused" });
      accepted(await engine.signal("s", go, 3, { key: "k" }));
      expect(await engine.result(one, "s")).toEqual(ok(3));
    });
    expect(participants.told()).toEqual(["a 1", "decide 2", "ends 3"]);
  });

  test("holds its lock through every life until it has ended, and then those who wait for it have it in the order of their coming", async () => {
    const { a, participants, ...at } = setUp();
    const [enters, leaves] = [participants.compensatable("enters"), participants.compensatable("leaves")];
    const holder = saga({
      name: "holder",
      input: numbers,
      *run() {
        yield* lock("order:42");
        return yield* a(yield* waitFor(go));
      },
    });
    const user = saga({
      name: "user",
      input: numbers,
      *run(waitDays) {
        yield* lock("order:42", { wait: { days: waitDays } });
        yield* enters(waitDays);
        yield* sleep(1);
        return yield* leaves(waitDays);
      },
    });
    const sagas = [holder, user];
    const locked = err({ _tag: "Locked", name: "order:42", lockedBy: "h" });
    await live({ ...at, sagas }, async ({ engine }) => {
      await startAndWait(engine, holder, 0, "h");
      for (const days of [1, 20, 30]) accepted(await engine.start(user, days, { id: `u${days}` }));
      await expect.poll(async () => (await engine.inspect("u30"))._unsafeUnwrap().view.waits.get("run/lock")?.state, POLL).toBe("waiting");
    });
    await live({ ...at, sagas, laterMs: DAY }, async ({ engine }) => {
      expect(await engine.run(user, 0, { id: "u0" })).toEqual(locked);
      expect(await engine.result(user, "u1")).toEqual(locked);
      expect(participants.told()).toEqual([]);
    });
    await live({ ...at, sagas, laterMs: DAY }, async ({ engine }) => {
      accepted(await engine.signal("h", go, 5, { key: "k" }));
      const ends = await Promise.all([engine.result(holder, "h"), engine.result(user, "u20"), engine.result(user, "u30")]);
      expect(ends).toEqual([ok(5), ok(20), ok(30)]);
      expect(await engine.run(user, 0, { id: "v" })).toEqual(ok(0));
    });
    expect(participants.told()).toEqual(["a 5", ...[20, 30, 0].flatMap((input) => [`enters ${input}`, `leaves ${input}`])]);
  });
});

test("sagas that left memory, more than one page of them, are all awake once in the life in which their time has come", async () => {
  const SAGAS = 250;
  const participants = createParticipants();
  const [a, b] = [participants.compensatable("a"), participants.compensatable("b")];
  const one = saga({
    name: "one",
    input: numbers,
    *run(input) {
      yield* a(input);
      yield* sleep({ days: 1 });
      return yield* b(input);
    },
  });
  const at = { path: temporaryFile(), sagas: [one], evictAfterMs: 0 };
  const inputs = Array.from({ length: SAGAS }, (_, input) => input);
  await live(at, async ({ engine }) => {
    await Promise.all(inputs.map((input) => startAndWait(engine, one, input, `s${input}`)));
  });
  await live({ ...at, laterMs: DAY }, async ({ engine }) => {
    expect(await Promise.all(inputs.map((input) => engine.result(one, `s${input}`)))).toEqual(inputs.map((input) => ok(input)));
  });
  expect(participants.told().toSorted()).toEqual(["a", "b"].flatMap((name) => inputs.map((input) => `${name} ${input}`)).toSorted());
});
