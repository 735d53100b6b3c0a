/** The claim: unless another worker drives the saga, raises its epoch and reads its journal, in the batch's transaction. A journal that cannot be read is not taken over. */
import type { ClaimError, ClaimOptions, StoredJournal } from "@backstep/saga-core/journal";
import { err, ok, type Result } from "neverthrow";
import type { SqliteDatabase } from "../driver.ts";
import { isEnded } from "../row-codec.ts";
import type { ReadJournal } from "./read-journal.ts";
import type { WorkerLeases } from "./worker-leases.ts";

export interface ClaimOperation {
  claim(sagaId: string, options?: ClaimOptions): Result<StoredJournal | undefined, ClaimError>;
  /** Whether the saga still belongs to this very store under that epoch. */
  landed(sagaId: string, epoch: number): boolean;
}

/** @param leases - Absent: the file is this store's alone, and nobody drives anything. */
export function prepareClaim(
  database: SqliteDatabase,
  writer: number,
  readJournal: ReadJournal,
  leases: WorkerLeases | undefined,
): ClaimOperation {
  const findDriver = database.prepare("SELECT driver FROM sagas WHERE saga_id = ?");
  const raise = database.prepare(
    "UPDATE sagas SET epoch = ?, writer = ?, claims_without_progress = ?, driver = ?, wanted = 0 WHERE saga_id = ?",
  );
  const findEvidence = database.prepare("SELECT 1 FROM sagas WHERE saga_id = ? AND epoch = ? AND writer = ?");

  return {
    claim(sagaId, { want = false } = {}) {
      const driver = leases === undefined ? null : findDriver.get(sagaId)?.["driver"];
      const until = leases?.drivenUntil(typeof driver === "number" ? driver : undefined);
      if (until !== undefined) {
        if (want) leases?.want(sagaId);
        return err({ _tag: "SagaDriven", sagaId, until });
      }
      const read = readJournal(sagaId);
      if (read.isErr() || read.value === undefined) return read;
      const epoch = read.value.epoch + 1;
      const claimsWithoutProgress = read.value.claimsWithoutProgress + 1;
      const drives = leases !== undefined && !isEnded(read.value.status);
      raise.run(epoch, writer, claimsWithoutProgress, drives ? writer : null, sagaId);
      return ok({ ...read.value, epoch, claimsWithoutProgress });
    },
    landed: (sagaId, epoch) => findEvidence.get(sagaId, epoch, writer) !== undefined,
  };
}
