/**
 * Reads a saga's rows as a journal, and judges whether they are what was written: complete, in order, unchanged. Several statements: the caller gives them one transaction, so that they see one state.
 */
import type { JournalCorrupt, StoredJournal } from "@backstep/saga-core/journal";
import { err, ok, type Result } from "neverthrow";
import { matchesChecksum } from "../checksum.ts";
import type { SqliteDatabase } from "../driver.ts";
import { integerOf, parseSagaRow, RowUnreadable, type SagaRow, textOf } from "../row-codec.ts";
import { CORRUPT, describeFailure, resultCode } from "../sqlite-failure.ts";

/** @throws what SQLite throws; `damageOf` tells whether it is damage to this saga's rows. */
export type ReadJournal = (sagaId: string) => Result<StoredJournal | undefined, JournalCorrupt>;

export function prepareReadJournal(database: SqliteDatabase): ReadJournal {
  const findSaga = database.prepare("SELECT * FROM sagas WHERE saga_id = ?");
  const findRecord = database.prepare("SELECT saga, sequence, epoch, checksum, previous, record FROM records WHERE position = ?");

  /** Backwards, from the last record on: each says where the one before it stands. */
  function readChain(sagaId: string, { position, saga, nextSequence, lastRecord }: SagaRow): Result<readonly string[], string> {
    const records: string[] = [];
    let place = lastRecord;
    for (let sequence = nextSequence - 1; sequence >= 0; sequence--) {
      const row = place === undefined ? undefined : findRecord.get(place);
      if (row === undefined || integerOf(row, "saga") !== position || integerOf(row, "sequence") !== sequence)
        return err(`${nextSequence} records were written, record ${sequence} is missing`);
      const record = textOf(row, "record");
      if (!matchesChecksum(integerOf(row, "checksum"), { sagaId, saga, sequence, epoch: integerOf(row, "epoch") }, record))
        return err(`record ${sequence} does not match its checksum`);
      records.push(record);
      place = row["previous"] === null ? undefined : integerOf(row, "previous");
    }
    return place === undefined ? ok(records.reverse()) : err("a record stands before the first");
  }

  return (sagaId) => {
    const row = findSaga.get(sagaId);
    if (row === undefined) return ok(undefined);
    const sagaRow = parseSagaRow(row);
    const { saga, status, epoch, claimsWithoutProgress } = sagaRow;
    return readChain(sagaId, sagaRow)
      .map((records) => ({ sagaId, saga, status, epoch, claimsWithoutProgress, records }))
      .mapErr((problem) => ({ _tag: "JournalCorrupt", sagaId, message: `the journal of saga ${sagaId} is damaged: ${problem}` }));
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
