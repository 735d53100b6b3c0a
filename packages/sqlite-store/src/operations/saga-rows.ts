/**
 * The row of a saga, as appends write it: created, or moved on from what it is known to be. Every UPDATE names all that is known, so that a row that is anything else is left alone. Runs inside the
 * batch's transaction.
 */
import type { AppendRequest, SagaStatus } from "@backstep/saga-core/journal";
import { checksumOfId } from "../checksum.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { KnownSaga } from "../known-sagas.ts";
import { isEnded, parseSagaRow } from "../row-codec.ts";

export interface SagaRows {
  find(sagaId: string): KnownSaga | undefined;
  /** `undefined`: it is there already. `record` is where its first record comes to stand. */
  create(request: AppendRequest, record: number): KnownSaga | undefined;
  /** Moves the row on, and `known` with it; `false`: the row is not what is known of it, and neither was touched. */
  move(known: KnownSaga, request: AppendRequest, record: number): boolean;
}

export interface SagaRowsContext {
  /** Names this open store among all that ever wrote to the file. */
  readonly writer: number;
  /** Whether it shares the file with other workers, and so drives what it writes to. */
  readonly shared: boolean;
  readonly now: () => number;
}

const IS_AS_KNOWN =
  "position = ? AND saga_id = ? AND next_sequence = ? AND epoch = ? AND status = ? AND wake_at IS ? AND driver IS ? AND last_record IS ?";
const ADVANCE = "UPDATE sagas SET next_sequence = ?, last_record = ?, claims_without_progress = 0";

export function prepareSagaRows(database: SqliteDatabase, { writer, shared, now }: SagaRowsContext): SagaRows {
  const findSaga = database.prepare("SELECT * FROM sagas WHERE saga_id = ?");
  const insert = database.prepare(
    `INSERT INTO sagas (saga_id, name, version, status, wake_at, ended_at, epoch, writer, next_sequence, claims_without_progress, started_at, driver, last_record)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, 0, ?, ?, ?) ON CONFLICT (saga_id) DO NOTHING`,
  );
  // Two statements, because naming `status` or `wake_at` would rewrite their indexes even where they stay the same.
  const advance = database.prepare(`${ADVANCE} WHERE ${IS_AS_KNOWN}`);
  const advanceTo = database.prepare(
    `${ADVANCE}, status = ?, wake_at = ?, ended_at = ?, driver = ?, wanted = wanted AND driver IS ? WHERE ${IS_AS_KNOWN}`,
  );

  /** Who drives the saga once this record counts. */
  function driverAfter({ status, leaves = false }: AppendRequest): number | undefined {
    return shared && !leaves && !isEnded(status) ? writer : undefined;
  }

  /** Runs the one or the other, by whether more than the sequence changes. */
  function update(known: KnownSaga, request: AppendRequest, record: number, driver: number | undefined): number | bigint {
    const { position, nextSequence, epoch, lastRecord } = known;
    const { sagaId, status, wakeAt } = request;
    const wake = known.wakeAt ?? null;
    const drove = known.driver ?? null;
    const last = lastRecord ?? null;
    if (status === known.status && wakeAt === known.wakeAt && driver === known.driver && !isEnded(status))
      return advance.run(nextSequence + 1, record, position, sagaId, nextSequence, epoch, status, wake, drove, last).changes;
    const [wakes, ended] = timesOf(status, wakeAt, now());
    const drives = driver ?? null;
    const values = [nextSequence + 1, record, status, wakes, ended, drives, drives] as const;
    return advanceTo.run(...values, position, sagaId, nextSequence, epoch, known.status, wake, drove, last).changes;
  }

  return {
    find(sagaId) {
      const row = findSaga.get(sagaId);
      if (row === undefined) return undefined;
      const { position, status, wakeAt, epoch, nextSequence, driver, lastRecord } = parseSagaRow(row);
      const idChecksum = checksumOfId(sagaId);
      return { position, status, wakeAt, epoch, nextSequence, driver, lastRecord, idChecksum, mayHavePlaces: true };
    },
    create(request, record) {
      const { sagaId, saga, status, wakeAt, epoch, locks } = request;
      const at = now();
      const driver = driverAfter(request);
      const [wakes, ended] = timesOf(status, wakeAt, at);
      const values = [sagaId, saga.name, saga.version, status, wakes, ended, epoch, writer, at, driver ?? null, record] as const;
      const { changes, lastInsertRowid } = insert.run(...values);
      if (Number(changes) === 0) return undefined;
      return {
        position: Number(lastInsertRowid),
        status,
        wakeAt: wakes ?? undefined,
        epoch,
        nextSequence: 1,
        driver,
        lastRecord: record,
        idChecksum: checksumOfId(sagaId),
        mayHavePlaces: locks !== undefined,
      };
    },
    move(known, request, record) {
      const driver = driverAfter(request);
      if (Number(update(known, request, record, driver)) !== 1) return false;
      known.nextSequence += 1;
      known.lastRecord = record;
      known.status = request.status;
      known.wakeAt = isEnded(request.status) ? undefined : request.wakeAt;
      known.driver = driver;
      known.mayHavePlaces ||= request.locks !== undefined;
      return true;
    },
  };
}

/** `wake_at` and `ended_at`: a saga has the one or the other. */
function timesOf(status: SagaStatus, wakeAt: number | undefined, at: number): readonly [number | null, number | null] {
  return isEnded(status) ? [null, at] : [wakeAt ?? null, null];
}
