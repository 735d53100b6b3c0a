// Goal: each law holds where it is kept and objects where it is broken, for any saga. Method: the smallest histories that show it, made by hand, and each changed in one place.
import { all, emit, lock, type SagaDefinition, saga, savepoint, signal, sleep, step, type Tagged, waitFor } from "@backstep/saga-core";
import { type Entry, encodeRecord } from "@backstep/saga-core/engine";
import { ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type Answer,
  type Called,
  type Delivered,
  type Happening,
  type History,
  judge,
  LAWS,
  type Law,
  type LawName,
  REPLAY_FROM_EVERY_PREFIX,
} from "../../src/laws.ts";
import { Chronicle } from "./hand-made.ts";

const compensatable = (name: string) => step({ name, run: (nights: number) => ok(nights), compensate: () => ok(undefined) });
const hotel = compensatable("hotel.book");
const flight = compensatable("flight.book");
const taxi = compensatable("taxi.call");
const weather = step.readOnly({ name: "weather.look", run: (day: number) => ok(day) });
const news = signal({ name: "news", payload: z.number() });
const booked = { type: "Booked", data: z.number() } as const;

const input = z.number();
const HOTEL = "run/hotel.book";
const FLIGHT = "run/flight.book";

// Sagas, and a history of each.

const trip = saga({
  name: "trip",
  input,
  *run(nights) {
    yield* hotel(nights);
    return yield* flight(nights);
  },
  *complete(value) {
    yield* emit(booked, value);
    return value;
  },
});
const completes = () => new Chronicle(trip).start().done(HOTEL).done(FLIGHT).history({ _tag: "Completed", output: 1 });
const goesBack = () =>
  new Chronicle(trip)
    .start()
    .done(HOTEL)
    .call(FLIGHT, { told: "Refused", body: 'no {"_tag":"Full"}' })
    .refused(FLIGHT)
    .done(HOTEL, "compensation")
    .history({ _tag: "Failed", error: { _tag: "Full" } });

const waiting = saga({
  name: "waiting",
  input,
  *run(nights) {
    yield* lock("room", { wait: 10 });
    yield* waitFor(news);
    yield* sleep(1);
    return yield* hotel(nights);
  },
});
const waits = () => {
  const chronicle = new Chronicle(waiting)
    .start()
    .fact({ _tag: "LockGranted", path: "run/lock" })
    .fact({ _tag: "SignalReceived", signal: "news", key: "k", payload: 3 });
  chronicle.happenings.push({ _tag: "SignalAnswered", key: "k", payload: 3, answer: "taken" });
  return chronicle.fact({ _tag: "TimerFired", path: "run/sleep" }).done(HOTEL).history({ _tag: "Completed", output: 1 });
};

const tried = saga({
  name: "tried",
  input,
  *run(nights) {
    yield* savepoint(function* () {
      yield* hotel(nights);
      yield* flight(nights);
    });
    yield* weather(nights);
    yield* taxi(nights);
  },
});
const INNER = "run/savepoint/hotel.book";
const goesOn = () =>
  new Chronicle(tried)
    .start()
    .done(INNER)
    .call("run/savepoint/flight.book", { told: "Refused", body: 'no {"_tag":"Full"}' })
    .refused("run/savepoint/flight.book")
    .done(INNER, "compensation")
    .call("run/weather.look", { told: "Doubt", body: "ok 1" })
    .call("run/weather.look", { body: "ok 2", applies: false })
    .settled("run/weather.look")
    .done("run/taxi.call")
    .history({ _tag: "Completed" });

const together = saga({
  name: "together",
  input,
  *run(nights) {
    yield* all([hotel(nights), flight(nights), taxi(nights)]);
  },
});
const [LEFT, MIDDLE, RIGHT] = ["run/all/0/hotel.book", "run/all/1/flight.book", "run/all/2/taxi.call"] as const;
const beside = () =>
  new Chronicle(together)
    .start()
    .call(LEFT)
    .call(MIDDLE)
    .call(RIGHT, { told: "Refused", body: 'no {"_tag":"Full"}' })
    .settled(LEFT)
    .settled(MIDDLE)
    .refused(RIGHT)
    .call(LEFT, { slot: "compensation" })
    .call(MIDDLE, { slot: "compensation" })
    .settled(LEFT, "compensation")
    .settled(MIDDLE, "compensation")
    .history({ _tag: "Failed", error: { _tag: "Full" } });

