/**
 * The journal port in memory: for tests, simulations and programs that may forget. Every append takes effect at its call, so the order
 * of effects is the order of calls. What is kept lies in a `MemoryDisk`, apart from the store, so that a test can let a store die in the
 * middle of an append and open another one on what it left behind.
 */
import { err, ok, type Result } from "neverthrow";
import {
  type AppendError,
  type AppendRequest,
  type ClaimError,
  type ClaimOptions,
  type DueOptions,
  type DueSagas,
  type EndedOptions,
  type JournalStore,
  type LoadError,
  RECORD_CHARACTERS_MAX,
  type RemovedSagas,
  type SagaStatus,
  type StoredJournal,
  type UnfinishedOptions,
  type UnfinishedPage,
} from "./journal-store.ts";
import { isHeldByAnother, type LockLines, takePlaces } from "./memory-locks.ts";
import { createMemoryWorkers, drivenUntil, endLease, type SharedDisk, tell } from "./memory-workers.ts";
import { type OutboxEvent } from "./outbox.ts";
import { type StoreUnavailable } from "./store-unavailable.ts";

interface StoredSaga {
  readonly saga: { readonly name: string; readonly version: number };
  /** Place in the order of creation, from 1; given once. */
  readonly position: number;
  status: SagaStatus;
  wakeAt: number | undefined;
  /** Epoch milliseconds of the last append of a saga that has ended. */
  endedAt: number | undefined;
  epoch: number;
  claimsWithoutProgress: number;
  /** The worker that drives it. */
  driver: number | undefined;
  /** By another worker than its driver. */
  wanted: boolean;
  readonly records: string[];
}

/** What outlives a memory store. Any number of stores may be open on one disk, as workers on one database are. */
export interface MemoryDisk extends SharedDisk {
  readonly sagas: Map<string, StoredSaga>;
  /** How many sagas were ever started on it, also those that were removed. */
  sagasStarted: number;
  /** Names to the sagas in line for them; the first one holds it. */
  readonly locks: LockLines;
  /** Events by id, oldest first. */
  readonly outbox: Map<string, OutboxEvent>;
  /** Ids of sagas that read as `JournalCorrupt`; a test adds and removes them. */
  readonly corrupt: Set<string>;
}

/**
 * Where a test breaks an append. `refuse` answers `StoreUnavailable` and writes nothing. `crash` is the death of the process: this call and
 * every later one on this store never settle and write nothing more; only the disk remains.
 */
export interface MemoryStoreFaults {
  /** Asked for every append before its guards are checked. */
  readonly beforeCommit?: ((request: AppendRequest) => "refuse" | "crash" | undefined) | undefined;
  /** Asked for every append that took effect, before its writer is told. */
  readonly afterCommit?: ((request: AppendRequest) => "crash" | undefined) | undefined;
}

export interface MemoryStoreOptions {
  /** The store's clock, epoch milliseconds. Default: the system's. */
  readonly now?: (() => number) | undefined;
  /** Default: an empty one of its own. */
  readonly disk?: MemoryDisk | undefined;
  /** Whether other workers may be open on the disk, which then take turns by leases. Default `false`. */
  readonly shared?: boolean | undefined;
  readonly faults?: MemoryStoreFaults | undefined;
}

export interface MemoryStore extends JournalStore {
  /** Lets the process that holds this store die, from outside an append: see `MemoryStoreFaults`. */
  crash(): void;
}

export function createMemoryDisk(): MemoryDisk {
  return {
    sagas: new Map(),
    sagasStarted: 0,
    locks: new Map(),
    outbox: new Map(),
    corrupt: new Set(),
    leases: new Map(),
    workersOpened: 0,
    listeners: new Set(),
  };
}

