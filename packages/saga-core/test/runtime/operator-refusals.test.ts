// Goal: a verb that does not fit is refused, says why, and changes nothing. Method: verbs on sagas that run, have ended, are unknown or cannot be driven; bad orders.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { type Engine, saga } from "../../src/index.ts";
import type { OperatorOrder, SettleOrder } from "../../src/runtime/operator-verbs.ts";
import { AT_ONCE, createStuckSaga, faulted } from "./stuck-saga.ts";
import { type Bench, createBench, createParticipants, numberInput } from "./workbench.ts";

const order = { path: "run/a", slot: "action", by: "ada", reason: "ticket 7", evidence: "ledger", verdict: { _tag: "applied" } } as const;
const never = () => new Promise<never>(() => undefined);

const VERBS = {
  retry: (engine: Engine, given: OperatorOrder = order) => engine.retry("s", given),
  settle: (engine: Engine, given: OperatorOrder = order) => engine.settle("s", given as SettleOrder),
  abandon: (engine: Engine, given: OperatorOrder = order) => engine.abandon("s", given),
} as const;
type Verb = keyof typeof VERBS;
const EVERY_VERB = Object.keys(VERBS) as readonly Verb[];

const refusal = (message: string) => err({ _tag: "VerbRefused", sagaId: "s", message });

/** What is on the disk, which a refused verb leaves as it was. */
const records = (bench: Bench) => JSON.stringify(bench.entries("s"));

describe.each(EVERY_VERB)("%s", (verb) => {
  test("of a saga that nobody started finds none", async () => {
    const { engine } = createStuckSaga("action", { answer: () => faulted("Unknown") });
    expect(await VERBS[verb](engine)).toEqual(err({ _tag: "SagaNotFound", sagaId: "s" }));
  });

  test("of a saga that runs is refused", async () => {
    const { engine, bench, one } = createStuckSaga("action", { answer: never as never, behaviour: { retry: { timeoutMs: 3_600_000 } } });
    bench.timer.pause();
    await engine.start(one, 1, { id: "s" });
    await bench.timer.idle();
    const before = records(bench);
    const message = verb === "abandon" ? "it is running; only a parked saga can be abandoned" : "the action of run/a is open, not parked";
    expect(await VERBS[verb](engine)).toEqual(refusal(message));
    expect(records(bench)).toBe(before);
  });

  test.each(["completed", "compensated", "abandoned"] as const)(
    "of a saga that is %s is refused, here and in the next process",
    async (status) => {
      const { engine, bench, one, mend, run, kill, answer, participants } = createStuckSaga("action", {
        answer: () => faulted("Unknown"),
        behaviour: AT_ONCE,
      });
      if (status === "completed") mend();
      if (status === "compensated") answer(() => err({ _tag: "Refused" }));
      await run();
      if (status === "abandoned") await engine.abandon("s", order);
      mend();
      const before = [records(bench), participants.told(), await engine.result(one, "s")];
      const message =
        verb === "abandon" ? `it is ${status}; only a parked saga can be abandoned` : `it is ${status}, and what has ended stays as it is`;
      expect(await VERBS[verb](engine)).toEqual(refusal(message));
      kill();
      const next = bench.open([one]).engine;
      expect(await VERBS[verb](next)).toEqual(refusal(message));
      expect([records(bench), participants.told(), await next.result(one, "s")]).toEqual(before);
      expect((await next.inspect("s"))._unsafeUnwrap().status).toBe(status);
    },
  );

  test("without who or why, or with too much of it, is refused", async () => {
    const { engine, run, bench } = createStuckSaga("action", { answer: () => faulted("Unknown"), behaviour: AT_ONCE });
    await run();
    const before = records(bench);
    const by = "by must be a text of 1 to 200 characters";
    const reason = "reason must be a text of 1 to 2000 characters";
    for (const [given, message] of [
      [{ by: "" }, by],
      [{ by: "x".repeat(201) }, by],
      [{ by: undefined }, by],
      [{ reason: "" }, reason],
      [{ reason: "x".repeat(2_001) }, reason],
      [{ reason: 7 }, reason],
    ] as const) {
      expect(await VERBS[verb](engine, { ...order, ...given } as OperatorOrder)).toEqual(refusal(message));
    }
    expect(records(bench)).toBe(before);
    const longest = { ...order, by: "x".repeat(200), reason: "x".repeat(2_000), verdict: { _tag: "applied", output: 1 } } as const;
    expect((await VERBS[verb](engine, longest)).isOk()).toBe(true);
  });

  test("on a closed engine is refused as unavailable, and the next engine takes it", async () => {
    const { engine, run, bench, one } = createStuckSaga("action", { answer: () => faulted("Unknown"), behaviour: AT_ONCE });
    await run();
    await engine.close();
    const before = records(bench);
    expect(await VERBS[verb](engine)).toEqual(err({ _tag: "SagaUnavailable", sagaId: "s", message: "the engine is closed" }));
    expect(records(bench)).toBe(before);
    const next = bench.open([one]).engine;
    await next.recovered;
    expect((await VERBS[verb](next)).isOk()).toBe(true);
  });

  test("of a journal that the store cannot read is refused, for what stands is not known", async () => {
    const { engine, run, bench } = createStuckSaga("action", { answer: () => faulted("Unknown"), behaviour: AT_ONCE });
    await run();
    bench.disk.corrupt.add("s");
    expect(await VERBS[verb](engine)).toEqual(
      refusal("its journal cannot be read (the journal of saga s is marked as corrupt), so what stands is not known"),
    );
  });

  test("while the store is away changes nothing and may be tried again", async () => {
    let away = false;
    const { engine, run, bench } = createStuckSaga("action", {
      answer: () => faulted("Unknown"),
      behaviour: AT_ONCE,
      open: { faults: { beforeCommit: () => (away ? "refuse" : undefined) } },
    });
    await run();
    const before = records(bench);
    away = true;
    expect((await VERBS[verb](engine))._unsafeUnwrapErr()._tag).toBe("SagaUnavailable");
    expect(records(bench)).toBe(before);
    away = false;
    await bench.timer.idle();
    expect((await VERBS[verb](engine)).isOk()).toBe(true);
  });
});

