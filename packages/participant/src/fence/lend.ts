/**
 * Lends a transaction to business code for as long as that runs. A branch that nobody waited for would otherwise write behind the decision:
 * after a rejection was undone, into the very transaction that records it.
 */
import type { Result } from "neverthrow";
import { DatabaseMisused } from "../database/database-errors.ts";
import type { Page, Table, Transaction } from "../database.ts";

export async function lend<Value>(transaction: Transaction, use: (lent: Transaction) => Promise<Value>): Promise<Value> {
  const lent = new LentTransaction(transaction);
  try {
    return await use(lent);
  } finally {
    lent.giveBack();
  }
}

class LentTransaction implements Transaction {
  readonly #owned: Transaction;
  #over = false;

  constructor(owned: Transaction) {
    this.#owned = owned;
  }

  giveBack(): void {
    this.#over = true;
  }

  async get<Row>(table: Table<Row>, key: string): Promise<Row | undefined> {
    return this.#mine().get(table, key);
  }

  async insert<Row>(table: Table<Row>, row: Row): Promise<boolean> {
    return this.#mine().insert(table, row);
  }

  async put<Row>(table: Table<Row>, row: Row): Promise<void> {
    return this.#mine().put(table, row);
  }

  async remove<Row>(table: Table<Row>, key: string): Promise<void> {
    return this.#mine().remove(table, key);
  }

  async find<Row>(
    table: Table<Row>,
    where: { readonly field: keyof Row & string; readonly equals: string },
    page?: Page,
  ): Promise<readonly Row[]> {
    return this.#mine().find(table, where, page);
  }

  async list<Row>(table: Table<Row>, page?: Page): Promise<readonly Row[]> {
    return this.#mine().list(table, page);
  }

  async nested<Value, Failure>(body: () => Promise<Result<Value, Failure>>): Promise<Result<Value, Failure>> {
    return this.#mine().nested(body);
  }

  #mine(): Transaction {
    if (this.#over) throw new DatabaseMisused("business code used its transaction after it had answered; await everything it starts");
    return this.#owned;
  }
}
