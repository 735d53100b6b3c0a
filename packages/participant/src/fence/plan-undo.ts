/**
 * What an undo has to do, decided inside its transaction by planting the action's tombstone first: when the planting succeeds the action
 * never ran and never will; when it fails, the row that was there says what became of it.
 */
import { match, P } from "ts-pattern";
import type { Transaction } from "../database.ts";
import type { EvidenceLost, KeyReused, NothingToUndo, Running, Succeeded, Undone } from "./answer.ts";
import type { FenceRow, FenceState } from "./fence-row.ts";
import { type FenceParts, horizonOf, insertRow, mustReadRow } from "./fence-rows.ts";
import type { FencedUndo } from "./operation.ts";

/** The action succeeded and stands: undo code has to run. */
export interface TakeBack {
  readonly _tag: "TakeBack";
  readonly action: FenceRow;
  readonly decision: Succeeded;
}

/** The action is an intent whose lease is over: it has to be settled before anything can be undone. */
interface SettleFirst {
  readonly _tag: "SettleFirst";
  readonly action: FenceRow;
  readonly token: number;
}

/** A foreign undo of this action has begun under a key, perhaps another one, and not ended. */
interface GoingBack {
  readonly _tag: "GoingBack";
  readonly by: string;
}

/** Of these, the first three are recorded in the undo's own row; the rest leave no trace. */
export type UndoPlan = NothingToUndo | Undone | EvidenceLost | TakeBack | GoingBack | SettleFirst | Running | KeyReused;

export async function planUndo(parts: FenceParts, transaction: Transaction, operation: FencedUndo, now: number): Promise<UndoPlan> {
  const { undoes, sagaId } = operation;
  const lost = undoes.known === "succeeded" || undoes.issuedAt < (await horizonOf(parts, transaction, now));
  const state: FenceState = lost ? { _tag: "EvidenceLost" } : { _tag: "Sealed" };
  const tombstone = { key: undoes.key, name: undoes.name, sagaId, issuedAt: undoes.issuedAt, writtenAt: now, state };
  if (await insertRow(transaction, tombstone)) return lost ? { _tag: "EvidenceLost" } : { _tag: "NothingToUndo" };
  return planFrom(await mustReadRow(transaction, undoes.key), operation, now);
}

function planFrom(action: FenceRow, { key, undoes }: FencedUndo, now: number): UndoPlan {
  if (action.kind === "undo" || disagrees(action.name, undoes.name)) return { _tag: "KeyReused" };
  return match<FenceState, UndoPlan>(action.state)
    .with({ _tag: "Sealed" }, () => ({ _tag: "NothingToUndo" }))
    .with({ _tag: "EvidenceLost" }, () => ({ _tag: "EvidenceLost" }))
    .with({ _tag: "TakenBack" }, ({ by }) => (by === key ? { _tag: "Undone" } : { _tag: "NothingToUndo" }))
    .with({ _tag: "GoingBack" }, ({ by }) => ({ _tag: "GoingBack", by }))
    .with({ _tag: "Decided", decision: { _tag: "Succeeded", json: P.string } }, ({ decision }) => ({ _tag: "TakeBack", action, decision }))
    .with({ _tag: "Decided" }, () => ({ _tag: "NothingToUndo" }))
    .with({ _tag: "Open" }, ({ leaseUntil, token }) =>
      leaseUntil > now ? { _tag: "Running", retryAfterMs: leaseUntil - now } : { _tag: "SettleFirst", action, token },
    )
    .exhaustive();
}

function disagrees(left: string | undefined, right: string | undefined): boolean {
  return left !== undefined && right !== undefined && left !== right;
}
