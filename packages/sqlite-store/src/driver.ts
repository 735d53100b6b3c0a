/**
 * The little of `node:sqlite` that this store uses, as structural types. Everything but `open-database.ts` is written against these, so a
 * test can stand between the store and SQLite and make a COMMIT lose its answer.
 */
export type SqliteValue = null | number | bigint | string | Uint8Array;

export type Row = Readonly<Record<string, unknown>>;

export interface RunResult {
  readonly changes: number | bigint;
  readonly lastInsertRowid: number | bigint;
}

export interface SqliteStatement {
  run(...values: SqliteValue[]): RunResult;
  get(...values: SqliteValue[]): Row | undefined;
  all(...values: SqliteValue[]): readonly Row[];
}

export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
  /** Whether a transaction is open. SQLite ends one by itself on some failures. */
  readonly isTransaction: boolean;
}
