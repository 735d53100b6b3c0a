/** What can be watched from outside: every entry, attempt, deciding query, park and recovery, as plain data. Watching changes nothing: see `harmless`. */
import type { Quarantine } from "../errors/parked.ts";
import type { Entry } from "../journal/entry.ts";
import type { SagaStatus } from "../journal/journal-store.ts";
import type { Slot } from "../primitives/idempotency-key.ts";
import { freezeJson, type Json } from "../primitives/json.ts";

/** An entry became durable. A park is an `OperationParked`, an end a `SagaCompleted`, `SagaCompensated` or `OperatorAbandoned`. */
export interface EntryAppended {
  readonly _tag: "EntryAppended";
  readonly sagaId: string;
  readonly saga: { readonly name: string; readonly version: number };
  /** The record's. */
  readonly sequence: number;
  readonly entry: Entry;
}

/** One attempt of an operation ended. */
export interface AttemptMade {
  readonly _tag: "AttemptMade";
  readonly sagaId: string;
  readonly path: string;
  readonly step: string;
  readonly slot: Slot;
  /** 1-based, since the operation was last taken up. */
  readonly attempt: number;
  /** The attempt's tag: `Succeeded`, `Rejected`, or a fault's. */
  readonly outcome: string;
  readonly tookMs: number;
}

/** One deciding query of an operation in doubt was answered, or was not. */
export interface QueryMade {
  readonly _tag: "QueryMade";
  readonly sagaId: string;
  readonly path: string;
  readonly step: string;
  readonly slot: Slot;
  /** 1-based. */
  readonly asked: number;
  /** What it found: `Succeeded`, `NotApplied`, `SealedForGood` or `StillUnknown`. */
  readonly found: string;
  readonly tookMs: number;
}

/** A saga was taken over from its journal: at the engine's start, when its time had come, or because somebody asked for it. */
export interface SagaAdopted {
  readonly _tag: "SagaAdopted";
  readonly sagaId: string;
  readonly saga: { readonly name: string; readonly version: number };
  readonly epoch: number;
  /** Entries that were replayed. */
  readonly entries: number;
}

/** No definition here can drive it. */
export interface SagaQuarantined {
  readonly _tag: "SagaQuarantined";
  readonly sagaId: string;
  readonly quarantine: Quarantine;
}

/** It left memory: at rest, or because its journal moved on without this engine. */
export interface SagaLeft {
  readonly _tag: "SagaLeft";
  readonly sagaId: string;
  readonly status: SagaStatus | "lost" | "closed";
  /** When time moves it next, epoch milliseconds. */
  readonly wakeAt?: number | undefined;
}

/** The engine has taken up what was unfinished when it started. */
export interface RecoveryEnded {
  readonly _tag: "RecoveryEnded";
  readonly adopted: number;
  readonly quarantined: number;
}

export type SagaNotice = EntryAppended | AttemptMade | QueryMade | SagaAdopted | SagaQuarantined | SagaLeft | RecoveryEnded;

/** Called with every notice, in order. What it throws or rejects with is dropped; what it returns is not waited for. */
export type Observer = (notice: SagaNotice) => unknown;

/**
 * Not within the engine's own turn, so that an observer that throws, or asks the engine something, is no part of what it watches. Frozen, for what a notice tells of is the
 * engine's own.
 */
export function harmless(observer: Observer): (notice: SagaNotice) => void {
  return (notice) => {
    freezeJson(notice as unknown as Json);
    void Promise.resolve(notice)
      .then(observer)
      .catch(() => undefined);
  };
}
