/** Named locks: taking one. Letting go is part of the append that ends a saga, see `append-record.ts`. */
import type { LockAnswer, LockRequest, StaleEpoch, StoreUnavailable } from "@backstep/saga-core/journal";
import { err, ok, type Result } from "neverthrow";
import type { SqliteDatabase } from "../driver.ts";
import { isEnded, isText, parseSagaRow, textOf } from "../row-codec.ts";
import { unavailable } from "../write-queue.ts";

export interface LockOperation {
  lock(request: LockRequest): Result<LockAnswer, StaleEpoch | StoreUnavailable>;
  /** Whether what was answered is so: the lock has the holder that was named, and the caller still owns its saga. */
  landed(request: LockRequest, answer: LockAnswer): boolean;
}

export function prepareLock(database: SqliteDatabase): LockOperation {
  const findSaga = database.prepare("SELECT * FROM sagas WHERE saga_id = ?");
  const findHolder = database.prepare("SELECT sagas.saga_id FROM locks JOIN sagas ON sagas.position = locks.saga WHERE locks.name = ?");
  const insertLock = database.prepare("INSERT INTO locks (name, saga) VALUES (?, ?)");

  function holderOf(name: string): string | undefined {
    const row = findHolder.get(name);
    return row === undefined ? undefined : textOf(row, "saga_id");
  }

  return {
    lock({ sagaId, epoch, name }) {
      const row = findSaga.get(sagaId);
      const saga = row === undefined ? undefined : parseSagaRow(row);
      if (saga !== undefined && epoch !== saga.epoch) return err({ _tag: "StaleEpoch", sagaId, epoch: saga.epoch });
      if (saga === undefined || isEnded(saga.status)) return unavailable(`saga ${sagaId} has ended or is not there, and gets no lock`);
      const holder = holderOf(name);
      if (holder !== undefined && holder !== sagaId) return ok({ _tag: "HeldBy", sagaId: holder });
      if (holder === undefined) insertLock.run(name, saga.position);
      return ok({ _tag: "Granted" });
    },
    landed({ sagaId, epoch, name }, answer) {
      const row = findSaga.get(sagaId);
      const holder = answer._tag === "Granted" ? sagaId : answer.sagaId;
      return row !== undefined && parseSagaRow(row).epoch === epoch && holderOf(name) === holder;
    },
  };
}

/** What SQLite would bend: two names could become one. `undefined`: nothing. */
export function problemOfLock({ sagaId, name }: LockRequest): string | undefined {
  return isText(name) ? undefined : `the name of a lock is well-formed text; saga ${sagaId} brought another`;
}
