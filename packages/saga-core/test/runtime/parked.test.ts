// Goal: what nobody may decide alone waits, says why, and holds back exactly what depends on it: a pivot in doubt (FS-50), a retriable step past it, which only goes forward
// (FS-51), and everything else. Method: every way to get stuck, at every place, with the verbs that are left, through an engine.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { all, fail, fault, saga, savepoint } from "../../src/index.ts";
import { AT_ONCE, CALLED, createStuckSaga, EVERY_WAY, faulted, verbsOf } from "./stuck-saga.ts";
import { type Answer, createBench, createParticipants, numberInput } from "./workbench.ts";

const refused = err({ _tag: "Refused" } as const);
const never = () => new Promise<never>(() => undefined);

describe("an operation that", () => {
  test.each(EVERY_WAY)(
    "ends $by as $place parks the saga with $cause, and nothing else is called",
    async ({ place, by, cause, knowledge }) => {
      const { run, engine, participants, address, bench } = createStuckSaga(place, { answer: () => faulted(by), behaviour: AT_ONCE });
      const parked = {
        _tag: "SagaParked",
        sagaId: "s",
        operations: [{ ...address, step: "a", cause: { _tag: cause, fault: { _tag: by, message: "as told" } }, verbs: verbsOf(place, by) }],
        firstError: place === "compensation" ? { _tag: "Refused" } : undefined,
        quarantine: undefined,
      } as const;
      expect((await run())._unsafeUnwrapErr()).toEqual(parked);
      expect(participants.told()).toEqual(CALLED[place]);
      expect((await engine.parked())._unsafeUnwrap()).toEqual([parked]);
      expect((await engine.inspect("s"))._unsafeUnwrap()).toMatchObject({ sagaId: "s", status: "parked", quarantine: undefined });
      expect(bench.commits.at(-1)?.status).toBe("parked");
      expect(bench.entries("s").at(-1)).toMatchObject({ _tag: "OperationParked", ...address, knowledge, attempts: 1 });
    },
  );

  test.each(EVERY_WAY)("ended $by as $place waits in the next process as it waited in this one", async ({ place, by, cause }) => {
    const { run, bench, one, kill, participants, address } = createStuckSaga(place, { answer: () => faulted(by), behaviour: AT_ONCE });
    const parked = (await run())._unsafeUnwrapErr();
    kill();
    const { engine } = bench.open([one]);
    expect(await engine.recovered).toEqual({ adopted: 1, quarantined: 0 });
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toEqual(parked);
    expect(parked).toMatchObject({ operations: [{ ...address, cause: { _tag: cause } }] });
    expect(participants.told()).toEqual(CALLED[place]);
  });
});

