/**
 * A command whose effect is in a system of somebody else's, such as a payment gateway. No transaction spans both, so the service hands over the parts, and a fence
 * puts them in an order that a crash cannot spoil: the intent is committed, the effect made, its answer committed. The shapes are those of a fence in intent mode,
 * said again here because this package knows no fence.
 */
import type { Result } from "neverthrow";
import type { CommandContext } from "./context.ts";

/** Told to code that reaches the foreign system, outside of any transaction. */
export interface ForeignContext {
  /** The foreign system's idempotency key. */
  readonly key: string;
  readonly sagaId: string | undefined;
  readonly now: number;
  /** Milliseconds until the caller is not alone any more. */
  readonly timeoutMs: number;
  /** Aborts at the same time. */
  readonly signal: AbortSignal;
}

/** What the foreign system says of a key. */
export type ForeignVerdict<Output, Rejection> =
  | { readonly _tag: "Succeeded"; readonly output: Output }
  | { readonly _tag: "Rejected"; readonly rejection: Rejection }
  /** Not applied, and nothing that is under way can be any more. */
  | { readonly _tag: "Absent" }
  /** Not applied, and the foreign system refuses the key from now on. */
  | { readonly _tag: "Sealed" }
  | { readonly _tag: "Undecided" };

/** A verdict that is final. */
export type ForeignConclusion<Output, Rejection> = Extract<
  ForeignVerdict<Output, Rejection>,
  { readonly _tag: "Succeeded" | "Rejected" | "Sealed" }
>;

export interface ForeignAction<Transaction, Output, Rejection> {
  /** Commits with the intent: business guards and local writes. Where it says no, the foreign system is never called. */
  readonly prepare?: ((context: CommandContext<Transaction>) => Promise<Result<void, Rejection>>) | undefined;
  /** A throw means that nobody knows. Without `query` it must be safe to repeat under the same key. */
  readonly effect: (context: ForeignContext) => Promise<Result<Output, Rejection>>;
  /** The deciding query, asked by whoever finds an intent without an answer. */
  readonly query?: ((context: ForeignContext) => Promise<ForeignVerdict<Output, Rejection>>) | undefined;
  /** Commits with the recorded answer. */
  readonly conclude?:
    | ((context: CommandContext<Transaction>, conclusion: ForeignConclusion<Output, Rejection>) => Promise<void>)
    | undefined;
}

export interface ForeignUndo<Transaction, Output, Rejection> {
  /** What it takes back: an action that nobody knows of is settled first. */
  readonly action: ForeignAction<Transaction, Output, Rejection>;
  /** Safe to repeat under the same key. `undone` is the action's recorded output. */
  readonly effect: (context: ForeignContext & { readonly undone: Output }) => Promise<void>;
  /** Commits with the record that it is undone. */
  readonly conclude?: ((context: CommandContext<Transaction>) => Promise<void>) | undefined;
}

/** Stands in a service where a function would: the parts of a foreign effect, made for one input. */
export interface Foreign<Input, Parts> {
  readonly _tag: "Foreign";
  readonly partsFor: (input: Input) => Parts;
}

/** Implements a command, or its undo, by an effect in a foreign system. `partsFor` itself touches nothing: it may be called more often than the effect is made. */
export function foreign<Input, Parts>(partsFor: (input: Input) => Parts): Foreign<Input, Parts> {
  return { _tag: "Foreign", partsFor };
}