describe("retry and settle", () => {
  test.each<[what: string, given: Partial<OperatorOrder>, message: string]>([
    ["of an operation that there is not", { path: "run/x" }, "the action of run/x is not there, not parked"],
    ["of one that has settled", { path: "run/before" }, "the action of run/before is settled, not parked"],
    ["of the slot that is not parked", { slot: "compensation" }, "the compensation of run/a is not there, not parked"],
  ])("%s are refused", async (_what, given, message) => {
    const { engine, run, bench } = createStuckSaga("action", { answer: () => faulted("Unknown"), behaviour: AT_ONCE });
    await run();
    const before = records(bench);
    for (const verb of ["retry", "settle"] as const) expect(await VERBS[verb](engine, { ...order, ...given })).toEqual(refusal(message));
    expect(records(bench)).toBe(before);
  });

  test("of a saga that no definition here can drive are refused, and it can still be abandoned, once, with what stands", async () => {
    const { run, bench, one, kill } = createStuckSaga("action", { answer: () => faulted("Unknown"), behaviour: AT_ONCE });
    await run();
    kill();
    const { engine } = bench.open([]);
    expect(await engine.recovered).toEqual({ adopted: 0, quarantined: 1 });
    const unknown = "no definition of saga stuck version 1 is registered with this engine";
    const message = `no definition here can drive it (${unknown}): readmit it once that is mended, or abandon it`;
    for (const verb of ["retry", "settle"] as const) expect(await VERBS[verb](engine)).toEqual(refusal(message));
    expect((await engine.abandon("s", order)).isOk()).toBe(true);

    const ended = (await engine.result(one, "s"))._unsafeUnwrapErr();
    expect(ended).toMatchObject({ _tag: "SagaAbandoned", stands: [{ path: "run/before" }, { path: "run/a", known: "inDoubt" }] });
    expect((await engine.inspect("s"))._unsafeUnwrap()).toMatchObject({ status: "abandoned", quarantine: undefined });
    const before = records(bench);
    expect(await engine.abandon("s", order)).toEqual(refusal("it is abandoned; only a parked saga can be abandoned"));
    expect(await engine.readmit("s")).toEqual(refusal("it is not quarantined"));
    for (const verb of ["retry", "settle"] as const) {
      expect(await VERBS[verb](engine)).toEqual(refusal("it is abandoned, and what has ended stays as it is"));
    }
    expect((await engine.inspect("s"))._unsafeUnwrap()).toMatchObject({ status: "abandoned", quarantine: undefined });
    expect(records(bench)).toBe(before);
  });
});