describe("a parked compensation", () => {
  const stuck = { compensate: () => faulted("Faulted") } as const;

  test("lets its siblings in the same all be undone, and lets earlier steps wait", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const earlier = participants.compensatable("earlier");
    const [a, b, c] = [participants.compensatable("a"), participants.compensatable("b", stuck), participants.compensatable("c")];
    const no = participants.compensatable("no", { run: () => refused });
    const back = saga({
      name: "back",
      input: numberInput,
      *run() {
        yield* earlier(1);
        yield* all([a(2), b(3), c(4)]);
        yield* no(5);
      },
    });
    const { engine } = bench.open([back]);
    const parked = (await engine.run(back, 0, { id: "s" }))._unsafeUnwrapErr();
    expect(parked).toMatchObject({
      _tag: "SagaParked",
      operations: [{ path: "run/all/1/b", slot: "compensation" }],
      firstError: { _tag: "Refused" },
    });
    expect(participants.told().slice(5)).toEqual(["undo a 2", "undo b 3", "undo c 4"]);
    const order = { path: "run/all/1/b", slot: "compensation", by: "ada", reason: "done by hand" } as const;
    expect((await engine.settle("s", { ...order, evidence: "ledger", verdict: { _tag: "applied" } })).isOk()).toBe(true);
    expect((await engine.result(back, "s"))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.told().slice(8)).toEqual(["undo earlier 1"]);
  });

  test("of several siblings is told one by one, and the saga goes on when the last of them is settled", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a", stuck);
    const back = saga({
      name: "back",
      input: numberInput,
      *run() {
        yield* all([a(1), a(2)]);
        yield* fail({ _tag: "Changed" });
      },
    });
    const { engine } = bench.open([back]);
    const paths = async () => {
      const result = (await engine.result(back, "s"))._unsafeUnwrapErr();
      return result._tag === "SagaParked" ? result.operations.map(({ path }) => path) : result._tag;
    };
    await engine.run(back, 0, { id: "s" });
    expect(await paths()).toEqual(["run/all/0/a", "run/all/1/a"]);
    const settle = (path: string) =>
      engine.settle("s", { path, slot: "compensation", by: "ada", reason: "done", evidence: "ledger", verdict: { _tag: "applied" } });
    await settle("run/all/1/a");
    expect(await paths()).toEqual(["run/all/0/a"]);
    await settle("run/all/0/a");
    expect(await paths()).toBe("Changed");
  });

  test("in a savepoint parks the saga, and the body goes on only when it is settled", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const [a, b] = [participants.compensatable("a", stuck), participants.compensatable("b")];
    const saved = saga({
      name: "saved",
      input: numberInput,
      *run() {
        const tried = yield* savepoint(function* () {
          yield* a(1);
          return yield* fail({ _tag: "NotThis" });
        });
        yield* b(2);
        return tried.isErr() ? tried.error._tag : "none";
      },
    });
    const { engine } = bench.open([saved]);
    // The saga itself does not go back, so there is no first error to tell.
    expect((await engine.run(saved, 0, { id: "s" }))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaParked", firstError: undefined });
    expect(participants.told()).toEqual(["a 1", "undo a 1"]);
    const order = { path: "run/savepoint/a", slot: "compensation", by: "ada", reason: "done" } as const;
    await engine.settle("s", { ...order, evidence: "ledger", verdict: { _tag: "applied" } });
    expect((await engine.result(saved, "s"))._unsafeUnwrap()).toBe("NotThis");
    expect(participants.told()).toEqual(["a 1", "undo a 1", "b 2"]);
  });

  test("is not told as parked while a sibling is still at work: the saga is running", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const gate = Promise.withResolvers<void>();
    const a = participants.compensatable("a", stuck);
    const slow = participants.compensatable("slow", {
      compensate: async () => {
        await gate.promise;
        return ok(undefined);
      },
    });
    const back = saga({
      name: "back",
      input: numberInput,
      *run() {
        yield* all([a(1), slow(2)]);
        yield* fail({ _tag: "Changed" });
      },
    });
    bench.timer.pause();
    const { engine } = bench.open([back]);
    await engine.start(back, 0, { id: "s" });
    await bench.timer.idle();
    expect((await engine.inspect("s"))._unsafeUnwrap().status).toBe("running");
    expect((await engine.parked())._unsafeUnwrap()).toEqual([]);
    gate.resolve();
    expect((await engine.result(back, "s"))._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaParked",
      operations: [{ path: "run/all/0/a" }],
    });
  });
});

