/** What a service is told, beside its input, of the call that it answers. */

export interface QueryContext<Transaction> {
  readonly transaction: Transaction;
  /** Epoch milliseconds on the database's clock. */
  readonly now: number;
}

export interface CommandContext<Transaction> extends QueryContext<Transaction> {
  /** The saga on whose behalf the command runs; absent for a client that acts on its own. A semantic lock is held in this name. */
  readonly sagaId: string | undefined;
  /** The operation's idempotency key; a good seed for the ids of new records. */
  readonly key: string;
}

export interface UndoContext<Transaction, ActionOutput> extends CommandContext<Transaction> {
  /** The recorded answer of the action. An undo's code runs only for an action that succeeded; the fence answers every other case. */
  readonly undone: ActionOutput;
  /** Why the saga goes back: the tag of its first error, e.g. `OutOfStock`. For records and eyes; no undo may depend on it. */
  readonly cause?: string | undefined;
}
