// Goal: what cannot be taken back truthfully is refused with its reason, and nothing is begun. Method: sagas in every state and of every kind, definitions that are gone or differ, journals that are too
// large, requests that are none.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { createEngine, type Engine, emit, fail, fault, saga, savepoint, step, waitFor } from "../../src/index.ts";
import { createMemoryStore } from "../../src/journal.ts";
import { completed, go, HOUR, shipped } from "./taken-back.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

const DAY = 24 * HOUR;

describe("taking back is refused, and starts nothing,", () => {
  const refusal = (reason: string, message: string) => err({ _tag: "CompensateRefused", sagaId: "s", reason, message });
  const expectNothing = async (engine: Engine) =>
    expect((await engine.inspect("s~undo"))._unsafeUnwrapErr()).toEqual({ _tag: "SagaNotFound", sagaId: "s~undo" });

  test.each<[status: string, message: string]>([
    ["running", "it is running; only a completed saga is taken back"],
    ["waiting", "it is waiting; only a completed saga is taken back"],
    ["parked", "it is parked; only a completed saga is taken back"],
    ["compensated", "it is compensated; only a completed saga is taken back"],
    ["abandoned", "it is abandoned; only a completed saga is taken back"],
  ])("of a saga that is %s", async (status, message) => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a", {
      run: () => {
        if (status === "running") return new Promise(() => undefined);
        return status === "parked" || status === "abandoned" ? err(fault("KeyReused", "other payload")) : ok(1);
      },
      retry: { timeoutMs: HOUR },
    });
    const one = saga({
      name: "one",
      input: numberInput,
      *run(input) {
        yield* a(input);
        if (status === "compensated") yield* fail({ _tag: "NotThis" });
        return yield* waitFor(go);
      },
    });
    bench.timer.pause();
    const { engine } = bench.open([one]);
    await engine.start(one, 1, { id: "s" });
    for (let turn = 0; turn < 4; turn++) await bench.timer.idle();
    if (status === "abandoned") await engine.abandon("s", { by: "ada", reason: "ticket 7" });
    expect((await engine.inspect("s"))._unsafeUnwrap().status).toBe(status);
    expect(await engine.compensate("s", "returned")).toEqual(refusal("notCompleted", message));
    await expectNothing(engine);
  });

  test.each(["pivot", "complete"] as const)("of a saga with a %s", async (point) => {
    const participants = createParticipants();
    const [a, p, r] = [participants.compensatable("a"), participants.pivot("p"), participants.retriable("r")];
    const base = {
      name: "past",
      input: numberInput,
      *run(input: number) {
        return yield* a(input);
      },
    } as const;
    const past =
      point === "pivot"
        ? saga({ ...base, pivot: (value) => p(value) })
        : saga({
            ...base,
            *complete(value) {
              return yield* r(value);
            },
          });
    const { engine } = createBench().open([past]);
    await engine.run(past, 1, { id: "s" });
    expect(await engine.compensate("s", "returned")).toEqual(
      refusal("pastPivot", "past has a point of no return, and this saga is past it"),
    );
    await expectNothing(engine);
  });

  test("of a saga that published an event, and not of one whose events were dropped", async () => {
    const participants = createParticipants();
    const a = participants.compensatable("a");
    const emits = saga({
      name: "emits",
      input: numberInput,
      *run(input) {
        yield* a(input);
        const tried = yield* savepoint(function* () {
          yield* emit(shipped, { orderId: input });
          if (input === 0) yield* fail({ _tag: "NotThis" });
        });
        return tried.isOk();
      },
    });
    const { engine } = createBench().open([emits]);
    await engine.run(emits, 1, { id: "s" });
    expect(await engine.compensate("s", "returned")).toEqual(refusal("published", "it has published events, which others have acted on"));
    await expectNothing(engine);
    await engine.run(emits, 0, { id: "t" });
    expect((await engine.compensate("t", "returned")).isOk()).toBe(true);
  });

  test("of a saga whose definition is not here", async () => {
    const { bench, kill } = await completed();
    kill();
    const { engine } = bench.open([]);
    expect(await engine.compensate("s", "returned")).toEqual(refusal("unknownSaga", "no definition of order 1 is here"));
    await expectNothing(engine);
  });

  test("of a saga that its definition would not have driven so, which says where they differ", async () => {
    const { bench, kill, participants } = await completed();
    kill();
    const other = saga({
      name: "order",
      input: numberInput,
      *run(input) {
        return yield* participants.compensatable("other")(input);
      },
    });
    const { engine } = bench.open([other]);
    const told = participants.told().length;
    expect((await engine.compensate("s", "returned"))._unsafeUnwrapErr()).toMatchObject({
      _tag: "CompensateRefused",
      reason: "replayDiverged",
      message: expect.stringContaining("OperationIntended run/a (a) with 1"),
    });
    expect(participants.told().length).toBe(told);
    await expectNothing(engine);
  });

  test.each(["its journal", "its input and its journal"])("of a saga that with %s does not fit one record", async (what) => {
    const bench = createBench();
    const participants = createParticipants();
    const big = participants.compensatable("big");
    const text = "x".repeat(1_000_000);
    const fatStep = step({ name: "fat-step", run: (_input: { text: string; each: number }) => ok(1), compensate: () => ok(undefined) });
    const fat = saga({
      name: "fat",
      input: z.object({ text: z.string(), steps: z.number() }),
      *run({ steps }) {
        for (let each = 0; each < steps; each++) {
          yield* fatStep({ text, each });
        }
        return yield* big(1);
      },
    });
    const { engine } = bench.open([fat]);
    const input = what === "its journal" ? { text: "", steps: 5 } : { text, steps: 3 };
    expect(await engine.run(fat, input, { id: "s" })).toEqual(ok(1));
    expect(await engine.compensate("s", "returned")).toEqual(refusal("tooLarge", "its journal does not fit one record"));
    await expectNothing(engine);
  });

  describe("of a saga whose keys its participants may have forgotten:", () => {
    const UNDOS_MS = HOUR + 10_000;

    /** A saga that took an hour to complete, in an engine that knows for how long fences remember; and the store's clock. */
    async function completedAt(start: number, { horizonsKnown = true } = {}) {
      const { timer } = createBench();
      const clock = { now: start };
      const a = createParticipants().compensatable("a", {
        run: (input) => {
          clock.now += HOUR;
          return ok(input);
        },
        compensationRetry: { horizonMs: HOUR },
      });
      const one = saga({
        name: "one",
        input: numberInput,
        deadline: 2 * HOUR,
        *run(input) {
          return yield* a(input);
        },
      });
      const store = createMemoryStore({ now: () => clock.now });
      const horizons = horizonsKnown ? { steps: [a], fenceRetentionMs: DAY } : undefined;
      const engine = createEngine({ sagas: [one], store, timer, horizons });
      expect(await engine.run(one, 1, { id: "s" })).toEqual(ok(1));
      return { engine, clock };
    }

    test("refused from the millisecond on in which the undos could last as long as a fence remembers", async () => {
      const { engine, clock } = await completedAt(HOUR);
      clock.now = HOUR + DAY - UNDOS_MS;
      expect(await engine.compensate("s", "returned")).toEqual(
        refusal(
          "pastRetention",
          "82790000 ms since its start and 3610000 ms for the undos must be shorter than the fence retention of 86400000 ms",
        ),
      );
      await expectNothing(engine);
    });

    test("not a millisecond before, and asked again later it finds what was begun in time", async () => {
      const { engine, clock } = await completedAt(HOUR);
      clock.now = HOUR + DAY - UNDOS_MS - 1;
      expect(await engine.compensate("s", "returned")).toEqual(ok({ sagaId: "s~undo" }));
      clock.now += DAY;
      expect(await engine.compensate("s", "returned")).toEqual(ok({ sagaId: "s~undo" }));
    });

    test("never where no horizons are given: the participant says what it remembers", async () => {
      const { engine, clock } = await completedAt(HOUR, { horizonsKnown: false });
      clock.now += 30 * DAY;
      expect(await engine.compensate("s", "returned")).toEqual(ok({ sagaId: "s~undo" }));
    });
  });

  test.each<[what: string, reason: unknown, by: unknown]>([
    ["no reason", "", undefined],
    ["too much of a reason", "x".repeat(2_001), undefined],
    ["a reason that is no text", 7, undefined],
    ["nobody's name", "returned", ""],
    ["too long a name", "returned", "x".repeat(201)],
  ])("with %s", async (_what, reason, by) => {
    const { engine } = await completed();
    expect((await engine.compensate("s", reason as string, { by: by as string }))._unsafeUnwrapErr()).toMatchObject({
      _tag: "CompensateRefused",
      reason: "requestInvalid",
    });
    await expectNothing(engine);
  });

  test("of a saga that there is not, of a journal that cannot be read, and on a closed engine", async () => {
    const { engine, bench } = await completed();
    expect(await engine.compensate("x", "returned")).toEqual(err({ _tag: "SagaNotFound", sagaId: "x" }));
    bench.disk.corrupt.add("s");
    expect((await engine.compensate("s", "returned"))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaUnavailable", sagaId: "s" });
    bench.disk.corrupt.delete("s");
    await engine.close();
    expect((await engine.compensate("s", "returned"))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaUnavailable" });
  });
});
