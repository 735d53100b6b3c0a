// Goal (I14): a signal that was accepted is taken once, in order, by whoever waits for it, whenever it comes and whatever dies. Method: sagas that wait in every place, a virtual
// timer, processes that die at every append.
import { err, ok, type Result } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type AnySaga,
  all,
  type Engine,
  fail,
  fault,
  type SignalTimedOut,
  saga,
  savepoint,
  signal,
  sleep,
  waitFor,
} from "../../src/index.ts";
import { VIRTUAL_START_MS } from "../virtual-timer.ts";
import { expectSameEndAfterEveryDeath } from "./same-end.ts";
import { slowStore } from "./slow-store.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

const HOUR = 3_600_000;

const approved = signal({ name: "approved", payload: z.number() });
const told = signal({ name: "told", payload: z.object({ by: z.string(), lines: z.array(z.number()) }) });

function setUp() {
  const bench = createBench();
  bench.timer.pause();
  const participants = createParticipants();
  const note = participants.compensatable("note");
  const slow = participants.compensatable("slow", {
    run: async (input) => {
      await bench.timer.sleep(HOUR);
      return ok(input);
    },
    retry: { timeoutMs: 2 * HOUR },
  });
  /** Notes the payload of one signal. */
  const hopeful = saga({
    name: "hopeful",
    input: numberInput,
    *run() {
      return yield* note(yield* waitFor(approved));
    },
  });
  return { bench, participants, note, slow, hopeful };
}

const send = (engine: Engine, payload: number, key = `k${payload}`) => engine.signal("s", approved, payload, { key });

async function begin(bench: ReturnType<typeof createBench>, one: AnySaga): Promise<Engine> {
  const { engine } = bench.open([one]);
  (await engine.start(one, 0, { id: "s" }))._unsafeUnwrap();
  await bench.timer.idle();
  return engine;
}

