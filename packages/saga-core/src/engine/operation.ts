/** One operation as the engine keeps it: what was ordered, what is known, and what continues when it settles. */
import type { Cause, UndoableOutcome } from "../definition/outcome.ts";
import type { StepDefinition } from "../definition/step-definition.ts";
import type { ParkCause } from "../errors/parked.ts";
import type { Knowledge, SettledOutcome } from "../journal/entry.ts";
import { type IdempotencyKey, idempotencyKey, type Slot } from "../primitives/idempotency-key.ts";
import type { Json } from "../primitives/json.ts";
import type { RunOperation, UndoOrder } from "./command.ts";
import type { Join, OperationRules } from "./join-attempts.ts";

export interface Operation {
  readonly path: string;
  readonly slot: Slot;
  readonly step: StepDefinition;
  readonly input: Json | undefined;
  readonly forwardOnly: boolean;
  /** Whether a group that it belongs to has failed, so that it starts no further attempt. */
  readonly halted: () => boolean;
  readonly settled: (outcome: SettledOutcome) => void;
  /** Present for a compensation. */
  readonly undo?: { readonly action: Operation; readonly cause: Cause } | undefined;
  issuedAt: number;
  startedAt: number;
  generation: number;
  knowledge: Knowledge;
  state: "open" | "parked" | "settled";
  /** Present while parked. */
  parkCause?: ParkCause | undefined;
  outcome?: SettledOutcome | undefined;
}

export function operationId(path: string, slot: Slot): string {
  return slot === "action" ? path : `${path} ${slot}`;
}

export function rulesOf({ path, slot, step, forwardOnly }: Operation): OperationRules {
  const retry = slot === "compensation" ? step.compensationRetry : forwardOnly ? step.forwardRetry : step.retry;
  return { path, step: step.name, slot, kind: step.kind, inDoubt: step.inDoubt, retry, forwardOnly };
}

export function keyOf(sagaId: string, { path, slot, generation }: Operation): IdempotencyKey {
  return idempotencyKey({ sagaId, path, slot, generation });
}

export function runCommand(sagaId: string, operation: Operation, join: Join): RunOperation {
  const { step, input, issuedAt, startedAt, undo } = operation;
  return {
    _tag: "RunOperation",
    sagaId,
    rules: rulesOf(operation),
    step,
    input,
    key: keyOf(sagaId, operation),
    issuedAt,
    startedAt,
    join,
    undo: undo === undefined ? undefined : undoOrder(sagaId, undo.action, undo.cause),
  };
}

function undoOrder(sagaId: string, action: Operation, cause: Cause): UndoOrder {
  const outcome = undoableOutcome(action);
  const known = outcome._tag === "Succeeded" || outcome.known === "succeeded" ? "succeeded" : "inDoubt";
  return { undoes: { key: keyOf(sagaId, action), issuedAt: action.issuedAt, known }, outcome, cause };
}

function undoableOutcome({ outcome }: Operation): UndoableOutcome<Json | undefined> {
  if (outcome?._tag === "Succeeded") return outcome;
  return { _tag: "InDoubt", known: outcome?._tag === "InDoubt" ? outcome.known : "nothing" };
}

/** I2: a step is compensated unless every attempt of it definitely had no effect. */
export function needsCompensation({ step, outcome }: Operation): boolean {
  return step.kind === "compensatable" && outcome !== undefined && outcome._tag !== "NoEffect";
}
