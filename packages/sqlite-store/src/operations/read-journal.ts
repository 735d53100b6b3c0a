/** Reads a saga's rows as a journal. Two statements: the caller gives them one transaction, so that they see one state. */
import type { JournalCorrupt, StoredJournal } from "@backstep/saga-core/journal";
import { ok, type Result } from "neverthrow";
import type { SqliteDatabase } from "../driver.ts";
import { parseJournal, parseSagaRow, RowUnreadable } from "../row-codec.ts";
import { CORRUPT, describeFailure, resultCode } from "../sqlite-failure.ts";

/** @throws what SQLite throws; `damageOf` tells whether it is damage to this saga's rows. */
export type ReadJournal = (sagaId: string) => Result<StoredJournal | undefined, JournalCorrupt>;

export function prepareReadJournal(database: SqliteDatabase): ReadJournal {
  const findSaga = database.prepare("SELECT * FROM sagas WHERE saga_id = ?");
  const listRecords = database.prepare("SELECT sequence, epoch, checksum, record FROM records WHERE saga = ? ORDER BY sequence");

  return (sagaId) => {
    const row = findSaga.get(sagaId);
    if (row === undefined) return ok(undefined);
    const saga = parseSagaRow(row);
    return parseJournal(sagaId, saga, listRecords.all(saga.position));
  };
}

/** Tells damage to a saga's rows or pages from a database that does not answer; `undefined` for the latter. */
export function damageOf(sagaId: string, error: unknown): JournalCorrupt | undefined {
  const isDamage = error instanceof RowUnreadable || resultCode(error) === CORRUPT || isNumberTooLarge(error);
  if (!isDamage) return undefined;
  return { _tag: "JournalCorrupt", sagaId, message: `the journal of saga ${sagaId} cannot be read: ${describeFailure(error)}` };
}

/** How `node:sqlite` refuses an integer that a number does not hold exactly; this store writes none. */
function isNumberTooLarge(error: unknown): boolean {
  return error instanceof RangeError && "code" in error && error.code === "ERR_OUT_OF_RANGE";
}
