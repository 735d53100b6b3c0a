/**
 * Who may work on an open row, and for how long. A token is raised with every takeover, so that an old holder's "no" and its giving back
 * come to nothing. Its "yes" counts whenever it comes: see `record-verdict.ts`.
 */
import type { Transaction } from "../database.ts";
import type { FenceRow } from "./fence-row.ts";
import { type FenceParts, readFenceRow, writeRow } from "./fence-rows.ts";
import type { ForeignContext, NamedOperation } from "./operation.ts";

export interface Claim {
  readonly key: string;
  readonly sagaId: string | undefined;
  readonly token: number;
  /** The intent was written by this very call: nothing can have been sent under the key before. */
  readonly fresh: boolean;
}

/** Takes over a row whose lease is over. */
export async function takeOver(parts: FenceParts, transaction: Transaction, row: FenceRow, token: number, now: number): Promise<Claim> {
  const next = token + 1;
  await writeRow(transaction, { ...row, state: { _tag: "Open", token: next, leaseUntil: now + parts.runningLeaseMs } });
  return { key: row.key, sagaId: row.sagaId, token: next, fresh: false };
}

/** Starts the lease anew, before something that takes time follows something that took time. `false`: it is somebody else's by now. */
export function renewLease(parts: FenceParts, claim: Claim): Promise<boolean> {
  return leaseUntil(parts, claim, (now) => now + parts.runningLeaseMs);
}

/**
 * Ends the lease early, after an attempt that is known to be over and may simply be repeated. Failing to do so only costs time, and must
 * not hide why the attempt failed.
 */
export async function giveBack(parts: FenceParts, claim: Claim): Promise<void> {
  await leaseUntil(parts, claim, (now) => now).catch(() => false);
}

export function foreignContext(parts: FenceParts, { key, sagaId }: Pick<NamedOperation, "key" | "sagaId">): ForeignContext {
  const timeoutMs = parts.runningLeaseMs;
  return { key, sagaId, now: parts.database.now(), timeoutMs, signal: AbortSignal.timeout(timeoutMs) };
}

function leaseUntil(parts: FenceParts, claim: Claim, until: (now: number) => number): Promise<boolean> {
  return parts.database.transaction(async (transaction) => {
    const row = await readFenceRow(transaction, claim.key);
    if (row?.state._tag !== "Open" || row.state.token !== claim.token) return false;
    await writeRow(transaction, { ...row, state: { ...row.state, leaseUntil: until(parts.database.now()) } });
    return true;
  });
}
