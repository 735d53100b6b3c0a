/**
 * Where ledgers are stored. An account row says which period is open and how many entries there are; what it holds is said by the entries of
 * the open period alone, so that a balance cannot differ from its ledger.
 */
import type { Table } from "@backstep/participant";
import { z } from "zod";
import { type Entry, entry } from "./contract.ts";

export interface Ledger {
  readonly memberId: string;
  readonly currency: string;
}

export interface Account extends Ledger {
  /** The open period, from 1. */
  readonly period: number;
  readonly entryCount: number;
}

export interface EntryRow {
  readonly ledger: Ledger;
  readonly account: string;
  /** Account and period, for reading one period. */
  readonly accountPeriod: string;
  readonly reference: string;
  readonly entry: Entry;
}

const ledger = z.strictObject({ memberId: z.string(), currency: z.string() });
const account = ledger.extend({ period: z.int(), entryCount: z.int() });
const entryRow = z.strictObject({ ledger, account: z.string(), accountPeriod: z.string(), reference: z.string(), entry });

export const accountTable: Table<Account> = {
  name: "point_accounts",
  key: accountKey,
  decode: (document) => account.parse(document),
};

/** Keys are ordered as entries are numbered. */
export const entryTable: Table<EntryRow> = {
  name: "point_entries",
  key: (row) => `${row.account}/${row.entry.entryId}`,
  decode: (document) => entryRow.parse(document),
  indexes: ["account", "accountPeriod", "reference"],
};

/** No id and no currency holds a slash. */
export function accountKey({ memberId, currency }: Ledger): string {
  return `${memberId}/${currency}`;
}
