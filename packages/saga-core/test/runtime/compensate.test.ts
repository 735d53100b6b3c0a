// Goal (I19): what has completed is taken back by the rules of going back, in the original's name, as a saga of its own whose fate is as true as any. Method: sagas that completed, taken
// back by engines that live, die and follow each other, against participants that remember whose calls they got.
import { err, ok, type Result } from "neverthrow";
import { describe, expect, test } from "vitest";
import {
  type AnySaga,
  changed,
  examineSagas,
  type Fault,
  fault,
  lock,
  now,
  saga,
  savepoint,
  sleep,
  uuid,
  waitFor,
} from "../../src/index.ts";
import { createMemoryStore } from "../../src/journal.ts";
import { everyDeath } from "./every-death.ts";
import { BACK, completed, createOrder, FORTH, go, undone } from "./taken-back.ts";
import { createBench, createParticipants, numberInput } from "./workbench.ts";

describe("a completed saga that is taken back", () => {
  test("is undone in reverse order, members of an all side by side, nested sagas and savepoints in their places, and what was undone before not again", async () => {
    const { engine, order, participants } = await completed();
    expect(participants.told()).toEqual(FORTH);
    expect(await engine.compensate("s", "returned", { by: "ada" })).toEqual(ok({ sagaId: "s~undo" }));
    expect(await engine.result(order, "s~undo")).toEqual(undone("s~undo", "returned", "ada"));
    expect(participants.told().slice(FORTH.length)).toEqual(BACK);
  });

  test("keeps its own answer, its status and its journal", async () => {
    const { engine, order, bench } = await completed();
    const before = [JSON.stringify(bench.entries("s")), (await engine.inspect("s"))._unsafeUnwrap().status];
    await engine.compensate("s", "returned");
    await engine.result(order, "s~undo");
    expect([JSON.stringify(bench.entries("s")), (await engine.inspect("s"))._unsafeUnwrap().status]).toEqual(before);
    expect(await engine.result(order, "s")).toEqual(ok(8));
    expect(await engine.run(order, 1, { id: "s" })).toEqual(ok(8));
  });

  test("calls its participants in the original's name: saga id, keys, inputs and outputs are those that they know", async () => {
    const { engine, order, participants } = await completed();
    const actions = new Map(
      participants.made.filter(({ slot }) => slot === "action").map(({ step, input, call }) => [`${step} ${input}`, call]),
    );
    await engine.compensate("s", "returned", { by: "ada" });
    await engine.result(order, "s~undo");
    const undos = participants.made.slice(FORTH.length);
    expect(undos.length).toBe(BACK.length);
    for (const { step, input, call, undoes, outcome, cause } of undos) {
      const action = actions.get(`${step} ${input}`);
      expect(call).toMatchObject({ sagaId: "s", key: action?.key.replace(/action$/, "compensation") });
      expect(undoes).toEqual({ key: action?.key, issuedAt: action?.issuedAt, known: "succeeded" });
      expect(outcome).toEqual({ _tag: "Succeeded", output: input });
      expect(cause).toEqual({ _tag: "CancelledCause", by: "ada", reason: "returned" });
    }
  });

  test("is linked with the saga that takes it back, which shows what it did and what was undone", async () => {
    const { engine, order } = await completed();
    await engine.compensate("s", "returned");
    await engine.result(order, "s~undo");
    const { view, saga: of, status } = (await engine.inspect("s~undo"))._unsafeUnwrap();
    expect({ undoes: view.undoes, of, status }).toEqual({ undoes: "s", of: { name: "order", version: 1 }, status: "compensated" });
    expect(view.operations.get("run/nested/d~2")).toMatchObject({
      input: 7,
      action: { state: "settled", outcome: { _tag: "Succeeded", output: 7 } },
      compensation: { state: "settled" },
    });
    expect((await engine.inspect("s"))._unsafeUnwrap().view.undoes).toBe(undefined);
  });

  test("is taken back once, however often and for whatever reason it is asked, at once or later, here or by the next engine", async () => {
    const { engine, order, participants, kill, bench } = await completed();
    const asked = await Promise.all(["returned", "again", "and again"].map((reason) => engine.compensate("s", reason)));
    expect(asked).toEqual(asked.map(() => ok({ sagaId: "s~undo" })));
    expect(await engine.result(order, "s~undo")).toEqual(undone("s~undo"));
    expect(await engine.compensate("s", "later")).toEqual(ok({ sagaId: "s~undo" }));
    kill();
    const next = bench.open([order]).engine;
    expect(await next.compensate("s", "much later")).toEqual(ok({ sagaId: "s~undo" }));
    expect(await next.result(order, "s~undo")).toEqual(undone("s~undo"));
    expect(participants.told().slice(FORTH.length)).toEqual(BACK);
  });

  test("goes on being so when the original is forgotten meanwhile", async () => {
    let mended = false;
    const { engine, order, participants, bench, kill } = await completed({
      stuck: () => (mended ? ok(undefined) : err(fault("Faulted", "no"))),
    });
    await engine.compensate("s", "returned");
    expect((await engine.result(order, "s~undo"))._unsafeUnwrapErr()._tag).toBe("SagaParked");
    expect(await engine.forget({ endedBefore: bench.timer.now() + 1 })).toMatchObject(ok({ sagas: 1 }));
    expect((await engine.inspect("s"))._unsafeUnwrapErr()._tag).toBe("SagaNotFound");
    kill();
    mended = true;
    const next = bench.open([order]).engine;
    await next.retry("s~undo", { path: "run/last", slot: "compensation", by: "ada", reason: "mended" });
    expect(await next.result(order, "s~undo")).toEqual(undone("s~undo"));
    expect([...new Set(participants.told().slice(FORTH.length))]).toEqual(BACK);
  });

  test("with a long id is taken back under a short one, which points at it", async () => {
    const { engine, order } = await completed();
    const id = "x".repeat(128);
    await engine.run(order, 1, { id });
    const { sagaId } = (await engine.compensate(id, "returned"))._unsafeUnwrap();
    expect(sagaId.length).toBeLessThanOrEqual(128);
    expect(await engine.result(order, sagaId)).toEqual(undone(sagaId));
    expect((await engine.inspect(sagaId))._unsafeUnwrap().view.undoes).toBe(id);
  });

  test("is taken back through all it waited for and derived, and without the locks that went with its end", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const a = participants.compensatable("a");
    const patient = saga({
      name: "patient",
      input: numberInput,
      *run(input) {
        yield* lock("order:1");
        if (yield* changed("new-way")) yield* a(input);
        yield* sleep({ days: 1 });
        const signalled = yield* waitFor(go);
        const at = yield* now();
        return yield* a(at > 0 && (yield* uuid()).length === 36 ? signalled : 0);
      },
    });
    const { engine } = bench.open([patient]);
    await engine.start(patient, 1, { id: "s" });
    await engine.signal("s", go, 7, { key: "k" });
    expect(await engine.result(patient, "s")).toEqual(ok(7));
    const heldBy = [...bench.disk.locks];
    await engine.compensate("s", "returned");
    expect(await engine.result(patient, "s~undo")).toEqual(undone("s~undo"));
    expect([heldBy, [...bench.disk.locks]]).toEqual([[], []]);
    expect(participants.told()).toEqual(["a 1", "a 7", "undo a 7", "undo a 1"]);
  });

  test("is examined before a deploy as the saga that takes it back, which replays it", async () => {
    const { engine, order: definition, bench, participants } = await completed({ stuck: () => err(fault("Faulted", "no")) });
    await engine.compensate("s", "returned");
    await engine.result(definition, "s~undo");
    const store = createMemoryStore({ disk: bench.disk });
    expect(await examineSagas({ sagas: [definition], store })).toEqual(ok({ examined: 1, broken: [] }));
    const other = saga({
      name: "order",
      input: numberInput,
      *run(input) {
        return yield* participants.compensatable("other")(input);
      },
    });
    expect((await examineSagas({ sagas: [other], store }))._unsafeUnwrap().broken).toMatchObject([
      {
        sagaId: "s~undo",
        quarantine: { _tag: "ReplayDiverged", divergence: { entry: 1, recorded: "OperationIntended run/a (a) with 1" } },
      },
    ]);
  });

  test("that did nothing ends at once", async () => {
    const idle = saga({
      name: "idle",
      input: numberInput,
      // biome-ignore lint/correctness/useYield: the shortest body
      *run(input) {
        return input;
      },
    });
    const { engine } = createBench().open([idle]);
    await engine.run(idle, 1, { id: "s" });
    await engine.compensate("s", "returned");
    expect(await engine.result(idle, "s~undo")).toEqual(undone("s~undo"));
  });

  test("after an operator settled one of its steps, in doubt until then, is told what the operator said", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const unsure = participants.compensatable("unsure", {
      run: () => err(fault("Unknown", "no answer")),
      inDoubt: "park",
      retry: { attempts: 1 },
    });
    const one = saga({
      name: "one",
      input: numberInput,
      *run(input) {
        return yield* unsure(input);
      },
    });
    const { engine } = bench.open([one]);
    await engine.run(one, 1, { id: "s" });
    const order = { path: "run/unsure", slot: "action", by: "ada", reason: "ticket 7", evidence: "ledger" } as const;
    await engine.settle("s", { ...order, verdict: { _tag: "applied", output: 77 } });
    expect(await engine.result(one, "s")).toEqual(ok(77));
    await engine.compensate("s", "returned");
    await engine.result(one, "s~undo");
    expect(participants.of("unsure", "compensation")).toMatchObject([
      { outcome: { _tag: "Succeeded", output: 77 }, undoes: { key: "s/run/unsure/action" } },
    ]);
  });

  test("is not undone twice where a step in doubt was undone on its way to the end", async () => {
    const bench = createBench();
    const participants = createParticipants();
    const unsure = participants.compensatable("unsure", { run: () => err(fault("Unknown", "no answer")), retry: { attempts: 1 } });
    const b = participants.compensatable("b");
    const one = saga({
      name: "one",
      input: numberInput,
      *run(input) {
        const tried = yield* savepoint(function* () {
          return yield* unsure(input);
        });
        return yield* b(tried.isErr() ? 0 : 1);
      },
    });
    const { engine } = bench.open([one]);
    expect(await engine.run(one, 1, { id: "s" })).toEqual(ok(0));
    expect(participants.of("unsure", "compensation")).toMatchObject([{ outcome: { _tag: "InDoubt", known: "nothing" } }]);
    await engine.compensate("s", "returned");
    await engine.result(one, "s~undo");
    expect(participants.told()).toEqual(["unsure 1", "undo unsure 1", "b 0", "undo b 0"]);
  });
});

