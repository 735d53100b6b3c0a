// Goal: a saga in a saga and a savepoint in a savepoint are parts of one saga, undone in their places, whoever dies while they are (the mixed recovery of Garcia-Molina and Salem).
// Method: three deep, every way to fail at every depth, held against an order that is worked out beside the engine; then a death before and after every append of it.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  all,
  type Body,
  emit,
  fail,
  fault,
  type Json,
  type RunEffect,
  saga,
  savepoint,
  signal,
  sleep,
  uuid,
  waitFor,
} from "../../src/index.ts";
import { everyDeath } from "./every-death.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

type Participants = ReturnType<typeof createParticipants>;

const go = signal({ name: "go", payload: z.number() });
const done = { type: "part.done", data: z.object({ part: z.string() }) } as const;

const one = (name: string, run: (input: number) => Body<RunEffect, Json | void>) => saga({ name, input: numberInput, run });

describe("sagas three deep", () => {
  function setUp(breaksAt?: string) {
    const bench = createBench();
    const participants = createParticipants();
    const step = participants.compensatable("step");
    const breaks = function* (place: string) {
      if (place === breaksAt) yield* fail({ _tag: "NotThis", place });
    };
    const leaf = one("leaf", function* (input) {
      yield* step(input);
      yield* breaks("leaf");
      return yield* step(input + 1);
    });
    const branch = one("branch", function* (input) {
      yield* step(input);
      yield* leaf(input + 1);
      yield* breaks("branch");
      yield* leaf(input + 3);
      return yield* step(input + 5);
    });
    const root = one("root", function* () {
      yield* step(1);
      yield* branch(10);
      yield* breaks("root");
      yield* branch(20);
      return yield* step(30);
    });
    return { bench, participants, step, root };
  }

  test("run as one saga: every operation has a path and a key of its own, that tell where it stands", async () => {
    const { bench, participants, root } = setUp();
    expect(await bench.open([root]).engine.run(root, 0, { id: "s" })).toEqual(ok(30));
    expect(participants.told()).toEqual([1, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25, 30].map((input) => `step ${input}`));
    const keys = participants.made.map(({ call }) => call.key);
    expect(new Set(keys).size).toBe(14);
    expect(keys.slice(0, 7)).toEqual([
      "s/run/step/action",
      "s/run/branch/step/action",
      "s/run/branch/leaf/step/action",
      "s/run/branch/leaf/step~2/action",
      "s/run/branch/leaf~2/step/action",
      "s/run/branch/leaf~2/step~2/action",
      "s/run/branch/step~2/action",
    ]);
    expect(participants.made.every(({ call }) => call.sagaId === "s")).toBe(true);
    expect([...bench.disk.sagas.keys()]).toEqual(["s"]);
  });

  test.each([
    ["leaf", [1, 10, 11]],
    ["branch", [1, 10, 11, 12]],
    ["root", [1, 10, 11, 12, 13, 14, 15]],
  ] as const)("that fail at the %s are undone as one, the last step first", async (place, before) => {
    const { bench, participants, root } = setUp(place);
    expect(await bench.open([root]).engine.run(root, 0, { id: "s" })).toEqual(err({ _tag: "NotThis", place }));
    expect(participants.told()).toEqual([
      ...before.map((input) => `step ${input}`),
      ...before.toReversed().map((input) => `undo step ${input}`),
    ]);
  });

  test("derive ids and events of their own places, and events of what goes back are dropped with it", async () => {
    const bench = createBench();
    const leaf = one("leaf", function* (input) {
      yield* emit(done, { part: `leaf ${input}` });
      if (input === 2) yield* fail({ _tag: "NotThis" });
      return yield* uuid();
    });
    const branch = one("branch", function* (input) {
      const id = yield* leaf(input);
      yield* emit(done, { part: `branch ${input}` });
      return id;
    });
    const root = one("root", function* () {
      const first = yield* branch(1);
      yield* savepoint(function* () {
        yield* branch(2);
      });
      return [first, yield* branch(3), yield* uuid()] as Json;
    });
    const { engine, store } = bench.open([root]);
    const ids = (await engine.run(root, 0, { id: "s" }))._unsafeUnwrap() as readonly string[];
    expect(new Set(ids).size).toBe(3);
    const events = (await store.outbox.pending({ limit: 10 }))._unsafeUnwrap();
    expect(events.map(({ data }) => (JSON.parse(data) as { part: string }).part)).toEqual(["leaf 1", "branch 1", "leaf 3", "branch 3"]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(4);
  });

  test("wait, sleep, are signalled and cancelled as one saga", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const step = participants.compensatable("step");
    const leaf = one("leaf", function* (input) {
      yield* step(input);
      yield* sleep({ days: 1 });
      return yield* waitFor(go);
    });
    const branch = one("branch", function* (input) {
      return (yield* all([leaf(input), leaf(input + 1)])) as Json;
    });
    const root = one("root", function* (input) {
      return yield* branch(input);
    });
    const { engine } = bench.open([root]);
    await engine.start(root, 1, { id: "s" });
    for (const key of ["k", "l"]) await engine.signal("s", go, key === "k" ? 7 : 8, { key });
    expect(await engine.result(root, "s")).toEqual(ok([7, 8]));
    bench.timer.pause();
    await engine.start(root, 3, { id: "t" });
    for (let turn = 0; turn < 3; turn++) await bench.timer.idle();
    await engine.cancel("t", "enough");
    bench.timer.resume();
    expect((await engine.result(root, "t"))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaCancelled" });
    expect(participants.told().slice(2)).toEqual(["step 3", "step 4", "undo step 3", "undo step 4"]);
  });

  test("park at the depth where an undo is stuck, and what is before it in any depth waits", async () => {
    const bench = createBench();
    const participants = createParticipants();
    let mended = false;
    const stuck = participants.compensatable("stuck", { compensate: () => (mended ? ok(undefined) : err(fault("Faulted", "no"))) });
    const step = participants.compensatable("step");
    const leaf = one("leaf", function* () {
      yield* step(2);
      yield* stuck(3);
      yield* step(4);
    });
    const root = one("root", function* () {
      yield* step(1);
      yield* leaf(0);
      yield* fail({ _tag: "NotThis" });
    });
    const { engine } = bench.open([root]);
    expect((await engine.run(root, 0, { id: "s" }))._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaParked",
      operations: [{ path: "run/leaf/stuck" }],
    });
    expect(participants.told().slice(4)).toEqual(["undo step 4", "undo stuck 3"]);
    mended = true;
    await engine.retry("s", { path: "run/leaf/stuck", slot: "compensation", by: "ada", reason: "mended" });
    expect(await engine.result(root, "s")).toEqual(err({ _tag: "NotThis" }));
    expect(participants.told().slice(6)).toEqual(["undo stuck 3", "undo step 2", "undo step 1"]);
  });

  test("that are given what does not fit say so by path, as a fault, and nothing of them is called", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const step = participants.compensatable("step");
    const leaf = one("leaf", function* (input) {
      yield* step(input);
    });
    const root = one("root", function* () {
      yield* step(1);
      yield* leaf("two" as unknown as number);
    });
    expect((await bench.open([root]).engine.run(root, 0, { id: "s" }))._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaFaulted",
      path: "run/leaf",
    });
    expect(participants.told()).toEqual(["step 1", "undo step 1"]);
  });
});

