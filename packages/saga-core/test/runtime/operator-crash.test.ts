// Goal: a verb is in the journal or it is not, and what follows from it follows once. Method: the process dies before or after the append of every verb, then a new one.
import { ok, type Result } from "neverthrow";
import { describe, expect, test } from "vitest";
import type { Engine } from "../../src/index.ts";
import type { AppendRequest } from "../../src/journal.ts";
import { AT_ONCE, CALLED, createStuckSaga, faulted, PLACES, type Place } from "./stuck-saga.ts";

type Stuck = ReturnType<typeof createStuckSaga>;

const EVIDENCE = { evidence: "ledger" } as const;
const VERBS = {
  retry: { tag: "OperatorRetried", use: (engine: Engine, { order }: Stuck) => engine.retry("s", order) },
  "settle as applied": {
    tag: "OperatorSettled",
    use: (engine: Engine, { order }: Stuck) => engine.settle("s", { ...order, ...EVIDENCE, verdict: { _tag: "applied", output: 20 } }),
  },
  "settle as not applied": {
    tag: "OperatorSettled",
    use: (engine: Engine, { order }: Stuck) => engine.settle("s", { ...order, ...EVIDENCE, verdict: { _tag: "notApplied" } }),
  },
  abandon: { tag: "OperatorAbandoned", use: (engine: Engine, { order }: Stuck) => engine.abandon("s", order) },
} as const;
type Verb = keyof typeof VERBS;

const CASES = PLACES.flatMap((place) =>
  (Object.keys(VERBS) as readonly Verb[])
    // A read has no key to seal, so the verb is refused before anything could crash.
    .filter((verb) => !(place === "readOnly" && verb === "settle as not applied"))
    .map((verb) => ({ place, verb })),
);

/** How a saga ends after the verb, without any crash: what a crash must not change. */
async function undisturbed(place: Place, verb: Verb) {
  const stuck = createStuckSaga(place, {
    answer: () => faulted("Unknown"),
    behaviour: { ...AT_ONCE, resolve: () => ok({ _tag: "SealedForGood" }) },
  });
  await stuck.run();
  stuck.mend();
  expect((await VERBS[verb].use(stuck.engine, stuck)).isOk()).toBe(true);
  return { result: await stuck.engine.result(stuck.one, "s"), told: stuck.participants.told() };
}

async function interrupted(place: Place, verb: Verb, when: "beforeCommit" | "afterCommit") {
  const { tag, use } = VERBS[verb];
  const stuck = createStuckSaga(place, {
    answer: () => faulted("Unknown"),
    behaviour: { ...AT_ONCE, resolve: () => ok({ _tag: "SealedForGood" }) },
    open: { faults: { [when]: ({ record }: AppendRequest) => (record.includes(tag) ? "crash" : undefined) } },
  });
  await stuck.run();
  stuck.mend();
  let answered: Result<void, unknown> | undefined;
  void use(stuck.engine, stuck).then((verdict) => {
    answered = verdict;
  });
  for (let turn = 0; turn < 3; turn++) await stuck.bench.timer.idle();
  stuck.kill();
  expect(answered).toBe(undefined);
  return stuck;
}

describe("a process that dies", () => {
  test.each(CASES)(
    "before $verb of $place is journaled leaves the saga parked as it was, and the verb can be used again",
    async ({ place, verb }) => {
      const stuck = await interrupted(place, verb, "beforeCommit");
      const { engine } = stuck.bench.open([stuck.one]);
      await engine.recovered;
      expect((await engine.result(stuck.one, "s"))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaParked", operations: [stuck.address] });
      expect(stuck.participants.told().filter((call) => !call.startsWith("resolve"))).toEqual(CALLED[place]);
      expect((await VERBS[verb].use(engine, stuck)).isOk()).toBe(true);
      expect(await engine.result(stuck.one, "s")).toEqual((await undisturbed(place, verb)).result);
    },
  );

  test.each(CASES)("after $verb of $place was journaled, and before anything else, loses nothing of it", async ({ place, verb }) => {
    const stuck = await interrupted(place, verb, "afterCommit");
    const expected = await undisturbed(place, verb);
    const { engine } = stuck.bench.open([stuck.one]);
    expect(await engine.result(stuck.one, "s")).toEqual(expected.result);
    expect(stuck.participants.told()).toEqual(expected.told);
    const tags = stuck.bench.entries("s").filter(({ _tag }) => _tag === VERBS[verb].tag);
    expect(tags.length).toBe(1);
  });
});

describe("an operation that an operator had tried again", () => {
  test.each<Place>(["action", "pivot", "retriable", "readOnly", "compensation"])(
    "as %s, and that its process died over, is tried once more under the same key",
    async (place) => {
      const stuck = createStuckSaga(place, { answer: () => faulted("Faulted"), behaviour: AT_ONCE });
      stuck.answer(() => faulted("KeyReused"));
      await stuck.run();
      stuck.answer(() => new Promise(() => undefined) as never);
      stuck.bench.timer.pause();
      await stuck.engine.retry("s", stuck.order);
      await stuck.bench.timer.idle();
      expect(stuck.calls().length).toBe(2);
      stuck.kill();
      stuck.mend();
      stuck.bench.timer.resume();
      const { engine } = stuck.bench.open([stuck.one]);
      expect((await engine.result(stuck.one, "s")).isOk()).toBe(place !== "compensation");
      expect(stuck.calls().length).toBe(3);
      expect(new Set(stuck.calls().map(({ key }) => key)).size).toBe(1);
    },
  );

  test("has the horizon that began with the operator's verb, in the next process too", async () => {
    const hour = 3_600_000;
    const stuck = createStuckSaga("compensation", {
      answer: () => faulted("NotSent"),
      behaviour: { compensationRetry: { horizonMs: hour } },
    });
    await stuck.run();
    stuck.bench.timer.pause();
    await stuck.bench.timer.advance(86_400_000);
    await stuck.engine.retry("s", stuck.order);
    const retriedAt = stuck.bench.timer.now();
    await stuck.bench.timer.advance(hour / 2);
    stuck.kill();
    stuck.bench.timer.resume();
    const { engine } = stuck.bench.open([stuck.one]);
    expect((await engine.result(stuck.one, "s"))._unsafeUnwrapErr()._tag).toBe("SagaParked");
    const ended = stuck.bench.timer.now() - retriedAt;
    expect(ended).toBeGreaterThan(hour - 60_000);
    expect(ended).toBeLessThanOrEqual(hour);
  });

  test("is in doubt after the crash, though it was in none before: the process may have sent it", async () => {
    const stuck = createStuckSaga("pivot", { answer: () => faulted("Unreadable"), behaviour: AT_ONCE });
    await stuck.run();
    stuck.answer(() => new Promise(() => undefined) as never);
    stuck.bench.timer.pause();
    await stuck.engine.retry("s", stuck.order);
    await stuck.bench.timer.idle();
    stuck.kill();
    stuck.bench.timer.resume();
    stuck.answer(() => faulted("NotSent"));
    const { engine } = stuck.bench.open([stuck.one]);
    expect((await engine.result(stuck.one, "s"))._unsafeUnwrapErr()).toMatchObject({ operations: [{ cause: { _tag: "OutputLost" } }] });
    expect(stuck.bench.entries("s").at(-1)).toMatchObject({ _tag: "OperationParked", knowledge: { doubt: true, applied: true } });
  });
});
