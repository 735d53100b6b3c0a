/** One transaction on SQLite: the port's operations as statements. Begin, commit and the order of transactions are `sqlite-database.ts`. */
import type { Json } from "@backstep/saga-core/adapter";
import type { Result } from "neverthrow";
import type { Page, Table, Transaction } from "../database.ts";
import { assertIndexed, documentOf, isKey, keyOf, limitOf, rowOf } from "./row-check.ts";
import { fieldExpression, type SqliteConnection } from "./sqlite-connection.ts";
import { driving } from "./sqlite-errors.ts";
import { type Savepoints, TransactionLife } from "./transaction-life.ts";

interface StoredRow {
  readonly key: string;
  readonly document: string;
}

export class SqliteTransaction implements Transaction {
  readonly life = new TransactionLife();
  readonly #connection: SqliteConnection;
  readonly #savepoints: Savepoints;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
    this.#savepoints = {
      set: (depth) => connection.exec(`SAVEPOINT part_${depth}`),
      undo: (depth) => {
        connection.exec(`ROLLBACK TO part_${depth}; RELEASE part_${depth}`);
        connection.forgetEnsured();
      },
      release: (depth) => connection.exec(`RELEASE part_${depth}`),
    };
  }

  async get<Row>(table: Table<Row>, key: string): Promise<Row | undefined> {
    return this.life.step(() => (isKey(key) ? this.#select(table, "WHERE key = ?", [key]).at(0) : undefined));
  }

  async insert<Row>(table: Table<Row>, row: Row): Promise<boolean> {
    return this.life.step(() => this.#write(table, row, "ON CONFLICT (key) DO NOTHING") === 1);
  }

  async put<Row>(table: Table<Row>, row: Row): Promise<void> {
    this.life.step(() => this.#write(table, row, "ON CONFLICT (key) DO UPDATE SET document = excluded.document"));
  }

  async remove<Row>(table: Table<Row>, key: string): Promise<void> {
    this.life.step(() => {
      if (!isKey(key)) return;
      this.#connection.ensure(table);
      const statement = this.#connection.prepare(`DELETE FROM "${table.name}" WHERE key = ?`);
      driving(() => statement.run(key));
    });
  }

  async find<Row>(
    table: Table<Row>,
    where: { readonly field: keyof Row & string; readonly equals: string },
    page?: Page,
  ): Promise<readonly Row[]> {
    return this.life.step(() => {
      assertIndexed(table, where.field);
      if (!where.equals.isWellFormed()) return [];
      const clause = `WHERE ${fieldExpression(where.field)} = ? AND key > ? ORDER BY key LIMIT ?`;
      return this.#select(table, clause, [where.equals, page?.after ?? "", limitOf(page)]);
    });
  }

  async list<Row>(table: Table<Row>, page?: Page): Promise<readonly Row[]> {
    return this.life.step(() => this.#select(table, "WHERE key > ? ORDER BY key LIMIT ?", [page?.after ?? "", limitOf(page)]));
  }

  async nested<Value, Failure>(body: () => Promise<Result<Value, Failure>>): Promise<Result<Value, Failure>> {
    return this.life.nested(this.#savepoints, body);
  }

  #select<Row>(table: Table<Row>, clause: string, values: readonly (string | number)[]): readonly Row[] {
    this.#connection.ensure(table);
    const statement = this.#connection.prepare(`SELECT key, document FROM "${table.name}" ${clause}`);
    const stored = driving(() => statement.all(...values)) as unknown as readonly StoredRow[];
    return stored.map(({ key, document }) => rowOf(table, key, () => JSON.parse(document) as Json));
  }

  #write<Row>(table: Table<Row>, row: Row, onConflict: string): number {
    const key = keyOf(table, row);
    const document = JSON.stringify(documentOf(table, row));
    this.#connection.ensure(table);
    const statement = this.#connection.prepare(`INSERT INTO "${table.name}" (key, document) VALUES (?, ?) ${onConflict}`);
    return Number(driving(() => statement.run(key, document)).changes);
  }
}
