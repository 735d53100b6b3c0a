import { emit, saga, signal, step, waitFor } from "@backstep/saga-core";
import { ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type ExploreOptions, explore, type Fenced, fenced, invariant, ProofFailed, prove, type Site } from "../src/index.ts";

interface Shelf {
  readonly books: { here: number; lent: number };
  readonly fence: Fenced;
  readonly site: Site;
}

function openShelf(site: Site): Shelf {
  return { books: { here: 3, lent: 0 }, fence: fenced(site, "shelf"), site };
}

function lendOf({ books, fence }: Shelf, undo: (outcome: { readonly _tag: string }) => boolean = () => true) {
  return step({
    name: "shelf.lend",
    run: (count: number, { call }) =>
      fence.act(call, count, () => {
        books.here -= count;
        books.lent += count;
        return ok(undefined);
      }),
    compensate: (count, { call, outcome }) =>
      undo(outcome)
        ? fence.undo(call, count, () => {
            books.here += count;
            books.lent -= count;
          })
        : ok(undefined),
  });
}

const LENT = { type: "shelf.lent", data: z.strictObject({}) };
const input = z.strictObject({ count: z.int().min(1) });

function lending(shelf: Shelf) {
  const lend = lendOf(shelf);
  return saga({
    name: "lending",
    input,
    *run({ count }) {
      yield* lend(count);
      yield* lend(count);
    },
  });
}

/** Wrong in doubt, so that one fault of a few kinds is enough. */
function lendingCarelessly(shelf: Shelf) {
  const lend = lendOf(shelf, ({ _tag }) => _tag === "Succeeded");
  return saga({
    name: "lending",
    input,
    *run({ count }) {
      yield* lend(count);
      yield* lend(count);
    },
  });
}

type Options = ExploreOptions<{ readonly count: number }, Shelf>;
const options = { input: { count: 1 }, participants: openShelf } as const satisfies Options;

describe("a random search", () => {
  test("plans as many faults as it is told, and counts those that took place", async () => {
    const { random, exhaustive } = await prove(lending, { ...options, faults: 0, random: { schedules: 300, faults: 3, seed: 1 } });
    expect(exhaustive).toEqual([1]);
    expect(random.reduce((sum, count) => sum + count, 0)).toBe(300);
    expect(random[3]).toBeGreaterThan(150);
  });

  test("is cut down to the deviations that matter, and replays", async () => {
    const explored = await explore(lendingCarelessly, { ...options, faults: 0, random: { schedules: 400, faults: 3, seed: 2 } });
    if (explored._tag === "Proved") throw new Error("nothing was found");
    const { schedule } = explored.counterexample;
    expect(schedule.split(" ").filter((word) => !word.startsWith("seed="))).toHaveLength(1);
    const replayed = await explore(lendingCarelessly, { ...options, replay: schedule });
    if (replayed._tag === "Proved") throw new Error("it does not replay");
    expect(replayed.counterexample.timeline).toBe(explored.counterexample.timeline);
    expect(replayed.summary.replayed).toBe(true);
  });
});

describe("a bound", () => {
  test("is kept, and what it cut off is told", async () => {
    const { exhaustive, leftOut } = await prove(lending, { ...options, schedulesMax: 10, random: { schedules: 5 } });
    expect(exhaustive.reduce((sum, count) => sum + count, 0)).toBe(10);
    expect(leftOut).toMatch(
      /^\d+ schedules that were known by then, and what follows from them; and all random ones \(schedulesMax, 10\)$/,
    );
  });

  test("that is just enough cuts nothing off", async () => {
    const all = await prove(lending, { ...options, faults: 1 });
    const schedules = all.exhaustive.reduce((sum, count) => sum + count, 0);
    const { leftOut } = await prove(lending, { ...options, faults: 1, schedulesMax: schedules });
    expect(leftOut).toBeUndefined();
  });
});

describe("options that do not fit are refused, with the reason", () => {
  test.each<readonly [string, Partial<Options>]>([
    ["faults: a whole number from 0; found NaN", { faults: Number.NaN }],
    ["decisions: a whole number from 0; found -1", { decisions: -1 }],
    ["random.schedules: a whole number from 1; found -1", { random: { schedules: -1 } }],
    ["random.faults: a whole number from 1; found 0", { random: { schedules: 1, faults: 0 } }],
    ["random.seed: a whole number from 0 to 2147483647; found 1.5", { random: { schedules: 1, seed: 1.5 } }],
    ["schedulesMax: a whole number from 1; found 0", { schedulesMax: 0 }],
    ["inputs: one saga is started for each; found none", { input: undefined, inputs: [] }],
    ["input starts one saga, inputs several; found both", { inputs: [{ count: 1 }] }],
    ["state leaves out times", { state: () => 0, outside: async () => undefined }],
    ["replay: explode is no fault", { replay: "1:explode" }],
    ["replay: 99:cancel does not fit this saga", { replay: "99:cancel" }],
  ])("%s", async (message, wrong) => {
    await expect(explore(lending, { ...options, ...wrong })).rejects.toThrow(message);
  });

  test("an input that the saga refuses is no broken law", async () => {
    const proof = prove(lending, { ...options, input: { count: 0 } });
    await expect(proof).rejects.toThrow(/the input does not fit the saga: input\/count: /);
  });
});

