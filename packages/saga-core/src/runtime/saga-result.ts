/** From a saga's view to what its caller is told. Says `compensated` of nothing that is not. */
import { err, ok, type Result } from "neverthrow";
import { match } from "ts-pattern";
import type { Cause } from "../definition/outcome.ts";
import type { FirstError, SagaCancelled, SagaDeadlineExceeded } from "../errors/first-error.ts";
import type { OperatorVerb, ParkedOperation, Quarantine, SagaParked } from "../errors/parked.ts";
import type { SagaAbandoned, SagaFaulted } from "../errors/saga-error.ts";
import type { Tagged } from "../errors/tagged.ts";
import type { Ending, OperationView, SagaView, SlotView } from "../journal/saga-view.ts";
import type { Slot } from "../primitives/idempotency-key.ts";
import type { Json } from "../primitives/json.ts";
import { verbsFor } from "./operator-table.ts";

export type AnySagaResult = Result<Json | undefined, Tagged>;

export function endedResult(sagaId: string, ending: Ending, cause: Cause | undefined): AnySagaResult {
  return match(ending)
    .with({ _tag: "Completed" }, ({ output }): AnySagaResult => ok(output))
    .with({ _tag: "Compensated" }, (compensated) => err(failureOf(sagaId, compensated.cause)))
    .with({ _tag: "Abandoned" }, ({ by, reason, stands }) => {
      const abandoned: SagaAbandoned = { _tag: "SagaAbandoned", sagaId, by, reason, stands, firstError: firstErrorOf(sagaId, cause) };
      return err(abandoned);
    })
    .exhaustive();
}

function failureOf(sagaId: string, cause: Cause): Tagged {
  return match(cause)
    .with({ _tag: "RejectedCause" }, ({ error }): Tagged => error)
    .with({ _tag: "FaultedCause" }, ({ path, step, fault }): SagaFaulted => ({ _tag: "SagaFaulted", sagaId, path, step, fault }))
    .with({ _tag: "CancelledCause" }, ({ by, reason }): SagaCancelled => ({ _tag: "SagaCancelled", sagaId, by, reason }))
    .with({ _tag: "DeadlineCause" }, ({ deadlineAt }): SagaDeadlineExceeded => ({ _tag: "SagaDeadlineExceeded", sagaId, deadlineAt }))
    .exhaustive();
}

/** As `failureOf`, but of a fault no more than what it was: where the saga went back is not the news. */
function firstErrorOf(sagaId: string, cause: Cause | undefined): FirstError | undefined {
  if (cause === undefined) return undefined;
  return cause._tag === "FaultedCause" ? cause.fault : failureOf(sagaId, cause);
}

export function parkedError(sagaId: string, view: SagaView | undefined, quarantine: Quarantine | undefined): SagaParked {
  return {
    _tag: "SagaParked",
    sagaId,
    operations:
      view === undefined ? [] : parkedOperations(view).map((operation) => ({ ...operation, verbs: verbsUnder(quarantine, operation) })),
    firstError: firstErrorOf(sagaId, view?.cause),
    quarantine,
  };
}

/** What nobody here can drive can only be given up, or set free as a whole by what mends it. */
function verbsUnder(quarantine: Quarantine | undefined, { verbs }: ParkedOperation): readonly OperatorVerb[] {
  return quarantine === undefined ? verbs : ["abandon"];
}

export function parkedOperations(view: SagaView): readonly ParkedOperation[] {
  return [...view.operations.values()].flatMap((operation) => [
    ...parkedSlot(operation, "action", operation.action),
    ...parkedSlot(operation, "compensation", operation.compensation),
  ]);
}

function parkedSlot({ path, step, kind, resolvable }: OperationView, slot: Slot, view: SlotView | undefined): readonly ParkedOperation[] {
  if (view?.parked === undefined) return [];
  const { cause, knowledge } = view.parked;
  return [{ path, step, slot, cause, verbs: verbsFor({ slot, kind, resolvable, cause, applied: knowledge.applied }) }];
}
