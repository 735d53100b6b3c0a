/** The log of all records, in order of their writing, and the chain that each saga's records make in it. Runs inside the batch's transaction. */
import type { SqliteDatabase } from "../driver.ts";
import { integerOf } from "../row-codec.ts";

export interface NewRecord {
  /** Position of the saga. */
  readonly saga: number;
  readonly sequence: number;
  readonly epoch: number;
  readonly checksum: number;
  /** Position of the saga's record before this one. */
  readonly previous: number | null;
  readonly record: string;
}

export interface RecordLog {
  /** Where the next record comes to stand. */
  end(): number;
  /** Puts a record at the end. */
  add(record: NewRecord): void;
  /** Another connection may have written to the log. */
  forgetEnd(): void;
  /** Removes a saga's records, from its last one on. */
  remove(saga: number, lastRecord: number | undefined, count: number): void;
}

export const REMOVE_RECORD = "DELETE FROM records WHERE position = ? AND saga = ? RETURNING previous";

export function prepareRecordLog(database: SqliteDatabase, writer: number): RecordLog {
  const findEnd = database.prepare("SELECT coalesce(max(position), 0) + 1 AS position FROM records");
  const insert = database.prepare(
    "INSERT INTO records (position, saga, sequence, epoch, writer, checksum, previous, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const removeOne = database.prepare(REMOVE_RECORD);
  const removeAll = database.prepare("DELETE FROM records WHERE saga = ?");
  let known: number | undefined;

  function end(): number {
    known ??= integerOf(findEnd.get() ?? {}, "position");
    return known;
  }

  return {
    end,
    add({ saga, sequence, epoch, checksum, previous, record }) {
      insert.run(end(), saga, sequence, epoch, writer, checksum, previous, record);
      known = end() + 1;
    },
    forgetEnd() {
      known = undefined;
    },
    remove(saga, lastRecord, count) {
      let removed = 0;
      let position = lastRecord;
      while (position !== undefined) {
        const row = removeOne.get(position, saga);
        if (row === undefined) break;
        removed += 1;
        position = row["previous"] === null ? undefined : integerOf(row, "previous");
      }
      // A chain that is damaged: what it does not lead to is found by reading the whole log.
      if (removed !== count) removeAll.run(saga);
    },
  };
}
