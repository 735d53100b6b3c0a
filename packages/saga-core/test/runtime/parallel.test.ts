// Goal: members of one `all` run side by side, as many as are allowed, hand back their outputs in their shape, and fail as one (FS-47). Method: participants that answer when they are told to,
// in every order, at every limit; a death before and after every append.
import { err, ok, type Result } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { all, decided, fail, fault, lock, type Saga, saga, savepoint, signal, sleep, waitFor } from "../../src/index.ts";
import { everyDeath } from "./every-death.ts";
import { type Answer, createBench, createParticipants, numberInput, type Refused } from "./workbench.ts";

const HOUR = 3_600_000;
const go = signal({ name: "go", payload: z.number() });

/** A step that answers an input when it is told to, and counts how many are at work at once. */
function createGated() {
  const bench = createBench();
  const participants = createParticipants();
  const gates = new Map<number, PromiseWithResolvers<Answer>>();
  const at = { work: 0, most: 0 };
  const gateOf = (input: number) => {
    const gate = gates.get(input) ?? Promise.withResolvers<Answer>();
    gates.set(input, gate);
    return gate;
  };
  const step = participants.compensatable("step", {
    run: async (input) => {
      at.work += 1;
      at.most = Math.max(at.most, at.work);
      try {
        return await gateOf(input).promise;
      } finally {
        at.work -= 1;
      }
    },
    retry: { attempts: 1, timeoutMs: HOUR, horizonMs: 2 * HOUR },
  });
  const answer = async (input: number, given: Answer = ok(input * 10)) => {
    gateOf(input).resolve(given);
    for (let turn = 0; turn < 4; turn++) await bench.timer.idle();
  };
  bench.timer.pause();
  return { bench, participants, step, answer, at };
}

const settled = async (running: unknown) => Promise.race([Promise.resolve(running).then(() => true), Promise.resolve(false)]);

type AnyShape = Saga<string, number, unknown, Refused>;

describe("the outputs of an all", () => {
  const shapes = (
    step: ReturnType<typeof createGated>["step"],
    concurrency: number | undefined,
  ): Readonly<Record<keyof typeof expected, AnyShape>> => ({
    "a tuple": saga({
      name: "tuple",
      input: numberInput,
      *run() {
        return yield* all([step(1), step(2), step(3)], { concurrency });
      },
    }),
    "an array": saga({
      name: "array",
      input: numberInput,
      *run() {
        return yield* all(
          [1, 2, 3].map((input) => step(input)),
          { concurrency },
        );
      },
    }),
    "a record": saga({
      name: "record",
      input: numberInput,
      *run() {
        return yield* all({ first: step(1), "second/~'": step(2), 드리: step(3) }, { concurrency });
      },
    }),
  });
  const expected = { "a tuple": [10, 20, 30], "an array": [10, 20, 30], "a record": { first: 10, "second/~'": 20, 드리: 30 } } as const;
  const orders = [
    [1, 2, 3],
    [3, 2, 1],
    [2, 3, 1],
  ] as const;

  test.each(
    Object.keys(expected).flatMap((shape) =>
      [undefined, 1, 2, 3, 10].flatMap((concurrency) => orders.map((order) => [shape, concurrency, order] as const)),
    ),
  )("in %s with a limit of %s, answered in order %j, come in that shape and in the members' order", async (shape, concurrency, order) => {
    const { bench, step, answer, at } = createGated();
    const definition = shapes(step, concurrency)[shape as keyof typeof expected];
    const { engine } = bench.open([definition]);
    const running = engine.run(definition, 0, { id: "s" });
    for (const input of order) await answer(input);
    expect(await running).toEqual(ok(expected[shape as keyof typeof expected]));
    expect(at.most).toBeLessThanOrEqual(concurrency ?? 3);
  });

  test("of no members come at once, in both shapes", async () => {
    const { bench } = createGated();
    const none = saga({
      name: "none",
      input: numberInput,
      *run() {
        return [yield* all([]), yield* all({})];
      },
    });
    expect(await bench.open([none]).engine.run(none, 0, { id: "s" })).toEqual(ok([[], {}]));
  });

  test.each([0, -1, Number.NaN])("with a limit of %s are refused at the call", async (concurrency) => {
    const { bench, step } = createGated();
    const odd = shapes(step, concurrency)["a tuple"];
    expect((await bench.open([odd]).engine.run(odd, 0, { id: "s" }))._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaFaulted",
      fault: { message: expect.stringContaining("concurrency must be a whole number from 1 on") },
    });
  });
});