/** A savepoint in a savepoint in an `all` in a nested saga, and what each does when it fails. */
type Fails = { readonly inner: boolean; readonly outer: boolean; readonly all: boolean; readonly root: boolean };
const EITHER = [false, true] as const;
const EVERY_FAILURE: readonly Fails[] = EITHER.flatMap((inner) =>
  EITHER.flatMap((outer) => EITHER.flatMap((each) => EITHER.map((root) => ({ inner, outer, all: each, root })))),
);

function createMixed(participants: Participants, fails: Fails) {
  const step = participants.compensatable("step");
  const outer = (input: number) =>
    savepoint(function* () {
      yield* step(input);
      const inner = yield* savepoint(function* () {
        yield* step(input + 1);
        yield* step(input + 2);
        if (fails.inner) yield* fail({ _tag: "Inner" });
      });
      yield* step(input + 3);
      if (fails.outer) yield* fail({ _tag: "Outer" });
      return inner.isErr();
    });
  const nested = one("nested", function* (input) {
    yield* step(input);
    const tried = yield* savepoint(function* () {
      const members = yield* all([outer(input + 10), outer(input + 20)]);
      if (fails.all) yield* fail({ _tag: "All" });
      return members.map((member) => member.isErr());
    });
    yield* step(input + 1);
    return tried.isErr();
  });
  return one("root", function* () {
    yield* step(1);
    const before = yield* nested(100);
    const after = yield* nested(200);
    yield* step(2);
    if (fails.root) yield* fail({ _tag: "Root" });
    return [before ?? false, after ?? false];
  });
}

/** Which steps still stand at the end, by hand. */
function standing({ inner, outer, all: each, root }: Fails): readonly number[] {
  const member = (input: number) => (outer ? [] : [input, ...(inner ? [] : [input + 1, input + 2]), input + 3]);
  const nested = (input: number) => [input, ...(each ? [] : [...member(input + 10), ...member(input + 20)]), input + 1];
  return root ? [] : [1, ...nested(100), ...nested(200), 2].toSorted((left, right) => left - right);
}

/** Steps that were done and not undone; throws when one was undone that was not done, or twice. */
function left(told: readonly string[]): readonly number[] {
  const done = new Set<number>();
  for (const call of told) {
    const input = Number(call.split(" ").at(-1));
    if (!call.startsWith("undo")) done.add(input);
    else if (!done.delete(input)) throw new RangeError(`${call} undoes what does not stand`);
  }
  return [...done].toSorted((first, second) => first - second);
}