const stopped = () =>
  new Chronicle(trip)
    .start()
    .call(HOTEL)
    .fact({ _tag: "CancelRequested", reason: "rain" })
    .settled(HOTEL)
    .done(HOTEL, "compensation")
    .history({ _tag: "Failed", error: { _tag: "SagaCancelled" } });

// Changes by hand.

type Change = (history: History) => History;

const happenings =
  (change: (all: readonly Happening[]) => readonly Happening[]): Change =>
  (history) => ({ ...history, happenings: change(history.happenings) });
const where = (fits: (one: Happening) => boolean, change: (one: Happening) => readonly Happening[]) =>
  happenings((all) => {
    const at = all.findIndex(fits);
    expect(at).not.toBe(-1);
    return all.flatMap((one, index) => (index === at ? change(one) : [one]));
  });
const is =
  (tag: Happening["_tag"], part = "") =>
  (one: Happening): boolean =>
    one._tag === tag && JSON.stringify(one).includes(part);
const without = (fits: (one: Happening) => boolean) => where(fits, () => []);
const twice = (fits: (one: Happening) => boolean) => where(fits, (one) => [one, one]);
const changed = (fits: (one: Happening) => boolean, part: Partial<Called> | Partial<Delivered>) =>
  where(fits, (one) => [{ ...one, ...part } as Happening]);
const added = (...more: readonly Happening[]) => happenings((all) => [...all, ...more]);
const rewritten = (change: (entry: Entry) => Entry | undefined) =>
  happenings((all) =>
    all.map((one) => {
      if (one._tag !== "Committed") return one;
      const entries = one.entries.flatMap((entry) => change(entry) ?? []);
      return { ...one, entries, record: encodeRecord(entries)._unsafeUnwrap() };
    }),
  );
const answered =
  (answer: Answer): Change =>
  (history) => ({ ...history, answer, answerLater: answer });

type Broken = readonly [what: string, law: LawName, change: Change];

