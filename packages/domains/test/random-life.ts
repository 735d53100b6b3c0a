/**
 * Commands with an undo, lived at random: several operations are sent, sent again, taken back and sent too late, some of them at once, while
 * other things happen to the domain. The fence's promises are judged here, from its answers alone; what a domain must add up to is judged by
 * the domain's own law, which is told the operations whose effect stands.
 */
import type { UndoAnswer } from "@backstep/participant";
import fc from "fast-check";
import { expect } from "vitest";
import type { STORAGES } from "./rig.ts";

type Storage = (typeof STORAGES)[number];

/** How many lives are lived; those on disk take longer, those on a server longest. */
export const LIVES: Readonly<Record<Storage, number>> = { memory: 300, sqlite: 60, postgres: 12 };

/** The answer of an action, as the rig gives it. */
export interface Acted {
  readonly _tag: string;
  readonly output?: unknown;
  readonly rejection?: unknown;
  readonly replayed?: boolean;
}

/** One operation: its key, and what it was sent with. */
export interface Operation<Input> {
  readonly key: string;
  readonly sagaId: string;
  readonly input: Input;
}

/** An operation whose effect must be there: it succeeded, and was not taken back. */
export interface Standing<Input> extends Operation<Input> {
  readonly output: unknown;
}

/** One domain on one database, ready to be lived in. */
export interface World<Input, Event> {
  act(operation: Operation<Input>): Promise<Acted>;
  undo(operation: Operation<Input>): Promise<UndoAnswer>;
  /** Anything else that the domain can go through. Sees the operations, so that it can act for one of them. */
  happen(event: Event, operations: readonly Operation<Input>[]): Promise<void>;
  /** Expects of the domain, at rest, what must follow from what stands and from what the world knows to have happened. */
  expectLaw(standing: readonly Standing<Input>[]): Promise<void>;
  /** Whether an undo of this operation may end in an exception, because the domain knows of something that rules it out. */
  readonly ruledOut?: ((operation: Operation<Input>) => boolean) | undefined;
  close(): Promise<void>;
}

export interface Life<Input, Event> {
  readonly input: fc.Arbitrary<Input>;
  readonly event: fc.Arbitrary<Event>;
  open(): Promise<World<Input, Event>>;
}

const OPERATIONS = 6;

type Move<Event> = { readonly move: "act" | "undo"; readonly index: number } | { readonly move: "happen"; readonly event: Event };

/** Searches for a life that breaks the fence's promises or the domain's law. fast-check names the seed and the shortest such life. */
export async function expectLawfulLives<Input, Event>(storage: Storage, { input, event, open }: Life<Input, Event>): Promise<void> {
  const index = fc.nat(OPERATIONS - 1);
  const move: fc.Arbitrary<Move<Event>> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ move: fc.constant("act" as const), index }) },
    { weight: 2, arbitrary: fc.record({ move: fc.constant("undo" as const), index }) },
    { weight: 3, arbitrary: fc.record({ move: fc.constant("happen" as const), event }) },
  );
  const inputs = fc.array(input, { minLength: OPERATIONS, maxLength: OPERATIONS });
  const moments = fc.array(fc.array(move, { minLength: 1, maxLength: 4 }), { maxLength: 10 });
  const property = fc.asyncProperty(inputs, moments, async (given, lived) => {
    const world = await open();
    try {
      await live(world, given, lived);
    } finally {
      await world.close();
    }
  });
  await fc.assert(property, { numRuns: LIVES[storage] });
}

/** What the fence has answered for one operation so far. */
interface Answers {
  readonly acts: Acted[];
  readonly undos: UndoAnswer[];
}

/** Moves of one moment are made at once, in an order that nobody fixes. */
async function live<Input, Event>(
  world: World<Input, Event>,
  inputs: readonly Input[],
  moments: readonly (readonly Move<Event>[])[],
): Promise<void> {
  const operations = inputs.map((input, index) => ({ key: `saga-${index}/1`, sagaId: `saga-${index}`, input }));
  const told = operations.map((): Answers => ({ acts: [], undos: [] }));

  const make = async (move: Move<Event>): Promise<void> => {
    if (move.move === "happen") return world.happen(move.event, operations);
    const [operation, answers] = [operations[move.index], told[move.index]];
    if (operation === undefined || answers === undefined) return;
    if (move.move === "act") answers.acts.push(await world.act(operation));
    else answers.undos.push(...(await undoOrNothing(world, operation)));
  };

  for (const moment of moments) {
    await Promise.all(moment.map((move) => make(move)));
    for (const answers of told) expectFencePromises(answers);
    const standing = operations.flatMap((operation, index) => {
      const output = outputThatStands(told[index]);
      return output === undefined ? [] : [{ ...operation, output }];
    });
    await world.expectLaw(standing);
  }
}

/** The undo's answer; none where it ended in an exception that the world expects, which leaves everything as it was. */
async function undoOrNothing<Input, Event>(world: World<Input, Event>, operation: Operation<Input>): Promise<readonly UndoAnswer[]> {
  try {
    return [await world.undo(operation)];
  } catch (error) {
    if (world.ruledOut?.(operation) === true) return [];
    throw error;
  }
}

/** One execution at most, one recorded answer for good, no success after a seal, and an undo exactly of what succeeded. */
function expectFencePromises({ acts, undos }: Answers): void {
  const decided = acts.filter(({ _tag }) => _tag === "Succeeded" || _tag === "Rejected");
  expect(decided.filter(({ replayed }) => replayed === false).length, "executions").toBeLessThanOrEqual(1);
  for (const answer of decided) expect({ ...answer, replayed: undefined }).toEqual({ ...decided[0], replayed: undefined });
  for (const { _tag } of acts) expect(["Succeeded", "Rejected", "Sealed"]).toContain(_tag);

  const decisions = undos.map((undo) => ("decision" in undo ? undo.decision._tag : undo._tag));
  for (const decision of decisions) expect(decision).toBe(decided[0]?._tag === "Succeeded" ? "Undone" : "NothingToUndo");
  expect(undos.filter(({ _tag }) => _tag === "Executed").length, "executed undos").toBeLessThanOrEqual(1);
  if (acts.some(({ _tag }) => _tag === "Sealed")) expect(undos, "whoever is sealed was taken back").not.toEqual([]);
}

function outputThatStands(answers: Answers | undefined): unknown {
  if (answers === undefined || answers.undos.length > 0) return undefined;
  return answers.acts.find(({ _tag }) => _tag === "Succeeded")?.output;
}
