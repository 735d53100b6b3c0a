// Goal: a cancellation takes everything back until the pivot's intent is journaled, wherever it meets the saga, and stops no compensation (I15, FS-48). Method: sagas held at every
// place by a virtual timer, cancelled there; what was called, in which order, and what the journal has of it.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type AnySaga, all, type Engine, emit, fail, fault, saga, savepoint, signal, sleep, waitFor } from "../../src/index.ts";
import { VIRTUAL_START_MS } from "../virtual-timer.ts";
import { expectSameEndAfterEveryDeath } from "./same-end.ts";
import { slowStore } from "./slow-store.ts";
import { type Behaviour, createBench, createParticipants, numberInput } from "./workbench.ts";

const HOUR = 3_600_000;
const WHO = { by: "ada" } as const;

const approved = signal({ name: "approved", payload: z.number() });
const noted = { type: "Noted", data: z.object({ nth: z.number() }) } as const;
const refused = err({ _tag: "Refused" } as const);
const unknown = err(fault("Unknown", "no answer"));

function setUp() {
  const bench = createBench();
  bench.timer.pause();
  const participants = createParticipants();
  const lasting = (how: Behaviour["run"] = (input) => ok(input)): Behaviour["run"] => {
    return async (input, nth) => {
      await bench.timer.sleep(HOUR);
      return how(input, nth);
    };
  };
  const a = participants.compensatable("a");
  const b = participants.compensatable("b");
  const slow = (name: string, how?: Behaviour["run"], more: Behaviour = {}) =>
    participants.compensatable(name, { run: lasting(how), retry: { timeoutMs: 2 * HOUR }, ...more });
  return { bench, participants, a, b, slow, lasting };
}

async function begin(bench: ReturnType<typeof createBench>, one: AnySaga): Promise<Engine> {
  const { engine } = bench.open([one]);
  (await engine.start(one, 0, { id: "s" }))._unsafeUnwrap();
  await bench.timer.idle();
  return engine;
}

const cancel = (engine: Engine, reason = "changed my mind") => engine.cancel("s", reason, WHO);
const cancelled = { _tag: "SagaCancelled", sagaId: "s", by: "ada", reason: "changed my mind" } as const;
const tagsOf = (bench: ReturnType<typeof createBench>) => bench.entries("s").map(({ _tag }) => _tag);

