/**
 * The append: guards first, then the saga's row, its places in line for locks, the record and its events. Runs inside the batch's transaction and
 * writes nothing when a guard refuses; when SQLite does, the batch runs anew without it. Also finds the evidence of an append whose COMMIT lost its answer.
 */
import type { AppendError, AppendRequest } from "@backstep/saga-core/journal";
import { err, ok, type Result } from "neverthrow";
import type { BatchMemory } from "../batch.ts";
import { recordChecksum } from "../checksum.ts";
import type { SqliteDatabase } from "../driver.ts";
import { createKnownSagas, type KnownSaga } from "../known-sagas.ts";
import { eventValues, isEnded } from "../row-codec.ts";
import { unavailable } from "../write-queue.ts";
import type { LockLines } from "./lock-lines.ts";
import type { RecordLog } from "./record-log.ts";
import { prepareSagaRows, type SagaRowsContext } from "./saga-rows.ts";

export interface AppendOperation extends BatchMemory {
  /** Tells where the record stands. */
  append(request: AppendRequest): Result<number, AppendError>;
  /** Whether the row of this request stands there, written by this very store: equal bytes of a rival are no evidence. */
  landed(request: AppendRequest, record: number): boolean;
}

export interface AppendContext extends SagaRowsContext {
  readonly log: RecordLog;
  readonly lockLines: LockLines;
  readonly remembersMax?: number | undefined;
}

export function prepareAppend(database: SqliteDatabase, context: AppendContext): AppendOperation {
  const { log, lockLines, writer, remembersMax, now } = context;
  const sagas = createKnownSagas(remembersMax);
  const rows = prepareSagaRows(database, context);
  const insertEvent = database.prepare("INSERT INTO outbox (id, type, source, subject, time, saga_id, data) VALUES (?, ?, ?, ?, ?, ?, ?)");
  const findEvidence = database.prepare(
    `SELECT 1 FROM records JOIN sagas ON records.saga = sagas.position
     WHERE records.position = ? AND sagas.saga_id = ? AND records.sequence = ? AND records.epoch = ? AND records.writer = ?`,
  );

  /** A saga that is first in line for what it waits for is due: it can go on. */
  function dated(request: AppendRequest, saga: number | undefined): AppendRequest {
    if (!lockLines.headsAny(saga, request.locks?.wanted ?? [])) return request;
    return { ...request, wakeAt: Math.min(request.wakeAt ?? Number.POSITIVE_INFINITY, now()) };
  }

  /** Writes what guards have let pass. `undefined`: the saga's row is not what is known of it, and nothing was written. */
  function write(known: KnownSaga | undefined, request: AppendRequest): number | undefined {
    const { sagaId, sequence, epoch, status, locks, record, outbox } = request;
    const position = log.end();
    const previous = known?.lastRecord ?? null;
    const moved = known === undefined ? rows.create(request, position) : rows.move(known, request, position) ? known : undefined;
    if (moved === undefined) return undefined;
    const saga = moved.position;
    if (isEnded(status)) {
      if (moved.mayHavePlaces) lockLines.leaveAll(saga);
      sagas.drop(sagaId);
    } else {
      if (locks !== undefined) lockLines.takePlaces(saga, locks);
      if (moved !== known) sagas.keep(sagaId, moved);
    }
    log.add({ saga, sequence, epoch, checksum: recordChecksum(request, record, moved.idChecksum), previous, record });
    for (const event of outbox) insertEvent.run(...eventValues(event));
    return position;
  }

  /** Without looking, from what is known: most appends are of sagas that only this store writes to. `undefined`: it takes a look. */
  function appendKnown(request: AppendRequest): number | undefined {
    const { sagaId, sequence, epoch, locks } = request;
    if (locks !== undefined) return undefined;
    if (sequence === 0) return epoch === 1 ? write(undefined, request) : undefined;
    const known = sagas.find(sagaId);
    return known !== undefined && known.nextSequence === sequence && known.epoch === epoch ? write(known, request) : undefined;
  }

  function appendSeen(request: AppendRequest): Result<number, AppendError> {
    const { sagaId, status } = request;
    const stored = rows.find(sagaId);
    const guarded = guard(request, stored);
    if (guarded.isErr()) return err(guarded.error);
    const locks = isEnded(status) ? undefined : request.locks;
    const stolen = lockLines.findStolen(stored?.position, locks?.held ?? []);
    if (stolen !== undefined) return unavailable(`another saga than ${sagaId} holds the lock ${stolen}`);
    if (stored !== undefined) sagas.keep(sagaId, stored);
    const position = write(stored, dated(request, stored?.position));
    // Seen in this very transaction, so it can only be a row that SQLite does not read as it wrote it.
    return position === undefined ? unavailable(`the row of saga ${sagaId} cannot be written`) : ok(position);
  }

  return {
    append(request) {
      const position = appendKnown(request);
      return position === undefined ? appendSeen(request) : ok(position);
    },
    landed({ sagaId, sequence, epoch }, record) {
      return findEvidence.get(record, sagaId, sequence, epoch, writer) !== undefined;
    },
    began: log.forgetEnd,
    undone: sagas.clear,
  };
}

function guard({ sagaId, sequence, epoch }: AppendRequest, stored: KnownSaga | undefined): Result<void, AppendError> {
  const sequenceNext = stored?.nextSequence ?? 0;
  const epochCurrent = stored?.epoch ?? 1;
  // The creator has no epoch to lose: it meets the saga that is already there, whoever owns that one now.
  if (sequence === 0 && sequenceNext > 0) return err({ _tag: "SequenceConflict", sagaId, sequence: sequenceNext });
  if (epoch !== epochCurrent) return err({ _tag: "StaleEpoch", sagaId, epoch: epochCurrent });
  if (sequence !== sequenceNext) return err({ _tag: "SequenceConflict", sagaId, sequence: sequenceNext });
  return ok();
}