describe("a pivot", () => {
  test("FS-50: in doubt blocks both directions: nothing is undone, nothing is completed, no event is published", async () => {
    const { run, participants, bench } = createStuckSaga("pivot", {
      answer: () => faulted("Unknown"),
      behaviour: { retry: { attempts: 3 } },
    });
    expect((await run())._unsafeUnwrapErr()).toMatchObject({ operations: [{ cause: { _tag: "DoubtRemains" } }] });
    expect(participants.told()).toEqual(["before 1", "a 2", "a 2", "a 2"]);
    expect(bench.entries("s").map(({ _tag }) => _tag)).not.toContain("WentBack");
  });

  test.each<[what: string, answers: readonly Answer[]]>([
    ["then rejected without a decision for the key", [faulted("Unknown"), refused]],
    ["then faulted", [faulted("Unknown"), faulted("Faulted")]],
    ["then never sent", [faulted("Unknown"), faulted("NotSent")]],
  ])("in doubt, %s, is still in doubt", async (_what, answers) => {
    const { run, participants } = createStuckSaga("pivot", {
      answer: (nth) => answers[nth - 1] ?? faulted("NotSent"),
      behaviour: { retry: { horizonMs: 2_000 } },
    });
    expect((await run())._unsafeUnwrapErr()).toMatchObject({ operations: [{ cause: { _tag: "DoubtRemains" } }] });
    expect(participants.told()).not.toContain("undo before 1");
  });

  test.each<[what: string, answers: readonly Answer[], error: object]>([
    ["rejected", [refused], { _tag: "Refused" }],
    ["faulted without doubt", [faulted("Faulted")], { _tag: "SagaFaulted", path: "pivot/a", fault: { _tag: "Faulted" } }],
    [
      "sealed, which clears its doubt,",
      [faulted("Unknown"), faulted("Sealed")],
      { _tag: "SagaFaulted", path: "pivot/a", fault: { _tag: "Sealed" } },
    ],
  ])("that is %s had no effect, so the saga goes back", async (_what, answers, error) => {
    const { run, participants } = createStuckSaga("pivot", { answer: (nth) => answers[nth - 1] ?? refused, behaviour: AT_ONCE_OR_TWICE });
    expect((await run())._unsafeUnwrapErr()).toMatchObject(error);
    expect(participants.told().slice(-1)).toEqual(["undo before 1"]);
  });

  const AT_ONCE_OR_TWICE = { inDoubt: "park", retry: { attempts: 2 } } as const;
});

