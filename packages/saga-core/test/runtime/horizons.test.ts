// Goal: numbers that cannot all hold are found before anything runs, and named, both of them (FS-06). Method: engines created with sets of horizons that differ from a consistent one in
// one number each.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { createEngine, type Horizons, saga, step } from "../../src/index.ts";
import { createMemoryStore } from "../../src/journal.ts";
import { createBench, numberInput } from "./workbench.ts";

const SECOND = 1_000;
const DAY = 86_400_000;
const WEEK = 7 * DAY;

const act = step({ name: "act", run: (input: number) => ok(input), compensate: () => ok(undefined) });
const read = step.readOnly({ name: "read", run: (input: number) => ok(input) });
const go = step.pivot({ name: "go", run: (input: number) => ok(input) });
const finish = step.retriable({ name: "finish", run: (input: number) => ok(input) });

const timed = (deadline: number | undefined) =>
  saga({
    name: "timed",
    input: numberInput,
    deadline,
    *run(input) {
      return yield* act(input);
    },
  });

function create(horizons: Horizons, deadline?: number) {
  const bench = createBench();
  return createEngine({ sagas: [timed(deadline)], store: createMemoryStore({ now: bench.timer.now }), timer: bench.timer, horizons });
}

const slow = (retry: object, compensationRetry: object) =>
  step({ name: "slow", run: (input: number) => ok(input), compensate: () => ok(undefined), retry, compensationRetry });

/** What is in flight when the deadline passes, and the undo of `act`, with the defaults. */
const ACT_MS = 10 * SECOND + DAY + 10 * SECOND;

describe("horizons that agree pass:", () => {
  test.each<[what: string, horizons: Horizons, deadline: number | undefined]>([
    [
      "the defaults of every kind of step with a week of fence retention",
      { steps: [act, read, go, finish], fenceRetentionMs: WEEK },
      SECOND,
    ],
    [
      "a deadline of a day beside it, and sagas kept for a month",
      { steps: [act, go, finish], fenceRetentionMs: WEEK, sagaRetentionMs: 30 * DAY },
      DAY,
    ],
    ["no step at all", { steps: [], fenceRetentionMs: 1 }, undefined],
    ["no deadline, where nothing is undone", { steps: [read, go, finish], fenceRetentionMs: WEEK }, undefined],
    ["a deadline longer than the fence remembers, where nothing is undone", { steps: [finish], fenceRetentionMs: WEEK }, 30 * DAY],
    [
      "a deadline, an attempt in flight and an undo that end a millisecond before",
      { steps: [act], fenceRetentionMs: DAY + ACT_MS + 1 },
      DAY,
    ],
    ["a step that is given twice, and counts once", { steps: [act, act], fenceRetentionMs: DAY + ACT_MS + 1 }, DAY],
    [
      "a lease one millisecond shorter than the shortest time in which an undo is attempted",
      { steps: [act, slow({}, { horizonMs: 20 * SECOND })], fenceRetentionMs: WEEK, runningLeaseMs: 20 * SECOND - 1 },
      SECOND,
    ],
    [
      "a lease one millisecond shorter than the fence remembers, where nothing is undone",
      { steps: [read], fenceRetentionMs: DAY, runningLeaseMs: DAY - 1 },
      undefined,
    ],
    [
      "a read that takes longer than any fence remembers: it leaves nothing in one",
      {
        steps: [step.readOnly({ name: "read", run: (input: number) => ok(input), retry: { horizonMs: 2 * WEEK } })],
        fenceRetentionMs: WEEK,
      },
      undefined,
    ],
  ])("%s", async (_what, horizons, deadline) => {
    const engine = create(horizons, deadline);
    expect(await engine.recovered).toEqual({ adopted: 0, quarantined: 0 });
    expect(await engine.run(timed(deadline), 3, { id: "s" })).toEqual(ok(3));
  });
});

