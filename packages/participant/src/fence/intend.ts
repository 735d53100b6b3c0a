/** An action whose effect is in a foreign system: the intent commits, then the effect is made, then its answer commits. */
import type { Transaction } from "../database.ts";
import { admitAction } from "./admit.ts";
import type { ActAnswer } from "./answer.ts";
import { type Claim, takeOver } from "./claim.ts";
import { decisionOf } from "./decision.ts";
import type { FenceRow } from "./fence-row.ts";
import { type FenceParts, writeRow } from "./fence-rows.ts";
import type { ForeignAction } from "./foreign.ts";
import { lend } from "./lend.ts";
import type { FencedOperation } from "./operation.ts";
import { settle } from "./settle.ts";

interface Claimed {
  readonly _tag: "Claimed";
  readonly claim: Claim;
}

export async function intend<Output, Rejection>(
  parts: FenceParts,
  operation: FencedOperation,
  foreign: ForeignAction<Output, Rejection>,
): Promise<ActAnswer> {
  const opened = await parts.database.transaction(async (transaction): Promise<Claimed | ActAnswer> => {
    const now = parts.database.now();
    const admission = await admitAction(parts, transaction, operation, now);
    if (admission._tag === "Admitted") return prepare(parts, transaction, admission.row, operation, foreign, now);
    if (admission._tag !== "Lapsed") return admission;
    return { _tag: "Claimed", claim: await takeOver(parts, transaction, admission.row, admission.token, now) };
  });
  return opened._tag === "Claimed" ? settle(parts, opened.claim, foreign, "act") : opened;
}

async function prepare<Output, Rejection>(
  parts: FenceParts,
  transaction: Transaction,
  row: FenceRow,
  { key, sagaId }: FencedOperation,
  { prepare: guard }: ForeignAction<Output, Rejection>,
  now: number,
): Promise<Claimed | ActAnswer> {
  if (guard !== undefined) {
    const guarded = await transaction.nested(() => lend(transaction, (lent) => guard({ transaction: lent, now, sagaId, key })));
    if (guarded.isErr()) {
      const decision = decisionOf(guarded);
      await writeRow(transaction, { ...row, state: { _tag: "Decided", decision } });
      return { _tag: "Executed", decision };
    }
  }
  // The guard took time, which the effect must not lack.
  const leaseUntil = parts.database.now() + parts.runningLeaseMs;
  await writeRow(transaction, { ...row, state: { _tag: "Open", token: 1, leaseUntil } });
  return { _tag: "Claimed", claim: { key, sagaId, token: 1, leaseUntil, fresh: true } };
}
