// Goal: a body runs as it reads, over a journal that is ahead of every call. Method: sagas on a virtual timer; what participants saw, what was committed.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { all, fail, fault, now, saga, sagaId, savepoint, uuid } from "../../src/index.ts";
import type { AppendRequest } from "../../src/journal.ts";
import { VIRTUAL_START_MS } from "../virtual-timer.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

const refused = err({ _tag: "Refused" } as const);

describe("the journal", () => {
  test.each([0, 1, 2, 7])("%d sequential steps take one append more than there are steps", async (count) => {
    const bench = createBench();
    const { compensatable } = createParticipants();
    const a = compensatable("a");
    const chain = saga({
      name: "chain",
      input: numberInput,
      *run(steps) {
        let sum = 0;
        for (let index = 1; index <= steps; index++) sum += yield* a(index);
        return sum;
      },
    });
    const { engine } = bench.open([chain]);
    expect((await engine.run(chain, count, { id: "s" }))._unsafeUnwrap()).toBe((count * (count + 1)) / 2);
    expect(bench.commits.length).toBe(count + 1);
    expect(bench.commits.map(({ sequence, epoch }) => [sequence, epoch])).toEqual(
      Array.from({ length: count + 1 }, (_, sequence) => [sequence, 1]),
    );
  });

  test("retries of one operation take no append of their own", async () => {
    const bench = createBench();
    const { compensatable } = createParticipants();
    const a = compensatable("a", { run: (input, nth) => (nth < 4 ? err(fault("NotSent", "refused")) : ok(input)) });
    const one = saga({
      name: "one",
      input: numberInput,
      *run(input) {
        return yield* a(input);
      },
    });
    await bench.open([one]).engine.run(one, 1, { id: "s" });
    expect(bench.commits.length).toBe(2);
  });

  test("I4: every call, of actions and compensations, finds its intent on the disk", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const intents = (): readonly string[] =>
      bench
        .entries("s")
        .flatMap(({ _tag, path }) =>
          _tag.endsWith("Intended") ? [`${_tag === "OperationIntended" ? "" : "undo "}${path as string}`] : [],
        );
    const seen: string[] = [];
    const watch = (what: string) => {
      if (!intents().includes(what)) seen.push(what);
    };
    const a = participants.compensatable("a", {
      run: (input) => {
        watch("run/a");
        return ok(input);
      },
      compensate: () => {
        watch("undo run/a");
        return ok(undefined);
      },
    });
    const b = participants.compensatable("b", {
      run: () => {
        watch("run/b");
        return refused;
      },
    });
    const pair = saga({
      name: "pair",
      input: numberInput,
      *run(input) {
        yield* a(input);
        yield* b(input);
      },
    });
    await bench.open([pair]).engine.run(pair, 1, { id: "s" });
    expect(participants.told()).toEqual(["a 1", "b 1", "undo a 1"]);
    expect(seen).toEqual([]);
  });

  test("the last record of a saga has its status, for a list that reads no records", async () => {
    const bench = createBench();
    const { compensatable } = createParticipants();
    const b = compensatable("b", { run: () => refused });
    const back = saga({
      name: "back",
      input: numberInput,
      *run(input) {
        yield* b(input);
      },
    });
    await bench.open([back]).engine.run(back, 1, { id: "s" });
    expect(bench.commits.map(({ status }: AppendRequest) => status)).toEqual(["running", "compensated"]);
  });
});