describe("a saga that takes back another one", () => {
  test("is refused no cancellation, which changes nothing, and can itself not be taken back", async () => {
    const { engine, order } = await completed();
    await engine.compensate("s", "returned");
    expect(await engine.cancel("s~undo", "stop it")).toEqual(ok(undefined));
    expect(await engine.result(order, "s~undo")).toEqual(undone("s~undo"));
    expect((await engine.compensate("s~undo", "undo the undo"))._unsafeUnwrapErr()).toMatchObject({
      _tag: "CompensateRefused",
      reason: "notCompleted",
      message: "it is compensated; only a completed saga is taken back",
    });
  });

  test("has an id that no caller can give to a saga of theirs", async () => {
    const { engine, order } = await completed();
    expect((await engine.start(order, 1, { id: "s~undo" }))._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaRequestInvalid",
      issues: [{ path: "id" }],
    });
    await engine.compensate("s", "returned");
    expect((await engine.start(order, 1, { id: "s~undo" }))._unsafeUnwrapErr()._tag).toBe("SagaRequestInvalid");
  });

  test("does not pass for the undo of a later saga of the same id", async () => {
    const { engine, order, participants, bench } = await completed();
    await engine.compensate("s", "returned");
    await engine.result(order, "s~undo");
    const store = createMemoryStore({ now: bench.timer.now, disk: bench.disk });
    expect(await store.remove(["s"])).toEqual(ok({ removed: 1 }));
    await bench.timer.advance(1_000);
    bench.timer.resume();
    await engine.run(order, 1, { id: "s" });
    const told = participants.told().length;
    expect((await engine.compensate("s", "returned too"))._unsafeUnwrapErr()).toMatchObject({
      _tag: "CompensateRefused",
      reason: "idTaken",
    });
    expect(participants.told().length).toBe(told);
    await store.remove(["s~undo"]);
    expect(await engine.compensate("s", "returned too")).toEqual(ok({ sagaId: "s~undo" }));
    await engine.result(order, "s~undo");
    expect(participants.told().slice(told)).toEqual(BACK);
  });
});

