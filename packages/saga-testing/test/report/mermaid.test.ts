// Goal: a run is a diagram that Mermaid can read. Method: a hand-made log against its text; and whatever words a run has in it, every line fits a grammar of those lines that
// we write, which is a part of Mermaid's.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Happening, type LogLine, mermaidOf, type Violation } from "../../src/laws.ts";
import { BROKEN, START_MS, troubledTrip } from "./trip.ts";

test("shows who asked whom, what went lost, who died, and what was wrong", () => {
  expect(`\n${mermaidOf(troubledTrip(), BROKEN)}\n`).toMatchInlineSnapshot(`
    "
    sequenceDiagram
      participant life1 as process 1
      participant life2 as process 2
      participant p1 as hotel
      participant p2 as flight
      life1->>p1: book
      Note over life1: ✗ lose-answer
      p1--xlife1: answer lost
      Note over life1: ✗ die-in-flight
      Note over life1: process 1 dies
      Note over life2: process 2 takes the saga over
      life2->>p1: book
      p1-->>life2: succeeded
      life2->>p2: book
      p2-->>life2: refused for good
      Note over life2: goes back: Full
      life2-xp1: undo of book (lost)
      life2->>p1: undo of book
      p1-->>life2: succeeded
      Note over life2: compensated: Full
      Note over p1: book arrives again and is answered: Sealed
      Note over life1,p2: ✗ broken: rooms<br/>expected 3, found 2
    "
  `);
});

test("shows every record where it is asked to", () => {
  const notes = mermaidOf(troubledTrip(), [], { journal: true })
    .split("\n")
    .filter((line) => line.includes("journal"));
  expect(notes).toMatchInlineSnapshot(`
    [
      "  Note over life1: journal: started#59; hotel.book intended",
      "  Note over life2: journal: hotel.book succeeded#59; flight.book intended",
      "  Note over life2: journal: flight.book had no effect (Full)#59; goes back: Full#59; undo of hotel.book intended",
      "  Note over life2: journal: undo of hotel.book succeeded#59; compensated: Full",
    ]
  `);
});

const at = (happening: LogLine["happening"], sagaId: string | undefined = "s"): LogLine => ({ atMs: START_MS, sagaId, happening });
const called = (call: number, key = "s/run/hotel.book/action", life = 1): Happening => ({
  _tag: "Called",
  call,
  life,
  slot: "action",
  key,
  place: "",
  input: "",
  issuedAt: 0,
});
const delivered = (call: number, body = "ok 1"): Happening => ({ _tag: "Delivered", call, key: "", slot: "action", body });
const lines = (...happenings: readonly Happening[]) =>
  mermaidOf(happenings.map((happening) => at(happening)))
    .split("\n")
    .filter((line) => !line.includes("participant"))
    .slice(1)
    .map((line) => line.trim());

describe("a call", () => {
  test("that is answered", () => {
    expect(lines(called(1), delivered(1), { _tag: "Answered", call: 1, told: "Succeeded" })).toEqual([
      "life1->>p1: book",
      "p1-->>life1: succeeded",
    ]);
  });

  test("of one who only reads, whose answer alone is known", () => {
    expect(lines(called(1), { _tag: "Answered", call: 1, told: "Succeeded" })).toEqual(["life1->>p1: book", "p1-->>life1: succeeded"]);
  });

  test("that is lost, or turned away", () => {
    expect(lines(called(1), { _tag: "Answered", call: 1, told: "Doubt" })).toEqual(["life1-xp1: book (lost)"]);
    expect(lines(called(1), { _tag: "Answered", call: 1, told: "NotSent" })).toEqual(["life1-xp1: book (lost)"]);
  });

  test("whose answer is lost", () => {
    expect(lines(called(1), delivered(1), { _tag: "Answered", call: 1, told: "Doubt" })).toEqual([
      "life1->>p1: book",
      "p1--xlife1: answer lost",
    ]);
  });

  test("whose caller is dead when the answer comes", () => {
    expect(lines(called(1), { _tag: "Died", life: 1 }, delivered(1))).toEqual([
      "life1->>p1: book",
      "Note over life1: process 1 dies",
      "p1--xlife1: ok 1 (nobody is there)",
    ]);
  });

  test("that arrives late, and twice", () => {
    expect(lines(called(1), { _tag: "Answered", call: 1, told: "Doubt" }, delivered(1, "Sealed"), delivered(1, "Sealed"))).toEqual([
      "life1-)p1: book (arrives later)",
      "Note over p1: book arrives late and is answered: Sealed",
      "Note over p1: book arrives again and is answered: Sealed",
    ]);
  });

  test("beside another one to the same participant is answered by name", () => {
    const other = called(2, "s/run/hotel.cancel/action");
    const answered = [1, 2].map((call): Happening => ({ _tag: "Answered", call, told: "Succeeded" }));
    expect(lines(called(1), other, ...answered)).toEqual([
      "life1->>p1: book",
      "life1->>p1: cancel",
      "p1-->>life1: book: succeeded",
      "p1-->>life1: succeeded",
    ]);
  });
});

