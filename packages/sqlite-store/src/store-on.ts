/** The journal port on a connection: composition only. What a write does is in `operations/`, how writes share a commit in `write-queue.ts` and `batch.ts`. */
import { randomInt } from "node:crypto";
import type { AppendError, AppendRequest, JournalStore, StoreUnavailable, Workers } from "@backstep/saga-core/journal";
import { err, ok, type Result } from "neverthrow";
import type { SqliteDatabase } from "./driver.ts";
import { problemOf } from "./operations/append-problem.ts";
import { prepareAppend } from "./operations/append-record.ts";
import { prepareClaim } from "./operations/claim-saga.ts";
import { prepareRetention } from "./operations/forget-ended.ts";
import { prepareListDue } from "./operations/list-due.ts";
import { prepareListUnfinished } from "./operations/list-unfinished.ts";
import { prepareLockLines } from "./operations/lock-lines.ts";
import { damageOf, prepareReadJournal } from "./operations/read-journal.ts";
import { prepareRecordLog } from "./operations/record-log.ts";
import { prepareRelay } from "./operations/relay-events.ts";
import { prepareWorkerLeases, type WorkerLeases } from "./operations/worker-leases.ts";
import { retryWhileBusy } from "./retry-while-busy.ts";
import { isText } from "./row-codec.ts";
import { describeFailure } from "./sqlite-failure.ts";
import { createWriteQueue, type Deliver, unavailable, type WriteQueueStatistics } from "./write-queue.ts";

export interface SqliteStore extends JournalStore {
  /** Counted since this store was opened. */
  statistics(): SqliteStoreStatistics;
}

export type SqliteStoreStatistics = WriteQueueStatistics;

/** 48 bits: two open stores do not share a number, and SQLite and JavaScript both hold it exactly. */
const WRITERS_MAX = 2 ** 48 - 1;

export function newWriter(): number {
  return randomInt(WRITERS_MAX);
}

export interface StoreOnOptions {
  readonly busyTimeoutMs: number;
  readonly shared?: boolean;
  /** The name of this open store, also to its leases. Default: a new one. */
  readonly writer?: number | undefined;
  /** How many of the sagas that it wrote to it remembers. Default: 16,384, and as many again that it wrote to before those. */
  readonly remembersMax?: number | undefined;
  readonly now: () => number;
}

export type Answered = Deliver<void, AppendError>;

/** What a thread needs of a store beside the port: an append of which `problemOf` found nothing, answered without a promise. */
export interface StoreOfThread {
  readonly store: SqliteStore;
  appendSound(request: AppendRequest, answered: Answered): void;
  readonly lastCommitMs: () => number;
  /** As `close` of the store, but leaves the worker's lease alone: another connection works on under its name. */
  end(): Promise<void>;
}

/** The store on a database that is already open and prepared; `close` closes it. */
export function storeOn(database: SqliteDatabase, options: StoreOnOptions): SqliteStore {
  return storeOfThread(database, options).store;
}

