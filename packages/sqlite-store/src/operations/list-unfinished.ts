/** Pages of sagas that have not ended, in order of their creation. The cursor is the position of the last one handed out. */
import type { UnfinishedOptions, UnfinishedPage } from "@backstep/saga-core/journal";
import type { SqliteDatabase } from "../driver.ts";
import { integerOf, textOf } from "../row-codec.ts";

export type ListUnfinished = (options: UnfinishedOptions) => UnfinishedPage;

/** Its condition repeats that of the index `sagas_unfinished` word for word, or SQLite would not use it. */
export const LIST_UNFINISHED =
  "SELECT position, saga_id FROM sagas WHERE status NOT IN ('completed', 'compensated', 'abandoned') AND position > ? ORDER BY position LIMIT ?";

/** As the one above, with the index `sagas_active`. */
export const LIST_ACTIVE =
  "SELECT position, saga_id FROM sagas WHERE status NOT IN ('completed', 'compensated', 'abandoned', 'waiting') AND position > ? ORDER BY position LIMIT ?";

export function prepareListUnfinished(database: SqliteDatabase): ListUnfinished {
  const unfinished = database.prepare(LIST_UNFINISHED);
  const active = database.prepare(LIST_ACTIVE);

  return ({ limit, after = "0", waiting = false }) => {
    const list = waiting ? unfinished : active;
    // One more than asked for tells whether there is a next page.
    const rows = list.all(Number(after), limit + 1);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const sagaIds = page.map((row) => textOf(row, "saga_id"));
    return rows.length > limit && last !== undefined ? { sagaIds, next: String(integerOf(last, "position")) } : { sagaIds };
  };
}
