/**
 * What a domain implements: one function per operation of its contract, each inside a transaction that somebody else opened. The service knows
 * nothing of HTTP, and nothing of duplicates: a fence answers those before the service is called.
 */
import type { Result } from "neverthrow";
import type { Command, Contract, InputOf, Operation, OutputOf, Query, RejectionOf, Undo } from "./contract.ts";

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

type Handler<Any extends Operation, Operations, Transaction> = Any extends Command
  ? (context: CommandContext<Transaction>, input: InputOf<Any>) => Promise<Result<OutputOf<Any>, RejectionOf<Any>>>
  : Any extends Query
    ? (context: QueryContext<Transaction>, input: InputOf<Any>) => Promise<Result<OutputOf<Any>, RejectionOf<Any>>>
    : Any extends Undo<infer Undoes>
      ? Undoes extends keyof Operations
        ? Operations[Undoes] extends Operation
          ? (context: UndoContext<Transaction, OutputOf<Operations[Undoes]>>, input: InputOf<Any>) => Promise<void>
          : never
        : never
      : never;

export type Service<Any extends Contract, Transaction> = {
  readonly [Name in keyof Any["operations"]]: Handler<Any["operations"][Name], Any["operations"], Transaction>;
};
