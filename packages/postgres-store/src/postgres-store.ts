/** The journal port on Postgres: composition only. What a write does is in `schema/`, how writes share a commit in `writing/`. */
import { randomInt } from "node:crypto";
import type { AppendError, JournalStore, StoreUnavailable, Workers } from "@backstep/saga-core/journal";
import { err, ok, type Result } from "neverthrow";
import { connect, createPool } from "./connection/connect.ts";
import { createNotices } from "./connection/notices.ts";
import { describeFailure } from "./connection/postgres-failure.ts";
import { createStoreClock } from "./connection/store-clock.ts";
import { openDatabase } from "./open-database.ts";
import { appendWrite, isName, NAME_RULES, problemOf } from "./operations/append.ts";
import { claimSaga } from "./operations/claim.ts";
import { createLists } from "./operations/lists.ts";
import { createReadSaga, damageOf } from "./operations/read-journal.ts";
import { createRelay } from "./operations/relay.ts";
import { releaseWrite, removeWrite } from "./operations/release-and-remove.ts";
import { checkedOptions, type PostgresStoreOptions } from "./options.ts";
import { textOf } from "./row-codec.ts";
import { channelOf } from "./schema/0002-writing.ts";
import { quoted } from "./schema/migrate.ts";
import { createLease } from "./workers.ts";
import { createKnownSagas } from "./writing/known-sagas.ts";
import { createLane, type Lane } from "./writing/lane.ts";
import { unavailable } from "./writing/write.ts";
import { createWriteQueue } from "./writing/write-queue.ts";

export interface PostgresStore extends JournalStore {
  readonly workers: Workers;
  /** Counted since this store was opened. */
  statistics(): PostgresStoreStatistics;
}

export interface PostgresStoreStatistics {
  /** Transactions of writes that were committed. */
  readonly commits: number;
  /** Connections that were lost while they were to commit, and what became of it was found out. */
  readonly settlements: number;
}

/** 48 bits: two open stores do not share a number, and Postgres and JavaScript both hold it exactly. */
const WORKERS_MAX = 2 ** 48 - 1;

/**
 * Opens the journal in a schema of a Postgres database, and brings the schema up to date. Any number of stores, on any machines, may be open on it; each is a worker of its own.
 *
 * A write that was answered `ok` is committed; a crash before leaves nothing of it, a crash after the commit and before the answer leaves all of it. When the connection is lost in between, the
 * store finds out by what is committed, and answers then.
 *
 * @throws {PostgresStoreNotOpened} when an option, the server or what lies in the schema is wrong; what lies there is not touched.
 */
