/** The claim: raises a saga's epoch and reads its journal, in the batch's transaction. A journal that cannot be read is not taken over. */
import type { LoadError, StoredJournal } from "@backstep/saga-core/journal";
import { ok, type Result } from "neverthrow";
import type { SqliteDatabase } from "../driver.ts";
import type { ReadJournal } from "./read-journal.ts";

export interface ClaimOperation {
  claim(sagaId: string): Result<StoredJournal | undefined, LoadError>;
  /** Whether the saga still belongs to this very store under that epoch. */
  landed(sagaId: string, epoch: number): boolean;
}

export function prepareClaim(database: SqliteDatabase, writer: number, readJournal: ReadJournal): ClaimOperation {
  const raise = database.prepare("UPDATE sagas SET epoch = ?, writer = ?, claims_without_progress = ? WHERE saga_id = ?");
  const findEvidence = database.prepare("SELECT 1 FROM sagas WHERE saga_id = ? AND epoch = ? AND writer = ?");

  return {
    claim(sagaId) {
      const read = readJournal(sagaId);
      if (read.isErr() || read.value === undefined) return read;
      const epoch = read.value.epoch + 1;
      const claimsWithoutProgress = read.value.claimsWithoutProgress + 1;
      raise.run(epoch, writer, claimsWithoutProgress, sagaId);
      return ok({ ...read.value, epoch, claimsWithoutProgress });
    },
    landed: (sagaId, epoch) => findEvidence.get(sagaId, epoch, writer) !== undefined,
  };
}
