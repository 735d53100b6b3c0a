// Goal (I17): one definition drives sagas from before and after a change, and each of them one way for ever. Method: journals begun by the old definition, gone on with by the new one.
import { ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type AnySaga,
  all,
  type Body,
  changed,
  fail,
  type Json,
  type RunEffect,
  saga,
  savepoint,
  signal,
  sleep,
  waitFor,
} from "../../src/index.ts";
import { everyDeath } from "./every-death.ts";
import { type Bench, createBench, createParticipants, numberInput } from "./workbench.ts";

type Participants = ReturnType<typeof createParticipants>;
type Steps = ReturnType<typeof stepsOf>;
type One = ReturnType<typeof one>;

const HOUR = 3_600_000;
const go = signal({ name: "go", payload: z.number() });

/** `slow` does not answer until it is let go. */
function stepsOf(participants: Participants) {
  const gate = Promise.withResolvers<void>();
  const slow = participants.compensatable("slow", {
    run: async (input, nth) => {
      if (nth === 1) await gate.promise;
      return ok(input);
    },
    retry: { timeoutMs: HOUR, horizonMs: 10 * HOUR },
  });
  return {
    a: participants.compensatable("a"),
    b: participants.compensatable("b"),
    old: participants.compensatable("old"),
    new: participants.compensatable("new"),
    slow,
    letGo: () => gate.resolve(),
  };
}

const one = (run: (input: number) => Body<RunEffect, Json | void>) => saga({ name: "one", input: numberInput, run });

/** The saga comes as far as it can under one definition, dies, and ends under another one. */
async function across(before: (steps: Steps) => One, after: (steps: Steps) => One, input = 0) {
  const bench = createBench();
  const participants = createParticipants();
  const steps = stepsOf(participants);
  await begin(bench, before(steps), input);
  steps.letGo();
  const next = after(steps);
  const { engine } = bench.open([next]);
  const result = await engine.result(next, "s");
  return { bench, engine, result, told: [...new Set(participants.told())], taken: taken(bench) };
}

async function begin(bench: Bench, definition: One, input: number): Promise<void> {
  bench.timer.pause();
  const { engine, kill } = bench.open([definition]);
  await engine.start(definition, input, { id: "s" });
  for (let turn = 0; turn < 4; turn++) await bench.timer.idle();
  kill();
  bench.timer.resume();
}

const taken = (bench: Bench) => bench.entries("s").flatMap((entry) => (entry._tag === "ChangeTaken" ? [entry["id"]] : []));

const oldWay = ({ a, slow, old, b }: Steps) =>
  one(function* () {
    yield* a(1);
    yield* slow(2);
    yield* old(3);
    return yield* b(4);
  });