const CASES: readonly {
  readonly name: string;
  readonly history: () => History;
  readonly definition: SagaDefinition;
  readonly broken: readonly Broken[];
}[] = [
  {
    name: "completes",
    history: completes,
    definition: trip["~saga"],
    broken: [
      ["a step has no effect", "truth", without(is("Applied"))],
      ["its output is not the journal's", "truth", answered({ _tag: "Completed", output: 2 })],
      ["a caller is told that it failed", "truth", answered({ _tag: "Failed", error: { _tag: "Full" } })],
      [
        "a step is still open",
        "truth",
        rewritten((entry) => (entry._tag === "OperationSettled" && entry.path === HOTEL ? undefined : entry)),
      ],
      [
        "its event is not in the outbox",
        "event",
        happenings((all) => all.map((one) => (one._tag === "Committed" ? { ...one, outbox: [] } : one))),
      ],
      ["its event came to the outbox first", "event", where(is("Committed", "Booked"), (one) => [one, one])],
      ["an effect takes place twice", "effect", twice(is("Applied"))],
      [
        "the first call comes before its record",
        "intent",
        happenings(([record, heard, call, ...rest]) => [call, record, heard, ...rest] as Happening[]),
      ],
      ["a call comes with another key", "intent", changed(is("Called", FLIGHT), { key: "s/elsewhere/action" })],
      ["two steps share a key", "key", changed(is("Called", FLIGHT), { key: `s/${HOTEL}/action` })],
      ["a step is undone", "scope", askedToUndo(HOTEL)],
      ["a process that lost it writes", "owner", happenings((all) => [{ _tag: "Adopted", life: 2 }, ...all])],
      [
        "the body would decide otherwise",
        "replay",
        rewritten((entry) => (entry._tag === "OperationIntended" ? { ...entry, input: 8 } : entry)),
      ],
      [
        "its answer is another when it is repeated",
        "answer",
        where(is("Delivered"), (one) => [one, { ...(one as Delivered), body: "ok 2" }]),
      ],
      ["its key was sealed before", "answer", where(is("Delivered"), (one) => [{ ...(one as Delivered), body: "Sealed" }, one])],
      [
        "a query sealed its key before",
        "answer",
        where(is("Delivered"), (one) => [{ ...(one as Delivered), slot: "ask", body: 'ok {"_tag":"SealedForGood"}' }, one]),
      ],
      ["nobody is ever told", "progress", answered({ _tag: "Stuck" })],
      ["its cancellation was taken", "stop", added({ _tag: "CancelAnswered", answer: "taken" })],
    ],
  },
  {
    name: "goes back",
    history: goesBack,
    definition: trip["~saga"],
    broken: [
      ["what is taken for absent takes effect", "doubt", added({ _tag: "Applied", key: `s/${FLIGHT}/action` })],
      ["doubt is taken for absence", "doubt", where(is("Answered", "Refused"), () => [])],
      [
        "a step is not compensated",
        "compensation",
        happenings((all) => all.filter((one) => !undoes(one, HOTEL)).map((one) => withoutUndo(one, HOTEL))),
      ],
      ["an effect is left", "truth", without(is("TakenBack"))],
      [
        "an effect comes after its undo",
        "effect",
        happenings((all) => [...all.filter((one) => one._tag !== "Applied"), ...all.filter((one) => one._tag === "Applied")]),
      ],
      [
        "it is parked for ever",
        "progress",
        (history) => ({
          ...answered({ _tag: "Failed", error: { _tag: "SagaParked", operations: [] } as Tagged })(history),
          repeated: true,
        }),
      ],
    ],
  },
  {
    name: "waits",
    history: waits,
    definition: waiting["~saga"],
    broken: [
      ["its sleep ends early", "time", rewritten((entry) => (entry._tag === "TimerFired" ? { ...entry, at: entry.at - 10 } : entry))],
      ["its lock is granted twice", "time", twice(is("Committed", "LockGranted"))],
      [
        "its lock is granted where it sleeps",
        "time",
        rewritten((entry) => (entry._tag === "LockGranted" ? { ...entry, path: "run/sleep" } : entry)),
      ],
      ["its signal is taken twice", "signal", twice(is("Committed", "SignalTaken"))],
      ["an acknowledged signal is lost", "signal", added({ _tag: "SignalAnswered", key: "other", answer: "taken" })],
      ["another payload was acknowledged", "signal", added({ _tag: "SignalAnswered", key: "k", payload: 4, answer: "taken" })],
    ],
  },
  {
    name: "goes on after a part of it went back",
    history: goesOn,
    definition: tried["~saga"],
    broken: [
      ["the part still stands", "truth", without(is("TakenBack"))],
      ["what came after it does not stand", "truth", without(is("Applied", "taxi"))],
    ],
  },
  {
    name: "undoes steps side by side",
    history: beside,
    definition: together["~saga"],
    broken: [
      ["one undo waits for the other", "order", (history) => apart(history, MIDDLE)],
      ["a sibling is attempted after the failure", "order", (history) => attemptedAgain(history, LEFT)],
    ],
  },
  {
    name: "is cancelled",
    history: stopped,
    definition: trip["~saga"],
    broken: [
      [
        "it goes back for something else",
        "stop",
        rewritten((entry) => (entry._tag === "SagaCompensated" ? { ...entry, cause: { _tag: "DeadlineCause", deadlineAt: 1 } } : entry)),
      ],
      [
        "something begins all the same",
        "stop",
        rewritten((entry) => (entry._tag === "CompensationIntended" ? { _tag: "WaitBegan", path: "run/sleep", at: entry.at } : entry)),
      ],
    ],
  },
];

/** A participant is asked for an undo that nobody decided. */
function askedToUndo(path: string): Change {
  const key = `s/${path}/compensation`;
  return added({ _tag: "Called", call: 99, life: 1, slot: "compensation", key, place: path, input: "7", issuedAt: 1 });
}

function undoes(one: Happening, path: string): boolean {
  return (one._tag === "Called" && one.key === `s/${path}/compensation`) || one._tag === "TakenBack";
}

function withoutUndo(one: Happening, path: string): Happening {
  if (one._tag !== "Committed") return one;
  return { ...one, entries: one.entries.filter((entry) => entry._tag !== "CompensationIntended" || entry.path !== path) };
}

