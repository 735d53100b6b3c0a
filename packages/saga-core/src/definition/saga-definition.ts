/** A saga as the engine sees it, erased: its bodies yield instructions, and its values are journaled JSON. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { StepDefinition } from "./step-definition.ts";

/** A body, or a part of one: a helper generator declared as this can be called with `yield*` from another. */
export type Body<Yielded, Output> = Generator<Yielded, Output, unknown>;

export interface SagaDefinition {
  readonly name: string;
  readonly version: number;
  readonly input: StandardSchemaV1;
  /** From the start; absent for a saga that may take for ever. */
  readonly deadlineMs?: number | undefined;
  // Method syntax on purpose: erased sagas of any input must fit here.
  run(input: unknown): Body<unknown, unknown>;
  pivot?(value: unknown): { readonly "~pivot": { readonly step: StepDefinition; readonly input: unknown } };
  complete?(value: unknown, pivoted: unknown): Body<unknown, unknown>;
}