describe("a change", () => {
  const newWay = ({ a, slow, old, new: fresh, b }: Steps) =>
    one(function* () {
      yield* a(1);
      if (yield* changed("early")) yield* fresh(10);
      yield* slow(2);
      if (yield* changed("late")) yield* fresh(30);
      else yield* old(3);
      return yield* b(4);
    });

  test("is taken by a saga that starts with it, once, and told in its journal", async () => {
    const { result, told, taken: changes } = await across(newWay, newWay);
    expect(result).toEqual(ok(4));
    expect(told).toEqual(["a 1", "new 10", "slow 2", "new 30", "b 4"]);
    expect(changes).toEqual(["early", "late"]);
  });

  test("is not taken by a saga that was past it, and is taken by the same saga where it comes first", async () => {
    const { result, told, taken: changes } = await across(oldWay, newWay);
    expect(result).toEqual(ok(4));
    expect(told).toEqual(["a 1", "slow 2", "new 30", "b 4"]);
    expect(changes).toEqual(["late"]);
  });

  test("is answered the same in all of one saga: where a saga passed it once the old way, it goes the old way everywhere", async () => {
    const looped = (with_: boolean) => (steps: Steps) =>
      one(function* () {
        for (let round = 1; round <= 3; round++) {
          if (round === 2) yield* steps.slow(100);
          if (with_ && (yield* changed("loop"))) yield* steps.new(round);
          else yield* steps.old(round);
        }
      });
    const begun = await across(looped(false), looped(true));
    expect(begun.told).toEqual(["old 1", "slow 100", "old 2", "old 3"]);
    expect(begun.taken).toEqual([]);
    const fresh = await across(looped(true), looped(true));
    expect(fresh.told).toEqual(["new 1", "slow 100", "new 2", "new 3"]);
    expect(fresh.taken).toEqual(["loop"]);
  });

  test("in a loop is taken by a saga that comes to it for the first time, in the middle of the loop", async () => {
    const looped = (with_: boolean) => (steps: Steps) =>
      one(function* () {
        for (let round = 1; round <= 3; round++) {
          yield* round === 2 ? steps.slow(round) : steps.a(round);
          if (round > 1 && with_ && (yield* changed("loop"))) yield* steps.new(round);
        }
      });
    const begun = await across(looped(false), looped(true));
    expect(begun.told).toEqual(["a 1", "slow 2", "new 2", "a 3", "new 3"]);
    expect(begun.taken).toEqual(["loop"]);
  });

  test.each([
    ["two of them, both new", [], ["first", "second"], ["new 1", "new 2"]],
    ["one before one that was taken", ["second"], ["second"], ["new 2"]],
    ["one after one that was taken", ["first"], ["first"], ["new 1"]],
  ] as const)("at one place with another one: %s", async (_what, before, takenThen, calls) => {
    const both = (ids: readonly string[]) => (steps: Steps) =>
      one(function* () {
        for (const [index, id] of ["first", "second"].entries()) {
          if (ids.includes(id) && (yield* changed(id))) yield* steps.new(index + 1);
        }
        yield* steps.slow(5);
      });
    const all_ = both(["first", "second"]);
    const { result, told, taken: changes } = await across(before.length === 0 ? all_ : both(before), all_);
    expect(result.isOk()).toBe(true);
    expect(told).toEqual([...calls, "slow 5"]);
    expect(changes).toEqual(takenThen);
  });

  test("two of them at one place with nothing between them keep their answers apart", async () => {
    const both = (ids: readonly string[]) => (steps: Steps) =>
      one(function* () {
        const ways: Record<string, boolean> = {};
        for (const id of ids) ways[id] = yield* changed(id);
        yield* steps.slow(5);
        return ways;
      });
    const first = await across(both(["x"]), both(["x", "y"]));
    expect(first.result).toEqual(ok({ x: true, y: false }));
    const second = await across(both(["y"]), both(["x", "y"]));
    expect(second.result).toEqual(ok({ x: false, y: true }));
  });

  test("that is taken cannot be removed: the saga is stopped before any effect, and both sides are named", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const steps = stepsOf(participants);
    await begin(bench, newWay(steps), 0);
    const before = participants.told().length;
    const removed = oldWay(steps);
    const { engine } = bench.open([removed]);
    expect((await engine.result(removed, "s"))._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaParked",
      quarantine: {
        _tag: "ReplayDiverged",
        divergence: { entry: 3, recorded: "ChangeTaken early", decided: "OperationIntended run/slow (slow) with 2" },
      },
    });
    expect(participants.told().length).toBe(before);
  });

  test("that is taken can be removed for sagas that were before it", async () => {
    const { result, told } = await across(oldWay, ({ a, slow, new: fresh, b }) =>
      one(function* () {
        yield* a(1);
        yield* slow(2);
        yield* fresh(30);
        return yield* b(4);
      }),
    );
    expect(result).toEqual(ok(4));
    expect(told).toEqual(["a 1", "slow 2", "new 30", "b 4"]);
  });
});

describe("a change at the frontier of a journal", () => {
  test("in a member of an all that had nothing more to do is taken there, and stays taken", async () => {
    const sideBySide = (with_: boolean) => (steps: Steps) =>
      one(function* () {
        const quick = (function* () {
          yield* steps.a(1);
          if (with_ && (yield* changed("more"))) yield* steps.new(2);
        })();
        yield* all([quick, steps.slow(3)]);
        return yield* steps.b(4);
      });
    const { bench, result, told, taken: changes, engine } = await across(sideBySide(false), sideBySide(true));
    expect(result).toEqual(ok(4));
    expect(told).toEqual(["a 1", "slow 3", "new 2", "b 4"]);
    expect(changes).toEqual(["more"]);
    await engine.close();
    const again = sideBySide(true)(stepsOf(createParticipants()));
    expect(await bench.open([again]).engine.result(again, "s")).toEqual(ok(4));
  });

  test.each(["sleep", "signal"] as const)("behind a long %s is taken when the saga comes back to memory for it", async (by) => {
    const waiting = (with_: boolean) => (steps: Steps) =>
      one(function* () {
        yield* steps.a(1);
        yield* by === "sleep" ? sleep({ days: 1 }) : waitFor(go);
        if (with_ && (yield* changed("late"))) yield* steps.new(2);
        else yield* steps.old(2);
      });
    const bench = createBench();
    const participants = createParticipants();
    const steps = stepsOf(participants);
    await begin(bench, waiting(false)(steps), 0);
    const next = waiting(true)(steps);
    const { engine } = bench.open([next]);
    if (by === "signal") (await engine.signal("s", go, 1, { key: "k" }))._unsafeUnwrap();
    await engine.result(next, "s");
    expect(participants.told()).toEqual(["a 1", "new 2"]);
    expect(taken(bench)).toEqual(["late"]);
  });
});

