/** A saga's state for a status page: what each step came to, in order, without inputs or outputs, which may be somebody's data. */
import type { OperationView, SagaSnapshot, SlotView } from "@backstep/saga-core";

export interface SagaStatusDocument {
  readonly sagaId: string;
  readonly saga: string;
  readonly version: number;
  readonly status: SagaSnapshot["status"];
  readonly startedAt: number;
  readonly updatedAt: number;
  /** The tag of the first error, once the saga went back. */
  readonly cause?: string | undefined;
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
  /** Why it is parked, or how it failed. */
  readonly reason?: string | undefined;
}

export function sagaStatus({ sagaId, saga, status, view, quarantine }: SagaSnapshot): SagaStatusDocument {
  const { startedAt, updatedAt, cause } = view;
  const slots = [...view.operations.values()].flatMap((operation) => slotsOf(operation));
  slots.sort((left, right) => left.intendedAt - right.intendedAt || left.order - right.order);
  return {
    sagaId,
    saga: saga.name,
    version: saga.version,
    status,
    startedAt,
    updatedAt,
    cause: cause === undefined ? undefined : cause._tag === "RejectedCause" ? cause.error._tag : cause.fault._tag,
    quarantine: quarantine?.message,
    operations: slots.map(({ document }) => document),
  };
}

interface PlacedSlot {
  readonly intendedAt: number;
  /** Actions before compensations of the same instant. */
  readonly order: number;
  readonly document: OperationStatus;
}

function slotsOf(operation: OperationView): readonly PlacedSlot[] {
  const { action, compensation } = operation;
  const placed = [{ intendedAt: action.intendedAt, order: 0, document: slotStatus(operation, "action", action) }];
  if (compensation !== undefined) {
    placed.push({ intendedAt: compensation.intendedAt, order: 1, document: slotStatus(operation, "compensation", compensation) });
  }
  return placed;
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
  if (parked !== undefined) return `${parked.cause._tag}: ${parked.cause.fault.message}`;
  if (outcome === undefined || outcome._tag === "Succeeded") return undefined;
  return outcome.cause._tag === "RejectedCause" ? outcome.cause.error._tag : outcome.cause.fault.message;
}