describe("an undo that cannot go on parks the saga that takes back", () => {
  const order = { path: "run/last", slot: "compensation", by: "ada", reason: "ticket 7" } as const;
  const evidence = { evidence: "ledger" } as const;

  async function parked(answers: (mended: boolean) => Result<unknown, Fault>) {
    const state = { mended: false };
    const given = await completed({ stuck: () => answers(state.mended) });
    await given.engine.compensate("s", "returned");
    expect((await given.engine.result(given.order, "s~undo"))._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaParked",
      sagaId: "s~undo",
      operations: [
        {
          path: "run/last",
          slot: "compensation",
          cause: { _tag: "CannotGoOn" },
          verbs: ["retry", "settleApplied", "settleNotApplied", "abandon"],
        },
      ],
      firstError: { _tag: "SagaCancelled", sagaId: "s~undo", reason: "returned" },
    });
    expect((await given.engine.parked())._unsafeUnwrap().map(({ sagaId }) => sagaId)).toEqual(["s~undo"]);
    expect(given.participants.told().slice(FORTH.length)).toEqual(["undo last 8"]);
    return { ...given, mend: () => (state.mended = true) };
  }
  const failing = (mended: boolean) => (mended ? ok(undefined) : err(fault("Faulted", "no")));

  test("and an operator's retry goes on from there, under the same key", async () => {
    const { engine, order: definition, participants, mend } = await parked(failing);
    mend();
    expect(await engine.retry("s~undo", order)).toEqual(ok(undefined));
    expect(await engine.result(definition, "s~undo")).toEqual(undone("s~undo"));
    expect(participants.told().slice(FORTH.length)).toEqual(["undo last 8", ...BACK]);
    expect(new Set(participants.of("last", "compensation").map(({ call }) => call.key))).toEqual(new Set(["s/run/last/compensation"]));
  });

  test("and an operator's word that it was applied goes on without a call", async () => {
    const { engine, order: definition, participants } = await parked(failing);
    expect(await engine.settle("s~undo", { ...order, ...evidence, verdict: { _tag: "applied" } })).toEqual(ok(undefined));
    expect(await engine.result(definition, "s~undo")).toEqual(undone("s~undo"));
    expect(participants.told().slice(FORTH.length)).toEqual(BACK);
  });

  test("and an operator's word that it was not seals the original's key, in the original's name, and issues the next one", async () => {
    const { engine, order: definition, participants, mend } = await parked(failing);
    mend();
    expect(await engine.settle("s~undo", { ...order, ...evidence, verdict: { _tag: "notApplied" } })).toEqual(ok(undefined));
    expect(await engine.result(definition, "s~undo")).toEqual(undone("s~undo"));
    const [sealed] = participants.of("last", "resolve");
    expect(sealed?.call).toMatchObject({ key: "s/run/last/compensation", sagaId: "s" });
    expect(participants.of("last", "compensation").map(({ call }) => [call.sagaId, call.key])).toEqual([
      ["s", "s/run/last/compensation"],
      ["s", "s/run/last/compensation~1"],
    ]);
  });

  test("and abandoned it lists what of the original stands, while the original's answer does too", async () => {
    const { engine, order: definition, kill, bench } = await parked(failing);
    expect(await engine.abandon("s~undo", { by: "ada", reason: "too late" })).toEqual(ok(undefined));
    const ended = (await engine.result(definition, "s~undo"))._unsafeUnwrapErr();
    expect(ended).toMatchObject({ _tag: "SagaAbandoned", sagaId: "s~undo", firstError: { _tag: "SagaCancelled", reason: "returned" } });
    const paths = ["run/a", "run/all/0/b", "run/all/1/b", "run/savepoint~2/e", "run/nested/d", "run/nested/d~2", "run/last"];
    expect(ended._tag === "SagaAbandoned" ? ended.stands.map(({ path, known }) => [path, known]) : []).toEqual(
      paths.map((path) => [path, "succeeded"]),
    );
    expect(await engine.result(definition, "s")).toEqual(ok(8));
    expect(await engine.compensate("s", "again")).toEqual(ok({ sagaId: "s~undo" }));
    kill();
    expect((await bench.open([definition]).engine.result(definition, "s~undo"))._unsafeUnwrapErr()).toEqual(ended);
  });

  test("and so does a definition that is gone in the next process, until it is back", async () => {
    const { kill, bench, participants, order: definition, mend } = await parked(failing);
    mend();
    kill();
    const without = bench.open([]);
    await without.engine.recovered;
    expect((await without.engine.result(definition, "s~undo"))._unsafeUnwrapErr()).toMatchObject({
      _tag: "SagaParked",
      quarantine: { _tag: "UnknownSaga" },
    });
    expect(participants.told().slice(FORTH.length)).toEqual(["undo last 8"]);
    without.kill();
    const { engine } = bench.open([definition]);
    await engine.retry("s~undo", order);
    expect(await engine.result(definition, "s~undo")).toEqual(undone("s~undo"));
  });
});

