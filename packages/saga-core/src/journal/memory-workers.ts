/** Who drives which saga of a shared memory disk: the workers' part of the port. */
import { ok, type Result } from "neverthrow";
import type { OrphanOptions, OrphanPage, SagaStatus, Workers } from "./journal-store.ts";
import type { StoreUnavailable } from "./store-unavailable.ts";

interface DrivenSaga {
  readonly saga: { readonly name: string; readonly version: number };
  readonly position: number;
  readonly status: SagaStatus;
  driver: number | undefined;
  wanted: boolean;
}

export interface SharedDisk {
  readonly sagas: ReadonlyMap<string, DrivenSaga>;
  /** Workers to the ends of their leases. */
  readonly leases: Map<number, number>;
  /** How many shared stores were ever opened on it. */
  workersOpened: number;
  /** Told when sagas may have become due, or were left to others. */
  readonly listeners: Set<() => void>;
}

/** When the lease ends of the one who drives it; `undefined`: nobody does, or this very worker. */
export function drivenUntil(disk: SharedDisk, { driver }: DrivenSaga, worker: number | undefined, now: number): number | undefined {
  if (driver === undefined || driver === worker) return undefined;
  const until = disk.leases.get(driver);
  return until !== undefined && until > now ? until : undefined;
}

export function tell(disk: SharedDisk): void {
  for (const listener of disk.listeners) listener();
}

export interface MemoryWorkersPorts {
  readonly disk: SharedDisk;
  readonly worker: number;
  readonly now: () => number;
  readonly run: <Value>(operation: () => Result<Value, never>) => Promise<Result<Value, StoreUnavailable>>;
}

export function createMemoryWorkers({ disk, worker, now, run }: MemoryWorkersPorts): Workers {
  return {
    renew: (leaseMs) =>
      run(() => {
        const until = now() + leaseMs;
        disk.leases.set(worker, until);
        return ok({ until });
      }),
    leave: () =>
      run(() => {
        endLease(disk, worker);
        return ok();
      }),
    release: (sagaIds) =>
      run(() => {
        for (const sagaId of sagaIds) {
          const stored = disk.sagas.get(sagaId);
          if (stored?.driver !== worker) continue;
          stored.driver = undefined;
          stored.wanted = false;
        }
        return ok();
      }),
    orphans: (options) => run(() => ok(orphansOf(disk, options, now()))),
    listen(listener) {
      disk.listeners.add(listener);
      return () => disk.listeners.delete(listener);
    },
  };
}

export function endLease(disk: SharedDisk, worker: number): void {
  if (disk.leases.delete(worker)) tell(disk);
}

function orphansOf(disk: SharedDisk, { limit, after = "0" }: OrphanOptions, now: number): OrphanPage {
  const orphans: { sagaId: string; saga: DrivenSaga["saga"] }[] = [];
  let last = after;
  // A map lists in order of creation, which is the order of start.
  for (const [sagaId, stored] of disk.sagas) {
    const { status, position, driver, saga } = stored;
    const isDriven = driver !== undefined && (disk.leases.get(driver) ?? now) > now;
    if (status !== "running" || isDriven || position <= Number(after)) continue;
    if (orphans.length === limit) return { orphans, next: last };
    orphans.push({ sagaId, saga });
    last = String(position);
  }
  return { orphans };
}