describe("a call", () => {
  test("says whose it is: saga, key, when it was issued, which attempt, how long it has", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a", {
      run: (input, nth) => (nth === 1 ? err(fault("Unknown", "reset")) : ok(input)),
      retry: { timeoutMs: 4_000 },
    });
    const b = participants.compensatable("b", { run: () => refused });
    const pair = saga({
      name: "pair",
      input: numberInput,
      *run(input) {
        yield* a(input);
        yield* b(input);
      },
    });
    await bench.open([pair]).engine.run(pair, 1, { id: "s" });
    const [first, second] = participants.of("a").map(({ call }) => call);
    expect(first).toMatchObject({ sagaId: "s", key: "s/run/a/action", issuedAt: VIRTUAL_START_MS, attempt: 1, timeoutMs: 4_000 });
    expect(second).toMatchObject({ key: "s/run/a/action", issuedAt: VIRTUAL_START_MS, attempt: 2 });
    expect(first?.signal.aborted).toBe(false);

    const [undo] = participants.of("a", "compensation");
    expect(undo?.call).toMatchObject({ sagaId: "s", key: "s/run/a/compensation", attempt: 1, timeoutMs: 10_000 });
    expect(undo?.call.issuedAt).toBe(VIRTUAL_START_MS + 50);
    expect(undo?.undoes).toEqual({ key: "s/run/a/action", issuedAt: VIRTUAL_START_MS, known: "succeeded" });
    expect(undo?.outcome).toEqual({ _tag: "Succeeded", output: 1 });
    expect(undo?.cause).toEqual({ _tag: "RejectedCause", error: { _tag: "Refused" } });
  });

  test("of a compensation in doubt is told so, and that there is no output", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a", { run: () => err(fault("Unknown", "reset")), retry: { attempts: 2 } });
    const one = saga({
      name: "one",
      input: numberInput,
      *run(input) {
        return yield* a(input);
      },
    });
    const result = await bench.open([one]).engine.run(one, 1, { id: "s" });
    expect(result._unsafeUnwrapErr()).toEqual({
      _tag: "SagaFaulted",
      sagaId: "s",
      path: "run/a",
      step: "a",
      fault: { _tag: "Unknown", message: "reset" },
    });
    const [undo] = participants.of("a", "compensation");
    expect(undo?.undoes).toEqual({ key: "s/run/a/action", issuedAt: VIRTUAL_START_MS, known: "inDoubt" });
    expect(undo?.outcome).toEqual({ _tag: "InDoubt", known: "nothing" });
    expect(undo?.cause).toMatchObject({ _tag: "FaultedCause", path: "run/a", step: "a", fault: { _tag: "Unknown", message: "reset" } });
  });

  test("I5: occurrences of one step have keys of their own, by scope and place", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a");
    const inner = saga({
      name: "inner",
      input: numberInput,
      *run(input) {
        yield* a(input);
        return yield* a(input + 1);
      },
    });
    const outer = saga({
      name: "outer",
      input: numberInput,
      *run() {
        yield* a(0);
        yield* a(1);
        yield* all([a(2), a(3)]);
        yield* all({ "left/x~": a(4), right: inner(5) });
        yield* inner(7);
        yield* savepoint(function* () {
          return yield* a(9);
        });
      },
    });
    await bench.open([outer]).engine.run(outer, 0, { id: "s" });
    const keys = participants.made.map(({ input, call }) => [input, call.key]);
    expect(Object.fromEntries(keys)).toEqual({
      0: "s/run/a/action",
      1: "s/run/a~2/action",
      2: "s/run/all/0/a/action",
      3: "s/run/all/1/a/action",
      4: "s/run/all~2/left%2Fx%7E/a/action",
      5: "s/run/all~2/right/inner/a/action",
      6: "s/run/all~2/right/inner/a~2/action",
      7: "s/run/inner/a/action",
      8: "s/run/inner/a~2/action",
      9: "s/run/savepoint/a/action",
    });
  });
});

