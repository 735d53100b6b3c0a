/** What really happened, told apart from what the fence says: one ledger in the fence's database, one in a foreign system. */
import type { Database, ForeignVerdict, Table, Transaction } from "@backstep/participant";
import { err, ok, type Result } from "neverthrow";

interface Row {
  readonly key: string;
  readonly done: number;
  readonly undone: number;
}

const table: Table<Row> = { name: "ledger", key: (row) => row.key, decode: (document) => document as Row };

export class LocalLedger {
  async effects(database: Database, key: string): Promise<Row> {
    return (await database.transaction((transaction) => transaction.get(table, key))) ?? { key, done: 0, undone: 0 };
  }

  did(transaction: Transaction, key: string): Promise<void> {
    return this.#add(transaction, key, 1, 0);
  }

  undid(transaction: Transaction, key: string): Promise<void> {
    return this.#add(transaction, key, 0, 1);
  }

  async #add(transaction: Transaction, key: string, done: number, undone: number): Promise<void> {
    const row = (await transaction.get(table, key)) ?? { key, done: 0, undone: 0 };
    await transaction.put(table, { key, done: row.done + done, undone: row.undone + undone });
  }
}

interface Account {
  readonly state: "applied" | "refused" | "sealed";
  readonly undos: Set<string>;
}

/** A gateway: the first request under a key decides, repeats are told the same, and a question about an unknown key seals it. */
export class ForeignLedger {
  readonly #accounts = new Map<string, Account>();

  effects(key: string): { readonly done: number; readonly undone: number } {
    const account = this.#accounts.get(key);
    return { done: account?.state === "applied" ? 1 : 0, undone: account?.undos.size ?? 0 };
  }

  apply(key: string, refuse: boolean): Result<unknown, unknown> {
    const account = this.#accounts.get(key) ?? this.#open(key, refuse ? "refused" : "applied");
    return account.state === "applied" ? ok({ of: key }) : err({ _tag: "No", of: key });
  }

  ask(key: string): ForeignVerdict<unknown, unknown> {
    const { state } = this.#accounts.get(key) ?? this.#open(key, "sealed");
    if (state === "sealed") return { _tag: "Sealed" };
    return state === "applied" ? { _tag: "Succeeded", output: { of: key } } : { _tag: "Rejected", rejection: { _tag: "No", of: key } };
  }

  undo(key: string, undoKey: string): void {
    this.#accounts.get(key)?.undos.add(undoKey);
  }

  #open(key: string, state: Account["state"]): Account {
    const account: Account = { state, undos: new Set() };
    this.#accounts.set(key, account);
    return account;
  }
}