/** Opens a store that keeps what it is given as long as its disk is reachable, and no longer than the process. */
export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const { now = Date.now, disk = createMemoryDisk(), faults = {}, shared = false } = options;
  const worker = shared ? ++disk.workersOpened : undefined;
  let life: "open" | "closed" | "crashed" = "open";

  function run<Value, Failure>(operation: () => Result<Value, Failure>): Promise<Result<Value, Failure | StoreUnavailable>> {
    if (life === "closed") return Promise.resolve(unavailable("the memory store is closed"));
    if (life === "crashed") return neverSettles();
    const result = operation();
    // A fault hook may have ended this store's life while the operation ran.
    return life === "open" ? Promise.resolve(result) : neverSettles();
  }

  function append(request: AppendRequest): Result<void, AppendError> {
    const fault = faults.beforeCommit?.(request);
    if (fault === "refuse") return unavailable("a fault was injected before the commit");
    if (fault === "crash") life = "crashed";
    if (life !== "open") return ok();
    const appended = appendTo(disk, request, worker, now());
    if (appended.isOk() && faults.afterCommit?.(request) === "crash") life = "crashed";
    return appended;
  }

  return {
    now,
    append: (request) => run(() => append(request)),
    load: (sagaId) => run(() => read(disk, sagaId)),
    claim: (sagaId, claiming) => run(() => claimFrom(disk, sagaId, worker, now(), claiming)),
    unfinished: (page) => run(() => ok(unfinishedOf(disk, page))),
    due: (wanted) => run(() => ok(dueOf(disk, wanted, worker, now()))),
    lockHolder: (name) => run(() => ok(disk.locks.get(name)?.[0])),
    ended: (wanted) => run(() => ok({ sagaIds: endedOf(disk, wanted) })),
    remove: (sagaIds) => run(() => ok(removeFrom(disk, sagaIds))),
    outbox: {
      pending: ({ limit }) => run(() => ok([...disk.outbox.values()].slice(0, limit))),
      published: (ids) =>
        run(() => {
          for (const id of ids) disk.outbox.delete(id);
          return ok();
        }),
    },
    workers: worker === undefined ? undefined : createMemoryWorkers({ disk, worker, now, run }),
    close() {
      if (life === "open" && worker !== undefined) endLease(disk, worker);
      if (life === "open") life = "closed";
      return Promise.resolve();
    },
    crash() {
      life = "crashed";
    },
  };
}

function appendTo(disk: MemoryDisk, request: AppendRequest, worker: number | undefined, now: number): Result<void, AppendError> {
  const { sagaId, sequence, epoch, status, wakeAt, record, outbox, locks, leaves = false } = request;
  if (record.length > RECORD_CHARACTERS_MAX) {
    return unavailable(
      `a record has at most ${RECORD_CHARACTERS_MAX} characters; record ${sequence} of saga ${sagaId} has ${record.length}`,
    );
  }
  const stored = disk.sagas.get(sagaId);
  const sequenceNext = stored?.records.length ?? 0;
  const epochCurrent = stored?.epoch ?? 1;
  // The creator has no epoch to lose: it meets the saga that is already there, whoever owns that one now.
  if (sequence === 0 && sequenceNext > 0) return err({ _tag: "SequenceConflict", sagaId, sequence: sequenceNext });
  if (epoch !== epochCurrent) return err({ _tag: "StaleEpoch", sagaId, epoch: epochCurrent });
  if (sequence !== sequenceNext) return err({ _tag: "SequenceConflict", sagaId, sequence: sequenceNext });
  const repeated = repeatedEventId(disk, outbox);
  if (repeated !== undefined) return unavailable(`the outbox already holds an event ${repeated}; saga ${sagaId} brought another`);
  const endedAt = isUnfinished(status) ? undefined : now;
  const stolen = endedAt === undefined ? locks?.held.find((name) => isHeldByAnother(disk.locks, name, sagaId)) : undefined;
  if (stolen !== undefined) return unavailable(`another saga than ${sagaId} holds the lock ${stolen}`);

  for (const event of outbox) disk.outbox.set(event.id, event);
  const driver = leaves || endedAt !== undefined ? undefined : worker;
  const wanted = driver !== undefined && stored?.wanted === true;
  const moved = { status, wakeAt, endedAt, driver, wanted, claimsWithoutProgress: 0 };
  if (stored === undefined) {
    disk.sagasStarted += 1;
    disk.sagas.set(sagaId, { saga: request.saga, position: disk.sagasStarted, epoch, records: [record], ...moved });
  } else {
    stored.records.push(record);
    Object.assign(stored, moved);
  }
  const places = endedAt === undefined ? locks : { held: [], wanted: [] };
  const heirs = places === undefined ? [] : takePlaces(disk.locks, sagaId, places);
  for (const heir of heirs) makeDue(disk, heir, now);
  if (heirs.length > 0) tell(disk);
  return ok();
}

function makeDue(disk: MemoryDisk, sagaId: string, now: number): void {
  const stored = disk.sagas.get(sagaId);
  if (stored !== undefined) stored.wakeAt = Math.min(stored.wakeAt ?? now, now);
}