describe("a signal", () => {
  test("ends the wait for it and hands over its payload", async () => {
    const { bench, participants, hopeful } = setUp();
    const engine = await begin(bench, hopeful);
    expect((await send(engine, 7)).isOk()).toBe(true);
    expect((await engine.result(hopeful, "s"))._unsafeUnwrap()).toBe(7);
    expect(participants.told()).toEqual(["note 7"]);
  });

  test("that comes before anybody waits is kept for the first who does", async () => {
    const { bench, participants, slow, note } = setUp();
    const patient = saga({
      name: "patient",
      input: numberInput,
      *run() {
        yield* slow(1);
        return yield* note(yield* waitFor(approved));
      },
    });
    const engine = await begin(bench, patient);
    expect((await send(engine, 7)).isOk()).toBe(true);
    await bench.timer.advance(HOUR);
    expect(participants.told()).toEqual(["slow 1", "note 7"]);
    expect(bench.entries("s").map(({ _tag }) => _tag)).toEqual([
      "SagaStarted",
      "OperationIntended",
      "SignalReceived",
      "OperationSettled",
      "WaitBegan",
      "SignalTaken",
      "OperationIntended",
      "OperationSettled",
      "SagaCompleted",
    ]);
  });

  test("of one name goes to those who wait in order of their waiting, and is handed out in order of its coming", async () => {
    const { bench, note } = setUp();
    const three = saga({
      name: "three",
      input: numberInput,
      *run() {
        const [first, second] = yield* all([waitFor(approved), waitFor(approved)]);
        const third = yield* waitFor(approved);
        yield* note(third);
        return [first, second, third];
      },
    });
    const engine = await begin(bench, three);
    for (const payload of [30, 10, 20]) (await send(engine, payload))._unsafeUnwrap();
    expect((await engine.result(three, "s"))._unsafeUnwrap()).toEqual([30, 10, 20]);
  });

  test("is taken by nobody who waits for another", async () => {
    const { bench, note } = setUp();
    const both = saga({
      name: "both",
      input: numberInput,
      *run() {
        const { by } = yield* waitFor(told);
        return [by, yield* note(yield* waitFor(approved))];
      },
    });
    const engine = await begin(bench, both);
    (await send(engine, 7))._unsafeUnwrap();
    await bench.timer.idle();
    expect(bench.disk.sagas.get("s")?.status).toBe("waiting");
    (await engine.signal("s", told, { by: "ada", lines: [] }, { key: "k7-of-another-name" }))._unsafeUnwrap();
    expect((await engine.result(both, "s"))._unsafeUnwrap()).toEqual(["ada", 7]);
  });

  test("is frozen, and the same on replay as it was live, whatever its sender does to it afterwards", async () => {
    const { bench, note } = setUp();
    const seen: unknown[] = [];
    const reader = saga({
      name: "reader",
      input: numberInput,
      *run() {
        const payload = yield* waitFor(told);
        seen.push(payload, Object.isFrozen(payload), Object.isFrozen(payload.lines));
        yield* sleep({ hours: 1 });
        return yield* note(payload.lines.length);
      },
    });
    const engine = await begin(bench, reader);
    const given = { by: "ada", lines: [1, 2] };
    (await engine.signal("s", told, given, { key: "k" }))._unsafeUnwrap();
    given.lines.push(3);
    await bench.timer.advance(HOUR);
    expect((await engine.result(reader, "s"))._unsafeUnwrap()).toBe(2);
    const expected = [{ by: "ada", lines: [1, 2] }, true, true];
    expect(seen).toEqual([...expected, ...expected]);
  });

  test("may carry nothing, and what its schema makes of it is what the body gets", async () => {
    const { bench } = setUp();
    const nudge = signal({ name: "nudge", payload: z.undefined() });
    const trimmed = signal({ name: "trimmed", payload: z.string().transform((text) => text.trim()) });
    const both = saga({
      name: "both",
      input: numberInput,
      *run() {
        return { nothing: (yield* waitFor(nudge)) ?? "nothing", text: yield* waitFor(trimmed) };
      },
    });
    const engine = await begin(bench, both);
    (await engine.signal("s", nudge, undefined, { key: "a" }))._unsafeUnwrap();
    (await engine.signal("s", trimmed, "  x ", { key: "b" }))._unsafeUnwrap();
    expect((await engine.result(both, "s"))._unsafeUnwrap()).toEqual({ nothing: "nothing", text: "x" });
    expect((await engine.signal("s", nudge, undefined, { key: "a" }))._unsafeUnwrapErr()).toMatchObject({ reason: "ended" });
  });
});