describe("a change inside", () => {
  test("a nested saga and a savepoint is one saga's: undone with its parent, and answered alike in both", async () => {
    const nest = (with_: boolean) => (steps: Steps) => {
      const inner = one(function* (input) {
        if (with_ && (yield* changed("deep"))) yield* steps.new(input);
        else yield* steps.old(input);
      });
      return one(function* () {
        yield* inner(1);
        const tried = yield* savepoint(function* () {
          yield* inner(2);
          return yield* fail({ _tag: "NotThis" });
        });
        yield* steps.slow(3);
        yield* inner(4);
        return tried.isErr();
      });
    };
    const begun = await across(nest(false), nest(true));
    expect(begun.result).toEqual(ok(true));
    expect(begun.told).toEqual(["old 1", "old 2", "undo old 2", "slow 3", "old 4"]);
    const fresh = await across(nest(true), nest(true));
    expect(fresh.told).toEqual(["new 1", "new 2", "undo new 2", "slow 3", "new 4"]);
    expect(fresh.taken).toEqual(["deep"]);
  });

  test("every member of an all is taken once for all of them, also by those that start later", async () => {
    const members = (steps: Steps) =>
      one(function* () {
        yield* all(
          [1, 2, 3].map(function* (input) {
            if (yield* changed("each")) yield* steps.new(input);
          }),
          { concurrency: 2 },
        );
      });
    const { told, taken: changes } = await across(members, members);
    expect(told).toEqual(["new 1", "new 2", "new 3"]);
    expect(changes).toEqual(["each"]);
  });
});

test("I6: a process that dies before or after any append goes the same way at every change", async () => {
  const { undisturbed, lives } = await everyDeath(async ({ bench, live, participants, told }) => {
    const [a, b, old, fresh] = (["a", "b", "old", "new"] as const).map((name) => participants.compensatable(name));
    if (a === undefined || b === undefined || old === undefined || fresh === undefined) throw new TypeError("four steps are declared");
    const definition = (ids: readonly string[]): AnySaga =>
      saga({
        name: "one",
        input: numberInput,
        *run() {
          yield* a(1);
          if (ids.includes("early") && (yield* changed("early"))) yield* fresh(2);
          yield* sleep({ days: 1 });
          if (ids.includes("late") && (yield* changed("late"))) yield* fresh(3);
          else yield* old(3);
          yield* all([b(4), b(5)]);
          yield* fail({ _tag: "Done" });
        },
      });
    const [before, after] = [definition([]), definition(["early", "late"])];
    await live([before], async (engine) => {
      (await engine.start(before, 0, { id: "s" }))._unsafeUnwrap();
      for (let status = ""; status !== "waiting"; ) {
        await bench.timer.idle();
        status = (await engine.inspect("s"))._unsafeUnwrap().status;
      }
    });
    const result = await live([after], async (engine) => engine.result(after, "s"));
    return { result, told: told(), taken: taken(bench) };
  });
  expect(undisturbed.taken).toEqual(["late"]);
  expect(undisturbed.told).toEqual(["a 1", "new 3", "b 4", "b 5", "undo b 4", "undo b 5", "undo new 3", "undo a 1"]);
  expect(lives.length).toBeGreaterThan(12);
  for (const { death, left } of lives) expect({ death, ...left }).toEqual({ death, ...undisturbed });
});

test("I6: a change that is taken at the frontier of a journal, with nothing before it in its record, is taken once wherever the process dies", async () => {
  const { undisturbed, lives } = await everyDeath(async ({ bench, live, participants, told }) => {
    const [a, fresh] = [participants.compensatable("a"), participants.compensatable("new")];
    const definition = (with_: boolean): AnySaga =>
      saga({
        name: "one",
        input: numberInput,
        *run() {
          const quick = (function* () {
            yield* a(1);
            if (with_ && (yield* changed("more"))) yield* fresh(2);
          })();
          yield* all([quick, waitFor(go)]);
          yield* fail({ _tag: "Done" });
        },
      });
    const [before, after] = [definition(false), definition(true)];
    await live([before], async (engine) => {
      (await engine.start(before, 0, { id: "s" }))._unsafeUnwrap();
      for (let status = ""; status !== "waiting"; ) {
        await bench.timer.idle();
        status = (await engine.inspect("s"))._unsafeUnwrap().status;
      }
    });
    const result = await live([after], async (engine) => {
      // Refused where the saga has ended before the process died.
      await engine.signal("s", go, 1, { key: "k" });
      return engine.result(after, "s");
    });
    return { result, told: told(), taken: taken(bench) };
  });
  expect(undisturbed).toMatchObject({ told: ["a 1", "new 2", "undo new 2", "undo a 1"], taken: ["more"] });
  expect(lives.length).toBeGreaterThan(8);
  for (const { death, left } of lives) expect({ death, ...left }).toEqual({ death, ...undisturbed });
});
