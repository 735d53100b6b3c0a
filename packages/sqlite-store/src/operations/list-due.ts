/** Sagas whose time has come, and when the next one's does. */
import type { DueOptions, DueSagas } from "@backstep/saga-core/journal";
import type { SqliteDatabase } from "../driver.ts";
import { integerOf, textOf } from "../row-codec.ts";
import type { WorkerLeases } from "./worker-leases.ts";

export type ListDue = (options: DueOptions) => DueSagas;

/** Its condition implies that of the index `sagas_due`. Ended sagas have no `wake_at`. */
export const LIST_DUE = "SELECT saga_id FROM sagas WHERE wake_at <= ? ORDER BY wake_at, position LIMIT ?";
export const FIND_NEXT = "SELECT wake_at FROM sagas WHERE wake_at > ? ORDER BY wake_at LIMIT 1";

/** Without those that another worker drives, under a lease that runs. */
export const LIST_DUE_HERE = `SELECT saga_id FROM sagas
  WHERE wake_at <= ? AND (driver IS NULL OR driver = ? OR driver NOT IN (SELECT worker FROM workers WHERE lease_until > ?))
  ORDER BY wake_at, position LIMIT ?`;

export interface DueContext {
  readonly worker: number;
  /** Absent: the file is this store's alone. */
  readonly leases: Pick<WorkerLeases, "listWanted"> | undefined;
  readonly now: () => number;
}

export function prepareListDue(database: SqliteDatabase, { worker, leases, now }: DueContext): ListDue {
  const list = database.prepare(leases === undefined ? LIST_DUE : LIST_DUE_HERE);
  const first = database.prepare(FIND_NEXT);

  return ({ until, limit }) => {
    const rows = leases === undefined ? list.all(until, limit) : list.all(until, worker, now(), limit);
    const sagaIds = rows.map((row) => textOf(row, "saga_id"));
    const next = first.get(until);
    const wanted = leases?.listWanted(limit) ?? [];
    return {
      sagaIds,
      ...(next === undefined ? {} : { next: integerOf(next, "wake_at") }),
      ...(wanted.length === 0 ? {} : { wanted }),
    };
  };
}
