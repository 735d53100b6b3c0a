// Goal: sagas that wait for each other's locks never close a circle (I16, FS-44), whatever they ask for, hold and leave. Method: random sagas over one table of names, step by step; after each
// step the graph of who waits for whom is searched for a circle.
import fc from "fast-check";
import { expect, test } from "vitest";
import { Locks } from "../../src/engine/locks.ts";

const SEED = Number(process.env["BACKSTEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const NAMES = ["a", "b", "c", "d"] as const;
const SAGAS = [0, 1, 2, 3] as const;
const LONG = 1_000_000;

type Move =
  /** Asks for a name, beside what it asks for already. */
  | { readonly _tag: "Want"; readonly saga: number; readonly name: string }
  /** The store answers what was asked first. */
  | { readonly _tag: "Answer"; readonly saga: number; readonly nth: number }
  /** Leaves what was asked, which the store may have granted on the way. */
  | { readonly _tag: "Leave"; readonly saga: number; readonly nth: number; readonly granted: boolean }
  /** Ends, and lets everything go. */
  | { readonly _tag: "End"; readonly saga: number };

const saga = fc.constantFrom(...SAGAS);
const nth = fc.nat(3);
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ _tag: fc.constant("Want" as const), saga, name: fc.constantFrom(...NAMES) }) },
  { weight: 5, arbitrary: fc.record({ _tag: fc.constant("Answer" as const), saga, nth }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Leave" as const), saga, nth, granted: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("End" as const), saga }) },
);

/** The store, and each saga's own book. */
function createWorld() {
  const holders = new Map<string, number>();
  const books = new Map<number, Locks>(SAGAS.map((each) => [each, new Locks()]));
  const paths = new Map<number, string[]>(SAGAS.map((each) => [each, []]));
  let asked = 0;
  const bookOf = (each: number) => books.get(each) ?? new Locks();
  const pathsOf = (each: number) => paths.get(each) ?? [];
  const nameAt = (path: string) => path.split("/")[0] ?? "";

  const play = (given: Move): void => {
    const { saga: each } = given;
    const open = pathsOf(each);
    if (given._tag === "Want") {
      if (bookOf(each).holds(given.name)) return;
      asked += 1;
      const path = `${given.name}/${asked}`;
      bookOf(each).want({ path, name: given.name, until: LONG, ended: () => undefined });
      open.push(path);
      return;
    }
    if (given._tag === "End") {
      for (const [name, holder] of holders) if (holder === each) holders.delete(name);
      books.set(each, new Locks());
      paths.set(each, []);
      return;
    }
    const [path] = open.splice(given.nth % Math.max(open.length, 1), 1);
    if (path === undefined) return;
    const name = nameAt(path);
    const free = (holders.get(name) ?? each) === each;
    if (given._tag === "Leave") {
      bookOf(each).leave(path);
      if (given.granted && free) holders.set(name, each);
      return;
    }
    if (free) {
      holders.set(name, each);
      bookOf(each).end(path);
      bookOf(each).hold(name);
    } else if (bookOf(each).waitsUntil(path) === LONG) open.push(path);
    else bookOf(each).end(path);
  };

  /** Who waits for whom, of those that the next answer does not refuse. */
  const waitsFor = (each: number): readonly number[] =>
    pathsOf(each).flatMap((path) => {
      const holder = holders.get(nameAt(path));
      return holder === undefined || holder === each || bookOf(each).waitsUntil(path) !== LONG ? [] : [holder];
    });
  const inCircle = (start: number): boolean => {
    const seen = new Set<number>();
    const next = [...waitsFor(start)];
    for (let each = next.pop(); each !== undefined; each = next.pop()) {
      if (each === start) return true;
      if (!seen.has(each)) next.push(...waitsFor(each));
      seen.add(each);
    }
    return false;
  };
  return { play, circle: () => SAGAS.filter(inCircle), waiting: () => SAGAS.filter((each) => waitsFor(each).length > 0).length };
}

test("FS-44: no circle of waiting closes, and yet sagas do wait", () => {
  let waited = 0;
  fc.assert(
    fc.property(fc.array(move, { minLength: 10, maxLength: 80 }), (moves) => {
      const world = createWorld();
      for (const each of moves) {
        world.play(each);
        expect(world.circle()).toEqual([]);
        waited += world.waiting();
      }
    }),
    { numRuns: 3_000, seed: SEED },
  );
  expect(waited).toBeGreaterThan(500);
});
