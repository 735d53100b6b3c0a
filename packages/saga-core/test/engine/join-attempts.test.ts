// Goal: what follows from an attempt is the table of outcomes, row by row. Method: each kind of attempt, after nothing, doubt or a lost output, in each situation.
import { describe, expect, test } from "vitest";
import type { InDoubtPolicy } from "../../src/definition/step-definition.ts";
import {
  freshJoin,
  interruptedJoin,
  type Join,
  joinAttempt,
  judgeAttempt,
  judgeLastAttempt,
  judgeResolution,
  judgeStopped,
  NOTHING_KNOWN,
  type OperationRules,
} from "../../src/engine/join-attempts.ts";
import { fault } from "../../src/errors/fault.ts";
import { type AttemptName, attempts, budget, early, late, rules, told } from "./attempts.ts";

/** What went before. */
const priors = {
  nothing: freshJoin(NOTHING_KNOWN),
  doubt: joinAttempt(freshJoin(NOTHING_KNOWN), attempts.unknown),
  applied: joinAttempt(freshJoin(NOTHING_KNOWN), attempts.unreadable),
} as const satisfies Readonly<Record<string, Join>>;

type Row = readonly [attempt: AttemptName, afterNothing: string, afterDoubt: string, afterApplied: string];

/** Where the step's policy decides. */
const POLICY = "policy";
const policies: Readonly<Record<InDoubtPolicy, string>> = { compensate: "doubt nothing", resolve: "ask", park: "park DoubtRemains" };

/** Actions that can be taken back, and pivots: doubt is for the policy. */
const undecided: readonly Row[] = [
  ["succeeded", "done", "done", "done"],
  ["rejected", "none", POLICY, "park OutputLost"],
  ["decided", "none", "none", "park OutputLost"],
  ["faulted", "none", POLICY, "park OutputLost"],
  ["sealed", "none", "none", "park OutputLost"],
  ["keyReused", "park KeyReused", "park KeyReused", "park KeyReused"],
  ["evidenceLost", "park EvidenceLost", "park EvidenceLost", "park EvidenceLost"],
  ["notSent", "none", POLICY, "park OutputLost"],
  ["throttled", "none", POLICY, "park OutputLost"],
  ["running", POLICY, POLICY, "park OutputLost"],
  ["unknown", POLICY, POLICY, "park OutputLost"],
  ["unreadable", "park OutputLost", "park OutputLost", "park OutputLost"],
];

/** Steps that change nothing: the last answer decides, whatever went before. */
const readOnly: readonly Row[] = [
  ["succeeded", "done", "done", "done"],
  ...(
    [
      "rejected",
      "decided",
      "faulted",
      "sealed",
      "keyReused",
      "evidenceLost",
      "notSent",
      "throttled",
      "running",
      "unknown",
      "unreadable",
    ] as const
  ).map((attempt) => [attempt, "none", "none", "none"] as const),
];

/** What must happen: compensations, and everything after the point of no return. */
const unavoidable: readonly Row[] = [
  ["succeeded", "done", "done", "done"],
  ["keyReused", "park KeyReused", "park KeyReused", "park KeyReused"],
  ["evidenceLost", "park EvidenceLost", "park EvidenceLost", "park EvidenceLost"],
  ...(["rejected", "decided", "faulted", "sealed", "notSent", "throttled", "running", "unknown", "unreadable"] as const).map(
    (attempt) => [attempt, "park CannotGoOn", "park CannotGoOn", "park CannotGoOn"] as const,
  ),
];

const situations: readonly (readonly [name: string, rules: OperationRules, rows: readonly Row[]])[] = [
  ["a compensatable action, compensated in doubt", rules(), undecided],
  ["a compensatable action, resolved in doubt", rules({ inDoubt: "resolve" }), undecided],
  ["a compensatable action, parked in doubt", rules({ inDoubt: "park" }), undecided],
  ["a pivot that is resolved in doubt", rules({ kind: "pivot", inDoubt: "resolve" }), undecided],
  ["a pivot that is parked in doubt", rules({ kind: "pivot", inDoubt: "park" }), undecided],
  ["a read-only step", rules({ kind: "readOnly", inDoubt: "park" }), readOnly],
  ["a retriable step", rules({ kind: "retriable", inDoubt: "park", forwardOnly: true }), unavoidable],
  ["a retriable step with a resolve", rules({ kind: "retriable", inDoubt: "resolve", forwardOnly: true }), unavoidable],
  ["a read-only step after the pivot", rules({ kind: "readOnly", inDoubt: "park", forwardOnly: true }), unavoidable],
  ["a compensation", rules({ slot: "compensation" }), unavoidable],
  ["a compensation of a step that parks in doubt", rules({ slot: "compensation", inDoubt: "park" }), unavoidable],
];

