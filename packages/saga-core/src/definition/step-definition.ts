/** A step as the engine and the runtime see it: what its functions are told, and the definition itself, erased, with every option filled in. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Fault } from "../errors/fault.ts";
import type { Tagged } from "../errors/tagged.ts";
import type { Slot } from "../primitives/idempotency-key.ts";
import type { Answer } from "./answer.ts";
import type { Call, CompensationCall } from "./call.ts";
import type { Cause, UndoableOutcome } from "./outcome.ts";
import type { ResolvedRetryPolicy } from "./retry-policy.ts";

export interface ActionContext {
  readonly call: Call;
}

export interface CompensationContext<Output> {
  /** The compensation's own key, and the operation that it undoes. */
  readonly call: CompensationCall;
  /** `Succeeded` with the action's output, or `InDoubt` without one. */
  readonly outcome: UndoableOutcome<Output>;
  /** Why the saga goes back. */
  readonly cause: Cause;
}

export interface ResolveContext {
  /** The key is that of the operation in doubt. */
  readonly call: Call;
  readonly slot: Slot;
}

/** What to do with a step whose attempts are spent in doubt. */
export type InDoubtPolicy = "compensate" | "resolve" | "park";

export type StepKind = "compensatable" | "readOnly" | "pivot" | "retriable";

/** A step as the engine and the runtime see it: erased, with every option filled in. */
export interface StepDefinition {
  readonly name: string;
  readonly kind: StepKind;
  // Method syntax on purpose: erased steps of any input must fit here.
  run(input: unknown, context: ActionContext): Answer<Tagged>;
  compensate?(input: unknown, context: CompensationContext<unknown>): Answer<Fault>;
  resolve?(input: unknown, context: ResolveContext): Answer<Fault>;
  /** What an output that an operator hands in must fit. */
  readonly output?: StandardSchemaV1 | undefined;
  readonly inDoubt: InDoubtPolicy;
  readonly retry: ResolvedRetryPolicy;
  readonly compensationRetry: ResolvedRetryPolicy;
  /** For a read-only step after the point of no return, where it may not fail. */
  readonly forwardRetry: ResolvedRetryPolicy;
}
