// Goal: each verb on each kind of stuck operation leads where the rules say, and nowhere by a guess. Method: every way to get stuck × every verb, through an engine.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { fail, saga } from "../../src/index.ts";
import { AT_ONCE, CALLED, createStuckSaga, EVERY_WAY, faulted, type Place } from "./stuck-saga.ts";
import { type Behaviour, createBench, createParticipants, numberInput } from "./workbench.ts";

const evidence = { evidence: "bank statement of May" } as const;
const notApplied = { ...evidence, verdict: { _tag: "notApplied" } } as const;
const sealing: Behaviour = { ...AT_ONCE, resolve: () => ok({ _tag: "SealedForGood" }) };

/** How a saga ends that went forward with this output, or back. */
const forward = (output: unknown) => ok(output);
const backFor = (error: object) => err(error);
const operatorsNo = {
  _tag: "SagaFaulted",
  sagaId: "s",
  step: "a",
  fault: { _tag: "Sealed", message: "settled by an operator as not applied" },
} as const;

/** What is called once the stuck operation succeeds, or counts as such. */
const GOES_ON: Readonly<Record<Place, readonly string[]>> = {
  action: ["after 3"],
  pivot: ["after 3"],
  retriable: ["after 3"],
  readOnly: ["after 3"],
  compensation: ["undo before 1"],
};

describe("retry", () => {
  test.each(EVERY_WAY)("of $place after $by tries again under the same key, and the saga goes on", async ({ place, by }) => {
    const { run, engine, one, order, calls, mend, participants } = createStuckSaga(place, {
      answer: () => faulted(by),
      behaviour: AT_ONCE,
    });
    await run();
    mend();
    expect(await engine.retry("s", order)).toEqual(ok(undefined));
    const result = await engine.result(one, "s");
    expect(result).toEqual(place === "compensation" ? backFor({ _tag: "Refused" }) : forward(20));
    expect(calls().map(({ attempt }) => attempt)).toEqual([1, 1]);
    expect(new Set(calls().map(({ key, issuedAt }) => `${key} ${issuedAt}`)).size).toBe(1);
    expect(participants.told()).toEqual([...CALLED[place], CALLED[place].at(-1), ...GOES_ON[place]]);
  });

  test.each(EVERY_WAY)(
    "of $place after $by that meets the same again parks again, and may be repeated",
    async ({ place, by, cause, knowledge }) => {
      const { run, engine, one, order, calls, bench } = createStuckSaga(place, { answer: () => faulted(by), behaviour: AT_ONCE });
      await run();
      for (let round = 2; round <= 4; round++) {
        expect(await engine.retry("s", order)).toEqual(ok(undefined));
        expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toMatchObject({
          _tag: "SagaParked",
          operations: [{ cause: { _tag: cause } }],
        });
        expect(calls().length).toBe(round);
      }
      expect(bench.entries("s").at(-1)).toMatchObject({ _tag: "OperationParked", knowledge });
    },
  );

  test.each<[place: Place, by: "Unknown" | "Unreadable", cause: string]>([
    ["action", "Unknown", "DoubtRemains"],
    ["action", "Unreadable", "OutputLost"],
    ["pivot", "Unknown", "DoubtRemains"],
    ["pivot", "Unreadable", "OutputLost"],
  ])("of %s forgets nothing: after %s a rejection that decides nothing leaves it parked with %s", async (place, by, cause) => {
    const { run, engine, one, order, answer } = createStuckSaga(place, { answer: () => faulted(by), behaviour: AT_ONCE });
    await run();
    answer(() => err({ _tag: "Refused" }));
    await engine.retry("s", order);
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaParked",
      operations: [{ cause: { _tag: cause, fault: { message: "the participant answered Refused", details: { _tag: "Refused" } } } }],
    });
  });

  test.each<Place>(["action", "pivot"])(
    "of %s that is sealed by then had no effect: the saga goes back without undoing it",
    async (place) => {
      const { run, engine, one, order, answer, participants } = createStuckSaga(place, {
        answer: () => faulted("Unknown"),
        behaviour: AT_ONCE,
      });
      await run();
      answer(() => faulted("Sealed"));
      await engine.retry("s", order);
      expect((await engine.result(one, "s"))._unsafeUnwrapErr()).toMatchObject({
        _tag: "SagaFaulted",
        step: "a",
        fault: { _tag: "Sealed" },
      });
      expect(participants.told().slice(-1)).toEqual(["undo before 1"]);
      expect(participants.of("a", "compensation")).toEqual([]);
    },
  );

  test.each<Place>(["action", "pivot", "retriable", "compensation"])("of %s starts the budget of attempts anew", async (place) => {
    const three = { attempts: 3 };
    const { run, engine, one, order, calls } = createStuckSaga(place, {
      answer: () => faulted("Unknown"),
      behaviour: { inDoubt: "park", retry: three, compensationRetry: three },
    });
    await run();
    expect(calls().map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    await engine.retry("s", order);
    await engine.result(one, "s");
    expect(calls().map(({ attempt }) => attempt)).toEqual([1, 2, 3, 1, 2, 3]);
  });

  test.each<Place>(["retriable", "readOnly", "compensation"])("of %s starts the horizon anew, on the store's clock", async (place) => {
    const hour = { horizonMs: 3_600_000 };
    const { run, engine, one, order, calls, bench } = createStuckSaga(place, {
      answer: () => faulted("NotSent"),
      behaviour: { retry: hour, compensationRetry: hour },
    });
    await run();
    const first = calls().length;
    expect(first).toBeGreaterThan(100);
    bench.timer.pause();
    await bench.timer.advance(86_400_000);
    bench.timer.resume();
    await engine.retry("s", order);
    await engine.result(one, "s");
    expect(calls().length).toBe(2 * first);
  });
});