test("sagas beside each other are told apart", () => {
  const log = [at(called(1), "a"), at(called(2), "b"), at({ _tag: "Fault", text: "cancel" }, "b")];
  expect(mermaidOf(log)).toContain("Note over life1: ✗ b: cancel");
});

/** One line of a diagram as we write it. Text holds nothing that ends a statement or begins a comment, but for entities and line breaks. */
const TEXT = String.raw`(?:[^#;<>\r\n]|#(?:35|59|37|lt|gt);|<br/>)+`;
const ID = String.raw`(?:life|p)\d+`;
const GRAMMAR = new RegExp(
  [
    "sequenceDiagram",
    `  participant ${ID} as ${TEXT}`,
    `  ${ID}(?:->>|-->>|-x|--x|-\\))${ID}: ${TEXT}`,
    `  Note over ${ID}(?:,${ID})?: ${TEXT}`,
  ]
    .map((line) => `^(?:${line})$`)
    .join("|"),
  "u",
);

/** Words that Mermaid would take for more than words. */
const word = fc.oneof(
  fc.constantFrom(
    "end",
    "a;b",
    "#",
    "#35;",
    "%%{init}%%",
    "%% no",
    "<b>",
    "line\nbreak",
    "\r\n",
    "",
    "loop",
    "x:y",
    "->>",
    "\u0000",
    "note over",
  ),
  fc.string({ unit: "grapheme" }),
);
const happening: fc.Arbitrary<LogLine["happening"]> = fc.oneof(
  fc.record({ _tag: fc.constant("Fault" as const), text: word }),
  fc
    .record({ call: fc.nat({ max: 3 }), key: word, life: fc.integer({ min: 1, max: 3 }) })
    .map(({ call, key, life }) => called(call, key, life)),
  fc.record({
    _tag: fc.constant("Answered" as const),
    call: fc.nat({ max: 3 }),
    told: fc.constantFrom("Succeeded" as const, "Doubt" as const),
  }),
  fc.record({ call: fc.nat({ max: 3 }), body: word }).map(({ call, body }) => delivered(call, body)),
  fc.record({ _tag: fc.constant("Died" as const), life: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ _tag: fc.constant("CancelAnswered" as const), answer: word }),
);
const violation: fc.Arbitrary<Violation> = fc.record({ law: word, says: word, message: word });

test("every line is one that Mermaid reads, whatever words are in it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ atMs: fc.constant(START_MS), sagaId: fc.option(word, { nil: undefined }), happening })),
      fc.array(violation, { maxLength: 2 }),
      (log, violations) => {
        const [head, ...rest] = mermaidOf(log, violations).split("\n");
        expect(head).toBe("sequenceDiagram");
        for (const line of rest) expect(line).toMatch(GRAMMAR);
        const declared = new Set(rest.flatMap((line) => /^ {2}participant (\S+)/.exec(line)?.slice(1) ?? []));
        const used = rest.flatMap((line) => /^ {2}(?:Note over )?([a-z]+\d+)(?:[-,>x)]*([a-z]+\d+))?:/.exec(line)?.slice(1) ?? []);
        expect(used.filter((id) => id !== undefined && !declared.has(id))).toEqual([]);
      },
    ),
  );
});
