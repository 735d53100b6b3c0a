/** Reading ledgers and writing entries: the one place where an account's row and its entries are kept in step. Decides nothing. */
import assert from "node:assert/strict";
import type { Transaction } from "@backstep/participant";
import type { Entry } from "./contract.ts";
import { heldBy } from "./ledger.ts";
import type { Lots } from "./lots.ts";
import { type Account, accountKey, accountTable, type EntryRow, entryTable, type Ledger } from "./tables.ts";

/** A ledger as far as it is open. */
export interface Book {
  readonly account: Account;
  /** Entries of the open period, in order. */
  readonly entries: readonly Entry[];
  readonly held: Lots;
}

type Posting = Pick<Entry, "_tag" | "reference" | "at" | "lots">;

const PAGE_ROWS = 1_000;
const ENTRY_ID_DIGITS = 12;

export async function loadBook(transaction: Transaction, { memberId, currency }: Ledger): Promise<Book> {
  const stored = await transaction.get(accountTable, accountKey({ memberId, currency }));
  const account = stored ?? { memberId, currency, period: 1, entryCount: 0 };
  const rows = await readAll(transaction, "accountPeriod", `${accountKey(account)}/${account.period}`);
  const entries = rows.map(({ entry }) => entry);
  return { account, entries, held: heldBy(entries) };
}

/** Writes the next entry of the account's open period. */
export async function post(transaction: Transaction, account: Account, posting: Posting): Promise<void> {
  const { memberId, currency, period } = account;
  const entryCount = account.entryCount + 1;
  const key = accountKey(account);
  const entry = { ...posting, period, entryId: String(entryCount).padStart(ENTRY_ID_DIGITS, "0") };
  const added = await transaction.insert(entryTable, {
    ledger: { memberId, currency },
    account: key,
    accountPeriod: `${key}/${period}`,
    reference: entry.reference,
    entry,
  });
  assert(added, `entry ${entry.entryId} of ${key} was made already, and no entry is ever changed`);
  await transaction.put(accountTable, { ...account, entryCount });
}

/** All entries, of whatever period, that were made for one accrual or one deduction. */
export async function entriesFor(
  transaction: Transaction,
  reference: string,
  tags: readonly Entry["_tag"][],
): Promise<readonly EntryRow[]> {
  const rows = await readAll(transaction, "reference", reference);
  return rows.filter(({ entry }) => tags.includes(entry._tag));
}

async function readAll(transaction: Transaction, field: "accountPeriod" | "reference", equals: string): Promise<readonly EntryRow[]> {
  const rows: EntryRow[] = [];
  for (;;) {
    const last = rows.at(-1);
    const after = last === undefined ? undefined : entryTable.key(last);
    const page = await transaction.find(entryTable, { field, equals }, { after, limit: PAGE_ROWS });
    rows.push(...page);
    if (page.length < PAGE_ROWS) return rows;
  }
}
