/**
 * One transaction on Postgres: the port's operations as statements, sent one after the other in the order of the calls, whoever awaits them.
 * Begin, commit and running again are `postgres-database.ts`.
 */
import type { Result } from "neverthrow";
import type { Page, Table, Transaction } from "../database.ts";
import { DatabaseMisused } from "./database-errors.ts";
import type { PostgresConnection } from "./postgres-connection.ts";
import { documentFrom, storedField, storedText } from "./postgres-document.ts";
import { beginningOf, columnOf, type PostgresTables } from "./postgres-tables.ts";
import { type AnyTable, assertIndexed, assertTable, documentOf, isKey, keyOf, limitOf, rowOf } from "./row-check.ts";
import { type Savepoints, TransactionLife } from "./transaction-life.ts";

/** Postgres must fit three entries of an index onto a page; what is longer it may refuse. */
const KEY_BYTES_MAX = 2_000;

interface StoredRow {
  readonly key: string;
  readonly document: string;
}

export class PostgresTransaction implements Transaction {
  readonly life = new TransactionLife();
  readonly #connection: PostgresConnection;
  readonly #tables: PostgresTables;
  readonly #savepoints: Savepoints;
  #last: Promise<void> = Promise.resolve();

  constructor(connection: PostgresConnection, tables: PostgresTables) {
    this.#connection = connection;
    this.#tables = tables;
    // Sent in turn like all else, so nobody needs to wait: what follows is sent behind them.
    const send = (text: string): void => void this.#queue(() => connection.command(text));
    this.#savepoints = {
      set: (depth) => send(`SAVEPOINT part_${depth}`),
      undo: (depth) => send(`ROLLBACK TO SAVEPOINT part_${depth}; RELEASE SAVEPOINT part_${depth}`),
      release: (depth) => send(`RELEASE SAVEPOINT part_${depth}`),
    };
  }

  /** Resolves when everything that was called has ended, however it ended. */
  async settled(): Promise<void> {
    await this.#last;
  }

  get<Row>(table: Table<Row>, key: string): Promise<Row | undefined> {
    return this.#step(() => {
      const rows = isKey(key) ? this.#select(table, "WHERE key = $1", [key]) : nothing(table);
      return rows.then(([row]) => row);
    });
  }

  insert<Row>(table: Table<Row>, row: Row): Promise<boolean> {
    return this.#step(() => this.#write(table, row, "ON CONFLICT (key) DO NOTHING").then((count) => count === 1));
  }

  put<Row>(table: Table<Row>, row: Row): Promise<void> {
    return this.#step(() => this.#write(table, row, "ON CONFLICT (key) DO UPDATE SET document = excluded.document").then(() => undefined));
  }

  remove<Row>(table: Table<Row>, key: string): Promise<void> {
    return this.#step(() => {
      const removed = isKey(key)
        ? this.#on(table, (name) => this.#connection.change(`DELETE FROM ${name} WHERE key = $1`, [key]))
        : nothing(table);
      return removed.then(() => undefined);
    });
  }

  find<Row>(
    table: Table<Row>,
    where: { readonly field: keyof Row & string; readonly equals: string },
    page?: Page,
  ): Promise<readonly Row[]> {
    return this.#step(() => {
      assertIndexed(table, where.field);
      if (!where.equals.isWellFormed()) return nothing(table);
      const column = columnOf(where.field);
      const clause = `WHERE ${beginningOf(column)} = ${beginningOf("$1::text")} AND ${column} = $1 AND key > $2 ORDER BY key LIMIT $3`;
      return this.#select(table, clause, [storedField(where.equals), afterOf(page), limitOf(page)]);
    });
  }

  list<Row>(table: Table<Row>, page?: Page): Promise<readonly Row[]> {
    return this.#step(() => this.#select(table, "WHERE key > $1 ORDER BY key LIMIT $2", [afterOf(page), limitOf(page)]));
  }

  async nested<Value, Failure>(body: () => Promise<Result<Value, Failure>>): Promise<Result<Value, Failure>> {
    return this.life.nested(this.#savepoints, body);
  }

  /** An operation that fails ends the transaction, which tells; that nobody awaited the operation is no reason to end the process, too. */
  #step<Outcome>(work: () => Promise<Outcome>): Promise<Outcome> {
    const outcome = (async () => this.life.step(work))();
    outcome.catch(() => undefined);
    return outcome;
  }

  #select<Row>(table: Table<Row>, clause: string, values: readonly (string | number)[]): Promise<readonly Row[]> {
    return this.#on(table, async (name) => {
      const stored = await this.#connection.ask<StoredRow>(`SELECT key, document FROM ${name} ${clause}`, values);
      return stored.map(({ key, document }) => rowOf(table, key, () => documentFrom(document)));
    });
  }

  #write<Row>(table: Table<Row>, row: Row, onConflict: string): Promise<number> {
    const key = keyOf(table, row);
    if (Buffer.byteLength(key) > KEY_BYTES_MAX) throw new DatabaseMisused(`${table.name}: a key is at most ${KEY_BYTES_MAX} bytes long`);
    const document = storedText(documentOf(table, row));
    return this.#on(table, (name) =>
      this.#connection.change(`INSERT INTO ${name} (key, document) VALUES ($1, $2) ${onConflict}`, [key, document]),
    );
  }

  /** Everything about the row is settled at the call: the caller may change it while this waits for its turn. */
  #on<Outcome>(table: AnyTable, work: (name: string) => Promise<Outcome>): Promise<Outcome> {
    assertTable(table);
    return this.#queue(async () => {
      await this.#tables.assertThere(this.#connection, table);
      return work(this.#tables.nameOf(table));
    });
  }

  #queue<Outcome>(work: () => Promise<Outcome>): Promise<Outcome> {
    const done = this.#last.then(() => {
      this.life.assertSound();
      return work();
    });
    this.#last = done.then(
      () => undefined,
      (cause: unknown) => this.life.fail(cause),
    );
    return done;
  }
}

function nothing(table: AnyTable): Promise<readonly never[]> {
  assertTable(table);
  return Promise.resolve([]);
}

/** No key holds U+0000, so none lies between a text and what follows it behind one. */
function afterOf(page: Page | undefined): string {
  const [beginning = ""] = (page?.after ?? "").split("\u0000", 1);
  return beginning.toWellFormed();
}