describe("a cancellation before the pivot's intent", () => {
  test("while a step is in flight waits for its answer, then takes all back, that step among it, and starts nothing more", async () => {
    const { bench, participants, a, b, slow } = setUp();
    const long = slow("long");
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* a(1);
        yield* long(2);
        yield* b(3);
      },
    });
    const engine = await begin(bench, one);
    (await cancel(engine))._unsafeUnwrap();
    await bench.timer.idle();
    expect(participants.told()).toEqual(["a 1", "long 2"]);
    await bench.timer.advance(HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(cancelled);
    expect(participants.told()).toEqual(["a 1", "long 2", "undo long 2", "undo a 1"]);
    expect(participants.of("long", "compensation")[0]).toMatchObject({
      outcome: { _tag: "Succeeded", output: 2 },
      cause: { _tag: "CancelledCause", by: "ada", reason: "changed my mind" },
    });
  });

  test.each<[how: string, run: Behaviour["run"], undone: readonly string[]]>([
    ["was refused: it is not undone", () => refused, ["undo a 1"]],
    ["is in doubt: it is undone, and not asked again", () => unknown, ["undo long 2", "undo a 1"]],
    [
      "is lost with its output: it is undone, and no operator is asked",
      () => err(fault("Unreadable", "cut off")),
      ["undo long 2", "undo a 1"],
    ],
    ["never arrived: it is not sent again", () => err(fault("NotSent", "no connection")), ["undo a 1"]],
  ])("while a step is in flight that then %s", async (_how, run, undone) => {
    const { bench, participants, a, slow } = setUp();
    const long = slow("long", run, { inDoubt: "park" });
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* a(1);
        yield* long(2);
      },
    });
    const engine = await begin(bench, one);
    (await cancel(engine))._unsafeUnwrap();
    await bench.timer.advance(HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(cancelled);
    expect(participants.told()).toEqual(["a 1", "long 2", ...undone]);
  });

  test.each<[what: string, run: Behaviour["run"], undone: readonly string[]]>([
    ["in doubt", () => unknown, ["undo flaky 2", "undo a 1"]],
    ["not in doubt", () => err(fault("NotSent", "no connection")), ["undo a 1"]],
  ])("in the wait before another attempt ends that wait at once, %s", async (_what, run, undone) => {
    const { bench, participants, a } = setUp();
    const flaky = participants.compensatable("flaky", { run, retry: { delayMs: HOUR, delayMsMax: HOUR, horizonMs: 10 * HOUR } });
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* a(1);
        yield* flaky(2);
      },
    });
    const engine = await begin(bench, one);
    (await cancel(engine))._unsafeUnwrap();
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(cancelled);
    expect(participants.told()).toEqual(["a 1", "flaky 2", ...undone]);
    expect([bench.timer.now(), bench.timer.sleepers]).toEqual([VIRTUAL_START_MS, 0]);
  });

  test("in the wait before another deciding query ends it: the step is undone in doubt", async () => {
    const { bench, participants, a } = setUp();
    const asked = participants.compensatable("asked", {
      run: () => unknown,
      resolve: () => ok({ _tag: "StillUnknown" }),
      inDoubt: "resolve",
      retry: { attempts: 1, delayMs: HOUR, delayMsMax: HOUR, horizonMs: 10 * HOUR },
    });
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* a(1);
        yield* asked(2);
      },
    });
    const engine = await begin(bench, one);
    expect(participants.told()).toEqual(["a 1", "asked 2", "resolve asked 2"]);
    (await cancel(engine))._unsafeUnwrap();
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(cancelled);
    expect(participants.told().slice(3)).toEqual(["undo asked 2", "undo a 1"]);
  });

  test("in a sleep, or in a wait for a signal, ends it at once and for good", async () => {
    for (const wait of [sleep({ hours: 1 }), waitFor(approved), waitFor(approved, { timeout: { hours: 1 } })]) {
      const { bench, participants, a, b } = setUp();
      const one = saga({
        name: "one",
        input: numberInput,
        *run() {
          yield* a(1);
          yield* wait as ReturnType<typeof sleep>;
          yield* b(2);
        },
      });
      const engine = await begin(bench, one);
      (await cancel(engine))._unsafeUnwrap();
      expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(cancelled);
      expect(tagsOf(bench).slice(-6)).toEqual([
        "CancelRequested",
        "WaitLeft",
        "WentBack",
        "CompensationIntended",
        "OperationSettled",
        "SagaCompensated",
      ]);
      await bench.timer.advance(2 * HOUR);
      expect(participants.told()).toEqual(["a 1", "undo a 1"]);
    }
  });

  test("during an all lets what is in flight settle, starts no member more, and undoes the members side by side", async () => {
    const { bench, participants, a, b, slow } = setUp();
    const long = slow("long");
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* all([a(1), long(2), sleep({ hours: 3 }), b(4)], { concurrency: 2 });
      },
    });
    const engine = await begin(bench, one);
    expect(participants.told()).toEqual(["a 1", "long 2"]);
    (await cancel(engine))._unsafeUnwrap();
    await bench.timer.advance(HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(cancelled);
    expect(participants.told()).toEqual(["a 1", "long 2", "undo a 1", "undo long 2"]);
    const intents = bench.commits.filter(({ record }) => record.includes("CompensationIntended"));
    expect(intents.length).toBe(1);
  });

  test("inside savepoints within savepoints is caught by none of them, and undone in one go", async () => {
    const { bench, participants, a, b, slow } = setUp();
    const long = slow("long");
    const caught: unknown[] = [];
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        const outer = yield* savepoint(function* () {
          yield* a(1);
          const inner = yield* savepoint(function* () {
            yield* b(2);
            yield* long(3);
          });
          caught.push(inner);
          yield* inner;
        });
        caught.push(outer);
        yield* a(4);
      },
    });
    const engine = await begin(bench, one);
    (await cancel(engine))._unsafeUnwrap();
    await bench.timer.advance(HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(cancelled);
    expect(participants.told()).toEqual(["a 1", "b 2", "long 3", "undo long 3", "undo b 2", "undo a 1"]);
    expect(caught).toEqual([]);
    expect(bench.entries("s").filter(({ _tag }) => _tag === "WentBack")).toMatchObject([{ path: "run" }]);
  });

  test("while a savepoint is being undone lets that come to its end, and then takes the rest back", async () => {
    const { bench, participants, a, b } = setUp();
    const first = participants.compensatable("first", {
      compensate: async () => {
        await bench.timer.sleep(HOUR);
        return ok(undefined);
      },
      compensationRetry: { timeoutMs: 2 * HOUR },
    });
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* a(1);
        yield* savepoint(function* () {
          yield* first(2);
          yield* b(3);
          yield* fail({ _tag: "Refused" });
        });
        yield* a(4);
      },
    });
    const engine = await begin(bench, one);
    expect(participants.told()).toEqual(["a 1", "first 2", "b 3", "undo b 3", "undo first 2"]);
    (await cancel(engine))._unsafeUnwrap();
    (await cancel(engine, "again"))._unsafeUnwrap();
    await bench.timer.advance(HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(cancelled);
    expect(participants.told().slice(5)).toEqual(["undo a 1"]);
    expect(participants.of("first", "compensation")[0]?.cause).toEqual({ _tag: "RejectedCause", error: { _tag: "Refused" } });
  });

  test("in a nested saga takes back the steps of both, and drops the events of both", async () => {
    const { bench, participants, a, b, slow } = setUp();
    const long = slow("long");
    const inner = saga({
      name: "inner",
      input: numberInput,
      *run() {
        yield* emit(noted, { nth: 1 });
        yield* b(2);
        yield* long(3);
      },
    });
    const outer = saga({
      name: "outer",
      input: numberInput,
      *run() {
        yield* emit(noted, { nth: 2 });
        yield* a(1);
        yield* inner(0);
      },
    });
    const engine = await begin(bench, outer);
    (await cancel(engine))._unsafeUnwrap();
    await bench.timer.advance(HOUR);
    expect((await engine.result(outer, "s"))._unsafeUnwrapErr()).toEqual(cancelled);
    expect(participants.told().slice(3)).toEqual(["undo long 3", "undo b 2", "undo a 1"]);
    expect(bench.disk.outbox.size).toBe(0);
  });

  test("lets finally blocks run, and is what the saga went back for even when the body throws on its way out", async () => {
    const { bench, a } = setUp();
    const left: string[] = [];
    const leave = (): void => {
      left.push("left");
      throw new Error("on the way out");
    };
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* a(1);
        try {
          yield* sleep({ hours: 1 });
        } finally {
          leave();
        }
      },
    });
    const engine = await begin(bench, one);
    (await cancel(engine))._unsafeUnwrap();
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(cancelled);
    expect(left).toEqual(["left"]);
  });

  test("before the first step ends a saga of which nothing is to be taken back", async () => {
    const { bench, participants } = setUp();
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* sleep({ hours: 1 });
      },
    });
    const engine = await begin(bench, one);
    (await cancel(engine))._unsafeUnwrap();
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(cancelled);
    expect(participants.made).toEqual([]);
  });
});

