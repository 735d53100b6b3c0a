/** The effects that are no steps: `all`, `fail`, `emit`, `sleep`, `waitFor`, `lock`, `changed`, `now`, `uuid`, `sagaId`. */
import type { Result } from "neverthrow";
import { DefinitionInvalid } from "../errors/definition-invalid.ts";
import type { Tagged } from "../errors/tagged.ts";
import { type Duration, durationMs } from "../primitives/duration.ts";
import type { JournalableCheck } from "../primitives/json.ts";
import { type AnyYieldable, type Effect, takeInstruction, type Yieldable, yieldable } from "./effect.ts";
import type { Signal } from "./signal.ts";
import { checkName } from "./step.ts";

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
  if (concurrency !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(concurrency) && concurrency >= 1)) {
    throw new DefinitionInvalid(`all: concurrency must be a whole number from 1 on; found ${concurrency}`);
  }
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

/**
 * Lets time pass, on the store's clock: through crashes and restarts, and without keeping the saga in memory when it is long. Ends early only when the saga goes
 * back.
 */
export function sleep(duration: Duration): Yieldable<undefined, Effect<"sleep", "plain", never>> {
  return yieldable({ _tag: "Sleep", until: { afterMs: checkedMs("sleep", duration) } });
}

/** As `sleep`, until a point in time, epoch milliseconds of the store's clock; one that is over passes at once. */
export function sleepUntil(atMs: number): Yieldable<undefined, Effect<"sleep", "plain", never>> {
  if (!Number.isSafeInteger(atMs)) throw new DefinitionInvalid(`sleepUntil: epoch milliseconds are a whole number; found ${atMs}`);
  return yieldable({ _tag: "Sleep", until: { atMs } });
}

export interface SignalTimedOut {
  readonly _tag: "SignalTimedOut";
  readonly signal: string;
}

/**
 * Waits for a signal and hands back its payload. Signals of one name are handed out in the order in which they arrived, also those that came before anybody waited;
 * each once. With a timeout a `Result` comes back, and what silence means is the body's decision. A saga that waits for long is not kept in memory.
 */
export function waitFor<Name extends string, Payload>(
  signal: Signal<Name, unknown, Payload>,
): Yieldable<Payload, Effect<"wait-for", "plain", never>>;
export function waitFor<Name extends string, Payload>(
  signal: Signal<Name, unknown, Payload>,
  options: { readonly timeout: Duration },
): Yieldable<Result<Payload, SignalTimedOut>, Effect<"wait-for", "plain", never>>;
export function waitFor(
  signal: Signal<string, unknown, unknown>,
  { timeout }: { readonly timeout?: Duration | undefined } = {},
): Yieldable<unknown, Effect<"wait-for", "plain", never>> {
  const timeoutMs = timeout === undefined ? undefined : checkedMs(`waitFor ${signal.name}, timeout`, timeout);
  return yieldable({ _tag: "WaitFor", signal: signal.name, timeoutMs });
}

function checkedMs(where: string, duration: Duration): number {
  return durationMs(duration).match(
    (ms) => ms,
    (flaw) => {
      throw new DefinitionInvalid(`${where}: ${flaw}`);
    },
  );
}

/** Another saga holds the lock, and did for as long as this one was willing to wait. */
export interface Locked {
  readonly _tag: "Locked";
  readonly name: string;
  /** The saga that holds it. */
  readonly lockedBy: string;
}

const LOCK_NAME = /^[A-Za-z0-9._:@~/-]{1,128}$/;

/**
 * Holds a name, e.g. `order:42`, against every other saga of the store, from here until this saga has ended: also while it goes back, is parked or sleeps. Asking
 * again for one that is held is no news.
 *
 * It waits for another saga no longer than `wait` (default: not at all), and only for a name that sorts after every name this saga holds: asked for in another order, two
 * sagas could wait for each other for ever, so then it fails at once instead. What fails is undone as ever. Those who wait get it in the order in which they came, whichever engine drives
 * them, and are not kept in memory for long. The place in line, the lock, and its passing on stand with the journal's records: a crash loses and doubles none of them.
 */
export function lock(
  name: string,
  { wait = 0 }: { readonly wait?: Duration | undefined } = {},
): Yieldable<undefined, Effect<"lock", "lock", Locked>> {
  if (!LOCK_NAME.test(name)) {
    throw new DefinitionInvalid(`lock ${JSON.stringify(name)}: a name has 1 to 128 characters of A-Z a-z 0-9 . _ : @ ~ / -`);
  }
  return yieldable({ _tag: "Lock", name, waitMs: checkedMs(`lock ${name}, wait`, wait) });
}

/**
 * Lets one definition drive sagas from before and after a small change: `true` for a saga that comes here for the first time, which takes the new way from then on;
 * `false` for one that went the old way here. The id names the change; it may stand in several places, and is answered the same in all of one saga. Once no saga
 * from before runs, the old way and the call can go.
 */
export function changed(id: string): Yieldable<boolean, Effect<"changed", "plain", never>> {
  checkName("change", id);
  return yieldable({ _tag: "Changed", id });
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