describe("a limit", () => {
  test("lets the next member start when one has settled, in the members' order, and never more", async () => {
    const { bench, participants, step, answer, at } = createGated();
    const limited = saga({
      name: "limited",
      input: numberInput,
      *run() {
        return yield* all(
          [1, 2, 3, 4, 5].map((input) => step(input)),
          { concurrency: 2 },
        );
      },
    });
    const { engine } = bench.open([limited]);
    const running = engine.run(limited, 0, { id: "s" });
    await answer(5);
    expect(participants.told()).toEqual(["step 1", "step 2"]);
    await answer(2);
    expect(participants.told()).toEqual(["step 1", "step 2", "step 3"]);
    await answer(3);
    expect(participants.told()).toEqual(["step 1", "step 2", "step 3", "step 4"]);
    await answer(4);
    await answer(1);
    expect(await running).toEqual(ok([10, 20, 30, 40, 50]));
    expect(at.most).toBe(2);
  });

  test("counts a member that is a sequence, a savepoint, a nested saga or a wait as one, to its end", async () => {
    const { bench, participants, step, answer } = createGated();
    const nested = saga({
      name: "nested",
      input: numberInput,
      *run(input) {
        yield* step(input);
        return yield* step(input + 1);
      },
    });
    const mixed = saga({
      name: "mixed",
      input: numberInput,
      *run() {
        return yield* all(
          {
            waits: waitFor(go),
            nested: nested(1),
            sequence: (function* () {
              yield* step(3);
              return yield* step(4);
            })(),
          },
          { concurrency: 2 },
        );
      },
    });
    const { engine } = bench.open([mixed]);
    const running = engine.run(mixed, 0, { id: "s" });
    await answer(1);
    expect(participants.told()).toEqual(["step 1", "step 2"]);
    await answer(2);
    await answer(3);
    await answer(4);
    expect(participants.told()).toEqual(["step 1", "step 2", "step 3", "step 4"]);
    expect(await settled(running)).toBe(false);
    await engine.signal("s", go, 7, { key: "k" });
    expect(await running).toEqual(ok({ waits: 7, nested: 20, sequence: 40 }));
  });
});

describe("FS-47: when one member fails", () => {
  /** 1 is refused, 2 has succeeded, 3 is at work, 4 has not begun. */
  async function failing(third: Answer, { concurrency = 3 }: { readonly concurrency?: number } = {}) {
    const { bench, participants, step, answer } = createGated();
    const before = participants.compensatable("before");
    const group = saga({
      name: "group",
      input: numberInput,
      *run() {
        yield* before(0);
        return yield* all(
          [1, 2, 3, 4].map((input) => step(input)),
          { concurrency },
        );
      },
    });
    const { engine } = bench.open([group]);
    const running = engine.run(group, 0, { id: "s" });
    await answer(2);
    return { bench, participants, answer, running, engine, group, third };
  }

  test.each<[what: string, third: Answer, undone: Result<unknown, unknown> | undefined]>([
    ["that succeeds after it", ok(30), ok({ _tag: "Succeeded", output: 30 })],
    ["that is refused after it", err({ _tag: "Refused", why: "third" }), undefined],
    ["that is in doubt after it", err(fault("Unknown", "no answer")), ok({ _tag: "InDoubt", known: "nothing" })],
    ["that lost its output after it", err(fault("Unreadable", "cut off")), ok({ _tag: "InDoubt", known: "succeeded" })],
    ["that was never sent", err(fault("NotSent", "no route")), undefined],
    ["that is sealed", err(fault("Sealed", "a tombstone")), undefined],
  ])(
    "nothing new starts, the one in flight %s is awaited, and what may stand is undone: the first failure is the saga's",
    async (_what, third, undone) => {
      const { participants, answer, running } = await failing(third);
      // The fourth began when the second one settled.
      expect(participants.told()).toEqual(["before 0", "step 1", "step 2", "step 3", "step 4"]);
      await answer(1, err({ _tag: "Refused", why: "first" }));
      await answer(4, err(fault("NotSent", "no route")));
      expect(await settled(running)).toBe(false);
      expect(participants.told().filter((call) => call.startsWith("undo"))).toEqual([]);
      await answer(3, third);
      expect(await running).toEqual(err({ _tag: "Refused", why: "first" }));
      expect(participants.told().slice(5)).toEqual(["undo step 2", ...(undone === undefined ? [] : ["undo step 3"]), "undo before 0"]);
      const third_ = participants.of("step", "compensation").find(({ input }) => input === 3);
      expect(third_ === undefined ? undefined : ok(third_.outcome)).toEqual(undone);
    },
  );

  test("behind a limit, the members that have not begun never do, and there is nothing of them to undo", async () => {
    const { participants, answer, running, bench } = await failing(ok(30), { concurrency: 2 });
    expect(participants.told()).toEqual(["before 0", "step 1", "step 2", "step 3"]);
    await answer(3, err({ _tag: "Refused", why: "third" }));
    await answer(1);
    expect(await running).toEqual(err({ _tag: "Refused", why: "third" }));
    expect(participants.told().slice(4).toSorted()).toEqual(["undo before 0", "undo step 1", "undo step 2"]);
    expect(bench.entries("s").filter(({ _tag }) => _tag === "OperationIntended").length).toBe(4);
  });

  test("sleeps, waits for signals and for locks end at once, and what is behind them does not begin", async () => {
    const { bench, participants, step, answer } = createGated();
    const holder = saga({
      name: "holder",
      input: numberInput,
      *run() {
        yield* lock("order:1");
        return yield* waitFor(go);
      },
    });
    const group = saga({
      name: "group",
      input: numberInput,
      *run() {
        yield* all([
          step(1),
          (function* () {
            yield* sleep({ days: 1 });
            yield* step(2);
          })(),
          (function* () {
            yield* waitFor(go);
            yield* step(3);
          })(),
          (function* () {
            yield* lock("order:1", { wait: { days: 1 } });
            yield* step(4);
          })(),
        ]);
      },
    });
    const { engine } = bench.open([holder, group]);
    await engine.start(holder, 0, { id: "h" });
    const begunAt = bench.timer.now();
    const running = engine.run(group, 0, { id: "s" });
    for (let turn = 0; turn < 4; turn++) await bench.timer.idle();
    await answer(1, err({ _tag: "Refused" }));
    expect(await running).toEqual(err({ _tag: "Refused" }));
    expect(bench.timer.now()).toBe(begunAt);
    expect(participants.told()).toEqual(["step 1"]);
    const waits = (await engine.inspect("s"))._unsafeUnwrap().view.waits;
    expect([...waits.values()].map(({ state }) => state)).toEqual(["left", "left", "left"]);
  });

  test("inside a savepoint, the body goes on once all of it is undone", async () => {
    const { bench, participants, step, answer } = createGated();
    const saved = saga({
      name: "saved",
      input: numberInput,
      *run() {
        const tried = yield* savepoint(function* () {
          return yield* all({ no: step(1), yes: step(2) }, { concurrency: 5 });
        });
        return tried.isErr() && tried.error._tag === "Refused" ? yield* step(3) : 0;
      },
    });
    const { engine } = bench.open([saved]);
    const running = engine.run(saved, 0, { id: "s" });
    await answer(1, err({ _tag: "Refused" }));
    expect(participants.told()).toEqual(["step 1", "step 2"]);
    await answer(2);
    await answer(3);
    expect(await running).toEqual(ok(30));
    expect(participants.told()).toEqual(["step 1", "step 2", "undo step 2", "step 3"]);
  });
});

