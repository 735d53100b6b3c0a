/** Retention: which sagas ended long ago, and forgetting them. An unfinished saga is out of its reach by the conditions of the statements themselves. */
import type { EndedOptions, EndedSagas, RemovedSagas } from "@backstep/saga-core/journal";
import type { SqliteDatabase } from "../driver.ts";
import { integerOf, textOf } from "../row-codec.ts";
import type { RecordLog } from "./record-log.ts";

export interface RetentionOperations {
  listEnded(options: EndedOptions): EndedSagas;
  remove(sagaIds: readonly string[]): RemovedSagas & { readonly positions: readonly number[] };
  /** Whether all of these are gone. Positions are given once, so no later saga can be taken for one of them. */
  landed(positions: readonly number[]): boolean;
}

/** Its condition implies that of the index `sagas_ended`; unfinished sagas have no `ended_at`. */
export const LIST_ENDED = "SELECT saga_id FROM sagas WHERE ended_at < ? ORDER BY ended_at, position LIMIT ?";

export function prepareRetention(database: SqliteDatabase, log: Pick<RecordLog, "remove">): RetentionOperations {
  const list = database.prepare(LIST_ENDED);
  // One by one, because JSON, in which a list could be handed over, does not keep every text that an id may be.
  const removeSaga = database.prepare(
    "DELETE FROM sagas WHERE saga_id = ? AND ended_at IS NOT NULL RETURNING position, last_record, next_sequence",
  );
  const find = database.prepare("SELECT 1 FROM sagas WHERE position = ?");

  return {
    listEnded: ({ before, limit }) => ({ sagaIds: list.all(before, limit).map((row) => textOf(row, "saga_id")) }),
    remove(sagaIds) {
      const positions: number[] = [];
      for (const sagaId of sagaIds) {
        const row = removeSaga.get(sagaId);
        if (row === undefined) continue;
        const position = integerOf(row, "position");
        const lastRecord = row["last_record"] === null ? undefined : integerOf(row, "last_record");
        log.remove(position, lastRecord, integerOf(row, "next_sequence"));
        positions.push(position);
      }
      return { removed: positions.length, positions };
    },
    landed: (positions) => positions.every((position) => find.get(position) === undefined),
  };
}
