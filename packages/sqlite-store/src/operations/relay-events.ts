/** The two statements of the outbox that a relay uses: list what is pending, forget what was published. */
import type { OutboxEvent } from "@backstep/saga-core/journal";
import type { SqliteDatabase } from "../driver.ts";
import { parseEvent } from "../row-codec.ts";

export interface RelayOperations {
  listPending(limit: number): readonly OutboxEvent[];
  forget(ids: readonly string[]): void;
}

export function prepareRelay(database: SqliteDatabase): RelayOperations {
  const list = database.prepare("SELECT * FROM outbox ORDER BY position LIMIT ?");
  const remove = database.prepare("DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?))");

  return {
    listPending: (limit) => list.all(limit).map(parseEvent),
    forget(ids) {
      remove.run(JSON.stringify(ids));
    },
  };
}