describe("what is handed in and throws is told with the schedule", () => {
  const broken = () => {
    throw new Error("spoilt");
  };

  test.each<readonly [string, Partial<Options>]>([
    ["participants", { participants: broken }],
    ["onEvent", { onEvent: broken }],
    ["outside", { outside: broken }],
    ["state", { state: broken }],
  ])("%s", async (what, wrong) => {
    const failed = await explore(what === "onEvent" ? lendingWithNews : lending, { ...options, ...wrong }).catch(
      (thrown: unknown) => thrown,
    );
    expect(failed).toBeInstanceOf(ProofFailed);
    expect((failed as ProofFailed).message).toBe('under the schedule "calm": spoilt');
  });

  test("a state that is no JSON", async () => {
    await expect(explore(lending, { ...options, state: () => new Map() })).rejects.toThrow(
      /state hands back JSON; it is an instance of Map/,
    );
  });

  test("participants that wait for what never comes", async () => {
    const participants = () => new Promise<Shelf>(() => undefined);
    await expect(explore(lending, { ...options, participants })).rejects.toThrow(/it waits for something that is neither virtual time/);
  });

  test("a choice that could not be written into a schedule", async () => {
    const choosing = (shelf: Shelf) => {
      shelf.site.choose("shelf", ["yes", "no way"]);
      return lending(shelf);
    };
    await expect(explore(choosing, options)).rejects.toThrow(/alternatives are different words/);
  });
});

function lendingWithNews(shelf: Shelf) {
  const lend = lendOf(shelf);
  return saga({
    name: "lending",
    input,
    *run({ count }) {
      yield* lend(count);
    },
    *complete() {
      yield* emit(LENT, {});
    },
  });
}

describe("faults do as they say", () => {
  test("take-over: the record of the old owner comes too late, and its effect is none the more", async () => {
    const explored = await explore(lending, { ...options, laws: [invariant("shown", () => "to be looked at")], replay: "3:take-over" });
    if (explored._tag === "Proved") throw new Error("the law should have been broken");
    const { timeline } = explored.counterexample;
    expect(timeline.indexOf("✗ take-over")).toBeLessThan(timeline.indexOf("process 2"));
    expect(timeline.slice(timeline.indexOf("✗ take-over")).split("\n")[1]).not.toContain("process 1    journal");
  });

  test("pass-deadline: strikes while it is ahead, and once", async () => {
    const { named, coverage } = await prove(lendingInTime, { ...options, faults: 1 });
    expect(coverage["pass-deadline"]).toBeGreaterThan(0);
    expect(coverage["pass-deadline"]).toBeLessThan(coverage["die-before"] ?? 0);
    expect([...named.keys()]).toContain("FS-49");
  });

  test("somebody outside reaches the saga through deaths, in virtual time", async () => {
    const { leftOut } = await prove(lendingOnWord, {
      ...options,
      faults: 1,
      outside: async ({ sagaIds: [sagaId = ""], sleep, signal: send }) => {
        await sleep(60_000);
        await send(sagaId, word, "go", "key");
      },
    });
    expect(leftOut).toBeUndefined();
  });
});

function lendingInTime(shelf: Shelf) {
  const lend = lendOf(shelf);
  return saga({
    name: "lending",
    input,
    deadline: { hours: 1 },
    *run({ count }) {
      yield* lend(count);
      yield* lend(count);
    },
  });
}

const word = signal({ name: "lending.word", payload: z.string() });

function lendingOnWord(shelf: Shelf) {
  const lend = lendOf(shelf);
  return saga({
    name: "lending",
    input,
    *run({ count }) {
      yield* waitFor(word);
      yield* lend(count);
    },
  });
}

describe("a saga that is parked when its deadline passes", () => {
  test("was parked, whatever becomes of it while others go on", async () => {
    const { replayed } = await prove(lendingWithReceipt, {
      ...options,
      input: undefined,
      inputs: [{ count: 1 }, { count: 1 }],
      replay: "seed=80906459 5:take-over 8:pass-deadline 9:garble",
    });
    expect(replayed).toBe(true);
  });
});

function lendingWithReceipt({ books, fence }: Shelf) {
  const lend = step({
    name: "shelf.lend",
    output: z.string(),
    run: (count: number, { call }) =>
      fence.act(call, count, () => {
        books.here -= count;
        books.lent += count;
        return ok("receipt");
      }),
    compensate: (count, { call }) =>
      fence.undo(call, count, () => {
        books.here += count;
        books.lent -= count;
      }),
  });
  return saga({
    name: "lending",
    input,
    deadline: { hours: 1 },
    *run({ count }) {
      yield* lend(count);
      yield* lend(count);
    },
  });
}