describe("the key of a signal", () => {
  const twice = (note: ReturnType<typeof setUp>["note"]) =>
    saga({
      name: "twice",
      input: numberInput,
      *run() {
        const first = yield* waitFor(approved);
        return yield* note(first * 10 + (yield* waitFor(approved)));
      },
    });

  test("makes a repeated one the same, before it is taken and afterwards, here and in the next process", async () => {
    const { bench, participants, note } = setUp();
    const one = twice(note);
    const first = bench.open([one]);
    (await first.engine.start(one, 0, { id: "s" }))._unsafeUnwrap();
    for (let nth = 0; nth < 3; nth += 1) (await send(first.engine, 1))._unsafeUnwrap();
    await bench.timer.idle();
    (await send(first.engine, 1))._unsafeUnwrap();
    first.kill();
    const { engine } = bench.open([one]);
    (await send(engine, 1))._unsafeUnwrap();
    expect(participants.made).toEqual([]);
    (await send(engine, 2))._unsafeUnwrap();
    expect((await engine.result(one, "s"))._unsafeUnwrap()).toBe(12);
    expect(bench.entries("s").filter(({ _tag }) => _tag === "SignalReceived").length).toBe(2);
  });

  test("makes of many that come together one", async () => {
    const { bench, note } = setUp();
    const one = twice(note);
    const engine = await begin(bench, one);
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(engine, 1)));
    expect(answers.every((answer) => answer.isOk())).toBe(true);
    expect(bench.entries("s").filter(({ _tag }) => _tag === "SignalReceived").length).toBe(1);
  });

  test("is refused with another payload, or for another signal", async () => {
    const { bench, note } = setUp();
    const one = twice(note);
    const engine = await begin(bench, one);
    (await send(engine, 1, "k"))._unsafeUnwrap();
    expect((await send(engine, 2, "k"))._unsafeUnwrapErr()).toMatchObject({ _tag: "SignalRefused", sagaId: "s", reason: "keyReused" });
    const other = await engine.signal("s", told, { by: "ada", lines: [] }, { key: "k" });
    expect(other._unsafeUnwrapErr()).toMatchObject({ reason: "keyReused" });
    expect(bench.entries("s").filter(({ _tag }) => _tag === "SignalReceived").length).toBe(1);
  });

  test("says no sooner that it is known than its signal is durable", async () => {
    const { bench, note } = setUp();
    const one = twice(note);
    const disk = slowStore(({ record }) => record.includes("SignalReceived"));
    const { engine } = bench.open([one], { wrap: disk.wrap });
    (await engine.start(one, 0, { id: "s" }))._unsafeUnwrap();
    let answered = 0;
    const both = [send(engine, 1), send(engine, 1)].map((sending) => sending.then(() => (answered += 1)));
    await disk.reached;
    await bench.timer.idle();
    expect(answered).toBe(0);
    disk.letGo();
    await Promise.all(both);
  });

  test("is free again when the append of its signal failed: nobody is told that it was taken", async () => {
    const { bench, participants, hopeful } = setUp();
    let refusals = 1;
    const { engine } = bench.open([hopeful], {
      faults: { beforeCommit: ({ record }) => (record.includes("SignalReceived") && refusals-- > 0 ? "refuse" : undefined) },
    });
    (await engine.start(hopeful, 0, { id: "s" }))._unsafeUnwrap();
    const answers = await Promise.all([send(engine, 1), send(engine, 1)]);
    expect(answers.map((answer) => (answer.isOk() ? "taken" : answer.error._tag)).toSorted()).toEqual(["SagaUnavailable", "taken"]);
    await bench.timer.idle();
    expect(participants.told()).toEqual(["note 1"]);
  });
});

