// Goal: the laws can be broken, each by what it forbids. Method: a history that keeps them all, changed by hand in one place; the law that is meant must object.
import type { Answer, Called, Delivered, Happening, History } from "@backstep/saga-testing/laws";
import { describe, expect, test } from "vitest";
import type { Entry } from "../../src/journal/entry.ts";
import { encodeRecord } from "../../src/journal/entry-codec.ts";
import type { OutboxEvent } from "../../src/journal.ts";
import { LAWS, type LawName } from "./laws.ts";
import { liveThrough } from "./life.ts";
import type { Node, SagaPlan } from "./saga-plan.ts";
import type { OutsideAct } from "./scenario.ts";
import type { Behaviour } from "./script.ts";
import { definitionOf, judge } from "./violations.ts";

const act = (...attempts: readonly Behaviour[]): Node => ({
  _tag: "Act",
  inDoubt: "compensate",
  script: { attempts, then: "yes", undos: [], asks: [] },
});
const no: Behaviour = { _tag: "Answers", says: "no", afterMs: 0, told: "answer" };
const lost: Behaviour = { _tag: "Loses", told: "unknown" };

/** Two steps, two side by side of which the second is tried twice, and one that says no: all of it goes back. */
const back: SagaPlan = {
  run: [act(), act(), { _tag: "Emit" }, { _tag: "All", shape: "list", members: [[act()], [act(lost)]] }, act(no)],
};
/** A step, an event, and the point of no return. */
const forth: SagaPlan = { run: [act(), { _tag: "Emit" }], complete: [] };

/** Two steps, and between them a sleep and two signals, which come while it sleeps. */
const waits: SagaPlan = {
  run: [act(), { _tag: "Sleep", ms: 15 }, { _tag: "Wait", signal: "news" }, { _tag: "Wait", signal: "news" }, act()],
  complete: [],
};
const news: readonly OutsideAct[] = [1, 2].map((nth) => ({ _tag: "Signal", atMs: 4 + nth, signal: "news", key: `k${nth}`, payload: nth }));
/** Cancelled in its sleep. */
const stopped: SagaPlan = { run: [act(), { _tag: "Sleep", ms: 45_000 }, act()] };

const CALM = { troubles: [], append: { thereMs: 0, backMs: 0 }, operator: "leave", outside: [], evictAfterMs: 0 } as const;
const lifeOf = (plan: SagaPlan, outside: readonly OutsideAct[] = []) => liveThrough({ ...CALM, plan, outside });

type Match = (happening: Happening) => boolean;
type Change = (history: History) => History;
type Broken = readonly [what: string, law: LawName, change: Change];

// Changes by hand.

const changed = (change: (happenings: readonly Happening[]) => readonly Happening[]): Change => {
  return (history) => ({ ...history, happenings: change(history.happenings) });
};
const calls =
  (key: string): Match =>
  (happening) =>
    happening._tag === "Called" && happening.key === key;
const is =
  (tag: Happening["_tag"]): Match =>
  ({ _tag }) =>
    _tag === tag;
const withoutFirst = (match: Match) => changed((all) => all.toSpliced(all.findIndex(match), 1));
const withoutAll = (match: Match) => changed((all) => all.filter((one) => !match(one)));
const twice = (match: Match) => changed((all) => all.toSpliced(all.findIndex(match), 0, ...all.slice(all.findIndex(match)).slice(0, 1)));
const toTheEnd = (match: Match) =>
  changed((all) => [...all.toSpliced(all.findIndex(match), 1), ...all.slice(all.findIndex(match)).slice(0, 1)]);
const firstMoved = (match: Match, before: Match) =>
  changed((all) => {
    const moved = all.slice(all.findIndex(match)).slice(0, 1);
    const rest = all.toSpliced(all.findIndex(match), 1);
    return rest.toSpliced(rest.findIndex(before), 0, ...moved);
  });
const firstCallWith = (key: string, change: Partial<Called>) =>
  changed((all) => {
    const at = all.findIndex(calls(key));
    return all.map((one, index) => (index === at ? ({ ...one, ...change } as Called) : one));
  });
/** Changes every entry of the journal, or takes it out. */
const rewritten = (change: (entry: Entry) => Entry | undefined) =>
  changed((all) =>
    all.map((one) => {
      if (one._tag !== "Committed") return one;
      const entries = one.entries.flatMap((entry) => change(entry) ?? []);
      return { ...one, entries, record: encodeRecord(entries)._unsafeUnwrap() };
    }),
  );
const outbox = (change: (events: readonly OutboxEvent[], status: string) => readonly OutboxEvent[]) =>
  changed((all) => all.map((one) => (one._tag === "Committed" ? { ...one, outbox: change(one.outbox, one.status) } : one)));
const answered = (answer: Answer): Change => {
  return (history) => ({ ...history, answer, answerLater: answer });
};
const failed = (error: object) => answered({ _tag: "Failed", error: error as never });
const both =
  (first: Change, second: Change): Change =>
  (history) =>
    second(first(history));