test("a store that refuses the start of it leaves nothing, and it can be asked for again", async () => {
  const bench = createBench();
  const participants = createParticipants();
  const order = createOrder(participants);
  let refuse = false;
  const { engine } = bench.open([order], { faults: { beforeCommit: () => (refuse ? "refuse" : undefined) } });
  await engine.run(order, 1, { id: "s" });
  refuse = true;
  expect((await engine.compensate("s", "returned"))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaUnavailable" });
  expect(participants.told()).toEqual(FORTH);
  refuse = false;
  expect(await engine.compensate("s", "returned")).toEqual(ok({ sagaId: "s~undo" }));
  expect(await engine.result(order, "s~undo")).toEqual(undone("s~undo"));
  expect(participants.told().slice(FORTH.length)).toEqual(BACK);
});

test("I6: a process that dies before or after any append of it ends the same", async () => {
  const { undisturbed, lives } = await everyDeath(async ({ bench, live, participants, told }) => {
    const order = createOrder(participants);
    const sagas: readonly AnySaga[] = [order];
    const answers = await live(sagas, async (engine) => {
      const original = await engine.run(order, 1, { id: "s" });
      const { sagaId } = (await engine.compensate("s", "returned"))._unsafeUnwrap();
      return [original, await engine.result(order, sagaId), await engine.result(order, "s")];
    });
    return { answers, told: told(), ids: [...bench.disk.sagas.keys()] };
  });
  expect(undisturbed).toEqual({ answers: [ok(8), undone("s~undo"), ok(8)], told: [...FORTH, ...BACK], ids: ["s", "s~undo"] });
  expect(lives.length).toBeGreaterThan(30);
  for (const { death, left } of lives) expect({ death, ...left }).toEqual({ death, ...undisturbed });
});
