/** The savepoint: the mixed recovery of Garcia-Molina & Salem (1987), back to here, then forward again. */
import type { Result } from "neverthrow";
import type { SagaFaulted } from "../errors/saga-error.ts";
import { type Effect, type FailureOf, type Yieldable, yieldable } from "./effect.ts";
import type { RunEffect } from "./saga.ts";
import type { Body } from "./saga-definition.ts";

/**
 * Runs a part of a body that is undone alone when it fails; the body then goes on with the `Err`. Its own steps are all taken back before it hands
 * back anything, its events are dropped, and a park inside parks the saga.
 */
export function savepoint<Yielded extends RunEffect, Output>(
  body: () => Body<Yielded, Output>,
): Yieldable<Result<Output, FailureOf<Yielded> | SagaFaulted>, Effect<"savepoint", "savepoint", never>> {
  return yieldable({ _tag: "Savepoint", body });
}
