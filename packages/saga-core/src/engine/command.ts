/** What the engine tells the runtime to do, once the record that says so is durable. */
import type { UndoneOperation } from "../definition/call.ts";
import type { Cause, UndoableOutcome } from "../definition/outcome.ts";
import type { StepDefinition } from "../definition/step-definition.ts";
import type { IdempotencyKey } from "../primitives/idempotency-key.ts";
import type { Json } from "../primitives/json.ts";
import type { Join, OperationRules } from "./join-attempts.ts";

export type Command = RunOperation | StopOperation | WatchLock;

/** The saga stands in line for a lock. Look who is first until that is this saga, or there is no more waiting for it, and hand that back as a fact. */
export interface WatchLock {
  readonly _tag: "WatchLock";
  readonly path: string;
  readonly name: string;
}

/** Attempt an operation until its verdict is a `Settle` or a `Park`, and hand that back as a fact. */
export interface RunOperation {
  readonly _tag: "RunOperation";
  readonly sagaId: string;
  readonly rules: OperationRules;
  readonly step: StepDefinition;
  readonly input: Json | undefined;
  readonly key: IdempotencyKey;
  readonly issuedAt: number;
  /** The horizon counts from here. */
  readonly startedAt: number;
  /** What is known before the first attempt. */
  readonly join: Join;
  /** Present for a compensation. */
  readonly undo?: UndoOrder | undefined;
}

export interface UndoOrder {
  readonly undoes: UndoneOperation;
  readonly outcome: UndoableOutcome<Json | undefined>;
  readonly cause: Cause;
}

/** Start no further attempt of an action, and settle it with what is known; an open one that nobody runs settles at once. */
export interface StopOperation {
  readonly _tag: "StopOperation";
  readonly rules: OperationRules;
  readonly join: Join;
}