describe("a cancellation of a parked saga", () => {
  test.each([
    ["in doubt", unknown, "nothing", "DoubtRemains"],
    ["with its output lost", err(fault("Unreadable", "cut off")), "succeeded", "OutputLost"],
  ] as const)(
    "that waits to go forward, %s, needs no operator any more: it is undone with what is known",
    async (_how, answer, known, cause) => {
      const { bench, participants, a } = setUp();
      const stuck = participants.compensatable("stuck", { run: () => answer, inDoubt: "park", retry: { attempts: 1 } });
      const one = saga({
        name: "one",
        input: numberInput,
        *run() {
          yield* a(1);
          yield* stuck(2);
        },
      });
      const engine = await begin(bench, one);
      expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toMatchObject({
        _tag: "SagaParked",
        operations: [{ cause: { _tag: cause } }],
      });
      (await cancel(engine))._unsafeUnwrap();
      expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(cancelled);
      expect(participants.told()).toEqual(["a 1", "stuck 2", "undo stuck 2", "undo a 1"]);
      expect(participants.of("stuck", "compensation")[0]?.outcome).toEqual({ _tag: "InDoubt", known });
    },
  );

  test("whose key is in disorder stays parked, and goes back once an operator has settled it", async () => {
    const { bench, participants, a, b } = setUp();
    const stuck = participants.compensatable("stuck", { run: () => err(fault("KeyReused", "another payload")) });
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* a(1);
        yield* stuck(2);
        yield* b(3);
      },
    });
    const engine = await begin(bench, one);
    (await cancel(engine))._unsafeUnwrap();
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toMatchObject({ operations: [{ cause: { _tag: "KeyReused" } }] });
    expect(participants.told()).toEqual(["a 1", "stuck 2"]);
    const order = { path: "run/stuck", slot: "action", by: "ada", reason: "ticket 7", evidence: "ledger" } as const;
    (await engine.settle("s", { ...order, verdict: { _tag: "applied", output: 2 } }))._unsafeUnwrap();
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(cancelled);
    expect(participants.told().slice(2)).toEqual(["undo stuck 2", "undo a 1"]);
  });

  test("that goes back changes nothing: it needs its operator all the same", async () => {
    const { bench, participants } = setUp();
    const stuck = participants.compensatable("stuck", { compensate: () => err(fault("Faulted", "never")) });
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* stuck(1);
        yield* fail({ _tag: "Refused" });
      },
    });
    const engine = await begin(bench, one);
    const before = bench.commits.length;
    (await cancel(engine))._unsafeUnwrap();
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaParked", firstError: { _tag: "Refused" } });
    expect(bench.commits.length).toBe(before);
  });
});