const repeated: ReadonlySet<AttemptName> = new Set(["notSent", "throttled", "running", "unknown", "unreadable"]);

describe.each(situations)("%s", (_name, given, rows) => {
  test.each(rows)("%s: after nothing %s, after doubt %s, after a lost output %s", (name, ...expected) => {
    const attempt = attempts[name];
    for (const [index, prior] of Object.values(priors).entries()) {
      const word = expected[index] === POLICY ? policies[given.inDoubt] : expected[index];
      const join = joinAttempt(prior, attempt);
      expect(told(judgeAttempt(given, join, attempt, late)), "with its horizon past").toBe(word);
      expect(told(judgeAttempt(given, join, attempt, early)), "with budget left").toBe(repeated.has(name) ? "again" : word);
    }
  });
});

test("the table has every kind of attempt in every situation", () => {
  for (const [, , rows] of situations) expect(new Set(rows.map(([name]) => name))).toEqual(new Set(Object.keys(attempts)));
});

describe("what is kept as the cause", () => {
  test("a rejection after doubt ends the attempts and is kept as the cause of going back", () => {
    const verdict = judgeAttempt(rules(), joinAttempt(priors.doubt, attempts.rejected), attempts.rejected, early);
    expect(verdict).toEqual({
      _tag: "Settle",
      outcome: { _tag: "InDoubt", known: "nothing", cause: { _tag: "RejectedCause", error: { _tag: "Refused" } } },
    });
  });

  test("a fault is kept with its place, its message and its details, and without what it asked for", () => {
    const refused = fault("Faulted", "401", { details: { status: 401 }, retryAfterMs: 9 });
    expect(judgeAttempt(rules(), joinAttempt(priors.nothing, refused), refused, early)).toEqual({
      _tag: "Settle",
      outcome: {
        _tag: "NoEffect",
        cause: { _tag: "FaultedCause", path: "run/a", step: "a", fault: { _tag: "Faulted", message: "401", details: { status: 401 } } },
      },
    });
  });

  test("an operator who is asked about a refused compensation reads what the participant said", () => {
    const verdict = judgeAttempt(rules({ slot: "compensation" }), joinAttempt(priors.nothing, attempts.rejected), attempts.rejected, early);
    expect(verdict).toEqual({
      _tag: "Park",
      cause: { _tag: "CannotGoOn", fault: { _tag: "Faulted", message: "the participant answered Refused", details: { _tag: "Refused" } } },
    });
  });
});

describe("budgets", () => {
  const judged = (names: readonly AttemptName[], given: OperationRules, moment = early, from: Join = freshJoin(NOTHING_KNOWN)) => {
    let join = from;
    return names.map((name) => {
      join = joinAttempt(join, attempts[name]);
      return told(judgeAttempt(given, join, attempts[name], moment));
    });
  };
  const three = rules({ retry: { ...budget, attempts: 3 } });

  test("attempts in doubt count: the budget's last one is the last", () => {
    expect(judged(["unknown", "unknown", "unknown"], three)).toEqual(["again", "again", "doubt nothing"]);
    expect(judged(["unreadable", "unknown", "unreadable"], three)).toEqual(["again", "again", "park OutputLost"]);
  });

  test("attempts that never began, were turned away or are under way do not count: the horizon alone ends them", () => {
    const names = Array.from({ length: 30 }, (_, index) => (["notSent", "throttled", "running"] as const)[index % 3] ?? "notSent");
    expect(new Set(judged(names, three))).toEqual(new Set(["again"]));
  });

  test("an unlimited budget is ended by the horizon alone", () => {
    const unlimited = rules({ retry: { ...budget, attempts: Number.POSITIVE_INFINITY } });
    expect(
      new Set(
        judged(
          Array.from({ length: 100 }, () => "unknown" as const),
          unlimited,
        ),
      ),
    ).toEqual(new Set(["again"]));
    expect(judged(["unknown"], unlimited, late)).toEqual(["doubt nothing"]);
  });

  test("no attempt starts at or after the horizon: a wait that would reach it is not begun", () => {
    const given = rules({ retry: { ...budget, delayMs: 100 } });
    const verdict = (remainingMs: number) => told(judgeAttempt(given, priors.doubt, attempts.unknown, { remainingMs, random: 0.999 }));
    expect([verdict(101), verdict(100), verdict(0), verdict(-1)]).toEqual(["again", "doubt nothing", "doubt nothing", "doubt nothing"]);
  });

  test("a participant that asks for a wait beyond the horizon ends the attempts", () => {
    const busy = fault("Throttled", "tomorrow", { retryAfterMs: 86_400_000 });
    expect(told(judgeAttempt(rules(), joinAttempt(priors.nothing, busy), busy, early))).toBe("none");
  });

  test("an operation found open counts as one unknown attempt, and still gets one of its own", () => {
    const found = interruptedJoin(NOTHING_KNOWN);
    expect(found).toEqual({ doubt: true, applied: false, attempts: 0, counted: 1 });
    expect(judged(["unknown", "unknown"], three, early, found)).toEqual(["again", "doubt nothing"]);
    expect(judged(["succeeded"], rules({ retry: { ...budget, attempts: 1 } }), late, found)).toEqual(["done"]);
    expect(judged(["rejected"], three, early, found)).toEqual(["doubt nothing"]);
  });

  test("an operator's retry forgets the count and nothing that is known", () => {
    expect(freshJoin({ doubt: true, applied: true })).toEqual({ doubt: true, applied: true, attempts: 0, counted: 0 });
    expect(judged(["unknown", "unknown", "rejected"], three, early, freshJoin({ doubt: false, applied: true })).at(-1)).toBe(
      "park OutputLost",
    );
  });
});