const noted: OutboxEvent = { id: "s/run/emit", type: "Noted", source: "/", time: "", sagaId: "s", data: '{"place":"run.2"}' };
const refused = { _tag: "RejectedCause", error: { _tag: "Refused" } } as const;
const isUndoOf = (entry: Entry, path: string): boolean =>
  "path" in entry && entry.path === path && (entry._tag === "CompensationIntended" || ("slot" in entry && entry.slot === "compensation"));
const FIRST = "run/act.compensate";
const SECOND = "run/act.compensate~2";
const LEFT = "run/all/0/act.compensate";
const RIGHT = "run/all/1/act.compensate";
const LAST = "run/act.compensate~3";

/** The first answer of a participant is given again, and differs. */
const twiceOtherwise = (change: Partial<Delivered>) =>
  changed((all) => {
    const at = all.findIndex(is("Delivered"));
    return all.toSpliced(at + 1, 0, { ...(all[at] as Delivered), ...change });
  });
const sealedFirst = changed((all) => {
  const at = all.findIndex(is("Delivered"));
  return all.toSpliced(at, 0, { ...(all[at] as Delivered), body: "Sealed" });
});

/** Of the undo of a step, its intent alone is moved into a record of its own, behind the first undo of its sibling. */
const undoneAfterwards = (path: string) =>
  changed((all) => {
    const at = all.findIndex(is("TakenBack"));
    const moved = all.map(
      (one): Happening =>
        one._tag === "Committed"
          ? { ...one, entries: one.entries.filter((entry) => entry._tag !== "CompensationIntended" || entry.path !== path) }
          : one,
    );
    const [record] = moved.flatMap((one) => (one._tag === "Committed" ? [one] : []));
    const entries: readonly Entry[] = [{ _tag: "CompensationIntended", path, at: 0 }];
    return record === undefined ? all : moved.toSpliced(at, 0, { ...record, entries });
  });

const WENT_BACK: readonly Broken[] = [
  [
    "a step that was done is taken for absent",
    "doubt",
    rewritten((entry) =>
      entry._tag === "OperationSettled" && entry.path === RIGHT && entry.slot === "action"
        ? { ...entry, outcome: { _tag: "NoEffect", cause: refused } }
        : entry,
    ),
  ],
  [
    "a step that was done is not compensated",
    "compensation",
    both(
      rewritten((entry) => (isUndoOf(entry, FIRST) ? undefined : entry)),
      withoutAll(calls(`s/${FIRST}/compensation`)),
    ),
  ],
  [
    "a step that said no is compensated",
    "compensation",
    rewritten((entry) => (entry._tag === "CompensationIntended" && entry.path === FIRST ? { ...entry, path: LAST } : entry)),
  ],
  [
    "the first step's undo begins before the second's",
    "order",
    firstMoved(calls(`s/${FIRST}/compensation`), calls(`s/${SECOND}/compensation`)),
  ],
  ["members of an all are undone one after the other", "order", undoneAfterwards(RIGHT)],
  [
    "a step is attempted after its sibling failed",
    "order",
    rewritten((entry) =>
      entry._tag === "OperationSettled" && entry.path === LEFT ? { ...entry, outcome: { _tag: "NoEffect", cause: refused } } : entry,
    ),
  ],
  [
    "a record with an intent is not there when the call comes",
    "intent",
    withoutFirst(
      (one) => one._tag === "Committed" && one.entries.some((entry) => entry._tag === "OperationIntended" && entry.path === SECOND),
    ),
  ],
  ["the second attempt comes under another key", "key", firstCallWith(`s/${RIGHT}/action`, { key: "s/elsewhere/action" })],
  ["two operations share a key", "key", firstCallWith(`s/${SECOND}/action`, { key: `s/${FIRST}/action` })],
  ["an attempt comes with another input", "key", firstCallWith(`s/${RIGHT}/action`, { input: "{}" })],
  ["an attempt says that its key was issued at another time", "key", firstCallWith(`s/${RIGHT}/action`, { issuedAt: 1 })],
  [
    "the journal holds an input that the body would not give",
    "replay",
    rewritten((entry) =>
      entry._tag === "OperationIntended" && entry.path === SECOND
        ? { ...entry, input: { ...(entry.input as object), carried: "9" } as never }
        : entry,
    ),
  ],
  ["the journal lacks a decision", "replay", rewritten((entry) => (entry._tag === "WentBack" ? undefined : entry))],
  ["somebody who lost the saga writes", "owner", changed((all) => [{ _tag: "Adopted", life: 2 }, ...all])],
  ["an event is committed all the same", "event", outbox((events, status) => (status === "compensated" ? [noted] : events))],
  ["an effect is left standing", "truth", withoutFirst(is("TakenBack"))],
  ["a request that is repeated is answered otherwise", "answer", twiceOtherwise({ body: 'ok {"number":0}' })],
  ["what is sealed succeeds all the same", "answer", sealedFirst],
  ["an action takes effect twice", "effect", twice(is("Applied"))],
  ["an action takes effect after its undo", "effect", toTheEnd(is("Applied"))],
  ["an undo takes effect twice", "effect", twice(is("TakenBack"))],
];

