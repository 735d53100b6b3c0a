/** What a fence is told of an operation: the words of the call that a participant received, and what business code is told in turn. */
import type { Json } from "@backstep/saga-core/adapter";
import type { Transaction } from "../database.ts";

/** Names an operation without its payload: enough to ask what became of it. */
export interface NamedOperation {
  /** The idempotency key: equal over attempts, different for an action and its undo. */
  readonly key: string;
  /** The operation's name, e.g. `product.deduct-stock`. One key belongs to one name. */
  readonly name: string;
  /** The saga on whose behalf it runs; absent for a client that acts on its own. */
  readonly sagaId?: string | undefined;
  /** When the key was issued, epoch milliseconds. Actions issued before the fence's retention are refused. */
  readonly issuedAt: number;
}

export interface FencedOperation extends NamedOperation {
  /** Plain JSON, or `undefined`. Its SHA-256 tells another payload under the same key from a repeat. */
  readonly input: unknown;
}

export interface FencedUndo extends FencedOperation {
  readonly undoes: UndoneKey;
}

/** The action that an undo takes back, and what its orchestrator knows of it. */
export interface UndoneKey {
  readonly key: string;
  readonly issuedAt: number;
  /** `succeeded`: a fence without a row has lost evidence. `inDoubt`: a fence without a row plants a tombstone. */
  readonly known: "succeeded" | "inDoubt";
  /** The action's name. When given, a key that belongs to another operation is answered `KeyReused` and nothing is undone. */
  readonly name?: string | undefined;
}

export interface ActionContext {
  /**
   * The transaction that also holds the fence's row: what is written here stands or falls with the recorded answer. It is lent until the
   * code has answered, and refuses after that.
   */
  readonly transaction: Transaction;
  /** Epoch milliseconds on the database's clock. */
  readonly now: number;
  readonly sagaId: string | undefined;
  readonly key: string;
}

export interface UndoContext extends ActionContext {
  /** The recorded output of the action, frozen. Undo code runs only for an action that succeeded. */
  readonly undone: Json;
}

/** Told to code that reaches a foreign system, outside of any transaction. */
export interface ForeignContext {
  /** Hand it to the foreign system as its idempotency key. */
  readonly key: string;
  readonly sagaId: string | undefined;
  readonly now: number;
  /** What is left of the lease, in milliseconds. Whoever is still at it afterwards is not alone any more, so the call must end before. */
  readonly timeoutMs: number;
  /** Aborts when the lease ends; aborted from the start when nothing is left of it. */
  readonly signal: AbortSignal;
}

export interface ForeignUndoContext extends ForeignContext {
  readonly undone: Json;
}