describe("values in a body", () => {
  test("are frozen: its input, and what steps answered", async () => {
    const bench = createBench();
    const { compensatable } = createParticipants();
    const a = compensatable("a", { run: () => ok({ lines: [{ id: 1 }] } as unknown as number) });
    const frozen: boolean[] = [];
    const one = saga({
      name: "one",
      input: z.object({ lines: z.array(z.object({ id: z.number() })) }),
      *run(input) {
        const output = (yield* a(1)) as unknown as typeof input;
        for (const value of [input, output])
          frozen.push(Object.isFrozen(value), Object.isFrozen(value.lines), Object.isFrozen(value.lines[0]));
      },
    });
    await bench.open([one]).engine.run(one, { lines: [{ id: 1 }] }, { id: "s" });
    expect(frozen).toEqual([true, true, true, true, true, true]);
  });

  test("are the same on replay: now, uuid and sagaId", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a");
    const b = participants.compensatable("b", { run: () => new Promise<never>(() => undefined) });
    const seen: unknown[] = [];
    const one = saga({
      name: "one",
      input: numberInput,
      *run(input) {
        const values = [yield* now(), yield* uuid(), yield* uuid(), yield* sagaId()];
        yield* a(input);
        values.push(yield* now(), yield* uuid());
        seen.push(values);
        yield* b(input);
      },
    });
    bench.timer.pause();
    const first = bench.open([one]);
    await first.engine.start(one, 1, { id: "s" });
    await bench.timer.advance(5_000);
    first.kill();
    const second = bench.open([one], { random: () => 0.7 });
    await second.engine.recovered;
    await bench.timer.idle();
    expect(seen.length).toBe(2);
    expect(seen[1]).toEqual(seen[0]);
    const [at, first1, second1, id, later, third] = seen[0] as readonly unknown[];
    expect([at, id, later]).toEqual([VIRTUAL_START_MS, "s", VIRTUAL_START_MS]);
    expect(new Set([first1, second1, third]).size).toBe(3);
    second.kill();
  });

  test("uuids differ from saga to saga, even with the same id on another store", async () => {
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        return yield* uuid();
      },
    });
    const run = async (random: () => number) =>
      (await createBench().open([one], { random }).engine.run(one, 1, { id: "s" }))._unsafeUnwrap();
    expect(await run(() => 0.1)).not.toBe(await run(() => 0.2));
  });

  test("an output that is nothing is undefined, live and on replay", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a", { run: () => ok(undefined as unknown as number) });
    const one = saga({
      name: "one",
      input: numberInput,
      *run(input) {
        return { got: yield* a(input) };
      },
    });
    const { engine } = bench.open([one]);
    expect((await engine.run(one, 1, { id: "s" }))._unsafeUnwrap()).toEqual({});
    expect((await bench.open([one]).engine.result(one, "s"))._unsafeUnwrap()).toEqual({});
  });
});

describe("going back", () => {
  test("I3: in reverse order of completion, each settled before the one before it starts; members of one all side by side", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const [a, b, c, d] = (["a", "b", "c", "d"] as const).map((name) => participants.compensatable(name));
    if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error("four steps");
    const e = participants.compensatable("e", { run: () => refused });
    const order = saga({
      name: "order",
      input: numberInput,
      *run() {
        yield* a(1);
        yield* all([b(2), c(3)]);
        yield* d(4);
        yield* e(5);
      },
    });
    expect((await bench.open([order]).engine.run(order, 0, { id: "s" }))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.told()).toEqual(["a 1", "b 2", "c 3", "d 4", "e 5", "undo d 4", "undo b 2", "undo c 3", "undo a 1"]);
    const tags = bench.entries("s").flatMap(({ _tag, path }) => (_tag === "CompensationIntended" ? [path] : []));
    expect(tags).toEqual(["run/d", "run/all/0/b", "run/all/1/c", "run/a"]);
  });

  test("I2: a step that failed without doubt is not undone, one that failed in doubt is", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const sure = participants.compensatable("sure", { run: () => err(fault("Faulted", "404")) });
    const unsure = participants.compensatable("unsure", { run: (_input, nth) => (nth === 1 ? err(fault("Unknown", "reset")) : refused) });
    const either = saga({
      name: "either",
      input: numberInput,
      *run(input) {
        return yield* input === 0 ? sure(0) : unsure(1);
      },
    });
    const { engine } = bench.open([either]);
    expect((await engine.run(either, 0, { id: "s" }))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaFaulted", step: "sure" });
    expect((await engine.run(either, 1, { id: "t" }))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.told()).toEqual(["sure 0", "unsure 1", "unsure 1", "undo unsure 1"]);
  });

  test("a compensation is attempted until it succeeds, under one key", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a", { compensate: (_input, nth) => (nth < 40 ? err(fault("Unknown", "reset")) : ok(undefined)) });
    const one = saga({
      name: "one",
      input: numberInput,
      *run(input) {
        yield* a(input);
        yield* fail({ _tag: "Changed", mind: true });
      },
    });
    expect((await bench.open([one]).engine.run(one, 1, { id: "s" }))._unsafeUnwrapErr()).toEqual({ _tag: "Changed", mind: true });
    const undos = participants.of("a", "compensation");
    expect(undos.length).toBe(40);
    expect(new Set(undos.map(({ call }) => call.key))).toEqual(new Set(["s/run/a/compensation"]));
  });

  test("a savepoint undoes its own steps, and only then the body goes on", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const [a, b, c] = [participants.compensatable("a"), participants.compensatable("b"), participants.compensatable("c")];
    const x = participants.compensatable("x", { run: () => refused });
    const saved = saga({
      name: "saved",
      input: numberInput,
      *run() {
        yield* a(1);
        const tried = yield* savepoint(function* () {
          yield* b(2);
          return yield* x(3);
        });
        yield* c(4);
        return tried.isErr() ? tried.error._tag : "none";
      },
    });
    expect((await bench.open([saved]).engine.run(saved, 0, { id: "s" }))._unsafeUnwrap()).toBe("Refused");
    expect(participants.told()).toEqual(["a 1", "b 2", "x 3", "undo b 2", "c 4"]);
  });

  test("what a savepoint kept is undone with the rest when the body fails later, and what it undid is not undone again", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const [a, b] = [participants.compensatable("a"), participants.compensatable("b")];
    const saved = saga({
      name: "saved",
      input: numberInput,
      *run() {
        yield* savepoint(function* () {
          yield* a(1);
          return 1;
        });
        yield* savepoint(function* () {
          yield* b(2);
          return yield* fail({ _tag: "NotThis" });
        });
        yield* fail({ _tag: "NorThat" });
      },
    });
    expect((await bench.open([saved]).engine.run(saved, 0, { id: "s" }))._unsafeUnwrapErr()).toEqual({ _tag: "NorThat" });
    expect(participants.told()).toEqual(["a 1", "b 2", "undo b 2", "undo a 1"]);
  });

  test("a nested saga's steps are undone with the caller's, in their place", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const [a, b] = [participants.compensatable("a"), participants.compensatable("b")];
    const inner = saga({
      name: "inner",
      input: z.object({ n: z.number() }),
      *run({ n }) {
        return yield* b(n);
      },
    });
    const outer = saga({
      name: "outer",
      input: numberInput,
      *run() {
        yield* a(1);
        const two = yield* inner({ n: 2 });
        yield* a(two + 1);
        yield* fail({ _tag: "Changed" });
      },
    });
    await bench.open([outer]).engine.run(outer, 0, { id: "s" });
    expect(participants.told()).toEqual(["a 1", "b 2", "a 3", "undo a 3", "undo b 2", "undo a 1"]);
  });
});