export async function createPostgresStore(options: PostgresStoreOptions = {}): Promise<PostgresStore> {
  const checked = checkedOptions(options);
  const { schema: name, writersMax, readersMax, answerTimeoutMs } = checked;
  const clock = createStoreClock();
  await openDatabase(checked, clock);

  const schema = quoted(name);
  const channel = channelOf(schema);
  const worker = randomInt(1, WORKERS_MAX);
  const pool = createPool(checked, readersMax);
  const known = createKnownSagas<Lane>();
  const notices = createNotices({ channel, connect: () => connect(checked) });
  const lease = createLease({ pool, schema, channel, worker, clock });
  const lists = createLists(pool, schema, worker);
  const relay = createRelay(pool, schema);
  const readSaga = createReadSaga(pool, schema, readersMax);
  const firstInLine = `SELECT saga_id FROM ${schema}.sagas WHERE position = ${schema}.first_in_line($1)`;
  let settlements = 0;
  let closing: Promise<void> | undefined;

  const queue = createWriteQueue({
    worker,
    known,
    createLanes: (changed) =>
      Array.from({ length: writersMax }, () =>
        createLane({
          schema,
          worker,
          clock,
          connect: () => connect(checked),
          opened: known.doubtAll,
          lost: known.doubtAll,
          doubted: changed,
          settled() {
            settlements += 1;
          },
        }),
      ),
  });

  async function guarded<Value, Failure = never>(
    operation: () => Promise<Result<Value, Failure | StoreUnavailable>>,
    failureOf?: (error: unknown) => Failure | undefined,
  ): Promise<Result<Value, Failure | StoreUnavailable>> {
    if (closing !== undefined) return closed();
    try {
      return await operation();
    } catch (error) {
      const failure = failureOf?.(error);
      return failure === undefined ? unavailable(describeFailure(error)) : err(failure);
    }
  }

  const asked = <Value>(operation: () => Promise<Value>): Promise<Result<Value, StoreUnavailable>> =>
    guarded(async () => ok(await operation()));

  async function close(): Promise<void> {
    for (const lane of queue.lanes) lane.giveUpAt(performance.now() + answerTimeoutMs);
    await queue.close();
    // Whoever cannot say goodbye is missed when the lease is over.
    await lease.vanish().catch(() => undefined);
    await Promise.all([pool.end(), notices.close(), ...queue.lanes.map((lane) => lane.close())]);
  }

  const workers: Workers = {
    renew: (leaseMs) => asked(() => lease.renew(leaseMs)),
    leave: () => asked(() => lease.leave()),
    release: (sagaIds) =>
      guarded<void>(async () => {
        const released = await Promise.all(
          sagaIds
            .filter(isName)
            .map((sagaId) => new Promise<Result<void, StoreUnavailable>>((resolve) => queue.enqueue(releaseWrite(sagaId, known, resolve)))),
        );
        return released.find((each) => each.isErr()) ?? ok();
      }),
    orphans: (page) => asked(() => lists.orphans(page)),
    listen: (listener) => (closing === undefined ? notices.listen(listener) : () => undefined),
  };

  return {
    now: clock.now,
    append(request) {
      if (closing !== undefined) return Promise.resolve(closed());
      const problem = problemOf(request);
      if (problem !== undefined) return Promise.resolve(unavailable(problem));
      return new Promise<Result<void, AppendError>>((resolve) => queue.enqueue(appendWrite(request, known.track(request.sagaId), resolve)));
    },
    load: (sagaId) =>
      guarded(
        async () => (isName(sagaId) ? (await readSaga(sagaId)).map((found) => found?.journal) : ok(undefined)),
        (error) => damageOf(sagaId, error),
      ),
    claim: (sagaId, claiming) =>
      guarded(
        async () =>
          isName(sagaId) ? claimSaga({ read: readSaga, track: known.track, enqueue: queue.enqueue }, sagaId, claiming) : ok(undefined),
        (error) => damageOf(sagaId, error),
      ),
    unfinished: (page) => asked(() => lists.unfinished(page)),
    due: (wanted) => asked(() => lists.due(wanted)),
    lockHolder: (lockName) =>
      guarded(async () => {
        if (!isName(lockName)) return unavailable(`the name of a lock is text ${NAME_RULES}; another was asked for`);
        const { rows } = await pool.query({ name: "lock_holder", text: firstInLine, values: [lockName] });
        const [row] = rows as readonly Readonly<Record<string, unknown>>[];
        return ok(row === undefined ? undefined : textOf(row, "saga_id"));
      }),
    ended: (wanted) => asked(() => lists.ended(wanted)),
    remove: (sagaIds) =>
      guarded(
        () =>
          new Promise((resolve) => {
            for (const sagaId of sagaIds) known.forget(sagaId);
            queue.enqueue(removeWrite(sagaIds.filter(isName), resolve));
          }),
      ),
    outbox: {
      pending: ({ limit }) => asked(() => relay.listPending(limit)),
      published: (ids) => asked(() => relay.forget(ids.filter(isName))),
    },
    workers,
    close() {
      closing ??= close();
      return closing;
    },
    statistics: () => ({ commits: queue.commits(), settlements }),
  };
}

function closed(): Result<never, StoreUnavailable> {
  return unavailable("this store is closed");
}
