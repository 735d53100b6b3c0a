// Goal (I6, FS-50, FS-51): what parks, waits and is decided by an operator ends the same and takes effect once, whichever process dies over it. Method: lives of one saga per way to
// park and way out of it, in which the process dies before or after each append in turn: the one that parks, the operator's, and all others. An operator without an answer asks again.
import { err, ok, type Result } from "neverthrow";
import { describe, expect, test } from "vitest";
import { decided, type Engine, type ParkedOperation, type Saga, saga } from "../../src/index.ts";
import { everyDeath, type Life } from "./every-death.ts";
import { faulted } from "./stuck-saga.ts";
import { type Answer, type Behaviour, numberInput, type Refused } from "./workbench.ts";

type Place = "action" | "pivot" | "retriable" | "compensation";
type SomeSaga = Saga<string, number, unknown, Refused>;

const VERBS = {
  retry: { entry: "OperatorRetried", use: (engine: Engine, order: Order) => engine.retry("s", order) },
  "settle as applied": {
    entry: "OperatorSettled",
    use: (engine: Engine, order: Order) => engine.settle("s", { ...order, evidence: "ledger", verdict: { _tag: "applied", output: 20 } }),
  },
  "settle as not applied": {
    entry: "OperatorSettled",
    use: (engine: Engine, order: Order) => engine.settle("s", { ...order, evidence: "ledger", verdict: { _tag: "notApplied" } }),
  },
  abandon: { entry: "OperatorAbandoned", use: (engine: Engine, order: Order) => engine.abandon("s", order) },
} as const;
type Verb = keyof typeof VERBS;
type Order = Pick<ParkedOperation, "path" | "slot"> & { readonly by: string; readonly reason: string };

/** `a`, with input 2, is what gets stuck; `before` tells going back, `after` going on. */
function declare(place: Place, { participants }: Life, behaviour: Behaviour): SomeSaga {
  const before = participants.compensatable("before");
  const base = { name: "parks", input: numberInput } as const;
  if (place === "action" || place === "compensation") {
    const a = participants.compensatable("a", behaviour);
    // Decided for the key, so that a process that dies over it leaves no doubt to undo.
    const after = participants.compensatable("after", place === "action" ? {} : { run: () => err(decided({ _tag: "Refused" as const })) });
    return saga({
      ...base,
      *run() {
        yield* before(1);
        const output = yield* a(2);
        yield* after(3);
        return output;
      },
    });
  }
  const after = participants.retriable("after");
  function* run() {
    return yield* before(1);
  }
  if (place === "pivot") {
    const a = participants.pivot("a", behaviour);
    return saga({
      ...base,
      run,
      pivot: () => a(2),
      *complete(_value, pivoted) {
        yield* after(3);
        return pivoted;
      },
    });
  }
  const go = participants.pivot("go");
  const a = participants.retriable("a", behaviour);
  return saga({
    ...base,
    run,
    pivot: () => go(1),
    *complete() {
      const output = yield* a(2);
      yield* after(3);
      return output;
    },
  });
}

/** What all who look from outside can see at the end. */
function leftOf({ participants, told, bench }: Life, result: Result<unknown, unknown>) {
  return {
    result,
    status: bench.disk.sagas.get("s")?.status,
    told: told(),
    // Whatever is called again is called under the key it had, or under a new one once the old one is sealed.
    keys: new Set(participants.made.map(({ slot, call }) => `${slot} ${call.key} ${call.issuedAt}`)).size,
    undone: [
      ...new Set(participants.made.flatMap(({ step, outcome }) => (outcome === undefined ? [] : [`${step}: ${JSON.stringify(outcome)}`]))),
    ],
    verbs: bench.entries("s").flatMap(({ _tag }) => (_tag.startsWith("Operator") ? [_tag] : [])),
  };
}

interface Scene {
  readonly place: Place;
  /** How the stuck operation answers until it is mended. */
  readonly by: "Unknown" | "Faulted";
  readonly verb: Verb;
  readonly resolve?: Behaviour["resolve"];
  /** Whether the verb has it tried under a new key, the old one being sealed. Default: no. */
  readonly reissues?: boolean;
}

