/** The pivot: the go/no-go step. Before its intent is journaled the saga may go back; from then on it goes where the pivot's outcome says, and past it only forward. */
import type { InDoubtPolicy, StepDefinition } from "./step-definition.ts";
import type { AnyStepOptions, Declared, ResolvableStepOptions } from "./step-options.ts";

export interface PivotStepOptions<Name extends string, Input, Returned>
  extends AnyStepOptions<Name, Input, Returned>,
    ResolvableStepOptions<Input, Returned> {
  /** A pivot in doubt is never guessed. Default `"resolve"` when `resolve` is given, else `"park"`. */
  readonly inDoubt?: Exclude<InDoubtPolicy, "compensate"> | undefined;
}

export interface PivotStep<Name extends string, Input, Output, Failure> extends Declared {
  (input: Input): PivotCall<Name, Output, Failure>;
}

/** Not iterable: a pivot stands in `pivot`, not in a body. */
export interface PivotCall<out Name extends string, out Output, out Failure> {
  readonly "~pivot": { readonly step: StepDefinition; readonly input: unknown };
  readonly "~name"?: Name;
  readonly "~output"?: Output;
  readonly "~failure"?: Failure;
}