describe("a signal is refused, and nothing changed,", () => {
  test.each<[what: string, payload: unknown, key: unknown, reason: string]>([
    ["a payload that does not fit", "seven", "k", "payload: "],
    ["no payload", undefined, "k", "payload: "],
    ["an empty key", 7, "", "a signal's key has 1 to 255 characters"],
    ["a key that is too long", 7, "k".repeat(256), "a signal's key has 1 to 255 characters"],
    ["a key that is no text", 7, 7, "a signal's key has 1 to 255 characters"],
    ["a key that is no well-formed text", 7, "\uD800", "a signal's key has 1 to 255 characters"],
  ])("for %s", async (_what, payload, key, message) => {
    const { bench, hopeful } = setUp();
    const engine = await begin(bench, hopeful);
    const refused = (await engine.signal("s", approved, payload as never, { key: key as never }))._unsafeUnwrapErr();
    expect(refused).toMatchObject({ _tag: "SignalRefused", reason: "payloadInvalid" });
    expect(refused).toMatchObject({ message: expect.stringContaining(message) });
    expect(bench.commits.length).toBe(1);
  });

  test("for a payload that is no JSON, is too large, or whose schema throws", async () => {
    const { bench, hopeful } = setUp();
    const engine = await begin(bench, hopeful);
    const anything = signal({ name: "anything", payload: z.custom<string>(() => true) });
    const thrower = signal({
      name: "thrower",
      payload: z.string().transform((): string => {
        throw new Error("as told");
      }),
    });
    const give = async (given: unknown, which: typeof anything = anything) =>
      (await engine.signal("s", which, given as string, { key: "k" }))._unsafeUnwrapErr();
    expect(await give(new Date(0))).toMatchObject({
      reason: "payloadInvalid",
      message: "the payload is no JSON: it is an instance of Date",
    });
    expect(await give("x".repeat(1_048_577))).toMatchObject({
      reason: "payloadInvalid",
      message: expect.stringContaining("characters of JSON"),
    });
    expect(await give("x", thrower as never)).toMatchObject({ reason: "payloadInvalid", message: "payload: the schema threw: as told" });
    expect(bench.commits.length).toBe(1);
  });

  test("for a saga that there is not", async () => {
    const { bench, hopeful } = setUp();
    const { engine } = bench.open([hopeful]);
    expect((await send(engine, 1))._unsafeUnwrapErr()).toEqual({ _tag: "SagaNotFound", sagaId: "s" });
  });

  test("for a saga that has completed, was taken back or was abandoned", async () => {
    const { bench, participants, hopeful } = setUp();
    const no = participants.compensatable("no", { run: () => err({ _tag: "Refused" }) });
    const stuck = participants.compensatable("stuck", { run: () => err(fault("KeyReused", "as told")) });
    const [back, parks] = [no, stuck].map((step, nth) =>
      saga({
        name: `one-${nth}`,
        input: numberInput,
        *run() {
          yield* step(1);
        },
      }),
    );
    const sagas = { s: hopeful, b: back, p: parks } as const;
    const { engine } = bench.open(Object.values(sagas).filter((each) => each !== undefined));
    for (const [id, each] of Object.entries(sagas)) if (each !== undefined) await engine.start<number>(each, 0, { id });
    (await send(engine, 7))._unsafeUnwrap();
    await bench.timer.idle();
    (await engine.abandon("p", { by: "ada", reason: "sold" }))._unsafeUnwrap();
    for (const [id, status] of [
      ["s", "completed"],
      ["b", "compensated"],
      ["p", "abandoned"],
    ] as const) {
      const refused = (await engine.signal(id, approved, 7, { key: "late" }))._unsafeUnwrapErr();
      expect(refused).toMatchObject({ _tag: "SignalRefused", reason: "ended", message: `it is ${status}` });
    }
  });

  test("for a saga whose end is on its way to the journal", async () => {
    const { bench, hopeful } = setUp();
    const disk = slowStore(({ record }) => record.includes("SagaCompleted"));
    const { engine } = bench.open([hopeful], { wrap: disk.wrap });
    (await engine.start(hopeful, 0, { id: "s" }))._unsafeUnwrap();
    (await send(engine, 7))._unsafeUnwrap();
    await disk.reached;
    const late = send(engine, 8);
    await bench.timer.idle();
    disk.letGo();
    expect((await late)._unsafeUnwrapErr()).toMatchObject({ _tag: "SignalRefused", reason: "ended" });
    expect(bench.entries("s").at(-1)?._tag).toBe("SagaCompleted");
  });

  test("for a saga that keeps a thousand that nobody has taken; what was taken makes room", async () => {
    const { bench, participants, note } = setUp();
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* waitFor(told);
        yield* note(yield* waitFor(approved));
        yield* waitFor(told);
      },
    });
    const engine = await begin(bench, one);
    await Promise.all(Array.from({ length: 1_000 }, (_, nth) => send(engine, nth)));
    expect((await send(engine, 1_000))._unsafeUnwrapErr()).toMatchObject({ reason: "tooMany", message: "1000 signals wait to be taken" });
    expect((await send(engine, 999)).isOk()).toBe(true);
    expect((await engine.signal("s", told, { by: "ada", lines: [] }, { key: "t" }))._unsafeUnwrapErr()).toMatchObject({
      reason: "tooMany",
    });
    expect(participants.made).toEqual([]);
  });
});