/** Undone in the reverse order of doing, but for members of one `all` (tens and twenties of one hundred), which have no order among each other. */
function undoneOutOfOrder(told: readonly string[]): readonly string[] {
  const inputOf = (call: string) => Number(call.split(" ").at(-1));
  const order = told.filter((call) => !call.startsWith("undo")).map(inputOf);
  const beside = (first: number, second: number) =>
    Math.floor(first / 100) === Math.floor(second / 100) &&
    first % 100 >= 10 &&
    second % 100 >= 10 &&
    Math.floor(first / 10) !== Math.floor(second / 10);
  return told.flatMap((call, index) => {
    if (!call.startsWith("undo")) return [];
    const input = inputOf(call);
    const later = told.slice(index + 1).filter((each) => each.startsWith("undo"));
    return (
      later
        .map(inputOf)
        .filter((next) => order.indexOf(next) > order.indexOf(input) && !beside(input, next))
        // What is done only after this undo is undone only later.
        .filter((next) => told.indexOf(`step ${next}`) < index)
        .map((next) => `${input} before ${next}`)
    );
  });
}

describe("savepoints in savepoints, in an all, in a nested saga", () => {
  test.each(EVERY_FAILURE)("that fail as %o leave what did not fail, and undo the rest once, in order", async (fails) => {
    const bench = createBench();
    const participants = createParticipants();
    const root = createMixed(participants, fails);
    const result = await bench.open([root]).engine.run(root, 0, { id: "s" });
    expect(result).toEqual(fails.root ? err({ _tag: "Root" }) : ok([fails.all, fails.all]));
    expect(left(participants.told())).toEqual(standing(fails));
    expect(undoneOutOfOrder(participants.told())).toEqual([]);
  });

  test.each(EVERY_FAILURE.filter(({ inner, outer, all: each, root }) => [inner, outer, each, root].filter(Boolean).length >= 2))(
    "that fail as %o end the same when the process dies before or after any append",
    async (fails) => {
      const { undisturbed, lives } = await everyDeath(async ({ live, participants, told }) => {
        const root = createMixed(participants, fails);
        const result = await live([root], async (engine) => engine.run(root, 0, { id: "s" }));
        return { result, left: left(told()), outOfOrder: undoneOutOfOrder(told()) };
      });
      expect(undisturbed).toMatchObject({ left: standing(fails), outOfOrder: [] });
      expect(lives.length).toBeGreaterThan(40);
      for (const { death, left: found } of lives) expect({ death, ...found }).toEqual({ death, ...undisturbed });
    },
  );

  test("that park while they go back, and are mended by the next process, end the same wherever that one dies", async () => {
    const { undisturbed, lives } = await everyDeath(async ({ live, participants, told }) => {
      let mended = false;
      const stuck = participants.compensatable("stuck", { compensate: () => (mended ? ok(undefined) : err(fault("Faulted", "no"))) });
      const step = participants.compensatable("step");
      const root = one("root", function* () {
        yield* step(1);
        const tried = yield* savepoint(function* () {
          yield* step(2);
          yield* all([
            stuck(3),
            savepoint(function* () {
              yield* step(4);
              yield* step(5);
            }),
          ]);
          yield* fail({ _tag: "NotThis" });
        });
        yield* step(6);
        yield* fail({ _tag: tried.isErr() ? "AsTried" : "Untried" });
      });
      const result = await live([root], async (engine) => {
        const first = await engine.run(root, 0, { id: "s" });
        mended = true;
        if (first.isErr() && first.error._tag === "SagaParked") {
          await engine.retry("s", { path: "run/savepoint/all/0/stuck", slot: "compensation", by: "ada", reason: "mended" });
        }
        return engine.result(root, "s");
      });
      return { result, told: told() };
    });
    expect(undisturbed.result).toEqual(err({ _tag: "AsTried" }));
    expect(undisturbed.told.slice(-6)).toEqual(["undo step 5", "undo step 4", "undo step 2", "step 6", "undo step 6", "undo step 1"]);
    expect(lives.length).toBeGreaterThan(20);
    for (const { death, left: found } of lives) {
      const order = (calls: readonly string[]) => calls.toSorted();
      expect({ death, result: found.result, told: order(found.told) }).toEqual({
        death,
        result: undisturbed.result,
        told: order(undisturbed.told),
      });
    }
  });
});

describe("a cancellation", () => {
  test("while a savepoint goes back lets it end its own undo, then takes back the rest, and the body does not go on", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const gate = Promise.withResolvers<void>();
    const slow = participants.compensatable("slow", {
      compensate: async () => {
        await gate.promise;
        return ok(undefined);
      },
      compensationRetry: { timeoutMs: 3_600_000 },
    });
    const step = participants.compensatable("step");
    const root = one("root", function* () {
      yield* step(1);
      yield* savepoint(function* () {
        yield* step(2);
        yield* slow(3);
        yield* fail({ _tag: "NotThis" });
      });
      yield* step(4);
    });
    bench.timer.pause();
    const { engine } = bench.open([root]);
    await engine.start(root, 0, { id: "s" });
    for (let turn = 0; turn < 4; turn++) await bench.timer.idle();
    expect(await engine.cancel("s", "enough")).toEqual(ok(undefined));
    gate.resolve();
    expect((await engine.result(root, "s"))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaCancelled" });
    expect(participants.told()).toEqual(["step 1", "step 2", "slow 3", "undo slow 3", "undo step 2", "undo step 1"]);
  });
});