async function parkedLife(life: Life, { place, by, verb, resolve, reissues = false }: Scene) {
  const slot = place === "compensation" ? "compensation" : "action";
  const once = { attempts: 1 } as const;
  let mended = false;
  const act = (): Answer => (mended ? ok(20) : faulted(by));
  const one = declare(place, life, {
    inDoubt: "park",
    retry: once,
    compensationRetry: once,
    resolve,
    ...(place === "compensation" ? { run: () => ok(20), compensate: () => act() as never } : { run: act }),
  });
  const parkedAs = new Set<string>();
  const answers: string[] = [];
  let order: Order | undefined;
  let given = 0;
  let callsBefore = 0;
  const give = async (engine: Engine, parked: Order) => {
    given += 1;
    const answer = await VERBS[verb].use(engine, parked);
    answers.push(
      answer.match(
        () => "ok",
        ({ _tag }) => _tag,
      ),
    );
  };
  const result = await life.live([one], async (engine): Promise<Result<unknown, unknown>> => {
    expect((await engine.start(one, 1, { id: "s" })).isOk()).toBe(true);
    if (order !== undefined && answers.length === 0) await give(engine, order);
    for (let look = 0; look < 3; look++) {
      const found = await engine.result(one, "s");
      if (found.isOk() || found.error._tag !== "SagaParked") return found;
      const [operation, ...others] = found.error.operations;
      if (operation === undefined || others.length > 0) break;
      parkedAs.add(`${operation.path} ${operation.slot} ${operation.cause._tag}: ${operation.verbs.join()}`);
      if (order === undefined) callsBefore = life.participants.of("a", slot).length;
      order = { path: operation.path, slot: operation.slot, by: "ada", reason: "ticket 7" };
      // Whoever has it tried again has seen to it that it can succeed.
      mended = verb === "retry" || reissues;
      await give(engine, order);
    }
    throw new Error("the operator's verb leads nowhere");
  });
  return {
    left: {
      ...leftOf(life, result),
      parkedAs: [...parkedAs],
      triedAfterVerb: life.participants.of("a", slot).length > callsBefore,
    },
    given,
    answers,
  };
}

/** Hands back what is left of the life without a death, once every other is seen to leave the same. */
async function sameAfterEveryDeath(scene: Scene) {
  const { undisturbed, lives } = await everyDeath((life) => parkedLife(life, scene));
  for (const { death, left } of lives) expect({ death, left: left.left }).toEqual({ death, left: undisturbed.left });
  expect([undisturbed.given, undisturbed.answers]).toEqual([1, ["ok"]]);
  // Of all deaths, just the two at the verb's own append leave its operator without an answer.
  const unanswered = lives.filter(({ left }) => left.given > 1);
  expect(unanswered.map(({ death, left }) => [death.side, left.answers])).toEqual([
    ["beforeCommit", ["ok"]],
    ["afterCommit", ["VerbRefused"]],
  ]);
  expect(new Set(unanswered.map(({ death }) => death.nth)).size).toBe(1);
  const { keys, told, verbs, ...rest } = undisturbed.left;
  expect(keys - told.length).toBe(scene.reissues === true ? 1 : 0);
  expect(verbs).toEqual([VERBS[scene.verb].entry]);
  return { told, ...rest };
}

const seals: Behaviour["resolve"] = () => ok({ _tag: "SealedForGood" });
const BEFORE_UNDONE = 'before: {"_tag":"Succeeded","output":1}';
const A_UNDONE = 'a: {"_tag":"Succeeded","output":20}';
const operatorsNo = {
  _tag: "SagaFaulted",
  step: "a",
  fault: { _tag: "Sealed", message: "settled by an operator as not applied" },
} as const;