describe("all", () => {
  test("hands back outputs in the shape it was given, whatever the order of the answers", async () => {
    const bench = createBench();
    const { compensatable } = createParticipants();
    const a = compensatable("a", {
      run: async (input) => {
        await bench.timer.sleep(100 - input);
        return ok(input * 10);
      },
    });
    const shapes = saga({
      name: "shapes",
      input: numberInput,
      *run() {
        return {
          array: yield* all([a(1), a(2), a(3)]),
          record: yield* all({ x: a(4), y: a(5) }),
          none: yield* all([]),
          empty: yield* all({}),
        };
      },
    });
    expect((await bench.open([shapes]).engine.run(shapes, 0, { id: "s" }))._unsafeUnwrap()).toEqual({
      array: [10, 20, 30],
      record: { x: 40, y: 50 },
      none: [],
      empty: {},
    });
  });

  test("runs no more members side by side than its concurrency", async () => {
    const bench = createBench();
    const { compensatable } = createParticipants();
    let active = 0;
    let most = 0;
    const a = compensatable("a", {
      run: async (input) => {
        active += 1;
        most = Math.max(most, active);
        await bench.timer.sleep(10);
        active -= 1;
        return ok(input);
      },
    });
    const wide = saga({
      name: "wide",
      input: numberInput,
      *run(concurrency) {
        return yield* all(
          Array.from({ length: 9 }, (_, index) => a(index)),
          concurrency === 0 ? {} : { concurrency },
        );
      },
    });
    const { engine } = bench.open([wide]);
    const mostWith = async (concurrency: number) => {
      most = 0;
      expect((await engine.run(wide, concurrency, { id: `s${concurrency}` }))._unsafeUnwrap()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
      return most;
    };
    expect([await mostWith(1), await mostWith(2), await mostWith(0)]).toEqual([1, 2, 9]);
  });

  test("after its first failure starts nothing more, awaits what is in flight, and fails with the first failure", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const slow = participants.compensatable("slow", {
      run: async (input) => {
        await bench.timer.sleep(1_000);
        return ok(input);
      },
    });
    const no = participants.compensatable("no", { run: (input) => err({ _tag: "Refused", why: String(input) }) });
    const later = participants.compensatable("later");
    const some = saga({
      name: "some",
      input: numberInput,
      *run() {
        yield* all([slow(1), no(2), no(3), later(4), later(5)], { concurrency: 2 });
      },
    });
    expect((await bench.open([some]).engine.run(some, 0, { id: "s" }))._unsafeUnwrapErr()).toEqual({ _tag: "Refused", why: "2" });
    expect(participants.told()).toEqual(["slow 1", "no 2", "undo slow 1"]);
  });

  test("ends a member's wait for its next attempt when another fails, and undoes it in doubt", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const shaky = participants.compensatable("shaky", { run: () => err(fault("Unknown", "reset", { retryAfterMs: 20_000 })) });
    const no = participants.compensatable("no", {
      run: async () => {
        await bench.timer.sleep(10);
        return refused;
      },
    });
    const some = saga({
      name: "some",
      input: numberInput,
      *run() {
        yield* all([shaky(1), no(2)]);
      },
    });
    expect((await bench.open([some]).engine.run(some, 0, { id: "s" }))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.told()).toEqual(["shaky 1", "no 2", "undo shaky 1"]);
    expect(participants.of("shaky", "compensation")[0]?.outcome).toEqual({ _tag: "InDoubt", known: "nothing" });
    expect(bench.timer.now() - VIRTUAL_START_MS).toBe(10);
  });

  test("undoes a member whose output was lost, when another fails meanwhile, instead of parking for the output", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const lost = participants.compensatable("lost", {
      run: async () => {
        await bench.timer.sleep(100);
        return err(fault("Unreadable", "no JSON"));
      },
      retry: { attempts: 1 },
    });
    const no = participants.compensatable("no", {
      run: async () => {
        await bench.timer.sleep(10);
        return refused;
      },
    });
    const some = saga({
      name: "some",
      input: numberInput,
      *run() {
        yield* all([lost(1), no(2)]);
      },
    });
    expect((await bench.open([some]).engine.run(some, 0, { id: "s" }))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.of("lost", "compensation")[0]).toMatchObject({
      outcome: { _tag: "InDoubt", known: "succeeded" },
      undoes: { known: "succeeded" },
    });
  });

  test("whose member fails before any call was made makes none", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a");
    const some = saga({
      name: "some",
      input: numberInput,
      *run() {
        yield* all([a(1), a(new Date(0) as unknown as number), a(3)]);
      },
    });
    const result = await bench.open([some]).engine.run(some, 0, { id: "s" });
    expect(result._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaFaulted",
      path: "run/all/1/a",
      fault: { _tag: "Faulted", message: "the input of step a is no JSON: the value is an instance of Date" },
    });
    expect(participants.told()).toEqual([]);
  });

  test("takes generators as members: each a sequence of its own, undone as one", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const [a, b] = [participants.compensatable("a"), participants.compensatable("b")];
    const per = saga({
      name: "per",
      input: numberInput,
      *run() {
        const sums = yield* all(
          [10, 20].map(function* (line) {
            const first = yield* a(line);
            return first + (yield* b(line + 1));
          }),
        );
        yield* fail({ _tag: "Sums", sums });
      },
    });
    expect((await bench.open([per]).engine.run(per, 0, { id: "s" }))._unsafeUnwrapErr()).toEqual({ _tag: "Sums", sums: [21, 41] });
    expect(participants.told().slice(0, 4)).toEqual(["a 10", "a 20", "b 11", "b 21"]);
    expect(participants.told().slice(4)).toEqual(["undo b 11", "undo b 21", "undo a 10", "undo a 20"]);
    expect(participants.of("b").map(({ call }) => call.key)).toEqual(["s/run/all/0/b/action", "s/run/all/1/b/action"]);
  });
});

