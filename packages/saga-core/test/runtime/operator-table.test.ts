// Goal: what an operator is told can be done is what can be done, no more and no less, and the page for operators says the same. Method: the table over everything it is asked for; then
// every verb on every way to get stuck, with and without a deciding query, held against the table and against the page.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { err, ok, type Result } from "neverthrow";
import { describe, expect, test } from "vitest";
import type { AnySaga, Engine, FaultTag, OperatorVerb, ParkCause, SagaParked, StepKind, VerbError } from "../../src/index.ts";
import { type ParkedCase, verbsFor, wayOfNotApplied } from "../../src/runtime/operator-table.ts";
import { AT_ONCE, createStuckSaga, EVERY_WAY, faulted, PLACES, type Place, WAYS } from "./stuck-saga.ts";

const PAGE = readFileSync(fileURLToPath(new URL("../../../../docs/parked.md", import.meta.url)), "utf8");

const FAULTS: readonly FaultTag[] = [
  "Faulted",
  "NotSent",
  "Throttled",
  "Running",
  "Sealed",
  "Unknown",
  "Unreadable",
  "KeyReused",
  "EvidenceLost",
];
const CAUSES: readonly ParkCause["_tag"][] = ["DoubtRemains", "OutputLost", "KeyReused", "EvidenceLost", "CannotGoOn"];
const KINDS: readonly StepKind[] = ["compensatable", "readOnly", "pivot", "retriable"];
const EITHER = [true, false] as const;

const EVERY_CASE: readonly ParkedCase[] = (["action", "compensation"] as const).flatMap((slot) =>
  KINDS.flatMap((kind) =>
    CAUSES.flatMap((_tag) =>
      FAULTS.flatMap((by) =>
        EITHER.flatMap((resolvable) =>
          EITHER.map((applied) => ({ slot, kind, resolvable, applied, cause: { _tag, fault: { _tag: by, message: "as told" } } })),
        ),
      ),
    ),
  ),
);

describe("the table", () => {
  test("lets everything be tried again, be settled as applied, and be given up", () => {
    expect(EVERY_CASE.length).toBe(2 * 4 * 5 * 9 * 2 * 2);
    for (const parked of EVERY_CASE) {
      expect(verbsFor(parked).filter((verb) => verb !== "settleNotApplied")).toEqual(["retry", "settleApplied", "abandon"]);
    }
  });

  test("lets be settled as not applied what is sealed, can be sealed, or is undone in doubt, in this order, and nothing else", () => {
    for (const parked of EVERY_CASE) {
      const { slot, kind, resolvable, applied, cause } = parked;
      const sealed = cause.fault._tag === "Sealed" && !applied;
      const way = sealed ? "sealed" : resolvable ? "seal" : slot === "action" && kind === "compensatable" ? "undo" : undefined;
      expect({ parked, way: wayOfNotApplied(parked) }).toEqual({ parked, way });
      expect(verbsFor(parked).includes("settleNotApplied")).toBe(way !== undefined);
    }
  });
});

const EVIDENCE = { evidence: "ledger" } as const;
type Stuck = ReturnType<typeof createStuckSaga>;

const USE: Readonly<Record<OperatorVerb, (engine: Engine, stuck: Stuck) => Promise<Result<void, VerbError>>>> = {
  retry: async (engine, { order }) => engine.retry("s", order),
  settleApplied: async (engine, { order }) => engine.settle("s", { ...order, ...EVIDENCE, verdict: { _tag: "applied", output: 77 } }),
  settleNotApplied: async (engine, { order }) => engine.settle("s", { ...order, ...EVIDENCE, verdict: { _tag: "notApplied" } }),
  abandon: async (engine, { order }) => engine.abandon("s", order),
};
const VERBS = Object.keys(USE) as readonly OperatorVerb[];

function createParked(place: Place, by: FaultTag, resolvable: boolean): Stuck {
  const resolve = resolvable ? { resolve: () => ok({ _tag: "SealedForGood" }) } : {};
  return createStuckSaga(place, { answer: () => faulted(by), behaviour: { ...AT_ONCE, ...resolve } });
}

