/** From a saga's view to what its caller is told. Says `compensated` of nothing that is not. */
import { err, ok, type Result } from "neverthrow";
import { match } from "ts-pattern";
import type { Cause } from "../definition/outcome.ts";
import type { FaultData } from "../errors/fault.ts";
import type { ParkedOperation, Quarantine, SagaParked } from "../errors/parked.ts";
import type { SagaAbandoned, SagaFaulted } from "../errors/saga-error.ts";
import type { Tagged } from "../errors/tagged.ts";
import type { Ending, SagaView } from "../journal/saga-view.ts";
import type { Json } from "../primitives/json.ts";

export type AnySagaResult = Result<Json | undefined, Tagged>;

export function endedResult(sagaId: string, ending: Ending, cause: Cause | undefined): AnySagaResult {
  return match(ending)
    .with({ _tag: "Completed" }, ({ output }): AnySagaResult => ok(output))
    .with({ _tag: "Compensated" }, (compensated) => err(failureOf(sagaId, compensated.cause)))
    .with({ _tag: "Abandoned" }, ({ by, reason, stands }) => {
      const abandoned: SagaAbandoned = { _tag: "SagaAbandoned", sagaId, by, reason, stands, firstError: firstErrorOf(cause) };
      return err(abandoned);
    })
    .exhaustive();
}

function failureOf(sagaId: string, cause: Cause): Tagged | SagaFaulted {
  return cause._tag === "RejectedCause"
    ? cause.error
    : { _tag: "SagaFaulted", sagaId, path: cause.path, step: cause.step, fault: cause.fault };
}

function firstErrorOf(cause: Cause | undefined): Tagged | FaultData | undefined {
  if (cause === undefined) return undefined;
  return cause._tag === "RejectedCause" ? cause.error : cause.fault;
}

export function parkedError(sagaId: string, view: SagaView | undefined, quarantine: Quarantine | undefined): SagaParked {
  return {
    _tag: "SagaParked",
    sagaId,
    operations: view === undefined ? [] : parkedOperations(view),
    firstError: firstErrorOf(view?.cause),
    quarantine,
  };
}

export function parkedOperations(view: SagaView): readonly ParkedOperation[] {
  return [...view.operations.values()].flatMap(({ path, step, action, compensation }) => {
    const parked: ParkedOperation[] = [];
    if (action.parked !== undefined) parked.push({ path, step, slot: "action", cause: action.parked.cause });
    if (compensation?.parked !== undefined) parked.push({ path, step, slot: "compensation", cause: compensation.parked.cause });
    return parked;
  });
}
