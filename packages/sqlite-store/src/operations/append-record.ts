/**
 * The append: guards first, then the saga's row, its places in line for locks, the record and its events. Runs inside the batch's transaction and
 * writes nothing when a guard refuses; when SQLite does, the batch runs anew without it. Also finds the evidence of an append whose COMMIT lost its answer.
 */
import { type AppendError, type AppendRequest, RECORD_CHARACTERS_MAX, type SagaStatus } from "@backstep/saga-core/journal";
import { err, ok, type Result } from "neverthrow";
import type { SqliteDatabase } from "../driver.ts";
import { eventValues, isEnded, isText, parseSagaRow, recordChecksum, type SagaRow } from "../row-codec.ts";
import { unavailable } from "../write-queue.ts";
import type { LockLines } from "./lock-lines.ts";

export interface AppendOperation {
  append(request: AppendRequest): Result<void, AppendError>;
  /** Whether the row of this request stands, written by this very store: equal bytes of a rival are no evidence. */
  landed(request: AppendRequest): boolean;
}

export interface AppendContext {
  /** Names this open store among all that ever wrote to the file. */
  readonly writer: number;
  /** Whether it shares the file with other workers, and so drives what it writes to. */
  readonly shared: boolean;
  readonly now: () => number;
}

export function prepareAppend(database: SqliteDatabase, lockLines: LockLines, { writer, shared, now }: AppendContext): AppendOperation {
  const findSaga = database.prepare("SELECT * FROM sagas WHERE saga_id = ?");
  const insertSaga = database.prepare(
    `INSERT INTO sagas (saga_id, name, version, status, wake_at, ended_at, epoch, writer, next_sequence, claims_without_progress, started_at, driver)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, 0, ?, ?) RETURNING position`,
  );
  // Two statements, because naming `status` or `wake_at` would rewrite their indexes even where they stay the same.
  const advance = database.prepare("UPDATE sagas SET next_sequence = ?, claims_without_progress = 0 WHERE position = ?");
  const advanceTo = database.prepare(
    "UPDATE sagas SET next_sequence = ?, claims_without_progress = 0, status = ?, wake_at = ?, ended_at = ?, driver = ?, wanted = wanted AND driver IS ? WHERE position = ?",
  );
  const insertRecord = database.prepare("INSERT INTO records (saga, sequence, epoch, writer, checksum, record) VALUES (?, ?, ?, ?, ?, ?)");
  const insertEvent = database.prepare("INSERT INTO outbox (id, type, source, subject, time, saga_id, data) VALUES (?, ?, ?, ?, ?, ?, ?)");
  const findEvidence = database.prepare(
    `SELECT 1 FROM records JOIN sagas ON records.saga = sagas.position
     WHERE sagas.saga_id = ? AND records.sequence = ? AND records.epoch = ? AND records.writer = ?`,
  );

  /** Who drives the saga once this record counts. */
  function driverAfter({ status, leaves = false }: AppendRequest): number | null {
    return shared && !leaves && !isEnded(status) ? writer : null;
  }

  function create(request: AppendRequest): number {
    const { sagaId, saga, status, wakeAt, epoch } = request;
    const at = now();
    const times = timesOf(status, wakeAt, at);
    const row = insertSaga.get(sagaId, saga.name, saga.version, status, ...times, epoch, writer, at, driverAfter(request));
    return Number(row?.["position"]);
  }

  function move(stored: SagaRow, request: AppendRequest): number {
    const { position } = stored;
    const { sequence, status, wakeAt } = request;
    const driver = driverAfter(request);
    const stays = status === stored.status && wakeAt === stored.wakeAt && driver === (stored.driver ?? null) && !isEnded(status);
    if (stays) advance.run(sequence + 1, position);
    else advanceTo.run(sequence + 1, status, ...timesOf(status, wakeAt, now()), driver, driver, position);
    return position;
  }

  /** A saga that is first in line for what it waits for is due: it can go on. */
  function dated(request: AppendRequest, saga: number | undefined): AppendRequest {
    if (!lockLines.headsAny(saga, request.locks?.wanted ?? [])) return request;
    return { ...request, wakeAt: Math.min(request.wakeAt ?? Number.POSITIVE_INFINITY, now()) };
  }

  return {
    append(request) {
      const row = findSaga.get(request.sagaId);
      const stored = row === undefined ? undefined : parseSagaRow(row);
      const guarded = guard(request, stored);
      if (guarded.isErr()) return guarded;
      const { sagaId, sequence, epoch, record, outbox } = request;
      const ends = isEnded(request.status);
      const locks = ends ? undefined : request.locks;
      const stolen = lockLines.findStolen(stored?.position, locks?.held ?? []);
      if (stolen !== undefined) return unavailable(`another saga than ${sagaId} holds the lock ${stolen}`);
      const moving = dated(request, stored?.position);
      const position = stored === undefined ? create(moving) : move(stored, moving);
      if (ends) lockLines.leaveAll(position);
      else if (locks !== undefined) lockLines.takePlaces(position, locks);
      insertRecord.run(position, sequence, epoch, writer, recordChecksum(request), record);
      for (const event of outbox) insertEvent.run(...eventValues(event));
      return ok();
    },
    landed(request) {
      const { sagaId, sequence, epoch } = request;
      return findEvidence.get(sagaId, sequence, epoch, writer) !== undefined;
    },
  };
}