/** What came of a verb, in the words of the page. */
async function outcomeOf(stuck: Stuck, taken: Result<void, VerbError>, place: Place): Promise<string> {
  if (taken.isErr()) return taken.error._tag === "VerbRefused" ? "refused" : taken.error._tag;
  const result = await stuck.engine.result(stuck.one, "s");
  const calls = stuck.calls();
  const told = stuck.participants.told();
  if (result.isErr() && result.error._tag === "SagaAbandoned") return "ends the saga";
  if (calls.length === 2) return calls[0]?.key === calls[1]?.key ? "calls it again, same key" : "calls it again, next key";
  if (place === "compensation") return told.includes("undo before 1") ? "counts as undone" : "stands still";
  if (result.isOk()) return "counts as done";
  return told.includes("undo a 2") ? "goes back, and undoes it in doubt" : told.includes("undo before 1") ? "goes back" : "stands still";
}

async function verbsIn(engine: Engine): Promise<readonly OperatorVerb[]> {
  const [parked] = (await engine.parked())._unsafeUnwrap();
  return parked?.operations[0]?.verbs ?? [];
}

const EVERY_PARK = EVERY_WAY.flatMap((way) => EITHER.map((resolvable) => ({ ...way, resolvable })));

describe("what is listed for a parked operation", () => {
  test.each(EVERY_PARK)(
    "after $by as $place, resolvable $resolvable, is what can be done with it, and the rest is refused",
    async ({ place, by, resolvable }) => {
      for (const verb of VERBS) {
        const stuck = createParked(place, by, resolvable);
        await stuck.run();
        const listed = await verbsIn(stuck.engine);
        const before = JSON.stringify(stuck.bench.entries("s"));
        stuck.mend();
        const taken = await USE[verb](stuck.engine, stuck);
        expect({ verb, taken: taken.isOk() }).toEqual({ verb, taken: listed.includes(verb) });
        if (taken.isErr()) expect(JSON.stringify(stuck.bench.entries("s"))).toBe(before);
        else expect((await stuck.engine.parked())._unsafeUnwrap()).toEqual([]);
      }
    },
  );

  test("is listed with the step, the slot and the cause, for each saga that is parked", async () => {
    const stuck = createParked("pivot", "Unknown", true);
    await stuck.run();
    await stuck.engine.run(stuck.one, 1, { id: "t" });
    const parked: readonly SagaParked[] = (await stuck.engine.parked())._unsafeUnwrap();
    expect(parked.map(({ sagaId }) => sagaId)).toEqual(["s", "t"]);
    expect(parked[1]?.operations).toEqual([
      {
        path: "pivot/a",
        step: "a",
        slot: "action",
        cause: { _tag: "DoubtRemains", fault: { _tag: "Unknown", message: "as told" } },
        verbs: ["retry", "settleApplied", "settleNotApplied", "abandon"],
      },
    ]);
  });

  test.each(PLACES)("as %s of a saga that no definition here can drive is to give it up, and nothing else", async (place) => {
    const stuck = createParked(place, "KeyReused", true);
    await stuck.run();
    stuck.kill();
    const { engine } = stuck.bench.open([]);
    await engine.recovered;
    expect(await verbsIn(engine)).toEqual(["abandon"]);
    for (const verb of VERBS) expect((await USE[verb](engine, stuck)).isOk()).toBe(verb === "abandon");
  });
});

describe("a read after the point of no return", () => {
  test("that its participant calls sealed is issued anew, as all that must still happen is", async () => {
    const stuck = createParked("readOnly", "Sealed", false);
    await stuck.run();
    stuck.mend();
    expect((await USE.settleNotApplied(stuck.engine, stuck)).isOk()).toBe(true);
    expect(await stuck.engine.result(stuck.one, "s")).toEqual(ok(20));
    expect(stuck.calls().map(({ key }) => key)).toEqual(["s/complete/a/action", "s/complete/a/action~1"]);
  });
});