describe("a wait with a timeout", () => {
  const timed = (note: ReturnType<typeof setUp>["note"]) =>
    saga({
      name: "timed",
      input: numberInput,
      *run() {
        const answer = yield* waitFor(approved, { timeout: { hours: 1 } });
        return yield* note(answer.isOk() ? answer.value : -1);
      },
    });

  test("hands back a Result: the payload when it came in time", async () => {
    const { bench, note } = setUp();
    const one = timed(note);
    const engine = await begin(bench, one);
    await bench.timer.advance(HOUR - 1);
    (await send(engine, 7))._unsafeUnwrap();
    expect((await engine.result(one, "s"))._unsafeUnwrap()).toBe(7);
    await bench.timer.advance(2 * HOUR);
    expect(bench.entries("s").filter(({ _tag }) => _tag === "TimerFired")).toEqual([]);
  });

  test("names the signal that did not come, and leaves a late one to whoever waits next", async () => {
    const { bench } = setUp();
    const again = saga({
      name: "again",
      input: numberInput,
      *run() {
        const first: Result<number, SignalTimedOut> = yield* waitFor(approved, { timeout: { hours: 1 } });
        return [first.isErr() ? first.error : null, yield* waitFor(approved)] as const;
      },
    });
    const engine = await begin(bench, again);
    await bench.timer.advance(HOUR);
    (await send(engine, 7))._unsafeUnwrap();
    expect((await engine.result(again, "s"))._unsafeUnwrap()).toEqual([{ _tag: "SignalTimedOut", signal: "approved" }, 7]);
  });

  test.each([
    { first: "SignalReceived", then: 7 },
    { first: "TimerFired", then: -1 },
  ])("yields to what the journal has first when both come in one instant: $first", async ({ first, then }) => {
    const { bench, note } = setUp();
    const one = timed(note);
    const { engine } = bench.open([one], { evictAfterMs: 2 * HOUR });
    const sendAfter = (ms: number) => bench.timer.sleep(ms).then(() => send(engine, 7));
    (await engine.start(one, 0, { id: "s" }))._unsafeUnwrap();
    // Of sleepers with one time, the one that fell asleep first wakes first.
    let sending = first === "SignalReceived" ? sendAfter(HOUR) : undefined;
    await bench.timer.advance(HOUR - 1);
    sending ??= sendAfter(1);
    await bench.timer.advance(1);
    await sending;
    expect((await engine.result(one, "s"))._unsafeUnwrap()).toBe(then);
    const facts = bench.entries("s").filter(({ _tag }) => _tag === "SignalReceived" || _tag === "TimerFired");
    expect(facts[0]).toMatchObject({ _tag: first, at: VIRTUAL_START_MS + HOUR });
  });

  test("of no time takes what is there, and nothing else", async () => {
    const { bench, note, slow } = setUp();
    const glance = saga({
      name: "glance",
      input: numberInput,
      *run() {
        yield* slow(1);
        const first = yield* waitFor(approved, { timeout: 0 });
        const second = yield* waitFor(approved, { timeout: 0 });
        return yield* note((first.isOk() ? first.value : 0) * 10 + (second.isErr() ? 1 : 0));
      },
    });
    const engine = await begin(bench, glance);
    (await send(engine, 7))._unsafeUnwrap();
    await bench.timer.advance(HOUR);
    expect((await engine.result(glance, "s"))._unsafeUnwrap()).toBe(71);
  });
});