/** `wake_at` and `ended_at`: a saga has the one or the other. */
function timesOf(status: SagaStatus, wakeAt: number | undefined, at: number): readonly [number | null, number | null] {
  return isEnded(status) ? [null, at] : [wakeAt ?? null, null];
}

function guard({ sagaId, sequence, epoch }: AppendRequest, stored: SagaRow | undefined): Result<void, AppendError> {
  const sequenceNext = stored?.nextSequence ?? 0;
  const epochCurrent = stored?.epoch ?? 1;
  // The creator has no epoch to lose: it meets the saga that is already there, whoever owns that one now.
  if (sequence === 0 && sequenceNext > 0) return err({ _tag: "SequenceConflict", sagaId, sequence: sequenceNext });
  if (epoch !== epochCurrent) return err({ _tag: "StaleEpoch", sagaId, epoch: epochCurrent });
  if (sequence !== sequenceNext) return err({ _tag: "SequenceConflict", sagaId, sequence: sequenceNext });
  return ok();
}

/** What SQLite would refuse or bend, found before the request queues with others. `undefined`: nothing. */
export function problemOf({ sagaId, sequence, epoch, saga, wakeAt, locks, record, outbox }: AppendRequest): string | undefined {
  if (!isText(sagaId) || sagaId.length === 0) return "a saga id is a non-empty, well-formed text";
  if (!Number.isSafeInteger(sequence) || sequence < 0) return `a sequence is an integer from 0; saga ${sagaId} brought ${sequence}`;
  if (!Number.isSafeInteger(epoch) || epoch < 1) return `an epoch is an integer from 1; saga ${sagaId} brought ${epoch}`;
  if (wakeAt !== undefined && !Number.isSafeInteger(wakeAt))
    return `a wakeAt is whole epoch milliseconds; saga ${sagaId} brought ${wakeAt}`;
  if (!isText(saga.name) || !Number.isSafeInteger(saga.version)) return `a saga has a name and an integer version; ${sagaId} has not`;
  if (locks !== undefined && ![...locks.held, ...locks.wanted].every(isText))
    return `the name of a lock is well-formed text; saga ${sagaId} brought another`;
  if (record.length > RECORD_CHARACTERS_MAX) {
    return `a record has at most ${RECORD_CHARACTERS_MAX} characters; record ${sequence} of saga ${sagaId} has ${record.length}`;
  }
  // SQLite keeps text as UTF-8, which has no lone surrogates: one would come back as another character.
  if (!isText(record)) return `a record is well-formed text; record ${sequence} of saga ${sagaId} holds a lone surrogate`;
  const event = outbox.find(({ id, type, source, subject = "", time, sagaId: of, data }) =>
    [id, type, source, subject, time, of, data].some((text) => !isText(text)),
  );
  return event === undefined ? undefined : `events are well-formed text; one with record ${sequence} of saga ${sagaId} is not`;
}