describe("settle as applied", () => {
  const applied = { ...evidence, verdict: { _tag: "applied", output: 77 } } as const;

  test.each(EVERY_WAY)("of $place after $by makes no call; the saga goes on with the operator's output", async ({ place, by }) => {
    const { run, engine, one, order, participants } = createStuckSaga(place, { answer: () => faulted(by), behaviour: AT_ONCE });
    await run();
    expect(await engine.settle("s", { ...order, ...applied })).toEqual(ok(undefined));
    expect(await engine.result(one, "s")).toEqual(place === "compensation" ? backFor({ _tag: "Refused" }) : forward(77));
    expect(participants.told()).toEqual([...CALLED[place], ...GOES_ON[place]]);
  });

  test("of an action whose saga goes back later is undone with that output", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a", { ...AT_ONCE, run: () => faulted("Unknown") });
    const back = saga({
      name: "back",
      input: numberInput,
      *run(input) {
        const output = yield* a(input);
        yield* fail({ _tag: "Changed", output });
      },
    });
    const { engine } = bench.open([back]);
    await engine.run(back, 2, { id: "s" });
    await engine.settle("s", { path: "run/a", slot: "action", by: "ada", reason: "ticket 7", ...applied });
    expect(await engine.result(back, "s")).toEqual(backFor({ _tag: "Changed", output: 77 }));
    expect(participants.of("a", "compensation")).toMatchObject([
      { outcome: { _tag: "Succeeded", output: 77 }, undoes: { key: "s/run/a/action", known: "succeeded" } },
    ]);
  });
});

