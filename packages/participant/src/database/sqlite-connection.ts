/**
 * One connection: its settings, its prepared statements, and which tables are known to exist. Tables and indexes come into being with
 * their first use, inside the transaction that uses them, so they are known only once that transaction has committed.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type AnyTable, assertTable } from "./row-check.ts";
import { driving, isLocked } from "./sqlite-errors.ts";

const OPEN_PAUSE_MS = 10;

export class SqliteConnection {
  readonly #driver: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #known = new Set<string>();
  readonly #ensured = new Set<string>();

  /** Opening is synchronous, so waiting for a lock here stops the process; all later waits are the caller's and do not. */
  constructor(path: string, busyTimeoutMs: number) {
    this.#driver = driving(() => new DatabaseSync(path, { timeout: busyTimeoutMs }));
    try {
      holdingTheThreadWhileLocked(() => this.exec("PRAGMA journal_mode = WAL"), busyTimeoutMs);
      this.exec("PRAGMA synchronous = FULL; PRAGMA busy_timeout = 0");
    } catch (cause) {
      this.#driver.close();
      throw cause;
    }
  }

  exec(sql: string): void {
    driving(() => this.#driver.exec(sql));
  }

  prepare(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? driving(() => this.#driver.prepare(sql));
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Makes sure that a table and its indexes are there. */
  ensure(table: AnyTable): void {
    const indexes = table.indexes ?? [];
    const identity = `${table.name}:${indexes.join(",")}`;
    if (this.#known.has(identity) || this.#ensured.has(identity)) return;
    assertTable(table);
    this.exec(`CREATE TABLE IF NOT EXISTS "${table.name}" (key TEXT PRIMARY KEY NOT NULL, document TEXT NOT NULL) STRICT`);
    for (const field of indexes) {
      this.exec(`CREATE INDEX IF NOT EXISTS "${table.name}__${field}" ON "${table.name}" (${fieldExpression(field)}, key)`);
    }
    this.#ensured.add(identity);
  }

  /** What was ensured is committed. */
  keepEnsured(): void {
    for (const identity of this.#ensured) this.#known.add(identity);
    this.#ensured.clear();
  }

  /** What was ensured may be undone. */
  forgetEnsured(): void {
    this.#ensured.clear();
  }

  /** Never throws: why the transaction failed is the news. Should the rollback fail as well, the next BEGIN does, and nothing is written. */
  rollBack(): void {
    this.forgetEnsured();
    try {
      // Some errors roll back on their own.
      if (this.#driver.isTransaction) this.#driver.exec("ROLLBACK");
    } catch {
      return;
    }
  }

  close(): void {
    if (this.#driver.isOpen) driving(() => this.#driver.close());
  }
}

/** Two connections that turn the write-ahead log on at once would wait for each other, so SQLite refuses one without waiting. */
function holdingTheThreadWhileLocked(attempt: () => void, busyTimeoutMs: number): void {
  const deadline = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!isLocked(error) || performance.now() >= deadline) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPEN_PAUSE_MS);
  }
}

/** The same text in index and query, or the index is not used. Field names were checked to be plain words. */
export function fieldExpression(field: string): string {
  return `json_extract(document, '$.${field}')`;
}