describe("an operation that is stopped, because the saga goes back for another reason", () => {
  test.each<[kind: OperationRules["kind"], join: Join, outcome: object]>([
    ["compensatable", priors.nothing, { _tag: "NoEffect" }],
    ["compensatable", priors.doubt, { _tag: "InDoubt", known: "nothing" }],
    ["compensatable", priors.applied, { _tag: "InDoubt", known: "succeeded" }],
    ["readOnly", priors.doubt, { _tag: "NoEffect" }],
    ["readOnly", priors.applied, { _tag: "NoEffect" }],
  ])("%s with %o settles with what is known", (kind, join, outcome) => {
    expect(judgeStopped(rules({ kind }), join)).toMatchObject(outcome);
  });

  test.each<[AttemptName, afterNothing: string, afterDoubt: string, afterApplied: string]>([
    ["succeeded", "done", "done", "done"],
    ["rejected", "none", "doubt nothing", "doubt succeeded"],
    ["decided", "none", "none", "doubt succeeded"],
    ["faulted", "none", "doubt nothing", "doubt succeeded"],
    ["sealed", "none", "none", "doubt succeeded"],
    ["keyReused", "park KeyReused", "park KeyReused", "park KeyReused"],
    ["evidenceLost", "park EvidenceLost", "park EvidenceLost", "park EvidenceLost"],
    ["notSent", "none", "doubt nothing", "doubt succeeded"],
    ["throttled", "none", "doubt nothing", "doubt succeeded"],
    ["running", "doubt nothing", "doubt nothing", "doubt succeeded"],
    ["unknown", "doubt nothing", "doubt nothing", "doubt succeeded"],
    ["unreadable", "doubt succeeded", "doubt succeeded", "doubt succeeded"],
  ])(
    "with a last attempt that ended %s: after nothing %s, after doubt %s, after a lost output %s, whatever budget or policy",
    (name, ...expected) => {
      const attempt = attempts[name];
      for (const [index, prior] of Object.values(priors).entries()) {
        for (const inDoubt of ["compensate", "resolve", "park"] as const) {
          for (const moment of [early, late]) {
            expect(told(judgeLastAttempt(rules({ inDoubt }), joinAttempt(prior, attempt), attempt, moment))).toBe(expected[index]);
          }
        }
      }
    },
  );
});

describe("a deciding query", () => {
  const cause = { _tag: "FaultedCause", path: "run/a", step: "a", fault: { _tag: "Unknown", message: "reset" } } as const;
  const judge = (found: Parameters<typeof judgeResolution>[2], moment = early) =>
    judgeResolution(rules({ inDoubt: "resolve" }), cause, found, 1, moment);

  test("that finds the effect settles it as done, with its output", () => {
    expect(judge({ _tag: "Succeeded", output: 7 })).toEqual({ _tag: "Settle", outcome: { _tag: "Succeeded", output: 7 } });
  });

  test("that finds a recorded rejection settles it without effect, and that is why the saga goes back", () => {
    expect(judge({ _tag: "NotApplied", error: { _tag: "Refused" } })).toEqual({
      _tag: "Settle",
      outcome: { _tag: "NoEffect", cause: { _tag: "RejectedCause", error: { _tag: "Refused" } } },
    });
  });

  test("that planted a seal settles it without effect, for the reason the attempts ended", () => {
    expect(judge({ _tag: "SealedForGood" })).toEqual({ _tag: "Settle", outcome: { _tag: "NoEffect", cause } });
  });

  test("that finds nothing is asked again until the horizon, and then an operator is", () => {
    const unknown = { _tag: "StillUnknown", fault: attempts.unknown } as const;
    expect(told(judge(unknown))).toBe("again");
    expect(told(judge(unknown, late))).toBe("park DoubtRemains");
  });
});