describe("a cancellation of a saga that goes back", () => {
  test("stops no compensation, nor its retries, and leaves the first error the answer", async () => {
    const { bench, participants, a, b } = setUp();
    const first = participants.compensatable("first", {
      compensate: (_input, nth) => (nth < 3 ? err(fault("Unknown", "no answer")) : ok(undefined)),
      compensationRetry: { delayMs: HOUR, delayMsMax: HOUR },
    });
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* a(1);
        yield* first(2);
        yield* b(3);
        yield* fail({ _tag: "Refused" });
      },
    });
    const engine = await begin(bench, one);
    (await cancel(engine))._unsafeUnwrap();
    await bench.timer.advance(HOUR);
    (await cancel(engine))._unsafeUnwrap();
    await bench.timer.advance(HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.told().slice(3)).toEqual(["undo b 3", "undo first 2", "undo first 2", "undo first 2", "undo a 1"]);
    expect(tagsOf(bench)).not.toContain("CancelRequested");
  });
});

describe("a cancellation is refused, with a reason,", () => {
  function forward() {
    const { bench, participants, a, lasting } = setUp();
    const decide = participants.pivot("decide", { run: lasting(), retry: { timeoutMs: 2 * HOUR } });
    const after = participants.retriable("after", { run: lasting(), retry: { timeoutMs: 2 * HOUR } });
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        return yield* a(1);
      },
      pivot: () => decide(2),
      *complete() {
        yield* after(3);
        yield* waitFor(approved);
        return 4;
      },
    });
    return { bench, participants, one };
  }
  const pastPivot = { _tag: "CancelRefused", sagaId: "s", reason: "pastPivot" } as const;

  test("while the pivot is in flight, while complete runs, and while it waits", async () => {
    const { bench, participants, one } = forward();
    const engine = await begin(bench, one);
    expect((await cancel(engine))._unsafeUnwrapErr()).toEqual({
      ...pastPivot,
      message: "its pivot's intent is journaled: what becomes of the pivot decides",
    });
    await bench.timer.advance(HOUR);
    expect((await cancel(engine))._unsafeUnwrapErr()).toEqual({ ...pastPivot, message: "it is in complete, and can only go forward" });
    await bench.timer.advance(HOUR);
    expect((await cancel(engine))._unsafeUnwrapErr()).toMatchObject(pastPivot);
    (await engine.signal("s", approved, 1, { key: "k" }))._unsafeUnwrap();
    expect((await engine.result(one, "s"))._unsafeUnwrap()).toBe(4);
    expect(participants.told()).toEqual(["a 1", "decide 2", "after 3"]);
    expect(tagsOf(bench)).not.toContain("CancelRequested");
  });

  test("while the pivot's intent is on its way to the journal, and not before that is settled", async () => {
    const { bench, one } = forward();
    const disk = slowStore(({ record }) => record.includes('"path":"pivot/decide"'));
    const { engine } = bench.open([one], { wrap: disk.wrap });
    (await engine.start(one, 0, { id: "s" }))._unsafeUnwrap();
    await disk.reached;
    let answered = false;
    const cancelling = (async () => {
      const answer = await cancel(engine);
      answered = true;
      return answer;
    })();
    await bench.timer.idle();
    expect(answered).toBe(false);
    disk.letGo();
    expect((await cancelling)._unsafeUnwrapErr()).toMatchObject(pastPivot);
  });

  test("not when the append of the pivot's intent failed: then the saga is asked anew", async () => {
    const { bench, participants, a } = setUp();
    const decide = participants.pivot("decide");
    const after = participants.compensatable("after");
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* a(1);
        yield* after(2);
      },
      pivot: () => decide(3),
    });
    let refusals = 1;
    const { engine } = bench.open([one], {
      faults: { beforeCommit: ({ record }) => (record.includes('"path":"pivot/decide"') && refusals-- > 0 ? "refuse" : undefined) },
    });
    await engine.start(one, 0, { id: "s" });
    const answer = await cancel(engine);
    await bench.timer.advance(HOUR);
    const result = await engine.result(one, "s");
    expect([answer.isOk(), result.isErr()]).toEqual([result.isErr(), answer.isOk()]);
  });

  test("after the end of a run without a pivot, when complete is all that is left", async () => {
    const { bench, participants, a } = setUp();
    const after = participants.retriable("after", { run: () => err(fault("NotSent", "no connection")) });
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* a(1);
      },
      *complete() {
        yield* after(2);
      },
    });
    const engine = await begin(bench, one);
    expect((await cancel(engine))._unsafeUnwrapErr()).toMatchObject(pastPivot);
  });

  test("when the pivot is parked in doubt: it blocks both ways", async () => {
    const { bench, participants, a } = setUp();
    const decide = participants.pivot("decide", { run: () => unknown, inDoubt: "park", retry: { attempts: 1 } });
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* a(1);
      },
      pivot: () => decide(2),
    });
    const engine = await begin(bench, one);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()._tag).toBe("SagaParked");
    expect((await cancel(engine))._unsafeUnwrapErr()).toMatchObject(pastPivot);
    expect(participants.told()).toEqual(["a 1", "decide 2"]);
  });

  test("not when the pivot was refused and the saga goes back: then it is no news", async () => {
    const { bench, participants } = setUp();
    const undone = participants.compensatable("undone", {
      compensate: async () => {
        await bench.timer.sleep(HOUR);
        return ok(undefined);
      },
      compensationRetry: { timeoutMs: 2 * HOUR },
    });
    const decide = participants.pivot("decide", { run: () => refused });
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* undone(1);
      },
      pivot: () => decide(2),
    });
    const engine = await begin(bench, one);
    (await cancel(engine))._unsafeUnwrap();
    await bench.timer.advance(HOUR);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
  });

  test("for a saga that completed or was abandoned; one that was taken back needs it no more; one that there is not is not found", async () => {
    const { bench, participants, a } = setUp();
    const stuck = participants.compensatable("stuck", { run: () => err(fault("KeyReused", "as told")) });
    const [good, bad, worse] = [a, participants.compensatable("no", { run: () => refused }), stuck].map((step, nth) =>
      saga({
        name: `one-${nth}`,
        input: numberInput,
        *run() {
          yield* step(1);
        },
      }),
    );
    const sagas = { good, bad, worse } as const;
    const { engine } = bench.open(Object.values(sagas).filter((each) => each !== undefined));
    for (const [id, each] of Object.entries(sagas)) if (each !== undefined) await engine.start(each, 0, { id });
    await bench.timer.idle();
    (await engine.abandon("worse", { by: "ada", reason: "sold" }))._unsafeUnwrap();
    const before = bench.commits.length;
    expect((await engine.cancel("good", "late"))._unsafeUnwrapErr()).toMatchObject({ reason: "ended", message: "it is completed" });
    expect((await engine.cancel("worse", "late"))._unsafeUnwrapErr()).toMatchObject({ reason: "ended", message: "it is abandoned" });
    expect((await engine.cancel("bad", "late")).isOk()).toBe(true);
    expect((await engine.cancel("none", "late"))._unsafeUnwrapErr()).toEqual({ _tag: "SagaNotFound", sagaId: "none" });
    expect(bench.commits.length).toBe(before);
  });

  test("for a saga whose completion is on its way to the journal", async () => {
    const { bench, a } = setUp();
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        return yield* a(1);
      },
    });
    const disk = slowStore(({ record }) => record.includes("SagaCompleted"));
    const { engine } = bench.open([one], { wrap: disk.wrap });
    (await engine.start(one, 0, { id: "s" }))._unsafeUnwrap();
    await disk.reached;
    const late = cancel(engine);
    await bench.timer.idle();
    disk.letGo();
    expect((await late)._unsafeUnwrapErr()).toMatchObject({ _tag: "CancelRefused", reason: "ended" });
    expect((await engine.result(one, "s"))._unsafeUnwrap()).toBe(1);
    expect(tagsOf(bench).at(-1)).toBe("SagaCompleted");
  });

  test.each<[what: string, reason: unknown, by: unknown]>([
    ["no reason", "", "ada"],
    ["a reason that is no text", undefined, "ada"],
    ["a reason that is too long", "r".repeat(2_001), "ada"],
    ["nobody", "reason", ""],
    ["a name that is too long", "reason", "a".repeat(201)],
    ["a name that is no well-formed text", "reason", "\uD800"],
  ])("for %s", async (_what, reason, by) => {
    const { bench, a } = setUp();
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* a(1);
        yield* sleep({ hours: 1 });
      },
    });
    const engine = await begin(bench, one);
    const answer = await engine.cancel("s", reason as string, { by: by as string });
    expect(answer._unsafeUnwrapErr()).toMatchObject({ _tag: "CancelRefused", reason: "requestInvalid" });
    expect(tagsOf(bench)).not.toContain("CancelRequested");
  });
});

