/**
 * The port in memory: for tests, and for services whose state may go with the process. Owns the tables and the order of transactions,
 * which take turns and so are serialisable; what one transaction does is `memory-transaction.ts`.
 */
import type { Database } from "../database.ts";
import { type MemoryTables, MemoryTransaction } from "./memory-transaction.ts";
import { createTurns } from "./turns.ts";

export interface MemoryDatabaseOptions {
  /** Epoch milliseconds. Default: the host's clock. */
  readonly now?: (() => number) | undefined;
}

/** Creates an empty database. A crash loses all of it; a rejected transaction loses nothing else. */
export function createMemoryDatabase(options: MemoryDatabaseOptions = {}): Database {
  const tables: MemoryTables = new Map();
  const turns = createTurns();
  return {
    now: options.now ?? Date.now,
    transaction: (body) =>
      turns.take(async () => {
        const transaction = new MemoryTransaction(tables);
        try {
          const value = await body(transaction);
          transaction.life.finish();
          return value;
        } catch (cause) {
          transaction.undoTo(0);
          transaction.life.abandon();
          throw cause;
        }
      }),
    async ping() {
      turns.assertOpen();
    },
    close: () => turns.close(),
  };
}
