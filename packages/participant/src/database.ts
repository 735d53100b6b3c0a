/**
 * The transaction port: the little of a database that a fence, an inbox and a domain service need, so that one codebase runs on memory,
 * SQLite and whatever comes next. Rows are JSON documents in named tables, found by key or by an equal index field.
 *
 * Transactions are serialisable: what a transaction read and wrote is as if no other had run beside it. A store that aborts one to keep
 * this promise runs its body again, so a body must not touch anything but its `Transaction`.
 */
import type { Result } from "neverthrow";

/** A table: its name, how a row is read back, and what it is found by. Declared once, as a value. */
export interface Table<Row> {
  /** snake_case, at most 48 characters. */
  readonly name: string;
  /** Checks a stored document; throws on one that does not fit, which ends the transaction with `DatabaseCorrupt`. */
  readonly decode: (document: unknown) => Row;
  readonly key: (row: Row) => string;
  /** Top-level string fields that `find` may look rows up by. */
  readonly indexes?: readonly (keyof Row & string)[] | undefined;
}

export interface Transaction {
  /** Reads one row; it cannot change under this transaction. */
  get<Row>(table: Table<Row>, key: string): Promise<Row | undefined>;
  /** Writes a new row. `false`: the key is taken, and nothing was written. Waits for a transaction that is just inserting the same key. */
  insert<Row>(table: Table<Row>, row: Row): Promise<boolean>;
  /**
   * Writes a row whether it was there or not. Like `remove` it may resolve before the store has seen it: what comes after it sees what it wrote, and if the store refuses it, that ends the transaction and is told by the next
   * operation that gives something back, or by the commit.
   */
  put<Row>(table: Table<Row>, row: Row): Promise<void>;
  /** Removes a row; a missing one is no error. */
  remove<Row>(table: Table<Row>, key: string): Promise<void>;
  /** Rows whose indexed field equals the value, by key ascending, at most `limit` (default 1,000), only those with a key greater than `after`. */
  find<Row>(
    table: Table<Row>,
    where: { readonly field: keyof Row & string; readonly equals: string },
    page?: Page,
  ): Promise<readonly Row[]>;
  /** All rows, by key ascending, in pages. */
  list<Row>(table: Table<Row>, page?: Page): Promise<readonly Row[]>;
  /** Runs a part whose writes are undone when it answers `err` or throws; the transaction itself goes on. */
  nested<Value, Failure>(body: () => Promise<Result<Value, Failure>>): Promise<Result<Value, Failure>>;
}

export interface Page {
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

export interface Database {
  /**
   * Commits when the body resolves; rolls back and rejects when it rejects. A COMMIT that fails rejects, and nothing of it is visible;
   * after a crash it may be found done all the same, whole.
   */
  transaction<Value>(body: (transaction: Transaction) => Promise<Value>): Promise<Value>;
  /** The database's clock, epoch milliseconds. */
  now(): number;
  /** Resolves when the database answers, rejects when it does not; for health checks. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
