// Goal: a run can be read where a test fails. Method: hand-made logs against the text that a person should see.
import { all, emit, lock, saga, signal, sleep, step, waitFor } from "@backstep/saga-core";
import { ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type LogLine, timelineOf } from "../../src/laws.ts";
import { Chronicle } from "../oracles/hand-made.ts";
import { BROKEN, logged, START_MS, troubledTrip } from "./trip.ts";

const shown = (log: readonly LogLine[]): string => `\n${timelineOf(log)}\n`;
const fault = (text: string, atMs = START_MS): LogLine => ({ atMs, sagaId: "s", happening: { _tag: "Fault", text } });

test("tells a run line by line, and then what was wrong with it", () => {
  expect(`\n${timelineOf(troubledTrip(), BROKEN)}\n`).toMatchInlineSnapshot(`
    "
          +0 ms  process 1    journal: started; hotel.book intended
                              → hotel.book
          +3 ms             ✗ lose-answer
                                hotel.book takes effect
                                hotel.book is answered: ok 1
                              ← hotel.book: nothing is known
                            ✗ die-in-flight
                              dies
         +20 ms  process 2    takes the saga over
                              → hotel.book, attempt 2
                                hotel.book is answered: ok 1
                              ← hotel.book: succeeded
                              journal: hotel.book succeeded; flight.book intended
                              → flight.book
                                flight.book is answered: no {"_tag":"Full","left":0}
                              ← flight.book: refused for good
                              journal: flight.book had no effect (Full); goes back: Full; undo of hotel.book intended
                              → undo of hotel.book
                              ← undo of hotel.book: nothing is known
         +1.3 s               → undo of hotel.book, attempt 2
                                hotel.book is taken back
                                undo of hotel.book is answered: ok 1
                              ← undo of hotel.book: succeeded
                              journal: undo of hotel.book succeeded; compensated: Full
    +3 min 20 s                 hotel.book is answered: Sealed

    ✗ broken: rooms
      law        rooms are conserved
      expected   3
      found      2
    ✗ broken: truth, by saga s
      law        a saga says truthfully how it ended
      broken by  run/hotel.book stands, though all is said to be taken back
    "
  `);
});

const room = step({ name: "room", run: (nights: number) => ok(nights), compensate: () => ok(undefined) });
const news = signal({ name: "news", payload: z.number() });
const booked = { type: "Booked", data: z.number() } as const;

const waiting = saga({
  name: "waiting",
  input: z.number(),
  *run(nights) {
    yield* lock("house", { wait: 10_000 });
    yield* waitFor(news, { timeout: 60_000 });
    yield* sleep(7_200_000);
    yield* all([room(nights), room(nights)]);
    yield* room(nights);
    yield* room(nights);
  },
  *complete() {
    yield* emit(booked, 1);
    return { rooms: "four ".repeat(20) };
  },
});

test("tells waits, signals, locks and events in words, and a step that stands in several places by its place", () => {
  const chronicle = new Chronicle(waiting).start().fact({ _tag: "LockGranted", path: "run/lock" });
  chronicle.fact({ _tag: "SignalReceived", signal: "news", key: "k", payload: 3 });
  chronicle.happenings.push({ _tag: "SignalAnswered", key: "k", payload: 3, answer: "taken" });
  chronicle.fact({ _tag: "TimerFired", path: "run/sleep" });
  for (const path of ["run/all/0/room", "run/all/1/room", "run/room", "run/room~2"]) chronicle.settled(path);
  expect(shown(logged(chronicle, new Map()))).toMatchInlineSnapshot(`
    "
    +0 ms    journal: started; lock house wanted; now waiting
             journal: lock house granted; waits for signal news until +1 min; now waiting
             journal: signal news received (3); the wait at news takes it; sleep begins, lasts until +2 h 0 min; now waiting
             the sender of a signal is told: taken
             journal: sleep is over; room (all/0) intended; room (all/1) intended
             journal: room (all/0) succeeded
             journal: room (all/1) succeeded; room intended
             journal: room succeeded; room ~2 intended
             journal: room ~2 succeeded; no way back from here; event Booked emitted; completed with {"rooms":"four four
             four four four four four four four four…
    "
  `);
});

test("tells what operators and those outside do", () => {
  const chronicle = new Chronicle(waiting, "other").start();
  chronicle.fact({ _tag: "LockRefused", path: "run/lock", lockedBy: "s1" }, 2);
  chronicle.happenings.push({ _tag: "CancelAnswered", answer: "ended" });
  expect(shown([fault("cancel"), ...logged(chronicle, new Map([[2, 3_700_000]]))])).toMatchInlineSnapshot(`
    "
         +0 ms  s                 ✗ cancel
                other  process 1    journal: started; lock house wanted; now waiting
    +1 h 1 min  other  process 2    journal: lock house refused, held by s1; goes back: Locked; compensated: Locked
                other               who cancels is told: ended
    "
  `);
});

describe("a line", () => {
  const wide = fault(`lost ${"word ".repeat(60)}${"x".repeat(300)}\nand more`);

  test("is never longer than 120 columns, and goes on below itself", () => {
    const lines = timelineOf([wide]).split("\n");
    expect(lines.length).toBeGreaterThan(4);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(120);
    expect(lines.slice(1).every((line) => line.startsWith("         "))).toBe(true);
  });

  test("tells time as people do", () => {
    const log = [0, 5, 999, 1_000, 59_949, 60_000, 61_000, 3_600_000, 90_000_000].map((ms) => fault("-", START_MS + ms));
    expect(
      timelineOf(log)
        .split("\n")
        .map((line) => line.split("✗")[0]?.trim()),
    ).toEqual(["+0 ms", "+5 ms", "+999 ms", "+1.0 s", "+59.9 s", "+1 min", "+1 min 1 s", "+1 h 0 min", "+25 h 0 min"]);
  });
});

describe("what is broken", () => {
  test("is told alone when nothing is known of the run", () => {
    expect(timelineOf([], BROKEN.slice(0, 1))).toBe("✗ broken: rooms\n  law        rooms are conserved\n  expected   3\n  found      2");
  });

  test("is counted where it is too much", () => {
    const many = Array.from({ length: 13 }, (_, nth) => ({ law: "own", says: "own", message: `flaw ${nth}` }));
    expect(timelineOf([], many).split("\n").slice(-3)).toEqual(["✗ broken: own", "  broken by  flaw 9", "and 3 more"]);
  });
});

test("nothing is told of nothing", () => {
  expect(timelineOf([])).toBe("");
});