describe("settle as not applied, with a participant that seals the key", () => {
  test.each(EVERY_WAY.filter(({ place }) => place === "action" || place === "pivot"))(
    "of $place after $by: it had no effect, and the saga goes back without undoing it",
    async ({ place, by }) => {
      const { run, engine, one, order, participants, address, calls } = createStuckSaga(place, {
        answer: () => faulted(by),
        behaviour: sealing,
      });
      await run();
      expect(await engine.settle("s", { ...order, ...notApplied })).toEqual(ok(undefined));
      expect(await engine.result(one, "s")).toEqual(backFor({ ...operatorsNo, path: address.path }));
      expect(participants.told()).toEqual([...CALLED[place], "resolve a 2", "undo before 1"]);
      const [asked] = participants.of("a", "resolve");
      expect([asked?.call.key, asked?.call.issuedAt]).toEqual([calls()[0]?.key, calls()[0]?.issuedAt]);
    },
  );

  test.each(EVERY_WAY.filter(({ place }) => place === "retriable" || place === "compensation"))(
    "of $place after $by: it must still happen, so it is issued anew under the next generation of its key",
    async ({ place, by }) => {
      const { run, engine, one, order, calls, mend, bench, participants, address } = createStuckSaga(place, {
        answer: () => faulted(by),
        behaviour: sealing,
      });
      await run();
      mend();
      bench.timer.pause();
      await bench.timer.advance(5_000);
      bench.timer.resume();
      expect(await engine.settle("s", { ...order, ...notApplied })).toEqual(ok(undefined));
      expect(await engine.result(one, "s")).toEqual(place === "compensation" ? backFor({ _tag: "Refused" }) : forward(20));
      const [first, second] = calls();
      expect(calls().map(({ key }) => key)).toEqual([`s/${address.path}/${address.slot}`, `s/${address.path}/${address.slot}~1`]);
      expect((second?.issuedAt ?? 0) - (first?.issuedAt ?? 0)).toBeGreaterThanOrEqual(5_000);
      // A key that the participant itself has called sealed needs no second seal.
      expect(participants.of("a", "resolve").length).toBe(by === "Sealed" ? 0 : 1);
      if (place === "compensation")
        expect(participants.of("a", "compensation").map(({ undoes }) => undoes?.key)).toEqual(["s/run/a/action", "s/run/a/action"]);
    },
  );

  test("again and again: each generation has a key of its own", async () => {
    const { run, engine, one, order, calls } = createStuckSaga("retriable", { answer: () => faulted("Unknown"), behaviour: sealing });
    await run();
    for (let generation = 1; generation <= 3; generation++) {
      await engine.settle("s", { ...order, ...notApplied });
      await engine.result(one, "s");
    }
    expect(calls().map(({ key }) => key)).toEqual(["", "~1", "~2", "~3"].map((suffix) => `s/complete/a/action${suffix}`));
  });

  test.each<Place>(["action", "pivot", "retriable", "compensation"])(
    "of %s is refused when the participant says it was applied, and when it gives no decision",
    async (place) => {
      let found: object = { _tag: "Applied", output: 9 };
      const { run, engine, one, order, participants } = createStuckSaga(place, {
        answer: () => faulted("Unknown"),
        behaviour: { ...AT_ONCE, resolve: () => ok(found) },
      });
      const parked = await run();
      expect((await engine.settle("s", { ...order, ...notApplied }))._unsafeUnwrapErr()).toEqual({
        _tag: "VerbRefused",
        sagaId: "s",
        message: "the participant says that a was applied under this key: settle it as applied, or retry to fetch the answer",
      });
      found = { _tag: "StillUnknown" };
      expect((await engine.settle("s", { ...order, ...notApplied }))._unsafeUnwrapErr()).toEqual({
        _tag: "VerbRefused",
        sagaId: "s",
        message: "the key could not be sealed (the deciding query found no decision): try again when the participant answers",
      });
      expect(await engine.result(one, "s")).toEqual(parked);
      expect(participants.told()).toEqual([...CALLED[place], "resolve a 2", "resolve a 2"]);
    },
  );

  test("is not held up for ever by a participant that does not answer", async () => {
    const { run, engine, order } = createStuckSaga("action", {
      answer: () => faulted("Unknown"),
      behaviour: { ...AT_ONCE, retry: { attempts: 1, timeoutMs: 4_000 }, resolve: () => new Promise(() => undefined) as never },
    });
    await run();
    expect((await engine.settle("s", { ...order, ...notApplied }))._unsafeUnwrapErr()).toMatchObject({
      _tag: "VerbRefused",
      message: "the key could not be sealed (no answer within 4000 ms): try again when the participant answers",
    });
  });

  test("of an action with a recorded rejection: that is as good as a seal", async () => {
    const { run, engine, one, order, participants } = createStuckSaga("action", {
      answer: () => faulted("Unknown"),
      behaviour: { ...AT_ONCE, resolve: () => ok({ _tag: "NotApplied", error: { _tag: "Refused" } }) },
    });
    await run();
    await engine.settle("s", { ...order, ...notApplied });
    expect((await engine.result(one, "s"))._unsafeUnwrapErr()._tag).toBe("SagaFaulted");
    expect(participants.of("a", "compensation")).toEqual([]);
  });
});