describe("waiting for a signal", () => {
  test("in a member of all holds up no other member, and ends when one fails", async () => {
    const { bench, participants, note } = setUp();
    const no = participants.compensatable("no", {
      run: async () => {
        await bench.timer.sleep(HOUR);
        return err({ _tag: "Refused" });
      },
      retry: { timeoutMs: 2 * HOUR },
    });
    const group = saga({
      name: "group",
      input: numberInput,
      *run() {
        const waiter = (function* () {
          yield* note(yield* waitFor(approved));
        })();
        yield* all([note(1), waiter, no(2)]);
      },
    });
    const engine = await begin(bench, group);
    expect(participants.told()).toEqual(["note 1", "no 2"]);
    await bench.timer.advance(HOUR);
    expect((await engine.result(group, "s"))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.told()).toEqual(["note 1", "no 2", "undo note 1"]);
    expect(bench.entries("s").filter(({ _tag }) => _tag === "WaitLeft")).toMatchObject([{ path: "run/all/1/approved" }]);
    expect((await engine.inspect("s"))._unsafeUnwrap().view.waits.get("run/all/1/approved")?.state).toBe("left");
  });

  test("in a savepoint that fails afterwards is over: the signal is spent, and the body goes on without it", async () => {
    const { bench, participants, note } = setUp();
    const no = participants.compensatable("no", { run: () => err({ _tag: "Refused" }) });
    const tries = saga({
      name: "tries",
      input: numberInput,
      *run() {
        const tried = yield* savepoint(function* () {
          yield* note(yield* waitFor(approved));
          yield* no(2);
        });
        return [tried.isErr(), yield* note(yield* waitFor(approved))];
      },
    });
    const engine = await begin(bench, tries);
    for (const payload of [7, 8]) (await send(engine, payload))._unsafeUnwrap();
    expect((await engine.result(tries, "s"))._unsafeUnwrap()).toEqual([true, 8]);
    expect(participants.told()).toEqual(["note 7", "no 2", "undo note 7", "note 8"]);
  });

  test("in a nested saga has a path of its own, and takes what was sent to the saga around it", async () => {
    const { bench, hopeful, note } = setUp();
    const outer = saga({
      name: "outer",
      input: numberInput,
      *run() {
        const inner = yield* hopeful(0);
        return yield* note(inner + 1);
      },
    });
    const engine = await begin(bench, outer);
    expect([...(await engine.inspect("s"))._unsafeUnwrap().view.waits.keys()]).toEqual(["run/hopeful/approved"]);
    (await send(engine, 7))._unsafeUnwrap();
    expect((await engine.result(outer, "s"))._unsafeUnwrap()).toBe(8);
  });

  test("after the point of no return goes on with complete", async () => {
    const { bench, participants } = setUp();
    const [decide, after] = [participants.pivot("decide"), participants.retriable("after")];
    const forward = saga({
      name: "forward",
      input: numberInput,
      // biome-ignore lint/correctness/useYield: nothing is to be done before
      *run(input) {
        return input;
      },
      pivot: () => decide(1),
      *complete() {
        const [first] = yield* all([waitFor(approved), sleep({ hours: 1 })]);
        return yield* after(first);
      },
    });
    const engine = await begin(bench, forward);
    (await send(engine, 7))._unsafeUnwrap();
    await bench.timer.advance(HOUR);
    expect((await engine.result(forward, "s"))._unsafeUnwrap()).toBe(7);
    expect(participants.told()).toEqual(["decide 1", "after 7"]);
  });

  test("is shown to whoever looks: for what, since when, until when", async () => {
    const { bench, note } = setUp();
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* waitFor(approved, { timeout: { hours: 1 } });
        yield* note(1);
      },
    });
    const engine = await begin(bench, one);
    const { status, view } = (await engine.inspect("s"))._unsafeUnwrap();
    expect(status).toBe("waiting");
    expect([...view.waits.values()]).toEqual([
      { path: "run/approved", signal: "approved", since: VIRTUAL_START_MS, dueAt: VIRTUAL_START_MS + HOUR, state: "waiting" },
    ]);
  });

  test.each([-1, 0.5, Number.NaN, { fortnights: 1 }, { days: 36_526 }, "1h", null, [1], { hours: "1" }, 1n].map((timeout) => [timeout]))(
    "with a timeout of %s is a mistake of the body, and the saga goes back",
    async (timeout) => {
      const { bench, note } = setUp();
      const one = saga({
        name: "one",
        input: numberInput,
        *run() {
          yield* note(1);
          yield* waitFor(approved, { timeout: timeout as never });
        },
      });
      const engine = await begin(bench, one);
      const failure = (await engine.result(one, "s"))._unsafeUnwrapErr();
      expect(failure).toMatchObject({
        _tag: "SagaFaulted",
        fault: { message: expect.stringContaining("waitFor approved, timeout: must be whole milliseconds") },
      });
    },
  );
});

