/**
 * Records what became of a foreign effect. A success is a fact, whoever reports it and whenever; a "no" counts only from the holder of the
 * lease. A success against a recorded "no" is a contradiction that nobody may decide alone, so the row loses its evidence and says so.
 */
import { match } from "ts-pattern";
import type { Transaction } from "../database.ts";
import type { ActAnswer, ActionDecision } from "./answer.ts";
import type { Claim } from "./claim.ts";
import type { FenceRow, FenceState } from "./fence-row.ts";
import { type FenceParts, readFenceRow, writeRow } from "./fence-rows.ts";
import { answerText } from "./fingerprint.ts";
import type { Conclusion, ForeignAction, ForeignVerdict } from "./foreign.ts";
import { lend } from "./lend.ts";
import { readActionRow } from "./read-row.ts";

export function recordVerdict<Output, Rejection>(
  parts: FenceParts,
  claim: Claim,
  verdict: ForeignVerdict<Output, Rejection>,
  foreign: ForeignAction<Output, Rejection>,
): Promise<ActAnswer> {
  return parts.database.transaction<ActAnswer>(async (transaction) => {
    const now = parts.database.now();
    const row = await readFenceRow(transaction, claim.key);
    if (row === undefined) return { _tag: "EvidenceLost" };
    const conclusion = concludeFrom(verdict);
    const { state } = row;
    if (state._tag !== "Open") return answerDecided(parts, transaction, row, verdict, now);
    if (conclusion === undefined || (conclusion._tag !== "Succeeded" && state.token !== claim.token)) {
      return { _tag: "Running", retryAfterMs: Math.max(1, state.leaseUntil - now) };
    }
    const next = stateOf(conclusion);
    await writeRow(transaction, { ...row, writtenAt: now, state: next });
    const { key, sagaId } = row;
    await lend(transaction, async (lent) => foreign.conclude?.({ transaction: lent, now, sagaId, key }, conclusion));
    return next._tag === "Sealed" ? { _tag: "Sealed" } : { _tag: "Executed", decision: next.decision };
  });
}

/** Somebody else settled the row meanwhile. */
async function answerDecided(
  parts: FenceParts,
  transaction: Transaction,
  row: FenceRow,
  verdict: ForeignVerdict<unknown, unknown>,
  now: number,
): Promise<ActAnswer> {
  if (verdict._tag === "Succeeded" && saysNo(row.state)) {
    await writeRow(transaction, { ...row, writtenAt: now, state: { _tag: "EvidenceLost" } });
    return { _tag: "EvidenceLost" };
  }
  const reading = readActionRow(row, { name: row.name ?? "" }, now);
  return reading._tag === "Lapsed" ? { _tag: "Running", retryAfterMs: parts.runningLeaseMs } : reading;
}

function saysNo(state: FenceState): boolean {
  return state._tag === "Sealed" || (state._tag === "Decided" && state.decision._tag === "Rejected");
}

/** Whoever gets here with `Absent` does not mean to send it anew, so the key is closed. */
function concludeFrom<Output, Rejection>(verdict: ForeignVerdict<Output, Rejection>): Conclusion<Output, Rejection> | undefined {
  return match<ForeignVerdict<Output, Rejection>, Conclusion<Output, Rejection> | undefined>(verdict)
    .with({ _tag: "Undecided" }, () => undefined)
    .with({ _tag: "Absent" }, () => ({ _tag: "Sealed" }))
    .otherwise((conclusion) => conclusion);
}

type Settled = { readonly _tag: "Sealed" } | { readonly _tag: "Decided"; readonly decision: ActionDecision };

function stateOf(conclusion: Conclusion<unknown, unknown>): Settled {
  return match<Conclusion<unknown, unknown>, Settled>(conclusion)
    .with({ _tag: "Sealed" }, () => ({ _tag: "Sealed" }))
    .with({ _tag: "Succeeded" }, ({ output }) => ({ _tag: "Decided", decision: { _tag: "Succeeded", json: answerText(output) } }))
    .with({ _tag: "Rejected" }, ({ rejection }) => ({ _tag: "Decided", decision: { _tag: "Rejected", json: answerText(rejection) } }))
    .exhaustive();
}