describe("FS-50: a pivot in doubt that parks, whichever process dies,", () => {
  const parkedAs = ["pivot/a action DoubtRemains: retry,settleApplied,settleNotApplied,abandon"];
  const pivot = { place: "pivot", by: "Unknown", resolve: seals } as const;

  test.each<[verb: Verb, triedAfterVerb: boolean]>([
    ["settle as applied", false],
    ["retry", true],
  ])("is completed after %s, and nothing is taken back", async (verb, triedAfterVerb) => {
    expect(await sameAfterEveryDeath({ ...pivot, verb })).toEqual({
      result: ok(20),
      status: "completed",
      told: ["before 1", "a 2", "after 3"],
      undone: [],
      parkedAs,
      triedAfterVerb,
    });
  });

  test("is taken back once an operator settles it as not applied and its key is sealed, and is not sent again", async () => {
    const { result, ...rest } = await sameAfterEveryDeath({ ...pivot, verb: "settle as not applied" });
    expect(result._unsafeUnwrapErr()).toMatchObject({ ...operatorsNo, path: "pivot/a" });
    expect(rest).toEqual({
      status: "compensated",
      told: ["before 1", "a 2", "resolve a 2", "undo before 1"],
      undone: [BEFORE_UNDONE],
      parkedAs,
      triedAfterVerb: false,
    });
  });
});

describe("FS-50: a pivot in doubt whose query decides, whichever process dies,", () => {
  const asked = async (verdict: object) => {
    const { undisturbed, lives } = await everyDeath(async (life) => {
      const one = declare("pivot", life, {
        inDoubt: "resolve",
        retry: { attempts: 2 },
        run: () => faulted("Unknown"),
        resolve: (_input, nth) => ok(nth < 3 ? { _tag: "StillUnknown" } : verdict),
      });
      const result = await life.live([one], async (engine): Promise<Result<unknown, unknown>> => engine.run(one, 1, { id: "s" }));
      return leftOf(life, result);
    });
    for (const { death, left } of lives) expect({ death, left }).toEqual({ death, left: undisturbed });
    expect(undisturbed.keys).toBe(undisturbed.told.length);
    return undisturbed;
  };
  test("is completed when it was applied", async () => {
    expect(await asked({ _tag: "Applied", output: 20 })).toMatchObject({
      result: ok(20),
      status: "completed",
      told: ["before 1", "a 2", "resolve a 2", "after 3"],
      undone: [],
    });
  });

  test.each<[what: string, verdict: object, error: object]>([
    ["was rejected", { _tag: "NotApplied", error: { _tag: "Refused" } }, { _tag: "Refused" }],
    ["is sealed", { _tag: "SealedForGood" }, { _tag: "SagaFaulted", path: "pivot/a", fault: { _tag: "Unknown" } }],
  ])("is taken back when it %s, and is not undone itself", async (_what, verdict, error) => {
    const { result, ...rest } = await asked(verdict);
    expect(result._unsafeUnwrapErr()).toMatchObject(error);
    expect(rest).toMatchObject({
      status: "compensated",
      told: ["before 1", "a 2", "resolve a 2", "undo before 1"],
      undone: [BEFORE_UNDONE],
    });
  });
});

describe("FS-51: a retriable step after the pivot that faults for good parks with verbs that lead forward only, and, whichever process dies,", () => {
  test.each<[verb: Verb, triedAfterVerb: boolean]>([
    ["settle as applied", false],
    ["retry", true],
  ])("after %s the saga completes, and nothing is ever taken back", async (verb, triedAfterVerb) => {
    expect(await sameAfterEveryDeath({ place: "retriable", by: "Faulted", verb })).toEqual({
      result: ok(20),
      status: "completed",
      told: ["before 1", "go 1", "a 2", "after 3"],
      undone: [],
      parkedAs: ["complete/a action CannotGoOn: retry,settleApplied,abandon"],
      triedAfterVerb,
    });
  });

  test("settled as not applied it is issued once more, under one new key, and the saga completes", async () => {
    const verb = "settle as not applied";
    expect(await sameAfterEveryDeath({ place: "retriable", by: "Unknown", verb, resolve: seals, reissues: true })).toEqual({
      result: ok(20),
      status: "completed",
      told: ["before 1", "go 1", "a 2", "resolve a 2", "after 3"],
      undone: [],
      parkedAs: ["complete/a action CannotGoOn: retry,settleApplied,settleNotApplied,abandon"],
      triedAfterVerb: true,
    });
  });
});

