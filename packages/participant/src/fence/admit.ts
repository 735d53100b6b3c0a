/**
 * How an action comes in: refused for its age, answered from a row that is there, or admitted with a row of its own. Shared by both modes,
 * so that duplicates are always answered before any business guard is asked.
 */
import type { Transaction } from "../database.ts";
import type { ActionDecision, Expired } from "./answer.ts";
import type { FenceRow } from "./fence-row.ts";
import { type FenceParts, horizonOf, insertRow, readFenceRow, removeRow } from "./fence-rows.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { FencedOperation } from "./operation.ts";
import { type Reading, readActionRow } from "./read-row.ts";

interface Admitted {
  readonly _tag: "Admitted";
  readonly row: FenceRow;
}

/** Everything that can be said to an action at the door. `Lapsed` comes with the row that may be taken over. */
export type Admission = Admitted | Expired | Exclude<Reading<ActionDecision>, { readonly _tag: "Lapsed" }> | LapsedRow;

interface LapsedRow {
  readonly _tag: "Lapsed";
  readonly token: number;
  readonly row: FenceRow;
}

/** Inserts the action's row, open under the first token. Nobody else sees it before the transaction commits. */
export async function admitAction(
  parts: FenceParts,
  transaction: Transaction,
  operation: FencedOperation,
  now: number,
): Promise<Admission> {
  const fingerprint = fingerprintOf(operation.input);
  const state = { _tag: "Open", token: 1, leaseUntil: now + parts.runningLeaseMs } as const;
  const { key, name, sagaId, issuedAt } = operation;
  const row: FenceRow = { key, kind: "action", name, sagaId, issuedAt, writtenAt: now, fingerprint, state };
  // Both at once: with a server, each question that is awaited costs the way there and back.
  const [horizon, inserted] = await Promise.all([horizonOf(parts, transaction, now), insertRow(transaction, row)]);
  if (inserted && issuedAt >= horizon) return { _tag: "Admitted", row };
  if (inserted) await removeRow(transaction, row);
  const recorded = await readFenceRow(transaction, key);
  if (recorded === undefined) return { _tag: "Expired" };
  const reading = readActionRow(recorded, { name, fingerprint }, now);
  return reading._tag === "Lapsed" ? { ...reading, row: recorded } : reading;
}