describe("settle", () => {
  test.each<[what: string, given: object, message: string]>([
    ["without evidence", { evidence: "" }, "evidence must be a text of 1 to 2000 characters"],
    ["with evidence that is no text", { evidence: ["a"] }, "evidence must be a text of 1 to 2000 characters"],
    ["with too much evidence", { evidence: "x".repeat(2_001) }, "evidence must be a text of 1 to 2000 characters"],
    ["with no verdict", { verdict: undefined }, 'the verdict must be "applied" or "notApplied"'],
    ["with a verdict that there is not", { verdict: { _tag: "Applied" } }, 'the verdict must be "applied" or "notApplied"'],
    [
      "with an output that is no JSON",
      { verdict: { _tag: "applied", output: { at: new Date(0) } } },
      "the output of a is no JSON: /at is an instance of Date",
    ],
    [
      "with an output that is too large to keep",
      { verdict: { _tag: "applied", output: "x".repeat(5_000_000) } },
      "the output of a has 5000002 characters of JSON; 1048576 are the most",
    ],
  ])("%s is refused", async (_what, given, message) => {
    const { engine, run, bench, one } = createStuckSaga("action", { answer: () => faulted("Unknown"), behaviour: AT_ONCE });
    const parked = await run();
    const before = records(bench);
    expect(await engine.settle("s", { ...order, ...given })).toEqual(refusal(message));
    expect(records(bench)).toBe(before);
    expect(await engine.result(one, "s")).toEqual(parked);
  });
});

describe("two operators at once", () => {
  test.each([
    ["retry", "retry"],
    ["retry", "settle"],
    ["settle", "retry"],
    ["settle", "settle"],
  ] as const)("with %s and %s on one operation: one of them counts, the other is refused, and the saga goes on", async (first, second) => {
    const { engine, run, one, mend, participants } = createStuckSaga("action", { answer: () => faulted("Unknown"), behaviour: AT_ONCE });
    await run();
    mend();
    const given = { ...order, verdict: { _tag: "applied", output: 20 } } as const;
    const verdicts = await Promise.all([VERBS[first](engine, given), VERBS[second](engine, given)]);
    expect(verdicts.map((verdict) => (verdict.isOk() ? "ok" : verdict.error._tag)).toSorted()).toEqual(["VerbRefused", "ok"]);
    expect(await engine.result(one, "s")).toEqual(ok(20));
    const won = verdicts[0].isOk() ? first : second;
    expect(participants.of("a").length).toBe(won === "retry" ? 2 : 1);
  });

  test("while one waits for a seal, the other's retry goes first, and the seal changes nothing any more", async () => {
    const asked = Promise.withResolvers<void>();
    const sealed = Promise.withResolvers<void>();
    const { engine, run, one, mend } = createStuckSaga("action", {
      answer: () => faulted("Unknown"),
      behaviour: {
        ...AT_ONCE,
        resolve: (async () => {
          asked.resolve();
          await sealed.promise;
          return ok({ _tag: "SealedForGood" });
        }) as never,
      },
    });
    await run();
    mend();
    const settling = engine.settle("s", { ...order, verdict: { _tag: "notApplied" } });
    await asked.promise;
    expect(await engine.abandon("s", order)).toEqual(refusal("another operator's verb is at it: look again"));
    expect((await engine.retry("s", order)).isOk()).toBe(true);
    sealed.resolve();
    expect((await settling)._unsafeUnwrapErr()).toMatchObject({
      _tag: "VerbRefused",
      message: expect.stringContaining("it moved meanwhile") as string,
    });
    expect(await engine.result(one, "s")).toEqual(ok(20));
  });

  test("on two engines of one store: whoever claimed it last writes, the other writes nothing", async () => {
    const { engine, run, one, bench } = createStuckSaga("action", { answer: () => faulted("Unknown"), behaviour: AT_ONCE });
    await run();
    const other = bench.open([one]).engine;
    await other.recovered;
    const verdicts = await Promise.all([engine.abandon("s", order), other.abandon("s", { by: "bob", reason: "too" })]);
    expect(verdicts.filter((verdict) => verdict.isOk()).length).toBe(1);
    expect(bench.entries("s").filter(({ _tag }) => _tag === "OperatorAbandoned").length).toBe(1);
  });
});

test("abandon of a saga that parks and one that goes on are kept apart: nothing else is ended", async () => {
  const bench = createBench();
  const participants = createParticipants();
  const a = participants.compensatable("a", { run: (input) => (input === 0 ? ok(0) : faulted("KeyReused")) });
  const one = saga({
    name: "one",
    input: numberInput,
    *run(input) {
      return yield* a(input);
    },
  });
  const { engine } = bench.open([one]);
  for (const [id, input] of Object.entries({ s: 1, t: 1, fine: 0 })) await engine.run(one, input, { id });
  await engine.abandon("s", order);
  expect((await engine.parked())._unsafeUnwrap().map(({ sagaId }) => sagaId)).toEqual(["t"]);
  expect((await engine.result(one, "fine"))._unsafeUnwrap()).toBe(0);
});