test.each([
  { was: "timed", is: "untimed" },
  { was: "untimed", is: "timed" },
] as const)(
  "a wait that began $was is not gone on with by a definition that has it $is: what it hands back is of another shape",
  async ({ was, is }) => {
    const { bench, participants, note } = setUp();
    const waiting = (how: "timed" | "untimed") =>
      saga({
        name: "waiting",
        input: numberInput,
        *run() {
          const answer = how === "timed" ? (yield* waitFor(approved, { timeout: HOUR })).unwrapOr(0) : yield* waitFor(approved);
          return yield* note(answer);
        },
      });
    const first = bench.open([waiting(was)]);
    (await first.engine.start(waiting(was), 0, { id: "s" }))._unsafeUnwrap();
    await bench.timer.idle();
    first.kill();
    const { engine } = bench.open([waiting(is)]);
    expect((await send(engine, 7))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaUnavailable" });
    expect((await engine.inspect("s"))._unsafeUnwrap()).toMatchObject({ status: "parked", quarantine: { _tag: "ReplayDiverged" } });
    expect(participants.made).toEqual([]);
  },
);

describe("a declaration of a signal", () => {
  test.each(["", "Approved", "a b", "a/b", "a~2", "ä", ".a"])("refuses the name %j", (name) => {
    expect(() => signal({ name, payload: z.number() })).toThrow("signal");
  });

  test("refuses a payload that is no schema", () => {
    expect(() => signal({ name: "approved", payload: {} as never })).toThrow("payload must be a Standard Schema");
  });
});

describe("whatever process dies,", () => {
  test("a signal that comes while the saga waits, and one that comes before, are each taken once", async () => {
    const played = await expectSameEndAfterEveryDeath({
      declare: (participants) => {
        const note = participants.compensatable("note");
        return saga({
          name: "two",
          input: numberInput,
          *run() {
            const first = yield* note(yield* waitFor(approved));
            return first * 10 + (yield* note(yield* waitFor(approved)));
          },
        });
      },
      outside: async (engine, one, bench) => {
        await engine.start(one, 0, { id: "s" });
        await bench.timer.sleep(5);
        await send(engine, 1);
        await Promise.all([send(engine, 2), send(engine, 1)]);
      },
    });
    expect(played.result._unsafeUnwrap()).toBe(12);
  });

  test("silence is taken for silence, and a late signal changes nothing about it", async () => {
    const played = await expectSameEndAfterEveryDeath({
      declare: (participants) => {
        const note = participants.compensatable("note");
        return saga({
          name: "timed",
          input: numberInput,
          *run() {
            const first = yield* waitFor(approved, { timeout: { hours: 1 } });
            yield* note(first.isErr() ? 1 : 2);
            return yield* note(yield* waitFor(approved));
          },
        });
      },
      outside: async (engine, one, bench) => {
        await engine.start(one, 0, { id: "s" });
        await bench.timer.sleep(2 * HOUR);
        await send(engine, 7);
      },
    });
    expect([played.result._unsafeUnwrap(), played.called]).toEqual([7, ["note 1", "note 7"]]);
  });

  test("members of an all that wait are left when one fails, and the others are undone", async () => {
    const played = await expectSameEndAfterEveryDeath({
      declare: (participants) => {
        const note = participants.compensatable("note");
        return saga({
          name: "group",
          input: numberInput,
          *run() {
            const late = (function* () {
              yield* waitFor(approved);
              yield* fail({ _tag: "Refused" });
            })();
            yield* all([note(1), late, waitFor(told), sleep({ days: 1 })]);
          },
        });
      },
      outside: async (engine, one) => {
        await engine.start(one, 0, { id: "s" });
        await send(engine, 7);
      },
    });
    expect([played.result._unsafeUnwrapErr(), played.called]).toEqual([{ _tag: "Refused" }, ["note 1", "undo note 1"]]);
  });
});