// The page. Its first table has a row per cause, its second one a row per place; the words of its cells are those of `outcomeOf`.

function rowsUnder(heading: string): readonly (readonly string[])[] {
  const section = PAGE.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const STUCK: Readonly<Record<string, Place>> = {
  "an action in `run`": "action",
  "the pivot": "pivot",
  "a retriable step": "retriable",
  "a read in `complete`": "readOnly",
  "a compensation": "compensation",
};

const VERB_ROWS = rowsUnder("What can be done").map(([stuck = "", causes = "", retry, applied, sealable, unsealable, abandon]) => ({
  stuck,
  place: STUCK[stuck],
  causes: [...causes.matchAll(/`(\w+)`/g)].map(([, cause]) => cause),
  cells: { retry, settleApplied: applied, abandon },
  notApplied: { sealable, unsealable },
}));

describe("docs/parked.md", () => {
  test("has a row for every place where an operation can get stuck, with the causes that it can get stuck for", () => {
    expect(VERB_ROWS.map(({ place }) => place)).toEqual(PLACES);
    for (const { place, causes } of VERB_ROWS) {
      expect({ place, causes: new Set(causes) }).toEqual({
        place,
        causes: new Set(WAYS[place as Place].map(({ cause }) => cause)),
      });
    }
  });

  test("explains every cause, and no other", () => {
    expect(rowsUnder("Why").map(([cause]) => cause)).toEqual(CAUSES.map((cause) => `\`${cause}\``));
  });

  test.each(VERB_ROWS)("says of $stuck what becomes of each verb", async ({ place, cells, notApplied }) => {
    if (place === undefined) throw new TypeError("a row has a place");
    for (const { by } of WAYS[place]) {
      for (const resolvable of EITHER) {
        // What is sealed already counts as sealed first: the page says so below the table.
        const unsealable = by === "Sealed" ? sealedAlready(place) : notApplied.unsealable;
        const expected = { ...cells, settleNotApplied: resolvable && place !== "readOnly" ? notApplied.sealable : unsealable };
        for (const verb of VERBS) {
          const stuck = createParked(place, by, resolvable);
          await stuck.run();
          stuck.mend();
          const taken = await USE[verb](stuck.engine, stuck);
          expect({ place, by, resolvable, verb, came: await outcomeOf(stuck, taken, place) }).toEqual({
            place,
            by,
            resolvable,
            verb,
            came: expected[verb],
          });
        }
      }
    }
  });

  test("shows calls that work, to their end", async () => {
    const stuck = createParked("compensation", "Faulted", true);
    await stuck.run();
    const shown = [...PAGE.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code).join("\n");
    for (const call of ["engine.parked()", "engine.retry(", "engine.settle(", "engine.abandon(", "engine.readmit(", "engine.result("]) {
      expect(shown).toContain(call);
    }
    const source = `export const run = async (engine, checkout) => { ${shown}\n return parked; };`;
    const { run } = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
      run(engine: Engine, checkout: AnySaga): Promise<readonly SagaParked[]>;
    };
    const seen = await run(stuck.engine, stuck.one);
    expect(seen.map(({ sagaId }) => sagaId)).toEqual(["s"]);
    expect((await stuck.engine.result(stuck.one, "s"))._unsafeUnwrapErr()).toEqual({ _tag: "Refused" });
  });

  const sealedAlready = (place: Place): string => (place === "pivot" || place === "action" ? "goes back" : "calls it again, next key");
});

test("nothing of this is believed: an operator's word against the participant's is refused", async () => {
  const stuck = createStuckSaga("pivot", {
    answer: () => faulted("Unknown"),
    behaviour: { ...AT_ONCE, resolve: () => ok({ _tag: "Applied", output: 9 }) },
  });
  await stuck.run();
  expect(await verbsIn(stuck.engine)).toContain("settleNotApplied");
  expect(await USE.settleNotApplied(stuck.engine, stuck)).toMatchObject(err({ _tag: "VerbRefused" }));
});
