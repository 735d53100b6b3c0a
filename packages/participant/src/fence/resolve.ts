/**
 * The question that decides: what is recorded is told; where nothing is, a tombstone is planted before the answer is given, so that the
 * request which is perhaps still under way can no longer prove the answer wrong.
 */
import type { ActAnswer, ResolveAnswer } from "./answer.ts";
import { type Claim, takeOver } from "./claim.ts";
import { type FenceParts, horizonOf, insertRow, mustReadRow } from "./fence-rows.ts";
import type { ForeignAction } from "./foreign.ts";
import type { NamedOperation } from "./operation.ts";
import { readRow } from "./read-row.ts";
import { settle } from "./settle.ts";

export async function resolve<Output, Rejection>(
  parts: FenceParts,
  operation: NamedOperation,
  foreign: ForeignAction<Output, Rejection> | undefined,
): Promise<ResolveAnswer> {
  const found = await look(parts, operation, foreign !== undefined);
  if (found._tag !== "Claimed" || foreign === undefined) return found._tag === "Claimed" ? runningFor(parts) : found;
  return asResolved(await settle(parts, found.claim, foreign, "end"));
}

interface Claimed {
  readonly _tag: "Claimed";
  readonly claim: Claim;
}

function look(parts: FenceParts, operation: NamedOperation, takesOver: boolean): Promise<ResolveAnswer | Claimed> {
  return parts.database.transaction(async (transaction): Promise<ResolveAnswer | Claimed> => {
    const now = parts.database.now();
    const { key, name, sagaId, issuedAt } = operation;
    const lost = issuedAt < (await horizonOf(parts, transaction, now));
    const state = { _tag: lost ? ("EvidenceLost" as const) : ("Sealed" as const) };
    if (await insertRow(transaction, { key, name, sagaId, issuedAt, writtenAt: now, state })) return state;
    const row = await mustReadRow(transaction, key);
    const reading = readRow(row, { name }, now);
    if (reading._tag !== "Lapsed") return reading;
    // An undo's row is settled by the undo itself: what it takes back is not part of the question.
    if (!takesOver || row.kind === "undo") return runningFor(parts);
    return { _tag: "Claimed", claim: await takeOver(parts, transaction, row, reading.token, now) };
  });
}

function asResolved(answer: ActAnswer): ResolveAnswer {
  if (answer._tag === "Executed") return { _tag: "Replayed", decision: answer.decision };
  return answer._tag === "Expired" ? { _tag: "EvidenceLost" } : answer;
}

function runningFor(parts: FenceParts): ResolveAnswer {
  return { _tag: "Running", retryAfterMs: parts.runningLeaseMs };
}
