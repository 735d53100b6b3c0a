/**
 * Finds what is older than retention without looking at what is not: a table beside the guarded one, whose keys begin with a time, so
 * that the oldest entries are the first page. Written in the same transaction as the row it speaks of.
 */
import type { Table, Transaction } from "../database.ts";

interface ExpiryEntry {
  /** Padded time, then the subject. */
  readonly key: string;
  /** Key of the guarded row. */
  readonly subject: string;
}

export interface Expiry {
  track(transaction: Transaction, subject: string, at: number): Promise<void>;
  untrack(transaction: Transaction, subject: string, at: number): Promise<void>;
  /** Entries before a time, oldest first. */
  due(transaction: Transaction, before: number, limit: number): Promise<readonly ExpiryEntry[]>;
  forget(transaction: Transaction, entry: ExpiryEntry): Promise<void>;
}

export function createExpiry(tableName: string): Expiry {
  const table: Table<ExpiryEntry> = { name: tableName, key: (entry) => entry.key, decode: decodeEntry };
  const keyOf = (subject: string, at: number): string => `${padded(at)}/${subject}`;
  return {
    track: (transaction, subject, at) => transaction.put(table, { key: keyOf(subject, at), subject }),
    untrack: (transaction, subject, at) => transaction.remove(table, keyOf(subject, at)),
    async due(transaction, before, limit) {
      const oldest = await transaction.list(table, { limit });
      return oldest.filter((entry) => entry.key < padded(before));
    },
    forget: (transaction, entry) => transaction.remove(table, entry.key),
  };
}

/** Sixteen digits hold every safe integer, so the order of texts is the order of times. */
function padded(at: number): string {
  return String(Math.max(0, Math.trunc(at))).padStart(16, "0");
}

function decodeEntry(document: unknown): ExpiryEntry {
  const entry = document as Partial<ExpiryEntry> | null;
  if (typeof entry?.key !== "string" || typeof entry.subject !== "string") throw new TypeError("an expiry entry has a key and a subject");
  return { key: entry.key, subject: entry.subject };
}