export function storeOfThread(
  database: SqliteDatabase,
  { busyTimeoutMs, shared = false, writer = newWriter(), remembersMax, now }: StoreOnOptions,
): StoreOfThread {
  const readJournal = prepareReadJournal(database);
  const lockLines = prepareLockLines(database, now);
  const leases = shared ? prepareWorkerLeases(database, writer, now) : undefined;
  const log = prepareRecordLog(database, writer);
  const appends = prepareAppend(database, { log, lockLines, writer, shared, remembersMax, now });
  const queue = createWriteQueue(database, { busyTimeoutMs, memory: appends });
  const claims = prepareClaim(database, writer, readJournal, leases);
  const listUnfinished = prepareListUnfinished(database);
  const listDue = prepareListDue(database, { worker: writer, leases, now });
  const retention = prepareRetention(database, log);
  const relay = prepareRelay(database);
  let closing: Promise<void> | undefined;

  async function guarded<Value, Failure>(
    operation: () => Promise<Result<Value, Failure | StoreUnavailable>>,
    failureOf?: (error: unknown) => Failure | undefined,
  ): Promise<Result<Value, Failure | StoreUnavailable>> {
    if (closing !== undefined) return unavailable("this store is closed");
    try {
      return await operation();
    } catch (error) {
      const failure = failureOf?.(error);
      return failure === undefined ? unavailable(describeFailure(error)) : err(failure);
    }
  }

  function read<Value, Failure = never>(
    operation: () => Result<Value, Failure>,
    failure?: (error: unknown) => Failure | undefined,
  ): Promise<Result<Value, Failure | StoreUnavailable>> {
    return guarded(() => retryWhileBusy(() => inOneSnapshot(database, operation), busyTimeoutMs), failure);
  }

  function end(): Promise<void> {
    closing ??= queue.drain().then(() => database.close());
    return closing;
  }

  function workersOn(held: WorkerLeases): Workers {
    // Repeating any of these is harmless, so no evidence is needed that one took effect.
    const write = (run: () => void) => guarded(() => queue.enqueue({ run: () => ok(run()), landed: () => false, characters: 0 }));
    return {
      renew: (leaseMs) =>
        guarded(() => {
          const lease = { until: now() + leaseMs };
          const run = () => {
            held.renew(lease.until);
            return ok(lease);
          };
          return queue.enqueue({ run, landed: ({ until }) => held.renewed(until), characters: 0 });
        }),
      leave: () => write(() => held.leave()),
      release: (sagaIds) => write(() => held.release(sagaIds)),
      orphans: (options) => read(() => ok(held.listOrphans(options))),
    };
  }

  function appendSound(request: AppendRequest, answered: Answered): void {
    if (closing !== undefined) return answered(unavailable("this store is closed"));
    const characters = request.outbox.reduce((sum, { data }) => sum + data.length, request.record.length);
    queue.add({ run: () => appends.append(request), landed: (record) => appends.landed(request, record), characters }, (verdict) =>
      answered(verdict.isOk() ? APPENDED : err(verdict.error)),
    );
  }

  const store: SqliteStore = {
    now,
    append(request) {
      const problem = closing === undefined ? problemOf(request) : undefined;
      if (problem !== undefined) return Promise.resolve(unavailable(problem));
      return new Promise((resolve) => appendSound(request, resolve));
    },
    load: (sagaId) =>
      read(
        () => readJournal(sagaId),
        (error) => damageOf(sagaId, error),
      ),
    claim: (sagaId, options) =>
      guarded(() =>
        queue.enqueue({
          run: () => claims.claim(sagaId, options),
          failure: (error) => damageOf(sagaId, error),
          landed: (journal) => journal === undefined || claims.landed(sagaId, journal.epoch),
          characters: 0,
        }),
      ),
    unfinished: (options) => read(() => ok(listUnfinished(options))),
    due: (options) => read(() => ok(listDue(options))),
    lockHolder: (name) =>
      read(() =>
        isText(name) ? ok(lockLines.holder(name)) : unavailable("the name of a lock is well-formed text; another was asked for"),
      ),
    ended: (options) => read(() => ok(retention.listEnded(options))),
    remove: (sagaIds) =>
      guarded(async () => {
        const removed = await queue.enqueue({
          run: () => ok(retention.remove(sagaIds)),
          landed: ({ positions }) => retention.landed(positions),
          characters: 0,
        });
        return removed.map(({ removed: count }) => ({ removed: count }));
      }),
    outbox: {
      pending: ({ limit }) => read(() => ok(relay.listPending(limit))),
      // No evidence tells who removed an event, and none is needed: forgetting it twice is harmless.
      published: (ids) => guarded(() => queue.enqueue({ run: () => ok(relay.forget(ids)), landed: () => false, characters: 0 })),
    },
    workers: leases === undefined ? undefined : workersOn(leases),
    close() {
      // Not waited for, since it comes after what may be in doubt and given up. A lease that cannot be ended runs out.
      if (closing === undefined && leases !== undefined)
        void queue.enqueue({ run: () => ok(leases.leave()), landed: () => false, characters: 0 });
      return end();
    },
    statistics: queue.statistics,
  };
  return { store, appendSound, lastCommitMs: queue.lastCommitMs, end };
}

const APPENDED: Result<void, never> = ok();

/** Several statements, one state of the file. It never meets a batch's transaction: neither gives up the thread. */
function inOneSnapshot<Value>(database: SqliteDatabase, operation: () => Value): Value {
  database.exec("BEGIN");
  try {
    return operation();
  } finally {
    if (database.isTransaction) database.exec("ROLLBACK");
  }
}
