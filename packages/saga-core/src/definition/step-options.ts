/** What steps of several kinds are declared with. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { AnsweredOutput, AnsweredRejection, AnswerOf } from "./answer.ts";
import type { Resolution } from "./outcome.ts";
import type { RetryPolicy } from "./retry-policy.ts";
import type { ActionContext, ResolveContext, StepDefinition } from "./step-definition.ts";

export interface AnyStepOptions<Name extends string, Input, Returned> {
  /** Lower-case words with dots and dashes, e.g. `product.deduct-stock`. Part of every key: renaming a step makes it another step. */
  readonly name: Name;
  /**
   * Makes one attempt. `Ok` is success, an `Err` of the participant's own is its rejection, a `Fault` says what went wrong instead, and
   * an exception is doubt. It is called again, with the same input and key, after a crash.
   */
  readonly run: (input: Input, context: ActionContext) => Returned;
  /**
   * A Standard Schema of what `run` answers with. Attempts are not checked against it: it is for the output that an operator hands in, by `settle`, for an
   * action whose own answer is lost. Without it any JSON is taken.
   */
  readonly output?: StandardSchemaV1<unknown, AnsweredOutput<Returned>> | undefined;
  readonly retry?: RetryPolicy | undefined;
}

export interface ResolvableStepOptions<Input, Returned> {
  /**
   * Asks the participant what became of an operation, and settles it: `SealedForGood` only once a tombstone stands. Used by the policy `resolve`, and
   * by an operator's "not applied", which must seal the key first.
   */
  readonly resolve?:
    | ((input: Input, context: ResolveContext) => ResolveAnswer<AnsweredOutput<Returned>, AnsweredRejection<Returned>>)
    | undefined;
}

export type ResolveAnswer<Output, Rejection> = AnswerOf<Resolution<Output, Rejection>>;

/** A step as it is called in a body, with its definition for the engine. */
export interface Declared {
  readonly "~step": StepDefinition;
}
