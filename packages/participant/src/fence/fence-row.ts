/**
 * The fence's row: one per idempotency key. Its state is the whole truth about the key, and each state's comment says who may leave it.
 * Tombstones carry neither name nor fingerprint where the one who planted them knew none.
 */
import type { Table } from "../database.ts";
import type { Decision } from "./answer.ts";

export type FenceState =
  /** An attempt is under way, or was when its process ended. Left by a decision, by a seal after the lease, never by time alone. */
  | { readonly _tag: "Open"; readonly token: number; readonly leaseUntil: number }
  /** Left only by the undo of a success. */
  | { readonly _tag: "Decided"; readonly decision: Decision }
  /** A success whose foreign undo has begun and not ended. `by` is the undo's key. */
  | { readonly _tag: "GoingBack"; readonly decision: Decision; readonly by: string }
  /** A success that was undone. Final. */
  | { readonly _tag: "TakenBack"; readonly decision: Decision; readonly by: string }
  /** A tombstone: it never ran, and never will. Final, unless the foreign system reports a success against it. */
  | { readonly _tag: "Sealed" }
  /** A tombstone that must not be taken for "never ran". Final. */
  | { readonly _tag: "EvidenceLost" };

export interface FenceRow {
  readonly key: string;
  readonly kind?: "action" | "undo" | undefined;
  readonly name?: string | undefined;
  readonly sagaId?: string | undefined;
  readonly issuedAt: number;
  readonly writtenAt: number;
  /** SHA-256 of the canonical input. */
  readonly fingerprint?: string | undefined;
  /** On an undo's row: the action's key. */
  readonly undoes?: string | undefined;
  readonly state: FenceState;
}

export const fenceTable: Table<FenceRow> = { name: "backstep_fence", key: (row) => row.key, decode: decodeRow };

const DECISIONS: ReadonlySet<unknown> = new Set<Decision["_tag"]>(["Succeeded", "Rejected", "Undone", "NothingToUndo"]);

/** Fails closed: a row that this release cannot read is no permission to run anything. */
function decodeRow(document: unknown): FenceRow {
  const row = document as Partial<Record<keyof FenceRow, unknown>> | null;
  if (typeof row !== "object" || row === null) throw new TypeError("a fence row is an object");
  if (typeof row.key !== "string" || typeof row.issuedAt !== "number") throw new TypeError("a fence row has a key and a time");
  if (!isState(row.state)) throw new TypeError("a fence row is in a state that this release does not know");
  return row as FenceRow;
}

function isState(value: unknown): boolean {
  const state = value as { _tag?: unknown; decision?: unknown; by?: unknown; token?: unknown; leaseUntil?: unknown } | null | undefined;
  switch (state?._tag) {
    case "Open":
      return typeof state.token === "number" && typeof state.leaseUntil === "number";
    case "Decided":
      return isDecision(state.decision);
    case "GoingBack":
    case "TakenBack":
      return isDecision(state.decision) && typeof state.by === "string";
    case "Sealed":
    case "EvidenceLost":
      return true;
    default:
      return false;
  }
}

function isDecision(value: unknown): boolean {
  const decision = value as { _tag?: unknown; json?: unknown } | null | undefined;
  if (!DECISIONS.has(decision?._tag)) return false;
  return decision?._tag === "Undone" || decision?._tag === "NothingToUndo" || typeof decision?.json === "string";
}
