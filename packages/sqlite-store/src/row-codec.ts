/**
 * Rows to values and back. Owns the checksum of a record, and the judgement whether the rows of a saga are the journal that was written:
 * complete, in order, unchanged. Knows no SQL.
 */
import { crc32 } from "node:zlib";
import type { JournalCorrupt, OutboxEvent, SagaStatus, StoredJournal } from "@backstep/saga-core/journal";
import { err, ok, type Result } from "neverthrow";
import type { Row, SqliteValue } from "./driver.ts";

export interface SagaRow {
  readonly position: number;
  readonly saga: { readonly name: string; readonly version: number };
  readonly status: SagaStatus;
  readonly wakeAt: number | undefined;
  readonly epoch: number;
  readonly nextSequence: number;
  readonly claimsWithoutProgress: number;
  /** The worker that drives it. */
  readonly driver: number | undefined;
}

export interface ChecksumInput {
  readonly sagaId: string;
  readonly saga: { readonly name: string; readonly version: number };
  readonly sequence: number;
  readonly epoch: number;
  readonly record: string;
}

/** A column does not hold what the schema says it holds. */
export class RowUnreadable extends Error {
  readonly _tag = "RowUnreadable";
}

const statuses: readonly string[] = [
  "running",
  "parked",
  "waiting",
  "completed",
  "compensated",
  "abandoned",
] satisfies readonly SagaStatus[];

const endedStatuses: readonly SagaStatus[] = ["completed", "compensated", "abandoned"];

/**
 * CRC-32 over a record and its place, so that a row that moved to another place is noticed as well as one that changed. The first record
 * vouches for the saga's name and version too. It finds accidents; whoever can write the file can also write checksums.
 */
export function recordChecksum({ sagaId, saga, sequence, epoch, record }: ChecksumInput): number {
  const place = sequence === 0 ? [sagaId, sequence, epoch, saga.name, saga.version] : [sagaId, sequence, epoch];
  return crc32(record, crc32(JSON.stringify(place)));
}

export function parseSagaRow(row: Row): SagaRow {
  return {
    position: integerOf(row, "position"),
    saga: { name: textOf(row, "name"), version: integerOf(row, "version") },
    status: statusOf(row),
    wakeAt: row["wake_at"] === null ? undefined : integerOf(row, "wake_at"),
    epoch: integerOf(row, "epoch"),
    nextSequence: integerOf(row, "next_sequence"),
    claimsWithoutProgress: integerOf(row, "claims_without_progress"),
    driver: row["driver"] === null ? undefined : integerOf(row, "driver"),
  };
}

/** @param rows - The saga's rows in order of sequence. */
export function parseJournal(sagaId: string, sagaRow: SagaRow, rows: readonly Row[]): Result<StoredJournal, JournalCorrupt> {
  const { saga, status, epoch, nextSequence, claimsWithoutProgress } = sagaRow;
  const corrupt = (problem: string): Result<never, JournalCorrupt> =>
    err({ _tag: "JournalCorrupt", sagaId, message: `the journal of saga ${sagaId} is damaged: ${problem}` });

  const records: string[] = [];
  for (const [place, row] of rows.entries()) {
    const sequence = integerOf(row, "sequence");
    if (sequence !== place) return corrupt(`record ${place} is missing, record ${sequence} follows`);
    const record = textOf(row, "record");
    const checksum = recordChecksum({ sagaId, saga, sequence, epoch: integerOf(row, "epoch"), record });
    if (checksum !== integerOf(row, "checksum")) return corrupt(`record ${sequence} does not match its checksum`);
    records.push(record);
  }
  if (records.length !== nextSequence) return corrupt(`${nextSequence} records were written, ${records.length} are there`);
  return ok({ sagaId, saga, status, epoch, claimsWithoutProgress, records });
}

export function eventValues({ id, type, source, subject, time, sagaId, data }: OutboxEvent): SqliteValue[] {
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

export function integerOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw new RowUnreadable(`column ${column} holds ${typeof value} ${String(value)} in place of an integer`);
}

export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === "string") return value;
  throw new RowUnreadable(`column ${column} holds ${typeof value} in place of text`);
}

export function isText(value: unknown): boolean {
  return typeof value === "string" && value.isWellFormed();
}

export function isEnded(status: SagaStatus): boolean {
  return endedStatuses.includes(status);
}

function statusOf(row: Row): SagaStatus {
  const status = textOf(row, "status");
  if (statuses.includes(status)) return status as SagaStatus;
  throw new RowUnreadable(`column status holds ${JSON.stringify(status)}, expected one of ${statuses.join(", ")}`);
}