describe("settle as not applied, without a way to seal the key", () => {
  test.each(EVERY_WAY.filter(({ place }) => place === "action"))(
    "of an action after $by: no effect is not believed but seen to, by undoing it with what is known",
    async ({ by, knowledge }) => {
      const { run, engine, one, order, participants, address } = createStuckSaga("action", {
        answer: () => faulted(by),
        behaviour: AT_ONCE,
      });
      await run();
      expect(await engine.settle("s", { ...order, ...notApplied })).toEqual(ok(undefined));
      expect(await engine.result(one, "s")).toEqual(backFor({ ...operatorsNo, path: address.path }));
      expect(participants.told()).toEqual(["before 1", "a 2", "undo a 2", "undo before 1"]);
      // The participant's own success outweighs an operator's word that no seal backs.
      const known = knowledge.applied ? "succeeded" : "nothing";
      expect(participants.of("a", "compensation")).toMatchObject([
        { outcome: { _tag: "InDoubt", known }, undoes: { known: knowledge.applied ? "succeeded" : "inDoubt" } },
      ]);
      const view = (await engine.inspect("s"))._unsafeUnwrap().view;
      expect(view.operations.get("run/a")?.action.outcome).toMatchObject({ _tag: "InDoubt", known });
    },
  );

  test.each(EVERY_WAY.filter(({ place, by }) => place !== "action" && by !== "Sealed"))(
    "of $place after $by is refused: it would be a guess",
    async ({ place, by }) => {
      const { run, engine, one, order, participants } = createStuckSaga(place, { answer: () => faulted(by), behaviour: AT_ONCE });
      const parked = await run();
      expect((await engine.settle("s", { ...order, ...notApplied }))._unsafeUnwrapErr()).toEqual({
        _tag: "VerbRefused",
        sagaId: "s",
        message:
          'a declares no resolve function, so its key cannot be sealed and "not applied" would be a guess: retry, settle as applied, or abandon',
      });
      expect(await engine.result(one, "s")).toEqual(parked);
      expect(participants.told()).toEqual(CALLED[place]);
    },
  );

  test("of a pivot that told of a success before it told of a seal is refused: the two contradict each other", async () => {
    const { run, engine, order, participants } = createStuckSaga("pivot", {
      answer: (nth) => faulted(nth === 1 ? "Unreadable" : "Sealed"),
      behaviour: { inDoubt: "park", retry: { attempts: 2 } },
    });
    expect((await run())._unsafeUnwrapErr()).toMatchObject({ operations: [{ cause: { _tag: "OutputLost", fault: { _tag: "Sealed" } } }] });
    expect((await engine.settle("s", { ...order, ...notApplied }))._unsafeUnwrapErr()._tag).toBe("VerbRefused");
    expect(participants.told()).not.toContain("undo before 1");
  });

  test.each<Place>(["retriable", "compensation"])("of %s that is sealed already needs none, and is issued anew", async (place) => {
    const { run, engine, one, order, calls, mend, address } = createStuckSaga(place, {
      answer: () => faulted("Sealed"),
      behaviour: AT_ONCE,
    });
    await run();
    mend();
    expect(await engine.settle("s", { ...order, ...notApplied })).toEqual(ok(undefined));
    await engine.result(one, "s");
    expect(calls().at(-1)?.key).toBe(`s/${address.path}/${address.slot}~1`);
  });
});

describe("abandon", () => {
  const WHAT_STANDS: Readonly<Record<Place, (knowledge: { doubt: boolean; applied: boolean }) => readonly string[]>> = {
    action: stuckStands("run/a"),
    pivot: stuckStands("pivot/a"),
    retriable: stuckStands("complete/a"),
    readOnly: () => [],
    compensation: () => ["run/a succeeded"],
  };

  function stuckStands(path: string) {
    return ({ doubt, applied }: { doubt: boolean; applied: boolean }) =>
      applied ? [`${path} succeeded`] : doubt ? [`${path} inDoubt`] : [];
  }

  test.each(EVERY_WAY)(
    "of a saga whose $place ended $by lists what stands, and nothing is called any more",
    async ({ place, by, knowledge }) => {
      const { run, engine, one, participants, bench, kill } = createStuckSaga(place, { answer: () => faulted(by), behaviour: AT_ONCE });
      await run();
      expect(await engine.abandon("s", { by: "ada", reason: "written off" })).toEqual(ok(undefined));
      const ended = (await engine.result(one, "s"))._unsafeUnwrapErr();
      if (ended._tag !== "SagaAbandoned") throw new Error(`the saga is not abandoned but ${ended._tag}`);
      expect(ended).toMatchObject({ sagaId: "s", by: "ada", reason: "written off" });
      expect(ended.firstError).toEqual(place === "compensation" ? { _tag: "Refused" } : undefined);
      expect(ended.stands.map(({ path, known }) => `${path} ${known}`)).toEqual(["run/before succeeded", ...WHAT_STANDS[place](knowledge)]);
      expect((await engine.inspect("s"))._unsafeUnwrap().status).toBe("abandoned");
      expect((await engine.parked())._unsafeUnwrap()).toEqual([]);
      expect(bench.commits.at(-1)?.status).toBe("abandoned");
      kill();

      const next = bench.open([one]).engine;
      expect(await next.recovered).toEqual({ adopted: 0, quarantined: 0 });
      expect((await next.result(one, "s"))._unsafeUnwrapErr()).toEqual(ended);
      expect(participants.told()).toEqual(CALLED[place]);
    },
  );
});

describe("the journal", () => {
  test.each([
    { verb: "retry", tag: "OperatorRetried" },
    { verb: "settle", tag: "OperatorSettled" },
    { verb: "abandon", tag: "OperatorAbandoned" },
  ] as const)("says who used $verb, why and when", async ({ verb, tag }) => {
    const { run, engine, order, bench } = createStuckSaga("compensation", { answer: () => faulted("Faulted") });
    await run();
    await engine[verb]("s", { ...order, ...evidence, verdict: { _tag: "applied" } });
    const [entry] = bench.entries("s").filter(({ _tag }) => _tag === tag);
    expect(entry).toMatchObject({ by: "ada", reason: "ticket 7" });
    expect(typeof entry?.["at"]).toBe("number");
    expect(entry?.["evidence"]).toBe(verb === "settle" ? evidence.evidence : undefined);
  });
});