describe("horizons that disagree are refused, with both numbers:", () => {
  test.each<[what: string, horizons: Horizons, deadline: number | undefined, message: string]>([
    [
      "an action that may still be attempted when the fence has forgotten it",
      { steps: [slow({ horizonMs: WEEK }, {})], fenceRetentionMs: WEEK },
      undefined,
      "step slow, retry: its horizon of 604800000 ms and 10000 ms for the last attempt must be shorter than the fence retention of 604800000 ms",
    ],
    [
      "an undo that may",
      { steps: [act], fenceRetentionMs: DAY },
      undefined,
      "step act, compensationRetry: its horizon of 86400000 ms and 10000 ms for the last attempt must be shorter than the fence retention of 86400000 ms",
    ],
    [
      "an undo that may to the very millisecond",
      { steps: [act], fenceRetentionMs: DAY + 10 * SECOND },
      undefined,
      "step act, compensationRetry: its horizon of 86400000 ms and 10000 ms for the last attempt must be shorter than the fence retention of 86410000 ms",
    ],
    [
      "a retriable that may",
      { steps: [finish], fenceRetentionMs: DAY },
      undefined,
      "step finish, retry: its horizon of 86400000 ms and 10000 ms for the last attempt must be shorter than the fence retention of 86400000 ms",
    ],
    [
      "a pivot that may",
      { steps: [go], fenceRetentionMs: 30 * SECOND },
      undefined,
      "step go, retry: its horizon of 30000 ms and 10000 ms for the last attempt must be shorter than the fence retention of 30000 ms",
    ],
    [
      "an attempt that is longer than all attempts may take together",
      { steps: [slow({ horizonMs: 5 * SECOND, timeoutMs: 6 * SECOND }, {})], fenceRetentionMs: WEEK },
      undefined,
      "step slow, retry: one attempt of 6000 ms must be shorter than its horizon of 5000 ms",
    ],
    [
      "an attempt to undo that is",
      { steps: [slow({}, { horizonMs: 5 * SECOND, timeoutMs: 6 * SECOND })], fenceRetentionMs: WEEK },
      undefined,
      "step slow, compensationRetry: one attempt of 6000 ms must be shorter than its horizon of 5000 ms",
    ],
    [
      "an attempt to read that is",
      {
        steps: [step.readOnly({ name: "read", run: (input: number) => ok(input), retry: { horizonMs: 5, timeoutMs: 6 } })],
        fenceRetentionMs: WEEK,
      },
      undefined,
      "step read, retry: one attempt of 6 ms must be shorter than its horizon of 5 ms",
    ],
    [
      "a saga without a deadline, whose undo may come at any time",
      { steps: [read, act], fenceRetentionMs: WEEK },
      undefined,
      "saga timed: without a deadline, undos may come after any time, and must come within the fence retention of 604800000 ms",
    ],
    [
      "a deadline after which an undo may come too late",
      { steps: [act], fenceRetentionMs: WEEK },
      6 * DAY,
      "saga timed: the deadline of 518400000 ms, 10000 ms for what is in flight then and 86410000 ms for the undos after it must be shorter than the fence retention of 604800000 ms",
    ],
    [
      "one after which it may come too late to the very millisecond",
      { steps: [act], fenceRetentionMs: DAY + ACT_MS },
      DAY,
      "saga timed: the deadline of 86400000 ms, 10000 ms for what is in flight then and 86410000 ms for the undos after it must be shorter than the fence retention of 172820000 ms",
    ],
    [
      "undos that are each in time, and one after another are not",
      { steps: [act, slow({}, { horizonMs: 6 * DAY })], fenceRetentionMs: WEEK },
      SECOND,
      "saga timed: the deadline of 1000 ms, 10000 ms for what is in flight then and 604820000 ms for the undos after it must be shorter than the fence retention of 604800000 ms",
    ],
    [
      "the longest attempt in flight, that of a read included",
      {
        steps: [act, step.readOnly({ name: "read", run: (input: number) => ok(input), retry: { horizonMs: 6 * DAY, timeoutMs: 6 * DAY } })],
        fenceRetentionMs: WEEK,
      },
      SECOND,
      "saga timed: the deadline of 1000 ms, 518400000 ms for what is in flight then and 86410000 ms for the undos after it must be shorter than the fence retention of 604800000 ms",
    ],
    [
      "a pivot, which no deadline ends, that is rejected too late for the undos",
      {
        steps: [act, step.pivot({ name: "go", run: (input: number) => ok(input), retry: { horizonMs: 6 * DAY } })],
        fenceRetentionMs: WEEK,
      },
      SECOND,
      "saga timed: the deadline of 1000 ms, 518410000 ms for what is in flight then and 86410000 ms for the undos after it must be shorter than the fence retention of 604800000 ms",
    ],
    [
      "a lease as long as an undo is attempted, which would be given up before the participant may decide",
      { steps: [slow({}, { horizonMs: 20 * SECOND }), act], fenceRetentionMs: WEEK, runningLeaseMs: 20 * SECOND },
      SECOND,
      "the running lease of 20000 ms must be shorter than the horizon of 20000 ms of step slow, compensationRetry",
    ],
    [
      "a lease as long as the fence remembers",
      { steps: [read], fenceRetentionMs: DAY, runningLeaseMs: DAY },
      undefined,
      "the running lease of 86400000 ms must be shorter than the fence retention of 86400000 ms",
    ],
    [
      "sagas that are forgotten before their keys are",
      { steps: [act], fenceRetentionMs: WEEK, sagaRetentionMs: DAY },
      SECOND,
      "the fence retention of 604800000 ms, in which a repeated request may still find its operation must be shorter than the saga retention of 86400000 ms",
    ],
    [
      "sagas that are forgotten at the very moment",
      { steps: [act], fenceRetentionMs: WEEK, sagaRetentionMs: WEEK },
      SECOND,
      "the fence retention of 604800000 ms, in which a repeated request may still find its operation must be shorter than the saga retention of 604800000 ms",
    ],
  ])("%s", (_what, horizons, deadline, message) => {
    expect(() => create(horizons, deadline)).toThrow(message);
  });

  test.each<[what: string, horizons: Horizons]>([
    ["a fence retention that is no number", { steps: [act], fenceRetentionMs: Number.NaN }],
    ["a fence retention without end", { steps: [act], fenceRetentionMs: Number.POSITIVE_INFINITY }],
    ["a fence retention of a fraction", { steps: [], fenceRetentionMs: 0.5 }],
    ["a saga retention that is no number", { steps: [], fenceRetentionMs: WEEK, sagaRetentionMs: Number.NaN }],
    ["a running lease that is no number", { steps: [], fenceRetentionMs: WEEK, runningLeaseMs: Number.NaN }],
  ])("%s would agree with anything, and is refused", (_what, horizons) => {
    expect(() => create(horizons)).toThrow("must be a whole number of milliseconds from 1 on");
  });

  test("an engine that is refused has touched nothing", () => {
    const asked: string[] = [];
    const store = new Proxy(createMemoryStore(), {
      get(target, name) {
        asked.push(String(name));
        return Reflect.get(target, name);
      },
    });
    expect(() => createEngine({ sagas: [timed(undefined)], store, horizons: { steps: [act], fenceRetentionMs: 1 } })).toThrow(
      "must be shorter than",
    );
    // Whether it has workers is one of the numbers' business, and asks it for nothing.
    expect(asked.filter((member) => member !== "workers")).toEqual([]);
  });
});