function repeatedEventId(disk: MemoryDisk, events: readonly OutboxEvent[]): string | undefined {
  return events.find(({ id }, index) => disk.outbox.has(id) || events.findIndex((event) => event.id === id) < index)?.id;
}

function read(disk: MemoryDisk, sagaId: string): Result<StoredJournal | undefined, LoadError> {
  if (disk.corrupt.has(sagaId))
    return err({ _tag: "JournalCorrupt", sagaId, message: `the journal of saga ${sagaId} is marked as corrupt` });
  const stored = disk.sagas.get(sagaId);
  if (stored === undefined) return ok(undefined);
  const { saga, status, epoch, claimsWithoutProgress, records } = stored;
  return ok({ sagaId, saga, status, epoch, claimsWithoutProgress, records: [...records] });
}

function claimFrom(
  disk: MemoryDisk,
  sagaId: string,
  worker: number | undefined,
  now: number,
  { want = false }: ClaimOptions = {},
): Result<StoredJournal | undefined, ClaimError> {
  const stored = disk.sagas.get(sagaId);
  const until = stored === undefined ? undefined : drivenUntil(disk, stored, worker, now);
  if (stored !== undefined && until !== undefined) {
    if (want && !stored.wanted) {
      stored.wanted = true;
      tell(disk);
    }
    return err({ _tag: "SagaDriven", sagaId, until });
  }
  // What cannot be read is not taken over either: its owner, if it lives, goes on.
  if (stored !== undefined && !disk.corrupt.has(sagaId)) {
    stored.epoch += 1;
    stored.claimsWithoutProgress += 1;
    stored.driver = stored.endedAt === undefined ? worker : undefined;
    stored.wanted = false;
  }
  return read(disk, sagaId);
}

function unfinishedOf(disk: MemoryDisk, { limit, after = "0", waiting = false }: UnfinishedOptions): UnfinishedPage {
  const sagaIds: string[] = [];
  let last = Number(after);
  // A map lists in order of creation, which is the order of start.
  for (const [sagaId, { status, position }] of disk.sagas) {
    if (!isUnfinished(status) || (status === "waiting" && !waiting) || position <= Number(after)) continue;
    if (sagaIds.length === limit) return { sagaIds, next: String(last) };
    sagaIds.push(sagaId);
    last = position;
  }
  return { sagaIds };
}

function dueOf(disk: MemoryDisk, { until, limit }: DueOptions, worker: number | undefined, now: number): DueSagas {
  const timed = [...disk.sagas].flatMap(([sagaId, stored]) => {
    const { status, wakeAt } = stored;
    const isOurs = worker === undefined || drivenUntil(disk, stored, worker, now) === undefined;
    return wakeAt !== undefined && isUnfinished(status) && isOurs ? [{ sagaId, wakeAt }] : [];
  });
  timed.sort((left, right) => left.wakeAt - right.wakeAt);
  const next = timed.find(({ wakeAt }) => wakeAt > until)?.wakeAt;
  const due = timed.filter(({ wakeAt }) => wakeAt <= until).slice(0, limit);
  const wanted = [...disk.sagas].flatMap(([sagaId, stored]) => (stored.wanted && stored.driver === worker ? [sagaId] : [])).slice(0, limit);
  return {
    sagaIds: due.map(({ sagaId }) => sagaId),
    ...(next === undefined ? {} : { next }),
    ...(wanted.length === 0 ? {} : { wanted }),
  };
}

function endedOf(disk: MemoryDisk, { before, limit }: EndedOptions): readonly string[] {
  const ended = [...disk.sagas].flatMap(([sagaId, { endedAt }]) =>
    endedAt !== undefined && endedAt < before ? [{ sagaId, endedAt }] : [],
  );
  ended.sort((left, right) => left.endedAt - right.endedAt);
  return ended.slice(0, limit).map(({ sagaId }) => sagaId);
}

function removeFrom(disk: MemoryDisk, sagaIds: readonly string[]): RemovedSagas {
  let removed = 0;
  for (const sagaId of sagaIds) {
    if (disk.sagas.get(sagaId)?.endedAt === undefined) continue;
    disk.sagas.delete(sagaId);
    removed += 1;
  }
  return { removed };
}

function isUnfinished(status: SagaStatus): boolean {
  return status === "running" || status === "parked" || status === "waiting";
}

function unavailable(message: string): Result<never, StoreUnavailable> {
  return err({ _tag: "StoreUnavailable", message });
}

function neverSettles(): Promise<never> {
  return new Promise(() => {});
}