test("going back, members are undone side by side, each in its own reverse order, and what was before them only when all of them are", async () => {
  const bench = createBench();
  const participants = createParticipants();
  const gate = Promise.withResolvers<void>();
  const step = participants.compensatable("step", {
    compensate: async (input) => {
      if (input === 12) await gate.promise;
      return ok(undefined);
    },
    compensationRetry: { timeoutMs: HOUR },
  });
  const sequence = function* (input: number) {
    yield* step(input);
    yield* step(input + 1);
    yield* step(input + 2);
  };
  const both = saga({
    name: "both",
    input: numberInput,
    *run() {
      yield* step(1);
      yield* all([sequence(10), sequence(20)], { concurrency: 1 });
      yield* fail({ _tag: "NotThis" });
    },
  });
  bench.timer.pause();
  const { engine } = bench.open([both]);
  const running = engine.run(both, 0, { id: "s" });
  for (let turn = 0; turn < 20; turn++) await bench.timer.idle();
  expect(participants.told().slice(7)).toEqual(["undo step 12", "undo step 22", "undo step 21", "undo step 20"]);
  gate.resolve();
  expect(await running).toEqual(err({ _tag: "NotThis" }));
  expect(participants.told().slice(11)).toEqual(["undo step 11", "undo step 10", "undo step 1"]);
});

test.each([1, 2, undefined])(
  "I6: with a limit of %s, a process that dies before or after any append leaves what it leaves undisturbed",
  async (concurrency) => {
    const { undisturbed, lives } = await everyDeath(async ({ live, participants, told }) => {
      const step = participants.compensatable("step", {
        run: (input) => (input === 13 ? err(decided({ _tag: "Refused" as const })) : ok(input)),
      });
      const group = saga({
        name: "group",
        input: numberInput,
        *run() {
          yield* step(1);
          const record = yield* all({ a: step(2), b: step(3), c: sleep(5) }, { concurrency });
          const tried = yield* savepoint(function* () {
            yield* all(
              [11, 12, 13].map((input) => step(input)),
              { concurrency },
            );
          });
          return [record.a, record.b, tried.isErr()];
        },
      });
      const result = await live([group], async (engine) => engine.run(group, 0, { id: "s" }));
      const undone = told().filter((call) => call.startsWith("undo"));
      return {
        result,
        done: told()
          .filter((call) => !call.startsWith("undo"))
          .toSorted(),
        undone: undone.toSorted(),
      };
    });
    expect(undisturbed).toEqual({
      result: ok([2, 3, true]),
      done: ["step 1", "step 11", "step 12", "step 13", "step 2", "step 3"],
      undone: ["undo step 11", "undo step 12"],
    });
    expect(lives.length).toBeGreaterThan(15);
    for (const { death, left } of lives) expect({ death, ...left }).toEqual({ death, ...undisturbed });
  },
);
