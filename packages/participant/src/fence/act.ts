/**
 * An action whose effect is in the same database: row, effect and recorded answer are one transaction. A rejection undoes the effect's
 * part and commits the row, so that a late first attempt cannot meet better conditions and apply after all.
 */
import type { Result } from "neverthrow";
import { admitAction } from "./admit.ts";
import type { ActAnswer } from "./answer.ts";
import { decisionOf } from "./decision.ts";
import { type FenceParts, writeRow } from "./fence-rows.ts";
import { lend } from "./lend.ts";
import type { ActionContext, FencedOperation } from "./operation.ts";

export function act<Output, Rejection>(
  parts: FenceParts,
  operation: FencedOperation,
  business: (context: ActionContext) => Promise<Result<Output, Rejection>>,
): Promise<ActAnswer> {
  return parts.database.transaction<ActAnswer>(async (transaction) => {
    const now = parts.database.now();
    const admission = await admitAction(parts, transaction, operation, now);
    // An open row that outlived its lease is a foreign intent; whether that happened is not for this mode to find out.
    if (admission._tag === "Lapsed") return { _tag: "Running", retryAfterMs: parts.runningLeaseMs };
    if (admission._tag !== "Admitted") return admission;
    const { key, sagaId } = operation;
    const part = () => lend(transaction, (lent) => business({ transaction: lent, now, sagaId, key }));
    const decision = decisionOf(await transaction.nested(part));
    await writeRow(transaction, { ...admission.row, state: { _tag: "Decided", decision } });
    return { _tag: "Executed", decision };
  });
}
