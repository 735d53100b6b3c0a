/**
 * Reading and writing the fence's rows, and the horizon behind which it no longer knows. The horizon only moves forward: once rows were
 * forgotten, a longer retention or a clock set back must not let an action in whose tombstone is gone.
 */
import { DatabaseCorrupt } from "../database/database-errors.ts";
import type { Database, Table, Transaction } from "../database.ts";
import { createExpiry } from "../retention/expiry.ts";
import { type FenceRow, fenceTable } from "./fence-row.ts";

/** What the fence's parts share. */
export interface FenceParts {
  readonly database: Database;
  readonly retentionMs: number;
  readonly runningLeaseMs: number;
}

interface Horizon {
  readonly key: "horizon";
  /** Keys issued before this may have been forgotten. */
  readonly forgottenBefore: number;
}

const horizonTable: Table<Horizon> = { name: "backstep_fence_horizon", key: (row) => row.key, decode: decodeHorizon };
const expiry = createExpiry("backstep_fence_expiry");
const SWEEP_BATCH = 200;

/** Inserts first and asks afterwards: the key's uniqueness is what arbitrates between an action and its undo. */
export async function insertRow(transaction: Transaction, row: FenceRow): Promise<boolean> {
  if (!(await transaction.insert(fenceTable, row))) return false;
  await expiry.track(transaction, row.key, trackedAt(row));
  return true;
}

/** Takes back what `insertRow` wrote in this transaction. */
export async function removeRow(transaction: Transaction, row: FenceRow): Promise<void> {
  await transaction.remove(fenceTable, row.key);
  await expiry.untrack(transaction, row.key, trackedAt(row));
}

function trackedAt({ issuedAt, writtenAt }: FenceRow): number {
  return Math.max(issuedAt, writtenAt);
}

export function readFenceRow(transaction: Transaction, key: string): Promise<FenceRow | undefined> {
  return transaction.get(fenceTable, key);
}

/** Reads a row that must be there: one whose insert was refused, or one of an open operation, which is never swept. */
export async function mustReadRow(transaction: Transaction, key: string): Promise<FenceRow> {
  const row = await readFenceRow(transaction, key);
  if (row === undefined) throw new DatabaseCorrupt("the fence's row of a known key is gone", { row: { table: fenceTable.name, key } });
  return row;
}

export function writeRow(transaction: Transaction, row: FenceRow): Promise<void> {
  return transaction.put(fenceTable, row);
}

/** The time before which a key without a row may be one that was forgotten. */
export async function horizonOf(parts: FenceParts, transaction: Transaction, now: number): Promise<number> {
  const stored = await transaction.get(horizonTable, "horizon");
  return Math.max(now - parts.retentionMs, stored?.forgottenBefore ?? 0);
}

/** Forgets one batch; answers how many entries it looked at and how many rows are gone. */
export async function sweepBatch(parts: FenceParts): Promise<{ readonly full: boolean; readonly forgotten: number }> {
  return parts.database.transaction(async (transaction) => {
    const now = parts.database.now();
    const before = now - parts.retentionMs;
    const due = await expiry.due(transaction, before, SWEEP_BATCH);
    let forgotten = 0;
    for (const entry of due) {
      await expiry.forget(transaction, entry);
      const row = await readFenceRow(transaction, entry.subject);
      if (row?.state._tag === "Open" || row?.state._tag === "GoingBack") {
        await expiry.track(transaction, entry.subject, now);
      } else {
        await transaction.remove(fenceTable, entry.subject);
        forgotten += 1;
      }
    }
    if (forgotten > 0) await moveHorizon(transaction, before);
    return { full: due.length === SWEEP_BATCH, forgotten };
  });
}

async function moveHorizon(transaction: Transaction, before: number): Promise<void> {
  const stored = await transaction.get(horizonTable, "horizon");
  const horizon: Horizon = { key: "horizon", forgottenBefore: Math.max(before, stored?.forgottenBefore ?? 0) };
  await transaction.put(horizonTable, horizon);
}

function decodeHorizon(document: unknown): Horizon {
  const horizon = document as Partial<Horizon> | null;
  if (typeof horizon?.forgottenBefore !== "number") throw new TypeError("the fence's horizon is a time");
  return { key: "horizon", forgottenBefore: horizon.forgottenBefore };
}