describe("a cancellation", () => {
  const sleepy = (a: ReturnType<typeof setUp>["a"]) =>
    saga({
      name: "sleepy",
      input: numberInput,
      *run() {
        yield* a(1);
        yield* sleep({ hours: 1 });
      },
    });

  test("is in the journal with who and why, and is taken once, however often and by however many it is asked for", async () => {
    const { bench, a } = setUp();
    const one = sleepy(a);
    const engine = await begin(bench, one);
    const answers = await Promise.all([cancel(engine), cancel(engine), cancel(engine)]);
    expect(answers.every((answer) => answer.isOk())).toBe(true);
    (await cancel(engine, "afterwards"))._unsafeUnwrap();
    expect(bench.entries("s").filter(({ _tag }) => _tag === "CancelRequested")).toEqual([
      { _tag: "CancelRequested", by: "ada", reason: "changed my mind", at: VIRTUAL_START_MS },
    ]);
    expect((await engine.inspect("s"))._unsafeUnwrap().view.cancelledAt).toBe(VIRTUAL_START_MS);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(cancelled);
  });

  test("may be nobody's in particular", async () => {
    const { bench, a } = setUp();
    const one = sleepy(a);
    const engine = await begin(bench, one);
    (await engine.cancel("s", "maintenance"))._unsafeUnwrap();
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual({ _tag: "SagaCancelled", sagaId: "s", reason: "maintenance" });
  });

  test("is not acknowledged before it is durable, not even to the second who asks for it", async () => {
    const { bench, a } = setUp();
    const one = sleepy(a);
    const disk = slowStore(({ record }) => record.includes("CancelRequested"));
    const { engine } = bench.open([one], { wrap: disk.wrap });
    (await engine.start(one, 0, { id: "s" }))._unsafeUnwrap();
    await bench.timer.idle();
    let answered = 0;
    const both = [cancel(engine), cancel(engine)].map((answer) => answer.then(() => (answered += 1)));
    await disk.reached;
    await bench.timer.idle();
    expect(answered).toBe(0);
    disk.letGo();
    await Promise.all(both);
  });

  test("meets a step that was ordered and not sent yet: it is never sent, and not undone", async () => {
    const { bench, participants, a, b } = setUp();
    const one = saga({
      name: "one",
      input: numberInput,
      *run() {
        yield* a(1);
        yield* b(2);
      },
    });
    const disk = slowStore(({ record }) => record.includes('"path":"run/b"'));
    const { engine } = bench.open([one], { wrap: disk.wrap });
    (await engine.start(one, 0, { id: "s" }))._unsafeUnwrap();
    await disk.reached;
    const cancelling = cancel(engine);
    await bench.timer.idle();
    disk.letGo();
    (await cancelling)._unsafeUnwrap();
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(cancelled);
    expect(participants.told()).toEqual(["a 1", "undo a 1"]);
  });
});

