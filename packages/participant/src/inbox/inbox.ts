/**
 * The inbox: turns at-least-once deliveries into one effect each. A row per (source, id) commits together with what the handler wrote, so
 * an event is either handled and remembered, or neither.
 */
import type { Database, Table, Transaction } from "../database.ts";
import type { CloudEvent } from "../events/cloud-event.ts";
import { assertCount } from "../option-invalid.ts";
import { createExpiry } from "../retention/expiry.ts";

export interface InboxOptions {
  readonly database: Database;
  /** How long an event is remembered, in milliseconds, at least 1. Must exceed the longest time after which it may be delivered again. */
  readonly retentionMs: number;
}

/** Handled by this very call. */
export interface Consumed {
  readonly _tag: "Consumed";
}

/** Handled before; the handler was not called. */
export interface Repeated {
  readonly _tag: "Repeated";
}

export interface Inbox {
  readonly retentionMs: number;
  /**
   * Handles an event once. When the handler throws, or the process ends before the commit, nothing happened, and the next delivery is
   * handled as the first. Deliveries at the same time wait for one another.
   *
   * @param handler - May be run more than once by a database that retries; touches nothing but its transaction.
   */
  consume<Data>(
    event: CloudEvent<Data>,
    handler: (transaction: Transaction, event: CloudEvent<Data>) => Promise<void>,
  ): Promise<Consumed | Repeated>;
  /** Forgets events that were handled before the retention, in short transactions. Resolves to how many. */
  sweep(): Promise<number>;
}

interface InboxRow {
  readonly key: string;
  readonly consumedAt: number;
}

const table: Table<InboxRow> = { name: "backstep_inbox", key: (row) => row.key, decode: decodeRow };
const expiry = createExpiry("backstep_inbox_expiry");
const SWEEP_BATCH = 200;

/**
 * Creates the inbox of one participant. Any number of them may share a database; they share its rows.
 *
 * @throws {OptionInvalid}
 */
export function createInbox({ database, retentionMs }: InboxOptions): Inbox {
  assertCount("retentionMs", retentionMs, "milliseconds", 1);

  async function sweepBatch(): Promise<number> {
    return database.transaction(async (transaction) => {
      const due = await expiry.due(transaction, database.now() - retentionMs, SWEEP_BATCH);
      for (const entry of due) {
        await transaction.remove(table, entry.subject);
        await expiry.forget(transaction, entry);
      }
      return due.length;
    });
  }

  return {
    retentionMs,
    consume: (event, handler) =>
      database.transaction<Consumed | Repeated>(async (transaction) => {
        const row = { key: keyOf(event), consumedAt: database.now() };
        if (!(await transaction.insert(table, row))) return { _tag: "Repeated" };
        await expiry.track(transaction, row.key, row.consumedAt);
        await handler(transaction, event);
        return { _tag: "Consumed" };
      }),
    async sweep() {
      let forgotten = 0;
      for (;;) {
        const batch = await sweepBatch();
        forgotten += batch;
        if (batch < SWEEP_BATCH) return forgotten;
      }
    },
  };
}

/** Unambiguous whatever source and id hold. */
function keyOf({ source, id }: CloudEvent<unknown>): string {
  return JSON.stringify([source, id]);
}

function decodeRow(document: unknown): InboxRow {
  const row = document as Partial<InboxRow> | null;
  if (typeof row?.key !== "string" || typeof row.consumedAt !== "number") throw new TypeError("an inbox row has a key and a time");
  return { key: row.key, consumedAt: row.consumedAt };
}
