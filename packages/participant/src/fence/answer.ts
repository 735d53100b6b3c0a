/**
 * What a fence answers. `Executed` and `Replayed` are decisions *for the key*, committed before they are told, so they clear earlier doubt.
 * Everything else says what this attempt met, and that it had no effect of its own.
 */

/** The action happened. `json` is its output, byte for byte the same text whenever it is told. `undefined` is told as `null`. */
export interface Succeeded {
  readonly _tag: "Succeeded";
  readonly json: string;
}

/** The participant said no, for good: the same action will not be tried again under this key. `json` is the rejection. */
export interface Rejected {
  readonly _tag: "Rejected";
  readonly json: string;
}

/** The undo code ran, once. */
export interface Undone {
  readonly _tag: "Undone";
}

/** The action has no effect that stands: it never ran and never will, was rejected, or was taken back under another key. */
export interface NothingToUndo {
  readonly _tag: "NothingToUndo";
}

export type ActionDecision = Succeeded | Rejected;
export type UndoDecision = Undone | NothingToUndo;
export type Decision = ActionDecision | UndoDecision;

/** Decided by this very call. */
export interface Executed<Made extends Decision = Decision> {
  readonly _tag: "Executed";
  readonly decision: Made;
}

/** Decided earlier; told from the record. */
export interface Replayed<Made extends Decision = Decision> {
  readonly _tag: "Replayed";
  readonly decision: Made;
}

/** A tombstone, or an action that was taken back: no effect under this key, for good. */
export interface Sealed {
  readonly _tag: "Sealed";
}

/** The key came with another payload, or belongs to another operation. Nothing was done, and the record is untouched. */
export interface KeyReused {
  readonly _tag: "KeyReused";
}

/** Somebody is at it, or was when their process ended. In doubt; ask again, same key, after `retryAfterMs`. */
export interface Running {
  readonly _tag: "Running";
  readonly retryAfterMs: number;
}

/** The fence no longer knows what became of the action. In doubt, and asking again will not help. */
export interface EvidenceLost {
  readonly _tag: "EvidenceLost";
}

/** An action issued before the fence's retention, of which nothing is recorded. It was not run; whether it ran long ago is no longer known. */
export interface Expired {
  readonly _tag: "Expired";
}

export type ActAnswer = Executed<ActionDecision> | Replayed<ActionDecision> | Sealed | KeyReused | Running | EvidenceLost | Expired;
export type UndoAnswer = Executed<UndoDecision> | Replayed<UndoDecision> | Sealed | KeyReused | Running | EvidenceLost;
export type ResolveAnswer = Replayed | Sealed | KeyReused | Running | EvidenceLost;