/** The intent of one undo stands in a record of its own, behind the first undo that took place. */
function apart(history: History, path: string): History {
  const at = history.happenings.findIndex(is("TakenBack"));
  const [record] = history.happenings.filter((one) => one._tag === "Committed");
  const moved = history.happenings.map((one) => withoutUndo(one, path));
  const entries: readonly Entry[] = [{ _tag: "CompensationIntended", path, at: 0 }];
  return { ...history, happenings: record === undefined ? moved : moved.toSpliced(at, 0, { ...record, entries }) };
}

/** The first attempt of a step is repeated once the failure beside it is known. */
function attemptedAgain(history: History, path: string): History {
  const first = history.happenings.find((one): one is Called => one._tag === "Called" && one.key === `s/${path}/action`);
  const failedAt = history.happenings.findIndex(is("Committed", "NoEffect"));
  return { ...history, happenings: history.happenings.toSpliced(failedAt + 2, 0, { ...(first as Called), call: 99 }) };
}

const ALL: readonly Law[] = [...LAWS, REPLAY_FROM_EVERY_PREFIX];

describe.each(CASES)("a history that $name", ({ history, definition, broken }) => {
  test("keeps every law", () => {
    expect(judge(history(), definition, ALL)).toEqual([]);
  });

  test.each(broken)("breaks a law when %s", (_what, law, change) => {
    expect(judge(change(history()), definition, ALL).map((one) => one.law)).toContain(law);
  });
});

test("each law is broken by one of these", () => {
  const broken = new Set<string>(CASES.flatMap((one) => one.broken.map(([, law]) => law)));
  expect(LAWS.map(({ name }) => name).filter((name) => !broken.has(name))).toEqual([]);
});

test("a violation names its law, what the law says, and the saga", () => {
  const [violation] = judge(twice(is("Applied"))(goesBack()), trip["~saga"]).filter(({ law }) => law === "effect");
  expect(violation).toEqual({
    law: "effect",
    says: "I11: an effect is applied at most once, and never after its undo",
    message: "run/hotel.book took effect 2 times",
    sagaId: "s",
  });
});

test("a history is not read anew by every law, and another one is", () => {
  const once = completes();
  expect(judge(once, trip["~saga"])).toEqual([]);
  expect(judge({ ...once, happenings: [] }, trip["~saga"]).length).toBeGreaterThan(0);
});

describe("what a caller calls a step need not be its path", () => {
  const named = (history: History, place: string): History => ({
    ...history,
    placeOf: ({ step: name }) => name,
    happenings: history.happenings.map((one) =>
      one._tag === "Called" ? { ...one, place: one.place === HOTEL ? "hotel.book" : place } : one,
    ),
  });

  test("where it says how its calls are named", () => {
    expect(judge(named(completes(), "flight.book"), trip["~saga"])).toEqual([]);
  });

  test("and is held to that name", () => {
    const broken = judge(named(completes(), "hotel.book"), trip["~saga"]);
    expect(broken.map(({ message }) => message)).toEqual([`hotel.book has the keys s/${HOTEL}/action and s/${FLIGHT}/action`]);
  });
});

describe("an answer", () => {
  const asked = (...bodies: readonly (readonly [Delivered["slot"], string])[]) =>
    where(is("Delivered"), (one) => bodies.map(([slot, body]) => ({ ...(one as Delivered), slot, body })));

  test.each([
    {
      what: "of somebody who is busy decides nothing",
      bodies: [
        ["action", "Running"],
        ["action", "ok 1"],
      ],
    },
    {
      what: "of a query that found nothing decides nothing",
      bodies: [
        ["ask", 'ok {"_tag":"StillUnknown"}'],
        ["ask", 'ok {"_tag":"Applied","output":1}'],
      ],
    },
    {
      what: "is sealed once it is undone",
      bodies: [
        ["action", "ok 1"],
        ["action", "Sealed"],
      ],
    },
    {
      what: "that did not decide for the key may change",
      bodies: [
        ["action", "Full"],
        ["action", "ok 1"],
      ],
    },
  ] as const)("$what", ({ bodies }) => {
    expect(judge(asked(...bodies)(completes()), trip["~saga"]).filter(({ law }) => law === "answer")).toEqual([]);
  });
});
