/** Pages of sagas that have not ended, in order of their creation. The cursor is the position of the last one handed out. */
import type { UnfinishedOptions, UnfinishedPage } from "@backstep/saga-core/journal";
import type { Row, SqliteDatabase } from "../driver.ts";
import { integerOf, textOf } from "../row-codec.ts";

export type ListUnfinished = (options: UnfinishedOptions) => UnfinishedPage;

/** Its condition repeats that of the index `sagas_active` word for word, or SQLite would not use it. By what is not, so that a status nobody knows cannot hide a saga. */
export const LIST_ACTIVE =
  "SELECT position, saga_id FROM sagas WHERE status NOT IN ('completed', 'compensated', 'abandoned', 'waiting') AND position > ? ORDER BY position LIMIT ?";

/** As the one above, with the index `sagas_waiting`. The two together are all that has not ended. */
export const LIST_WAITING = "SELECT position, saga_id FROM sagas WHERE status = 'waiting' AND position > ? ORDER BY position LIMIT ?";

export function prepareListUnfinished(database: SqliteDatabase): ListUnfinished {
  const active = database.prepare(LIST_ACTIVE);
  const waits = database.prepare(LIST_WAITING);

  return ({ limit, after = "0", waiting = false }) => {
    // One more than asked for tells whether there is a next page.
    const most = limit + 1;
    const rows = active.all(Number(after), most);
    const all = waiting ? [...rows, ...waits.all(Number(after), most)].sort(byPosition).slice(0, most) : rows;
    const page = all.slice(0, limit);
    const last = page.at(-1);
    const sagaIds = page.map((row) => textOf(row, "saga_id"));
    return all.length > limit && last !== undefined ? { sagaIds, next: String(integerOf(last, "position")) } : { sagaIds };
  };
}

function byPosition(left: Row, right: Row): number {
  return integerOf(left, "position") - integerOf(right, "position");
}
