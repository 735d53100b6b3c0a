/** The effects that are no steps: `all`, `fail`, `emit`, `now`, `uuid`, `sagaId`. */
import { DefinitionInvalid } from "../errors/definition-invalid.ts";
import type { Tagged } from "../errors/tagged.ts";
import type { JournalableCheck } from "../primitives/json.ts";
import { type AnyYieldable, type Effect, takeInstruction, type Yieldable, yieldable } from "./effect.ts";

type YieldedOutput<Member> =
  Member extends Yieldable<infer Output, never>
    ? Output
    : Member extends { [Symbol.iterator](): Generator<unknown, infer Output, unknown> }
      ? Output
      : never;
type YieldedEffect<Member> = Member extends Yieldable<unknown, infer Yielded> ? Yielded : never;
type MemberOf<Members> = Members extends readonly (infer Member)[] ? Member : Members[keyof Members];

export interface AllOptions {
  /** How many members run side by side: 1 or more, default all of them. */
  readonly concurrency?: number | undefined;
}

/**
 * Runs members side by side and hands back their outputs in the same shape: tuple, array or record. A member is a call, another effect, or a generator that
 * yields several of them in sequence. At the first failure nothing new starts, what is in
 * flight settles, and then everything that is not definitely absent is undone, members side by side.
 */
export function all<const Members extends readonly AnyYieldable[] | Readonly<Record<string, AnyYieldable>>>(
  members: Members,
  options: AllOptions = {},
): Yieldable<{ -readonly [Key in keyof Members]: YieldedOutput<Members[Key]> }, YieldedEffect<MemberOf<Members>>> {
  const { concurrency = Number.POSITIVE_INFINITY } = options;
  if (!(concurrency >= 1)) throw new DefinitionInvalid(`all: concurrency must be 1 or more; found ${concurrency}`);
  const instructions = Object.entries(members).map(([key, member]) => {
    const instruction = takeInstruction(member);
    if (instruction === undefined) throw new DefinitionInvalid(`all: member ${key} is neither a step call nor another effect`);
    // A lone surrogate fits into no path, key or header.
    if (!key.isWellFormed()) throw new DefinitionInvalid(`all: member ${JSON.stringify(key)} has a key that is no well-formed text`);
    return [key, instruction] as const;
  });
  return yieldable({ _tag: "All", members: instructions, shape: Array.isArray(members) ? "array" : "record", concurrency });
}

/** Fails the body with a domain error; everything it did is taken back. */
export function fail<const Failure extends Tagged>(
  error: Failure & JournalableCheck<Failure>,
): Yieldable<never, Effect<"fail", "fail", Failure>> {
  return yieldable({ _tag: "Fail", error });
}

/** An event type: the contract kit's declarations fit. */
export interface EventDeclaration<Data> {
  readonly type: string;
  readonly data: { readonly _output?: Data } | { readonly "~standard": { readonly types?: { readonly output: Data } | undefined } };
}

export interface EmitOptions {
  /** What the event is about, e.g. a payment's id; keeps events of one subject in order. */
  readonly subject?: string | undefined;
}

/**
 * Emits an event. In `complete` it commits with the entries at its yield; in `run` it is held until the saga can no longer go back, and dropped when it
 * does. Its id is fixed by the saga and the place of the yield, so every delivery carries the same one.
 */
export function emit<Data>(
  event: EventDeclaration<Data>,
  data: Data & JournalableCheck<Data>,
  options: EmitOptions = {},
): Yieldable<undefined, Effect<"emit", "plain", never>> {
  return yieldable({ _tag: "Emit", event: { type: event.type, data, subject: options.subject } });
}

/** The time of the journal entry that brought the body here, in epoch milliseconds of the store's clock: equal live and on replay. */
export function now(): Yieldable<number, Effect<"now", "plain", never>> {
  return yieldable({ _tag: "Now" });
}

/** A UUID made of the saga's seed and the place of the yield: equal live and on replay. Unique, not secret. */
export function uuid(): Yieldable<string, Effect<"uuid", "plain", never>> {
  return yieldable({ _tag: "Uuid" });
}

/** The id of the saga that runs this body. */
export function sagaId(): Yieldable<string, Effect<"saga-id", "plain", never>> {
  return yieldable({ _tag: "SagaId" });
}
