/** Rows to values and back. Knows no SQL. */
import type { OutboxEvent, SagaStatus } from "@backstep/saga-core/journal";
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
  /** Position of its last record. */
  readonly lastRecord: number | undefined;
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
    lastRecord: row["last_record"] === null ? undefined : integerOf(row, "last_record"),
  };
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
