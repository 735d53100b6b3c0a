/** The retriable: a step after the point of no return. It has no declared rejection and is repeated until done. */
import type { Effect, Yieldable } from "./effect.ts";
import type { AnyStepOptions, Declared, ResolvableStepOptions } from "./step-options.ts";

export type RetriableStepOptions<Name extends string, Input, Returned> = AnyStepOptions<Name, Input, Returned> &
  ResolvableStepOptions<Input, Returned>;

export interface RetriableStep<Name extends string, Input, Output> extends Declared {
  (input: Input): Yieldable<Output, Effect<Name, "retriable", never>>;
}
