/**
 * A saga's state for a status page: what each step came to, in order. Tags only: inputs, outputs and the members of errors may be somebody's data, and the message of a
 * fault may quote what a step threw.
 */
import { causeTag, type OperationView, type SagaSnapshot, type SlotView } from "@backstep/saga-core";

export interface SagaStatusDocument {
  readonly sagaId: string;
  readonly saga: string;
  readonly version: number;
  readonly status: SagaSnapshot["status"];
  readonly startedAt: number;
  readonly updatedAt: number;
  /** The tag of the first error, once the saga went back. */
  readonly cause?: string | undefined;
  /** Why no worker can drive it: the tag. */
  readonly quarantine?: string | undefined;
  readonly operations: readonly OperationStatus[];
}

export interface OperationStatus {
  readonly path: string;
  readonly step: string;
  readonly slot: "action" | "compensation";
  readonly outcome: "open" | "parked" | "succeeded" | "rejected" | "faulted" | "inDoubt";
  readonly attempts: number;
  /** Milliseconds from intent to outcome; absent while open. */
  readonly tookMs?: number | undefined;
  /** Why it is parked, or how it failed: a tag, or two with a colon between them. */
  readonly reason?: string | undefined;
}

export function sagaStatus({ sagaId, saga, status, view, quarantine }: SagaSnapshot): SagaStatusDocument {
  const { startedAt, updatedAt, cause } = view;
  const slots = [...view.operations.values()].flatMap((operation, index) => slotsOf(operation, index));
  slots.sort((left, right) => left.intendedAt - right.intendedAt || left.order - right.order);
  return {
    sagaId,
    saga: saga.name,
    version: saga.version,
    status,
    startedAt,
    updatedAt,
    cause: cause === undefined ? undefined : causeTag(cause),
    quarantine: quarantine?._tag,
    operations: slots.map(({ document }) => document),
  };
}

interface PlacedSlot {
  readonly intendedAt: number;
  /** Of what is of the same instant: actions as they were intended, then compensations the other way round. */
  readonly order: number;
  readonly document: OperationStatus;
}

function slotsOf(operation: OperationView, index: number): readonly PlacedSlot[] {
  const { action, compensation } = operation;
  const placed = [{ intendedAt: action.intendedAt, order: index, document: slotStatus(operation, "action", action) }];
  if (compensation === undefined) return placed;
  const document = slotStatus(operation, "compensation", compensation);
  return [...placed, { intendedAt: compensation.intendedAt, order: Number.MAX_SAFE_INTEGER - index, document }];
}

function slotStatus({ path, step }: OperationView, slot: "action" | "compensation", view: SlotView): OperationStatus {
  const { attempts, intendedAt, settledAt } = view;
  return {
    path,
    step,
    slot,
    outcome: outcomeOf(view),
    attempts,
    tookMs: settledAt === undefined ? undefined : settledAt - intendedAt,
    reason: reasonOf(view),
  };
}

function outcomeOf({ state, outcome }: SlotView): OperationStatus["outcome"] {
  if (state !== "settled" || outcome === undefined) return state === "parked" ? "parked" : "open";
  if (outcome._tag === "Succeeded") return "succeeded";
  if (outcome._tag === "InDoubt") return "inDoubt";
  return outcome.cause._tag === "RejectedCause" ? "rejected" : "faulted";
}

function reasonOf({ outcome, parked }: SlotView): string | undefined {
  if (parked !== undefined) return `${parked.cause._tag}: ${parked.cause.fault._tag}`;
  if (outcome === undefined || outcome._tag === "Succeeded") return undefined;
  return causeTag(outcome.cause);
}
