/** Sagas whose time has come, and when the next one's does. */
import type { DueOptions, DueSagas } from "@backstep/saga-core/journal";
import type { SqliteDatabase } from "../driver.ts";
import { integerOf, textOf } from "../row-codec.ts";

export type ListDue = (options: DueOptions) => DueSagas;

/** Its condition implies that of the index `sagas_due`. Ended sagas have no `wake_at`. */
export const LIST_DUE = "SELECT saga_id FROM sagas WHERE wake_at <= ? ORDER BY wake_at, position LIMIT ?";
export const FIND_NEXT = "SELECT wake_at FROM sagas WHERE wake_at > ? ORDER BY wake_at LIMIT 1";

export function prepareListDue(database: SqliteDatabase): ListDue {
  const list = database.prepare(LIST_DUE);
  const first = database.prepare(FIND_NEXT);

  return ({ until, limit }) => {
    const sagaIds = list.all(until, limit).map((row) => textOf(row, "saga_id"));
    const next = first.get(until);
    return next === undefined ? { sagaIds } : { sagaIds, next: integerOf(next, "wake_at") };
  };
}
