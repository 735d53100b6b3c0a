/**
 * Rows to values and back. Owns the checksum of a record, and the judgement whether the rows of a saga are the journal that was written: complete, in order, unchanged. Knows no SQL.
 */
import { crc32 } from "node:zlib";
import type { JournalCorrupt, OutboxEvent, SagaStatus, StoredJournal } from "@backstep/saga-core/journal";
import { err, ok, type Result } from "neverthrow";

export type Row = Readonly<Record<string, unknown>>;

export interface ChecksumInput {
  /** Of the saga's id; see `sagaSeed`. */
  readonly seed: number;
  readonly saga: { readonly name: string; readonly version: number };
  readonly sequence: number;
  readonly epoch: number;
  readonly record: string;
}

/** A column does not hold what the schema says it holds. */
export class RowUnreadable extends Error {
  readonly _tag = "RowUnreadable";
}

/** In the order of their numbers in the table; the last three have ended. */
const STATUSES: readonly SagaStatus[] = ["running", "parked", "waiting", "completed", "compensated", "abandoned"];
const ENDED_FROM = 3;

export function statusNumber(status: SagaStatus): number {
  return STATUSES.indexOf(status);
}

export function isEnded(status: SagaStatus): boolean {
  return statusNumber(status) >= ENDED_FROM;
}

export function sagaSeed(sagaId: string): number {
  return crc32(sagaId);
}

/**
 * CRC-32 over a record and its place, so that a row that moved to another place is noticed as well as one that changed. The first record vouches for the saga's name and version too. It
 * finds accidents; whoever can write the tables can also write checksums. Signed, as the column is.
 */
export function recordChecksum({ seed, saga, sequence, epoch, record }: ChecksumInput): number {
  const named = sequence === 0 ? crc32(JSON.stringify([saga.name, saga.version]), seed) : seed;
  // Odd factors: no two places of one saga begin alike.
  const place = (named ^ Math.imul(sequence, 0x9e3779b1) ^ Math.imul(epoch, 0x85ebca6b)) >>> 0;
  return crc32(record, place) | 0;
}

export interface ReadJournal {
  readonly position: number;
  readonly journal: StoredJournal;
  readonly wakeAt: number | undefined;
}

/** @param rows - Of the saga joined with its records, in order of sequence; never none. One without a record has nulls in its place. */
export function parseJournal(sagaId: string, rows: readonly [Row, ...Row[]]): Result<ReadJournal, JournalCorrupt> {
  const corrupt = (problem: string): Result<never, JournalCorrupt> =>
    err({ _tag: "JournalCorrupt", sagaId, message: `the journal of saga ${sagaId} is damaged: ${problem}` });
  const [head] = rows;
  const saga = { name: textOf(head, "name"), version: integerOf(head, "version") };
  const seed = sagaSeed(sagaId);
  const records: string[] = [];
  for (const row of rows) {
    if (row["sequence"] === null) break;
    const place = records.length;
    const sequence = integerOf(row, "sequence");
    if (sequence !== place) return corrupt(`record ${place} is missing, record ${sequence} follows`);
    const record = textOf(row, "record");
    const checksum = recordChecksum({ seed, saga, sequence, epoch: integerOf(row, "record_epoch"), record });
    if (checksum !== integerOf(row, "checksum")) return corrupt(`record ${sequence} does not match its checksum`);
    records.push(record);
  }
  const length = integerOf(head, "length");
  if (records.length < length) return corrupt(`at least ${length} records were written, ${records.length} are there`);
  const claimsWithoutProgress = integerOf(head, "claims_at") === records.length ? integerOf(head, "claims") : 0;
  const journal = { sagaId, saga, status: statusOf(head), epoch: integerOf(head, "epoch"), claimsWithoutProgress, records };
  const wakeAt = head["wake_at"] === null ? undefined : integerOf(head, "wake_at");
  return ok({ position: integerOf(head, "position"), journal, wakeAt });
}

/** As `insert_events` takes it. */
export function eventValues({ id, type, source, subject, time, sagaId, data }: OutboxEvent): readonly (string | null)[] {
  return [id, type, source, subject ?? null, time, sagaId, data];
}

export function parseEvent(row: Row): OutboxEvent {
  return {
    id: textOf(row, "id"),
    type: textOf(row, "type"),
    source: textOf(row, "source"),
    ...(row["subject"] === null ? {} : { subject: textOf(row, "subject") }),
    time: textOf(row, "time"),
    sagaId: textOf(row, "saga_id"),
    data: textOf(row, "data"),
  };
}

/** `pg` hands out bigints as text. */
export function integerOf(row: Row, column: string): number {
  const value = row[column];
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number)) return number;
  throw new RowUnreadable(`column ${column} holds ${typeof value} ${String(value)} in place of an integer`);
}

export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === "string") return value;
  throw new RowUnreadable(`column ${column} holds ${typeof value} in place of text`);
}

function statusOf(row: Row): SagaStatus {
  const status = STATUSES[integerOf(row, "status")];
  if (status !== undefined) return status;
  throw new RowUnreadable(`column status holds ${String(row["status"])}, expected 0 to ${STATUSES.length - 1}`);
}