describe("a member of an all that waits for certainty or for its output in order to go forward", () => {
  test.each([
    { by: "Unknown", known: "nothing", undoes: "inDoubt" },
    { by: "Unreadable", known: "succeeded", undoes: "succeeded" },
  ] as const)(
    "after $by is undone with what is known once another member fails: nobody needs to decide any more",
    async ({ by, known, undoes }) => {
      const { bench, participants, some } = setUp(() => faulted(by));
      const { engine } = bench.open([some]);
      expect((await engine.run(some, 0, { id: "s" }))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
      expect(participants.of("waits", "compensation")).toMatchObject([{ outcome: { _tag: "InDoubt", known }, undoes: { known: undoes } }]);
    },
  );

  test("is so undone too when the process dies between the failure and that", async () => {
    const { bench, participants, some } = setUp(() => faulted("Unreadable"));
    const { engine, kill } = bench.open([some], {
      faults: {
        afterCommit: ({ record }) => (record.includes("Refused") ? "crash" : undefined),
      },
    });
    await engine.start(some, 0, { id: "s" });
    await bench.timer.advance(5_000);
    kill();
    bench.timer.resume();
    expect(participants.told()).toEqual(["waits 1", "no 2"]);
    expect((await bench.open([some]).engine.result(some, "s"))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.told()).toEqual(["waits 1", "no 2", "undo waits 1"]);
    expect(participants.of("waits", "compensation")).toMatchObject([{ outcome: { _tag: "InDoubt", known: "succeeded" } }]);
  });

  test("waits on when its key is in disorder, for undoing would be no safer", async () => {
    const { bench, participants, some } = setUp(() => faulted("KeyReused"));
    const { engine } = bench.open([some]);
    expect((await engine.run(some, 0, { id: "s" }))._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaParked",
      operations: [{ path: "run/all/0/waits", cause: { _tag: "KeyReused" } }],
    });
    expect(participants.told()).toEqual(["waits 1", "no 2"]);
    const order = { path: "run/all/0/waits", slot: "action", by: "ada", reason: "ticket 7", evidence: "ledger" } as const;
    await engine.settle("s", { ...order, verdict: { _tag: "notApplied" } });
    expect((await engine.result(some, "s"))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.told()).toEqual(["waits 1", "no 2", "undo waits 1"]);
  });

  test.each(["retry", "settle"] as const)("and is, after an operator's %s as a success, undone as one", async (verb) => {
    let answer: Answer = faulted("KeyReused");
    const { bench, participants, some } = setUp(() => answer);
    const { engine } = bench.open([some]);
    await engine.run(some, 0, { id: "s" });
    answer = ok(9);
    const order = { path: "run/all/0/waits", slot: "action", by: "ada", reason: "ticket 7", evidence: "ledger" } as const;
    await engine[verb]("s", { ...order, verdict: { _tag: "applied", output: 9 } });
    expect((await engine.result(some, "s"))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.of("waits", "compensation")).toMatchObject([{ outcome: { _tag: "Succeeded", output: 9 } }]);
  });

  test.each([
    { what: "has succeeded", answer: ok(1), outcome: { _tag: "Succeeded", output: 1 } },
    { what: "lost its output", answer: faulted("Unreadable"), outcome: { _tag: "InDoubt", known: "succeeded" } },
    { what: "is spent in doubt", answer: faulted("Unknown"), outcome: { _tag: "InDoubt", known: "nothing" } },
  ])("that $what while the other's failure is still being written is undone once", async ({ answer, outcome }) => {
    const gate = Promise.withResolvers<Answer>();
    const written = Promise.withResolvers<void>();
    const { bench, participants, some } = setUp(() => gate.promise);
    let writing = false;
    const { engine } = bench.open([some], {
      // From the failure on, nobody is told what was written until the test says so.
      wrap: (store) => ({
        ...store,
        append: async (request) => {
          const appended = store.append(request);
          writing ||= request.record.includes("Refused");
          if (writing) await written.promise;
          return appended;
        },
      }),
    });
    const running = engine.run(some, 0, { id: "s" });
    await bench.timer.advance(1_000);
    expect(writing).toBe(true);
    gate.resolve(answer);
    await bench.timer.idle();
    written.resolve();
    bench.timer.resume();
    expect((await running)._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
    expect(participants.told()).toEqual(["waits 1", "no 2", "undo waits 1"]);
    expect(participants.of("waits", "compensation")).toMatchObject([{ outcome }]);
  });

  function setUp(run: () => Answer | Promise<Answer>) {
    const bench = createBench();
    const participants = createParticipants();
    const waits = participants.compensatable("waits", { run, inDoubt: "park", retry: { attempts: 1, timeoutMs: 60_000 } });
    const no = participants.compensatable("no", {
      run: async () => {
        await bench.timer.sleep(1_000);
        return refused;
      },
    });
    const some = saga({
      name: "some",
      input: numberInput,
      *run() {
        yield* all([waits(1), no(2)]);
      },
    });
    return { bench, participants, some };
  }
});

test("a caller who waits is answered when the saga parks, and another one when it has ended", async () => {
  const { run, engine, one, mend, order } = createStuckSaga("compensation", { answer: () => faulted("Faulted") });
  await engine.start(one, 1, { id: "s" });
  const [first, second] = await Promise.all([run(), engine.result(one, "s")]);
  expect(first._unsafeUnwrapErr()._tag).toBe("SagaParked");
  expect(second._unsafeUnwrapErr()._tag).toBe("SagaParked");
  mend();
  await engine.retry("s", order);
  expect((await run())._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
  expect((await engine.parked())._unsafeUnwrap()).toEqual([]);
});

test("an engine lists what is parked, oldest first, and nothing that runs or has ended", async () => {
  const bench = createBench();
  const participants = createParticipants();
  const a = participants.compensatable("a", {
    run: (input) => (input === 0 ? ok(0) : input === 1 ? never() : err(fault("KeyReused", "other payload"))),
    retry: { timeoutMs: 3_600_000 },
  });
  const one = saga({
    name: "one",
    input: numberInput,
    *run(input) {
      return yield* a(input);
    },
  });
  bench.timer.pause();
  const { engine } = bench.open([one]);
  for (const [id, input] of Object.entries({ z: 2, ended: 0, hangs: 1, b: 3 })) await engine.start(one, input, { id });
  await bench.timer.idle();
  expect((await engine.parked())._unsafeUnwrap().map(({ sagaId }) => sagaId)).toEqual(["z", "b"]);
});
