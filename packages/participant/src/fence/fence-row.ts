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

/** Fails closed: a row that this release cannot read is no permission to run anything. */
function decodeRow(document: unknown): FenceRow {
  const row = document as Partial<Record<keyof FenceRow, unknown>> | null;
  if (typeof row !== "object" || row === null) throw new TypeError("a fence row is an object");
  const { key, kind, name, sagaId, issuedAt, writtenAt, fingerprint, undoes, state } = row;
  if (typeof key !== "string" || typeof issuedAt !== "number" || typeof writtenAt !== "number") {
    throw new TypeError("a fence row has a key and its times");
  }
  if (![name, sagaId, fingerprint, undoes].every(isTextOrAbsent)) throw new TypeError("what a fence row is compared by is text");
  // Without its fingerprint an operation would be taken for a repeat of any other under its key.
  if (!(kind === undefined || ((kind === "action" || kind === "undo") && fingerprint !== undefined))) {
    throw new TypeError("a fence row is an action's or an undo's, and has its fingerprint");
  }
  if (!isState(state)) throw new TypeError("a fence row is in a state that this release does not know");
  return row as FenceRow;
}

type Members = Readonly<Record<string, unknown>>;

/** Per state, whether it has all that belongs to it. */
const STATES: Readonly<Record<FenceState["_tag"], (state: Members) => boolean>> = {
  Open: ({ token, leaseUntil }) => typeof token === "number" && typeof leaseUntil === "number",
  Decided: ({ decision }) => isDecision(decision),
  GoingBack: ({ decision, by }) => isDecision(decision) && typeof by === "string",
  TakenBack: ({ decision, by }) => isDecision(decision) && typeof by === "string",
  Sealed: () => true,
  EvidenceLost: () => true,
};

const DECISIONS: Readonly<Record<Decision["_tag"], (decision: Members) => boolean>> = {
  Succeeded: ({ json }) => typeof json === "string",
  Rejected: ({ json }) => typeof json === "string",
  Undone: () => true,
  NothingToUndo: () => true,
};

function isState(value: unknown): boolean {
  return isOneOf(STATES, value);
}

function isDecision(value: unknown): boolean {
  return isOneOf(DECISIONS, value);
}

function isOneOf<Tag extends string>(kinds: Readonly<Record<Tag, (members: Members) => boolean>>, value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("_tag" in value) || typeof value._tag !== "string") return false;
  return Object.hasOwn(kinds, value._tag) && kinds[value._tag as Tag](value);
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}
