// Goal: sagas that wait for each other's locks never close a circle (I16, FS-44), whatever they ask for, hold and leave, and however late they learn what they have come to hold. Method: random
// sagas over one table of names and its lines, step by step; then nobody asks for more, and all must come to an end.
import fc from "fast-check";
import { expect, test } from "vitest";
import { Locks } from "../../src/engine/locks.ts";
import { type LockLines, takePlaces } from "../../src/journal/memory-locks.ts";

const SEED = Number(process.env["BACKSTEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const NAMES = ["a", "b", "c", "d"] as const;
const SAGAS = ["s0", "s1", "s2", "s3"] as const;
const LONG = 1_000_000;
const RUNS = 3_000;

type Move =
  /** Asks for a name, beside what it asks for already. */
  | { readonly _tag: "Want"; readonly saga: string; readonly name: string }
  /** Looks who is first in line for what it asked for. */
  | { readonly _tag: "Look"; readonly saga: string; readonly nth: number }
  /** Leaves what it asked for, though it may have come to hold it. */
  | { readonly _tag: "Leave"; readonly saga: string; readonly nth: number }
  /** Ends, and lets everything go. */
  | { readonly _tag: "End"; readonly saga: string };

const saga = fc.constantFrom(...SAGAS);
const nth = fc.nat(3);
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ _tag: fc.constant("Want" as const), saga, name: fc.constantFrom(...NAMES) }) },
  { weight: 5, arbitrary: fc.record({ _tag: fc.constant("Look" as const), saga, nth }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Leave" as const), saga, nth }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("End" as const), saga }) },
);

/** The store, and each saga's own book. */
function createWorld() {
  const lines: LockLines = new Map();
  const books = new Map<string, Locks>(SAGAS.map((each) => [each, new Locks()]));
  const asked = new Map<string, { readonly path: string; readonly name: string }[]>(SAGAS.map((each) => [each, []]));
  let count = 0;
  const bookOf = (each: string) => books.get(each) ?? new Locks();
  const askedOf = (each: string) => asked.get(each) ?? [];

  /** A record of it becomes durable. */
  const record = (each: string, ended = false): void => {
    const { locks } = bookOf(each).tell({ ended });
    if (locks !== undefined) takePlaces(lines, each, locks);
  };
  const end = (each: string): void => {
    record(each, true);
    books.set(each, new Locks());
    asked.set(each, []);
  };
  /** Whether it moved by that. */
  const look = (each: string, place: number): boolean => {
    const [found] = askedOf(each).splice(place, 1);
    if (found === undefined) return false;
    const { path, name } = found;
    const isFirst = lines.get(name)?.[0] === each;
    if (!isFirst && bookOf(each).waitsUntil(path) === LONG) {
      askedOf(each).push(found);
      return false;
    }
    bookOf(each).end(path);
    if (isFirst) bookOf(each).hold(name);
    record(each);
    return true;
  };

  return {
    lines,
    play(given: Move): void {
      const { saga: each } = given;
      if (given._tag === "End") end(each);
      else if (given._tag === "Want") {
        if (bookOf(each).holds(given.name)) return;
        count += 1;
        const path = `${given.name}/${count}`;
        bookOf(each).want({ path, name: given.name, until: LONG, ended: () => undefined });
        askedOf(each).push({ path, name: given.name });
        record(each);
      } else if (given._tag === "Look") look(each, given.nth % Math.max(askedOf(each).length, 1));
      else {
        const [left] = askedOf(each).splice(given.nth % Math.max(askedOf(each).length, 1), 1);
        if (left === undefined) return;
        bookOf(each).end(left.path);
        record(each);
      }
    },
    /** Every saga looks, and ends when it waits for nothing. Those that are left over when nothing moves any more. */
    comeToAnEnd(order: readonly string[]): readonly string[] {
      const unfinished = new Set(order);
      for (let moved = true; moved; ) {
        moved = false;
        for (const each of unfinished) {
          for (let place = askedOf(each).length - 1; place >= 0; place--) moved = look(each, place) || moved;
          if (askedOf(each).length > 0) continue;
          end(each);
          unfinished.delete(each);
          moved = true;
        }
      }
      return [...unfinished];
    },
    waiting: () => [...lines.values()].filter(({ length }) => length > 1).length,
  };
}

test("FS-44: no circle of waiting closes, and yet sagas do wait", () => {
  let waited = 0;
  fc.assert(
    fc.property(fc.array(move, { minLength: 1, maxLength: 80 }), fc.shuffledSubarray([...SAGAS], { minLength: 4 }), (moves, order) => {
      const world = createWorld();
      for (const each of moves) world.play(each);
      waited += world.waiting();
      expect(world.comeToAnEnd(order)).toEqual([]);
      expect([...world.lines]).toEqual([]);
    }),
    { numRuns: RUNS, seed: SEED },
  );
  expect(waited).toBeGreaterThan(500);
});