const COMPLETED: readonly Broken[] = [
  [
    "a step is undone all the same",
    "scope",
    changed((all) => [
      ...all,
      { _tag: "Called", call: 9, life: 1, slot: "compensation", key: `s/${FIRST}/compensation`, place: "run.0", input: "", issuedAt: 0 },
    ]),
  ],
  ["its event is missing", "event", outbox(() => [])],
  ["it counts what it has not done", "counted", answered({ _tag: "Completed", output: { acted: ["run.0", "run.9"], emitted: ["run.1"] } })],
  ["it hands out what its journal does not say", "truth", answered({ _tag: "Completed", output: { acted: ["run.0"], emitted: [] } })],
  ["its event is committed twice", "event", outbox((events) => [...events, ...events])],
  ["its event is committed too early", "event", outbox((events, status) => (status === "running" ? [noted] : events))],
  ["its effect is missing", "truth", withoutFirst(is("Applied"))],
  ["it is told as compensated", "truth", failed({ _tag: "Refused" })],
  ["it is told as parked", "truth", failed({ _tag: "SagaParked", operations: [] })],
  ["it is told as abandoned, and what stands is not listed", "truth", failed({ _tag: "SagaAbandoned", stands: [] })],
  ["another answer is given later", "truth", (history) => ({ ...history, answerLater: { _tag: "Failed", error: { _tag: "Refused" } } })],
  ["nobody is ever answered", "progress", answered({ _tag: "Stuck" })],
];

const WAITED: readonly Broken[] = [
  ["its sleep ends before its time", "time", rewritten((entry) => (entry._tag === "TimerFired" ? { ...entry, at: entry.at - 1 } : entry))],
  [
    "its sleep ends at a time that has not come yet",
    "time",
    rewritten((entry) => (entry._tag === "TimerFired" ? { ...entry, at: entry.at + 1_000 } : entry)),
  ],
  [
    "a signal ends its sleep",
    "time",
    rewritten((entry) => (entry._tag === "SignalTaken" && entry.key === "k1" ? { ...entry, path: "run/sleep" } : entry)),
  ],
  ["one signal is taken twice", "signal", rewritten((entry) => (entry._tag === "SignalTaken" ? { ...entry, key: "k1" } : entry))],
  [
    "the later signal is taken first",
    "signal",
    rewritten((entry) => (entry._tag === "SignalTaken" ? { ...entry, key: entry.key === "k1" ? "k2" : "k1" } : entry)),
  ],
  ["a signal is received twice", "signal", rewritten((entry) => (entry._tag === "SignalReceived" ? { ...entry, key: "k1" } : entry))],
  [
    "a signal that was acknowledged is not in the journal",
    "signal",
    rewritten((entry) => (entry._tag === "SignalReceived" && entry.key === "k2" ? undefined : entry)),
  ],
  ["its cancellation was acknowledged all the same", "stop", changed((all) => [...all, { _tag: "CancelAnswered", answer: "taken" }])],
  [
    "its cancellation is refused before anything was decided",
    "stop",
    changed((all) => [{ _tag: "CancelAnswered", answer: "pastPivot" }, ...all]),
  ],
];

const STOPPED: readonly Broken[] = [
  [
    "it goes back for another reason",
    "stop",
    rewritten((entry) => (entry._tag === "SagaCompensated" ? { ...entry, cause: refused } : entry)),
  ],
  [
    "it completes",
    "stop",
    changed((all) => all.map((one) => (one._tag === "Committed" && one.status === "compensated" ? { ...one, status: "completed" } : one))),
  ],
  [
    "something begins afterwards",
    "stop",
    rewritten((entry) => (entry._tag === "WaitLeft" ? { _tag: "WaitBegan", path: "run/sleep~2", at: entry.at } : entry)),
  ],
  ["its sleep does not end", "replay", rewritten((entry) => (entry._tag === "WaitLeft" ? undefined : entry))],
];

describe.each([
  { saga: "goes back", plan: back, broken: WENT_BACK },
  { saga: "completes", plan: forth, broken: COMPLETED },
  { saga: "waits", plan: waits, outside: news, broken: WAITED },
  { saga: "is stopped", plan: stopped, outside: [{ _tag: "Cancel", atMs: 5 } as const], broken: STOPPED },
])("a history of a saga that $saga", ({ plan, outside, broken }) => {
  test("keeps all laws as it is", async () => {
    expect(judge(await lifeOf(plan, outside), definitionOf(plan))).toEqual([]);
  });

  test.each(broken)("is objected to when %s", async (_what, law, change) => {
    expect(judge(change(await lifeOf(plan, outside)), definitionOf(plan)).map((one) => one.law)).toContain(law);
  });
});

test("each law is broken by one of these", () => {
  const laws = new Set([...WENT_BACK, ...COMPLETED, ...WAITED, ...STOPPED].map(([, law]) => law));
  expect(LAWS.map(({ name }) => name).filter((name) => !laws.has(name as LawName))).toEqual([]);
});