describe("whatever process dies, a cancelled saga ends the same", () => {
  const outside = async (engine: Engine, one: AnySaga, bench: ReturnType<typeof createBench>): Promise<void> => {
    await engine.start(one, 0, { id: "s" });
    await bench.timer.sleep(5);
    await engine.cancel("s", "changed my mind", WHO);
  };

  test("from a sleep", async () => {
    const { result, called } = await expectSameEndAfterEveryDeath({
      declare: (participants) => {
        const a = participants.compensatable("a");
        return saga({
          name: "sleepy",
          input: numberInput,
          *run() {
            yield* a(1);
            yield* savepoint(function* () {
              yield* a(2);
              yield* all([sleep({ days: 1 }), waitFor(approved)]);
            });
          },
        });
      },
      outside,
    });
    expect([result._unsafeUnwrapErr(), called]).toEqual([cancelled, ["a 1", "a 2", "undo a 1", "undo a 2"]]);
  });

  test("from an all with calls in flight", async () => {
    const { result, called } = await expectSameEndAfterEveryDeath({
      declare: (participants, bench) => {
        const a = participants.compensatable("a");
        const long = participants.compensatable("long", {
          run: async (input) => {
            await bench.timer.sleep(HOUR);
            return ok(input);
          },
          retry: { timeoutMs: 2 * HOUR },
        });
        return saga({
          name: "busy",
          input: numberInput,
          *run() {
            yield* a(1);
            yield* all([long(2), long(3), waitFor(approved)]);
            yield* a(4);
          },
        });
      },
      outside,
    });
    expect([result._unsafeUnwrapErr(), called]).toEqual([cancelled, ["a 1", "long 2", "long 3", "undo a 1", "undo long 2", "undo long 3"]]);
  });

  test("from a park", async () => {
    const { result, called } = await expectSameEndAfterEveryDeath({
      declare: (participants) => {
        const a = participants.compensatable("a");
        const stuck = participants.compensatable("stuck", { run: () => unknown, inDoubt: "park", retry: { attempts: 1 } });
        return saga({
          name: "parks",
          input: numberInput,
          *run() {
            yield* a(1);
            yield* stuck(2);
          },
        });
      },
      outside,
    });
    expect([result._unsafeUnwrapErr(), called]).toEqual([cancelled, ["a 1", "stuck 2", "undo a 1", "undo stuck 2"]]);
  });
});
