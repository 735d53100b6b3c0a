/** Where in its journal a saga stops being able to go back. */
import type { Entry } from "@backstep/saga-core/engine";

/** From its pivot's intent on, a saga takes no cancellation and no deadline. */
export function isPivotIntent(entry: Entry): boolean {
  return entry._tag === "OperationIntended" && entry.path.startsWith("pivot/");
}

/** From here on it is certain that the saga goes forward. */
export function isPointOfNoReturn(entry: Entry): boolean {
  if (entry._tag === "RunReturned" || entry._tag === "SagaCompleted") return true;
  if (entry._tag === "OperationSettled") return entry.path.startsWith("pivot/") && entry.outcome._tag === "Succeeded";
  return entry._tag === "OperatorSettled" && entry.path.startsWith("pivot/") && entry.verdict._tag === "SettledApplied";
}
