// Goal: numbers that cannot all hold are found before anything runs, and named, both of them (FS-06). Method: engines created with sets of horizons that differ from a consistent one in
// one number each.
import { ok } from "neverthrow";
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

describe("horizons that agree pass:", () => {
  test.each<[what: string, horizons: Horizons, deadline: number | undefined]>([
    [
      "the defaults of every kind of step with a week of fence retention",
      { steps: [act, read, go, finish], fenceRetentionMs: WEEK },
      undefined,
    ],
    [
      "a deadline of a day beside it, and sagas kept for a month",
      { steps: [act, go, finish], fenceRetentionMs: WEEK, sagaRetentionMs: 30 * DAY },
      DAY,
    ],
    ["no step at all", { steps: [], fenceRetentionMs: 1 }, undefined],
    ["one millisecond more than the longest undo may take", { steps: [act], fenceRetentionMs: DAY + 10 * SECOND + 1 }, undefined],
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
  const slow = (retry: object, compensationRetry: object) =>
    step({ name: "slow", run: (input: number) => ok(input), compensate: () => ok(undefined), retry, compensationRetry });

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
      "a deadline after which an undo may come too late",
      { steps: [act], fenceRetentionMs: WEEK },
      6 * DAY,
      "saga timed: its deadline of 518400000 ms and 86410000 ms for the longest undo after it must be shorter than the fence retention of 604800000 ms",
    ],
    [
      "sagas that are forgotten before their keys are",
      { steps: [act], fenceRetentionMs: WEEK, sagaRetentionMs: DAY },
      undefined,
      "the fence retention of 604800000 ms, in which a repeated request may still find its operation must be shorter than the saga retention of 86400000 ms",
    ],
    [
      "sagas that are forgotten at the very moment",
      { steps: [act], fenceRetentionMs: WEEK, sagaRetentionMs: WEEK },
      undefined,
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
    expect(asked).toEqual([]);
  });
});