describe("a deadline that is given with a start", () => {
  const horizons = { steps: [act], fenceRetentionMs: WEEK };
  const longest = WEEK - ACT_MS - 1;
  const refused = (deadline: string) =>
    err({
      _tag: "SagaRequestInvalid",
      sagaId: "s",
      issues: [
        {
          path: "deadline",
          message: `${deadline}, 10000 ms for what is in flight then and 86410000 ms for the undos after it must be shorter than the fence retention of 604800000 ms`,
        },
      ],
    });

  test("is refused when its undo may come too late, with both numbers, and nothing is started", async () => {
    const engine = create(horizons, DAY);
    expect(await engine.start(timed(DAY), 3, { id: "s", deadline: longest + 1 })).toEqual(refused("the deadline of 518380000 ms"));
    expect(await engine.run(timed(DAY), 3, { id: "s", deadline: { days: 30 } })).toEqual(refused("the deadline of 2592000000 ms"));
    expect(await engine.inspect("s")).toEqual(err({ _tag: "SagaNotFound", sagaId: "s" }));
  });

  test("is taken when it fits to the millisecond", async () => {
    expect(await create(horizons, DAY).run(timed(DAY), 3, { id: "s", deadline: longest })).toEqual(ok(3));
  });

  test("is not compared with anything where no step is undone, or no horizons were given", async () => {
    expect(await create({ steps: [read], fenceRetentionMs: WEEK }).run(timed(DAY), 3, { id: "s", deadline: 30 * DAY })).toEqual(ok(3));
    const { engine } = createBench().open([timed(undefined)]);
    expect(await engine.run(timed(undefined), 3, { id: "s", deadline: 30 * DAY })).toEqual(ok(3));
  });

  test("is wanted of a saga that the engine was not created with, and that has none of its own", async () => {
    const engine = create(horizons, DAY);
    expect((await engine.start(timed(undefined), 3, { id: "s" }))._unsafeUnwrapErr()).toEqual({
      _tag: "SagaRequestInvalid",
      sagaId: "s",
      issues: [
        {
          path: "deadline",
          message: "without a deadline, undos may come after any time, and must come within the fence retention of 604800000 ms",
        },
      ],
    });
    expect(await engine.inspect("s")).toEqual(err({ _tag: "SagaNotFound", sagaId: "s" }));
  });
});

test("with workers, a lease and the time until the next look may go by before the first undo", () => {
  const bench = createBench({ shared: true });
  bench.timer.pause();
  const undosMs = DAY + 10_000;
  const horizons = { steps: [act], fenceRetentionMs: 2 * DAY };
  const create = (leaseMs: number) => () => bench.open([timed(DAY - 60_000)], { horizons, leaseMs });
  expect(create(20_000)).not.toThrow();
  expect(create(50_000)).toThrow(`76667 ms for what is in flight then and ${undosMs} ms for the undos after it must be shorter`);
});
