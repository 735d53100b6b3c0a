/**
 * Who may work on an open row, and for how long. A token is raised with every takeover, so that an old holder's "no" and its giving back
 * come to nothing. Its "yes" counts whenever it comes: see `record-verdict.ts`.
 */
import type { Transaction } from "../database.ts";
import type { FenceRow } from "./fence-row.ts";
import { type FenceParts, readFenceRow, writeRow } from "./fence-rows.ts";
import type { ForeignContext } from "./operation.ts";

export interface Claim {
  readonly key: string;
  readonly sagaId: string | undefined;
  readonly token: number;
  readonly leaseUntil: number;
  /** The intent was written by this very call: nothing can have been sent under the key before. */
  readonly fresh: boolean;
}

/** Takes over a row whose lease is over. */
export async function takeOver(parts: FenceParts, transaction: Transaction, row: FenceRow, token: number, now: number): Promise<Claim> {
  const [next, leaseUntil] = [token + 1, now + parts.runningLeaseMs];
  await writeRow(transaction, { ...row, state: { _tag: "Open", token: next, leaseUntil } });
  return { key: row.key, sagaId: row.sagaId, token: next, leaseUntil, fresh: false };
}

/** Starts the lease anew, before something that takes time follows something that took time. `undefined`: it is somebody else's by now. */
export async function renewLease(parts: FenceParts, claim: Claim): Promise<Claim | undefined> {
  const leaseUntil = await moveLease(parts, claim, (now) => now + parts.runningLeaseMs);
  return leaseUntil === undefined ? undefined : { ...claim, leaseUntil };
}

/**
 * Ends the lease early, after an attempt that is known to be over and may simply be repeated. Failing to do so only costs time, and must
 * not hide why the attempt failed.
 */
export async function giveBack(parts: FenceParts, claim: Claim): Promise<void> {
  await moveLease(parts, claim, (now) => now).catch(() => undefined);
}

/** The time is what is left of the lease, not the whole of it: the commit of the claim has taken some. */
export function foreignContext(parts: FenceParts, { key, sagaId, leaseUntil }: Claim): ForeignContext {
  const now = parts.database.now();
  const timeoutMs = Math.min(parts.runningLeaseMs, Math.max(0, Math.floor(leaseUntil - now)));
  return { key, sagaId, now, timeoutMs, signal: timeoutMs > 0 ? AbortSignal.timeout(timeoutMs) : AbortSignal.abort() };
}

function moveLease(parts: FenceParts, claim: Claim, until: (now: number) => number): Promise<number | undefined> {
  return parts.database.transaction(async (transaction) => {
    const row = await readFenceRow(transaction, claim.key);
    if (row?.state._tag !== "Open" || row.state.token !== claim.token) return undefined;
    const leaseUntil = until(parts.database.now());
    await writeRow(transaction, { ...row, state: { ...row.state, leaseUntil } });
    return leaseUntil;
  });
}