describe("a compensation that is stuck, whichever process dies,", () => {
  const stuck = { place: "compensation", by: "Faulted" } as const;
  const parkedAs = ["run/a compensation CannotGoOn: retry,settleApplied,abandon"];

  test.each<[verb: Verb, triedAfterVerb: boolean]>([
    ["settle as applied", false],
    ["retry", true],
  ])("counts as done after %s, and what is before it is undone", async (verb, triedAfterVerb) => {
    expect(await sameAfterEveryDeath({ ...stuck, verb })).toEqual({
      result: err({ _tag: "Refused" }),
      status: "compensated",
      told: ["before 1", "a 2", "after 3", "undo a 2", "undo before 1"],
      undone: [A_UNDONE, BEFORE_UNDONE],
      parkedAs,
      triedAfterVerb,
    });
  });

  test("is issued once more, under one new key, when an operator settles it as not applied and the old key is sealed", async () => {
    const verb = "settle as not applied";
    expect(await sameAfterEveryDeath({ ...stuck, verb, resolve: seals, reissues: true })).toEqual({
      result: err({ _tag: "Refused" }),
      status: "compensated",
      told: ["before 1", "a 2", "after 3", "undo a 2", "resolve a 2", "undo before 1"],
      undone: [A_UNDONE, BEFORE_UNDONE],
      parkedAs: ["run/a compensation CannotGoOn: retry,settleApplied,settleNotApplied,abandon"],
      triedAfterVerb: true,
    });
  });

  test("ends the saga once it is abandoned, which says what stands and why it went back", async () => {
    expect(await sameAfterEveryDeath({ ...stuck, verb: "abandon" })).toEqual({
      result: err({
        _tag: "SagaAbandoned",
        sagaId: "s",
        by: "ada",
        reason: "ticket 7",
        stands: [
          { path: "run/before", step: "before", known: "succeeded" },
          { path: "run/a", step: "a", known: "succeeded" },
        ],
        firstError: { _tag: "Refused" },
      }),
      status: "abandoned",
      told: ["before 1", "a 2", "after 3", "undo a 2"],
      undone: [A_UNDONE],
      parkedAs,
      triedAfterVerb: false,
    });
  });
});

describe("an action in run that parks in doubt, whichever process dies,", () => {
  const doubtful = { place: "action", by: "Unknown" } as const;
  const parkedAs = ["run/a action DoubtRemains: retry,settleApplied,settleNotApplied,abandon"];

  test.each<[verb: Verb, triedAfterVerb: boolean]>([
    ["settle as applied", false],
    ["retry", true],
  ])("is behind the saga after %s, which goes on", async (verb, triedAfterVerb) => {
    expect(await sameAfterEveryDeath({ ...doubtful, verb })).toEqual({
      result: ok(20),
      status: "completed",
      told: ["before 1", "a 2", "after 3"],
      undone: [],
      parkedAs,
      triedAfterVerb,
    });
  });

  test.each<[how: string, resolve: Behaviour["resolve"], told: readonly string[], undone: readonly string[]]>([
    ["by its own undo, which is told of the doubt", undefined, ["undo a 2"], ['a: {"_tag":"InDoubt","known":"nothing"}']],
    ["by its query, so that it needs no undo", seals, ["resolve a 2"], []],
  ])("is, settled as not applied, sealed %s, and the saga goes back", async (_how, resolve, told, undone) => {
    const { result, ...rest } = await sameAfterEveryDeath({ ...doubtful, resolve, verb: "settle as not applied" });
    expect(result._unsafeUnwrapErr()).toMatchObject({ ...operatorsNo, path: "run/a" });
    expect(rest).toEqual({
      status: "compensated",
      told: ["before 1", "a 2", ...told, "undo before 1"],
      undone: [...undone, BEFORE_UNDONE],
      parkedAs,
      triedAfterVerb: false,
    });
  });
});