describe("a body that is wrong", () => {
  const a = () => createParticipants();

  test("that throws before the pivot goes back, with its message and without its stack", async () => {
    const bench = createBench();
    const participants = a();
    const step = participants.compensatable("a");
    const throwing = saga({
      name: "throwing",
      input: numberInput,
      *run(input) {
        yield* step(input);
        throw new TypeError("cannot read");
      },
    });
    expect((await bench.open([throwing]).engine.run(throwing, 1, { id: "s" }))._unsafeUnwrapErr()).toEqual({
      _tag: "SagaFaulted",
      sagaId: "s",
      path: "run",
      step: undefined,
      fault: { _tag: "Faulted", message: "the body threw: cannot read" },
    });
    expect(participants.told()).toEqual(["a 1", "undo a 1"]);
  });

  test("that forgets a star fails loudly when it returns, with the name of the call", async () => {
    const bench = createBench();
    const participants = a();
    const [step, other] = [participants.compensatable("a"), participants.compensatable("b")];
    const forgetful = saga({
      name: "forgetful",
      input: numberInput,
      *run(input) {
        yield* step(input);
        other(input);
        return 1;
      },
    });
    const result = await bench.open([forgetful]).engine.run(forgetful, 1, { id: "s" });
    expect(result._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaFaulted",
      fault: { message: "the body called b and never yielded it: write yield*, with the star" },
    });
    expect(participants.told()).toEqual(["a 1", "undo a 1"]);
  });

  test("that forgets a star in a member of all, a savepoint, a nested saga or a helper is noticed there", async () => {
    const bench = createBench();
    const participants = a();
    const step = participants.compensatable("a");
    const nested = saga({
      name: "nested",
      input: numberInput,
      // biome-ignore lint/correctness/useYield: the star is forgotten
      *run(input) {
        step(input);
      },
    });
    function* helper() {
      step(1);
      return yield* now();
    }
    const forgetful = saga({
      name: "forgetful",
      input: numberInput,
      *run(where) {
        if (where === 0) yield* nested(1);
        if (where === 1) yield* helper();
        if (where === 2) all([step(1)]);
        if (where === 3) return (yield* savepoint(helper)).mapErr(({ _tag }) => _tag).isErr();
        return false;
      },
    });
    const { engine } = bench.open([forgetful]);
    const message = "never yielded it: write yield*, with the star";
    for (const [where, called] of [
      [0, "the body called a and"],
      [1, "the body called a and"],
      [2, "the body called all and"],
    ] as const) {
      const failed = (await engine.run(forgetful, where, { id: `s${where}` }))._unsafeUnwrapErr();
      expect(failed._tag === "SagaFaulted" && failed.fault.message).toBe(`${called} ${message}`);
    }
    expect((await engine.run(forgetful, 3, { id: "s3" }))._unsafeUnwrap()).toBe(true);
    expect(participants.told()).toEqual([]);
  });

  test("that makes a call first and yields it later, or hands it to all, has forgotten nothing", async () => {
    const bench = createBench();
    const participants = a();
    const step = participants.compensatable("a");
    const careful = saga({
      name: "careful",
      input: numberInput,
      *run() {
        const later = step(1);
        const together = all([step(2), step(3)]);
        const first = yield* step(0);
        yield* together;
        const inSavepoint = yield* savepoint(function* () {
          return yield* later;
        });
        return first + inSavepoint.unwrapOr(10);
      },
    });
    expect((await bench.open([careful]).engine.run(careful, 0, { id: "s" }))._unsafeUnwrap()).toBe(1);
  });

  test("that yields without the star is told what to write", async () => {
    const bench = createBench();
    const participants = a();
    const step = participants.compensatable("a");
    for (const [index, wrong] of [
      (): unknown => step(1),
      () => 1,
      () => null,
      () => Promise.resolve(1),
      () => ({ _tag: "Unheard" }),
    ].entries()) {
      const yielding = saga({
        name: "yielding",
        input: numberInput,
        *run() {
          yield wrong() as never;
          return 1;
        },
      });
      const result = await createBenchRun(bench, yielding, `s${index}`);
      expect(result).toMatchObject({
        _tag: "SagaFaulted",
        fault: { message: "the body yielded something that is no effect: yield* a step call, an effect or a Result" },
      });
    }
    expect(participants.told()).toEqual([]);
  });

  test("that is left early has its finally blocks run, and may not yield there", async () => {
    const bench = createBench();
    const participants = a();
    const [step, cleanup] = [participants.compensatable("a", { run: () => refused }), participants.compensatable("cleanup")];
    const closed: string[] = [];
    const tidy = saga({
      name: "tidy",
      input: numberInput,
      *run(mode) {
        try {
          yield* step(1);
        } finally {
          closed.push(`closed ${mode}`);
          if (mode === 1) yield* cleanup(2);
          // oxlint-disable-next-line eslint/no-unsafe-finally -- what a careless author writes
          if (mode === 2) throw new Error("cannot tidy");
        }
      },
    });
    const { engine } = bench.open([tidy]);
    expect((await engine.run(tidy, 0, { id: "s0" }))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect((await engine.run(tidy, 1, { id: "s1" }))._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaFaulted",
      fault: { message: "the body yields an effect from a finally block, which is refused; it was left because of: Refused" },
    });
    expect((await engine.run(tidy, 2, { id: "s2" }))._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaFaulted",
      fault: { message: "the body threw while it was left (cannot tidy); it was left because of: Refused" },
    });
    expect([closed, participants.told()]).toEqual([
      ["closed 0", "closed 1", "closed 2"],
      ["a 1", "a 1", "a 1"],
    ]);
  });

  test("that fails with what is no JSON, has no tag, or is a client's fault, fails as a fault", async () => {
    const bench = createBench();
    const failing = saga({
      name: "failing",
      input: numberInput,
      *run(mode) {
        if (mode === 0) yield* fail({ _tag: "Late", since: new Date(0) } as never);
        if (mode === 1) yield* fail({ code: 1 } as never);
        if (mode === 2) yield* err(fault("NotSent", "refused"));
        return new Map() as unknown as number;
      },
    });
    const { engine } = bench.open([failing]);
    const messageOf = async (mode: number) => {
      const failed = (await engine.run(failing, mode, { id: `s${mode}` }))._unsafeUnwrapErr();
      return failed._tag === "SagaFaulted" ? `${failed.fault._tag}: ${failed.fault.message}` : failed._tag;
    };
    expect([await messageOf(0), await messageOf(1), await messageOf(2), await messageOf(3)]).toEqual([
      "Faulted: the failure Late is no JSON: /since is an instance of Date",
      "Faulted: a failure needs a _tag",
      "NotSent: refused",
      "Faulted: the saga's value is no JSON: it is an instance of Map",
    ]);
  });

  test("that hands a nested saga what does not fit its schema, or breaks it, goes back with the reason", async () => {
    const bench = createBench();
    const participants = a();
    const step = participants.compensatable("a");
    const strict = saga({
      name: "strict",
      input: z.number().refine((value) => {
        if (value === 13) throw new Error("unlucky");
        return value > 0;
      }, "must be positive"),
      *run(input) {
        return yield* step(input);
      },
    });
    const slow = saga({
      name: "slow",
      input: z.number().refine(async () => true),
      *run(input) {
        return yield* step(input);
      },
    });
    const outer = saga({
      name: "outer",
      input: numberInput,
      *run(input) {
        yield* step(1);
        return yield* input === 99 ? slow(input) : strict(input);
      },
    });
    const { engine } = bench.open([outer]);
    const messageOf = async (input: number) => {
      const failed = (await engine.run(outer, input, { id: `s${input}` }))._unsafeUnwrapErr();
      return failed._tag === "SagaFaulted" ? failed.fault.message : failed._tag;
    };
    expect(await messageOf(0)).toBe("the input of saga strict does not fit: must be positive");
    const promised = "its schema answered with a promise, as asynchronous ones do and some that throw";
    expect(await messageOf(13)).toBe(`the input of saga strict does not fit: ${promised}`);
    expect(await messageOf(99)).toBe(`the input of saga slow does not fit: ${promised}`);
    expect(participants.told()).toEqual(["a 1", "undo a 1", "a 1", "undo a 1", "a 1", "undo a 1"]);
  });

  test("that yields a Result of another copy of neverthrow is understood", async () => {
    const bench = createBench();
    /** Structurally an Err, of no class that this process knows. */
    const foreignErr = { isOk: () => false, isErr: () => true, error: { _tag: "Foreign" } };
    const mixed = saga({
      name: "mixed",
      input: numberInput,
      *run() {
        yield foreignErr as never;
        return 1;
      },
    });
    expect((await bench.open([mixed]).engine.run(mixed, 1, { id: "s" }))._unsafeUnwrapErr()).toEqual({ _tag: "Foreign" });
  });
});

async function createBenchRun(bench: ReturnType<typeof createBench>, one: ReturnType<typeof sagaOfNumber>, id: string): Promise<unknown> {
  return (await bench.open([one]).engine.run(one, 1, { id }))._unsafeUnwrapErr();
}

function sagaOfNumber() {
  return saga({
    name: "yielding",
    input: numberInput,
    // biome-ignore lint/correctness/useYield: only its type is used
    *run() {
      return 1;
    },
  });
}
