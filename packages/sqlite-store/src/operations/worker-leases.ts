/** The workers' part: leases, and what is let go of, wanted, or driven by nobody. Writes run inside the batch's transaction. */
import type { OrphanOptions, OrphanPage } from "@backstep/saga-core/journal";
import type { SqliteDatabase } from "../driver.ts";
import { integerOf, textOf } from "../row-codec.ts";

export interface WorkerLeases {
  /** Also forgets the leases of others that are over. */
  renew(until: number): void;
  renewed(until: number): boolean;
  leave(): void;
  release(sagaIds: readonly string[]): void;
  /** When the lease ends of the one who drives it; `undefined`: nobody does, or this very worker. */
  drivenUntil(driver: number | undefined): number | undefined;
  want(sagaId: string): void;
  listOrphans(options: OrphanOptions): OrphanPage;
  listWanted(limit: number): readonly string[];
}

const IS_DRIVEN = "driver IN (SELECT worker FROM workers WHERE lease_until > ?)";

/** By the index `sagas_active`, whose condition it repeats. */
export const LIST_ORPHANS = `SELECT position, saga_id, name, version FROM sagas
  WHERE status NOT IN ('completed', 'compensated', 'abandoned', 'waiting') AND status = 'running' AND position > ?
    AND (driver IS NULL OR NOT ${IS_DRIVEN})
  ORDER BY position LIMIT ?`;

/** By the index `sagas_wanted`. */
export const LIST_WANTED = "SELECT saga_id FROM sagas WHERE wanted = 1 AND driver = ? LIMIT ?";

export function prepareWorkerLeases(database: SqliteDatabase, worker: number, now: () => number): WorkerLeases {
  const forget = database.prepare("DELETE FROM workers WHERE lease_until <= ?");
  const put = database.prepare("INSERT OR REPLACE INTO workers (worker, lease_until) VALUES (?, ?)");
  const find = database.prepare("SELECT lease_until FROM workers WHERE worker = ?");
  const remove = database.prepare("DELETE FROM workers WHERE worker = ?");
  const release = database.prepare("UPDATE sagas SET driver = NULL, wanted = 0 WHERE saga_id = ? AND driver = ?");
  const want = database.prepare("UPDATE sagas SET wanted = 1 WHERE saga_id = ? AND wanted = 0");
  const orphans = database.prepare(LIST_ORPHANS);
  const wanted = database.prepare(LIST_WANTED);

  function leaseOf(driver: number): number | undefined {
    const row = find.get(driver);
    return row === undefined ? undefined : integerOf(row, "lease_until");
  }

  return {
    renew(until) {
      forget.run(now());
      put.run(worker, until);
    },
    renewed: (until) => leaseOf(worker) === until,
    leave() {
      remove.run(worker);
    },
    release(sagaIds) {
      for (const sagaId of sagaIds) release.run(sagaId, worker);
    },
    drivenUntil(driver) {
      if (driver === undefined || driver === worker) return undefined;
      const until = leaseOf(driver);
      return until !== undefined && until > now() ? until : undefined;
    },
    want(sagaId) {
      want.run(sagaId);
    },
    listOrphans({ limit, after = "0" }) {
      // One more than asked for tells whether there is a next page.
      const rows = orphans.all(Number(after), now(), limit + 1);
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const found = page.map((row) => ({
        sagaId: textOf(row, "saga_id"),
        saga: { name: textOf(row, "name"), version: integerOf(row, "version") },
      }));
      return rows.length > limit && last !== undefined ? { orphans: found, next: String(integerOf(last, "position")) } : { orphans: found };
    },
    listWanted: (limit) => wanted.all(worker, limit).map((row) => textOf(row, "saga_id")),
  };
}
