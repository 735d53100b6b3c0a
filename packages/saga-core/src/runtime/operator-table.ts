/**
 * What an operator may do with a parked operation, as a table of its slot, its step and why it is parked. The page of it is docs/parked.md. What a verb does is
 * `operator-verbs.ts`.
 */
import type { StepKind } from "../definition/step-definition.ts";
import type { OperatorVerb, ParkCause } from "../errors/parked.ts";
import type { Slot } from "../primitives/idempotency-key.ts";

export interface ParkedCase {
  readonly slot: Slot;
  readonly kind: StepKind;
  /** Whether the step has a deciding query, which seals. */
  readonly resolvable: boolean;
  readonly cause: ParkCause;
  /** Whether the participant itself has told of a success. */
  readonly applied: boolean;
}

/** `retry`, `settleApplied` and `abandon` always are; "not applied" only where it can be made sure of. */
export function verbsFor(parked: ParkedCase): readonly OperatorVerb[] {
  return ["retry", "settleApplied", ...(wayOfNotApplied(parked) === undefined ? [] : ["settleNotApplied" as const]), "abandon"];
}

/**
 * How "not applied" is made sure of. `sealed`: the participant has said that it never will be. `seal`: the deciding query plants a tombstone first. `undo`: the action is
 * undone in doubt, which seals it. `undefined`: it would be a guess.
 */
export function wayOfNotApplied({ slot, kind, resolvable, cause, applied }: ParkedCase): "sealed" | "seal" | "undo" | undefined {
  if (cause.fault._tag === "Sealed" && !applied) return "sealed";
  if (resolvable) return "seal";
  return slot === "action" && kind === "compensatable" ? "undo" : undefined;
}
