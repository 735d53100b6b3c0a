/**
 * What a body yields. To the compiler an effect is its brands: a name, a kind that says where it may stand, and the failures it may end with. At run time
 * it is an instruction for the engine. Callers never build one: step calls, `all`, `savepoint` and friends return a *yieldable*, and `yield*` unwraps it.
 */
import type { Err } from "neverthrow";
import type { Fault } from "../errors/fault.ts";
import type { Tagged } from "../errors/tagged.ts";
import type { Body, SagaDefinition } from "./saga-definition.ts";
import type { StepDefinition } from "./step-definition.ts";

/** Where an effect may stand: `complete` takes neither what must be undone nor what may fail. */
export type EffectKind = "compensatable" | "readOnly" | "retriable" | "fail" | "savepoint" | "lock" | "plain";

/** Every brand is required, so that nothing else passes for an effect; the last one is the compiler's hint when the star is missing. */
export interface Effect<out Name extends string, out Kind extends EffectKind, out Failure> {
  readonly "~name": Name;
  readonly "~kind": Kind;
  readonly "~failure": Failure;
  readonly "~write yield*, with the star": true;
}

export type AnyEffect = Effect<string, EffectKind, unknown>;

export interface Yieldable<Output, Yielded extends AnyEffect> {
  [Symbol.iterator](): Generator<Yielded, Output, unknown>;
}

export type AnyYieldable = Yieldable<unknown, AnyEffect>;

/** What the body may yield besides effects: neverthrow's `Result`, unwrapped by `yield*`, yields its `Err`. */
export type YieldedErr = Err<never, Tagged>;

export type FailureOf<Yielded> =
  Yielded extends Effect<string, EffectKind, infer Failure>
    ? Failure
    : Yielded extends Err<unknown, infer Failure>
      ? Exclude<Failure, Fault>
      : never;

export type Instruction =
  | { readonly _tag: "CallStep"; readonly step: StepDefinition; readonly input: unknown }
  | { readonly _tag: "CallSaga"; readonly saga: SagaDefinition; readonly input: unknown }
  | {
      readonly _tag: "All";
      readonly members: readonly (readonly [key: string, Instruction])[];
      readonly shape: "array" | "record";
      readonly concurrency: number;
    }
  | { readonly _tag: "Savepoint"; readonly body: () => Body<unknown, unknown> }
  /** A generator as a member of `all`; it runs in the member's scope. */
  | { readonly _tag: "Part"; readonly body: Body<unknown, unknown> }
  | { readonly _tag: "Fail"; readonly error: unknown }
  | { readonly _tag: "Emit"; readonly event: EmittedEvent }
  | { readonly _tag: "Sleep"; readonly until: { readonly afterMs: number } | { readonly atMs: number } }
  | { readonly _tag: "WaitFor"; readonly signal: string; readonly timeoutMs?: number | undefined }
  | { readonly _tag: "Lock"; readonly name: string; readonly waitMs: number }
  | { readonly _tag: "Changed"; readonly id: string }
  | { readonly _tag: "Now" }
  | { readonly _tag: "Uuid" }
  | { readonly _tag: "SagaId" };

export interface EmittedEvent {
  readonly type: string;
  readonly data: unknown;
  readonly subject?: string | undefined;
}

/**
 * Calls made and not yet yielded, while the engine runs a body. Bodies run synchronously and one at a time, so this is set for the length of one
 * `next()` and is no state between them.
 */
let open: Set<Instruction> | undefined;

/** Runs a piece of a body; calls it makes are added to `calls`, and taken out when they are yielded. */
export function collectCalls<Value>(calls: Set<Instruction>, piece: () => Value): Value {
  const outer = open;
  open = calls;
  try {
    return piece();
  } finally {
    open = outer;
  }
}

/** A call that was made, and the iterator over its one instruction: an object per step, in place of a generator and an entry in a map of all. */
class MadeCall {
  readonly instruction: Instruction;
  /** The calls of the body that made it. */
  readonly #owner: Set<Instruction> | undefined;
  #isYielded = false;

  constructor(instruction: Instruction, owner: Set<Instruction> | undefined) {
    this.instruction = instruction;
    this.#owner = owner;
    owner?.add(instruction);
  }

  [Symbol.iterator](): this {
    this.#isYielded = false;
    return this;
  }

  next(output?: unknown): IteratorResult<Instruction, unknown> {
    if (this.#isYielded) return { done: true, value: output };
    this.#isYielded = true;
    this.taken();
    return { done: false, value: this.instruction };
  }

  return(output?: unknown): IteratorResult<Instruction, unknown> {
    return { done: true, value: output };
  }

  throw(thrown: unknown): never {
    throw thrown;
  }

  /** It counts as yielded from now on. */
  taken(): void {
    this.#owner?.delete(this.instruction);
  }
}

/** The brands exist for the compiler only: the engine receives the instruction and hands back the output. */
export function yieldable<Output, Yielded extends AnyEffect>(instruction: Instruction): Yieldable<Output, Yielded> {
  return new MadeCall(instruction, open) as unknown as Yieldable<Output, Yielded>;
}

/** The instruction that a member of `all` stands for: the one inside a yieldable, which counts as yielded from then on, or the run of a generator. */
export function takeInstruction(value: AnyYieldable): Instruction | undefined {
  if (!(value instanceof MadeCall)) return isGenerator(value) ? { _tag: "Part", body: value } : undefined;
  value.taken();
  return value.instruction;
}

function isGenerator(value: unknown): value is Body<unknown, unknown> {
  if (typeof value !== "object" || value === null) return false;
  return Symbol.iterator in value && "next" in value && typeof value.next === "function" && "return" in value && "throw" in value;
}
