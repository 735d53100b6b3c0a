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

  get<Row>(table: Table<Row>, key: string): Promise<Row | undefined> {
    return this.#use((owned) => owned.get(table, key));
  }

  insert<Row>(table: Table<Row>, row: Row): Promise<boolean> {
    return this.#use((owned) => owned.insert(table, row));
  }

  put<Row>(table: Table<Row>, row: Row): Promise<void> {
    return this.#use((owned) => owned.put(table, row));
  }

  remove<Row>(table: Table<Row>, key: string): Promise<void> {
    return this.#use((owned) => owned.remove(table, key));
  }

  find<Row>(
    table: Table<Row>,
    where: { readonly field: keyof Row & string; readonly equals: string },
    page?: Page,
  ): Promise<readonly Row[]> {
    return this.#use((owned) => owned.find(table, where, page));
  }

  list<Row>(table: Table<Row>, page?: Page): Promise<readonly Row[]> {
    return this.#use((owned) => owned.list(table, page));
  }

  nested<Value, Failure>(body: () => Promise<Result<Value, Failure>>): Promise<Result<Value, Failure>> {
    return this.#use((owned) => owned.nested(body));
  }

  /** Hands out the owned transaction's own promise: a store may have seen to it that nobody has to await it. */
  #use<Value>(operate: (owned: Transaction) => Promise<Value>): Promise<Value> {
    if (!this.#over) return operate(this.#owned);
    return Promise.reject(new DatabaseMisused("business code used its transaction after it had answered; await everything it starts"));
  }
}
