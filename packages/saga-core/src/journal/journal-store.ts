/**
 * The journal port: what a store author implements. Small on purpose; `@backstep/saga-core/conformance` is its suite.
 *
 * A journal is a list of *records* per saga. One record is one append: the outcome of an operation and the intents that follow from it,
 * encoded by core as one opaque text. The store orders records, guards them by (sequence, epoch), and makes them durable; it never reads them.
 */
import type { Result } from "neverthrow";
import type { Outbox, OutboxEvent } from "./outbox.ts";
import type { StoreUnavailable } from "./store-unavailable.ts";

/**
 * What a store may index without reading records. `running`, `parked` and `waiting` are unfinished: something is under way, an operator is needed, or only time, a
 * signal or a lock moves the saga.
 */
export type SagaStatus = "running" | "parked" | "waiting" | "completed" | "compensated" | "abandoned";

/** Names of locks: any well-formed text, compared exactly. One namespace per store. */
export interface LockPlaces {
  /** Those that the saga has. */
  readonly held: readonly string[];
  /** Those that it stands in line for, as far as its journal knows. May repeat one that is held. */
  readonly wanted: readonly string[];
}

export interface AppendRequest {
  readonly sagaId: string;
  /** The record's place: 0 for the record that creates the saga, then one more each. A gap or a repeat is a conflict. */
  readonly sequence: number;
  /** The epoch under which the writer owns the saga: 1 for the creator, then as `claim` gave it. */
  readonly epoch: number;
  readonly saga: { readonly name: string; readonly version: number };
  /** The saga's status once this record counts. */
  readonly status: SagaStatus;
  /** When time moves the saga next, epoch milliseconds, once this record counts; absent when it does not. Replaces what an earlier record said. */
  readonly wakeAt?: number | undefined;
  /** The locks that the saga has and stands in line for, once this record counts. Replaces what an earlier record said; absent: that stays. See `append`. */
  readonly locks?: LockPlaces | undefined;
  /** Opaque text, at most `RECORD_CHARACTERS_MAX` characters. */
  readonly record: string;
  /** Events that become publishable with this record, in order. Same transaction, or nothing. */
  readonly outbox: readonly OutboxEvent[];
  /** Once this record counts nobody drives the saga: it leaves the memory of its worker. Means nothing to a store without workers. Default `false`. */
  readonly leaves?: boolean | undefined;
}

/** 4 Mi characters. Core refuses larger values before they reach a store. */
export const RECORD_CHARACTERS_MAX = 4 * 1024 * 1024;

/** Another writer was first: `sequence` is the place the next record of this saga takes. Nothing of the request was written. */
export interface SequenceConflict {
  readonly _tag: "SequenceConflict";
  readonly sagaId: string;
  readonly sequence: number;
}

/** The saga was claimed by another worker since: `epoch` is the current one. Nothing of the request was written. */
export interface StaleEpoch {
  readonly _tag: "StaleEpoch";
  readonly sagaId: string;
  readonly epoch: number;
}

export type AppendError = SequenceConflict | StaleEpoch | StoreUnavailable;

/** A saga's journal as it stands. `sagaId` holds `records.length` records; sequence of the next one is that length. */
export interface StoredJournal {
  readonly sagaId: string;
  readonly saga: { readonly name: string; readonly version: number };
  readonly status: SagaStatus;
  readonly epoch: number;
  /** How many claims have gone by since the last append: 0 when the saga moved under the current epoch. */
  readonly claimsWithoutProgress: number;
  /** In order of sequence. */
  readonly records: readonly string[];
}

/** What stands in the store for this saga is not what was written: a gap, a wrong checksum, an unknown format. Only this saga is concerned. */
export interface JournalCorrupt {
  readonly _tag: "JournalCorrupt";
  readonly sagaId: string;
  readonly message: string;
}

export type LoadError = JournalCorrupt | StoreUnavailable;

/** Another worker drives the saga, and its lease runs until then, epoch milliseconds of the store's clock. Nothing was changed. */
export interface SagaDriven {
  readonly _tag: "SagaDriven";
  readonly sagaId: string;
  readonly until: number;
}

export type ClaimError = LoadError | SagaDriven;

export interface ClaimOptions {
  /** If another worker drives the saga, that one is told to hand it over: it finds it among the `wanted` of `due`, until it lets go of it. Default `false`. */
  readonly want?: boolean | undefined;
}

export interface UnfinishedOptions {
  readonly limit: number;
  readonly after?: string | undefined;
  /** Default `false`: there may be a million that only wait. */
  readonly waiting?: boolean | undefined;
}

export interface DueSagas {
  readonly sagaIds: readonly string[];
  /** Epoch milliseconds of the first `wakeAt` after `until`; absent when there is none. */
  readonly next?: number | undefined;
  /** Sagas that this worker drives and another one wants, at most `limit`; absent when there is none. */
  readonly wanted?: readonly string[] | undefined;
}

export interface DueOptions {
  /** Epoch milliseconds of the store's clock. */
  readonly until: number;
  readonly limit: number;
}

export interface EndedOptions {
  /** Epoch milliseconds of the store's clock. */
  readonly before: number;
  readonly limit: number;
}

export interface EndedSagas {
  readonly sagaIds: readonly string[];
}

export interface RemovedSagas {
  /** How many sagas are gone by this call. */
  readonly removed: number;
}

export interface UnfinishedPage {
  /** Oldest first, by time of start. */
  readonly sagaIds: readonly string[];
  /** Hand it back for the next page; absent on the last one. */
  readonly next?: string | undefined;
}

/** How long a worker's sagas are its own, unless it renews: epoch milliseconds of the store's clock. */
export interface Lease {
  readonly until: number;
}

export interface OrphanOptions {
  readonly limit: number;
  readonly after?: string | undefined;
}

export interface OrphanPage {
  /** Oldest first, by time of start. */
  readonly orphans: readonly { readonly sagaId: string; readonly saga: AppendRequest["saga"] }[];
  /** Hand it back for the next page; absent on the last one. */
  readonly next?: string | undefined;
}

/**
 * What a store adds that several workers share: who drives which saga. One open store is one worker, and its lease is one for all of its sagas. A saga is driven by the worker that created or last
 * claimed it, until it ends, is let go of (`leaves`, `release`), or the worker's lease is over. Epochs alone keep a former owner from writing; leases keep workers from taking each
 * other's sagas without need.
 */
export interface Workers {
  /** Begins this worker's lease, or renews it: from now on for so long. Without one, anybody may claim its sagas. */
  renew(leaseMs: number): Promise<Result<Lease, StoreUnavailable>>;
  /** Ends the lease at once; whatever the worker drives can be claimed. Others are told. */
  leave(): Promise<Result<void, StoreUnavailable>>;
  /** Lets go of sagas; those that this worker does not drive are left alone. */
  release(sagaIds: readonly string[]): Promise<Result<void, StoreUnavailable>>;
  /** `running` sagas that nobody drives, in pages of at most `limit`. */
  orphans(options: OrphanOptions): Promise<Result<OrphanPage, StoreUnavailable>>;
  /**
   * Calls `listener` when another worker may have made a saga due, wants one, or left its sagas to others. It may be called for nothing, and may miss something: whoever needs to know looks from time to time, too. The
   * function handed back takes that back. Absent: the store cannot tell.
   */
  listen?(listener: () => void): () => void;
}

export interface JournalStore {
  /** The store's clock in epoch milliseconds. Budgets, horizons and retention are measured on it. */
  now(): number;
  /**
   * Appends one record if, and only if, its sequence and epoch are the current ones. Each request gets its own verdict, whatever becomes
   * of others that share its commit. When the verdict is `ok`, the record survives the process and, as far as the store promises it, the machine;
   * on `err`, nothing of it exists. Appends of one saga that are under way together take effect, and are answered `ok`, in the order of the calls:
   * what a record allows is done when its answer comes, and must not overtake what an earlier one allows.
   *
   * Per name of a lock the store keeps a line of sagas, and the first one holds the lock. In the transaction of the record, `locks` takes the saga out of the lines for names
   * that it does not list, and puts it at the end of those that it lists and does not stand in; a record that ends the saga takes it out of all of them. Nothing else moves a line: no
   * crash, claim or park. A saga that becomes the first one by another one's going is *due* from then on: its `wakeAt` becomes the store's present time, unless it is earlier. So is the
   * appending saga itself, when it is the first in line for a name that it lists as wanted. A record that lists as held a name which another saga holds is refused with
   * `StoreUnavailable`, whatever led to it.
   */
  append(request: AppendRequest): Promise<Result<void, AppendError>>;
  /** Reads a saga without taking it over; `undefined` when there is none. */
  load(sagaId: string): Promise<Result<StoredJournal | undefined, LoadError>>;
  /**
   * Takes a saga over: raises its epoch, so that every append under an older one is refused from then on, and reads it. `undefined` when there is none. `SagaDriven` only with
   * `workers`.
   */
  claim(sagaId: string, options?: ClaimOptions): Promise<Result<StoredJournal | undefined, ClaimError>>;
  /** Sagas that have not ended, in pages of at most `limit`; those that are `waiting` only when they are asked for. */
  unfinished(options: UnfinishedOptions): Promise<Result<UnfinishedPage, StoreUnavailable>>;
  /**
   * Unfinished sagas whose `wakeAt` is `until` or earlier, the longest over first, at most `limit`; and when the next one after `until` is. With `workers`, those that another one drives, under a lease
   * that runs, are left out.
   */
  due(options: DueOptions): Promise<Result<DueSagas, StoreUnavailable>>;
  /** The first saga in line for a name, which holds it; `undefined` when nobody stands there. */
  lockHolder(name: string): Promise<Result<string | undefined, StoreUnavailable>>;
  /** Ended sagas whose last append is older than `before`, the one that ended first first, at most `limit`. */
  ended(options: EndedOptions): Promise<Result<EndedSagas, StoreUnavailable>>;
  /**
   * Forgets ended sagas with all their records, in one transaction. Unfinished and unknown ones are left out; events that were committed and are not yet published stay. The
   * id is free afterwards: whoever starts it again starts a new saga, whose keys and event ids are those of the old one. So an id is used again, if at all, when neither
   * participants nor the outbox know it any more.
   */
  remove(sagaIds: readonly string[]): Promise<Result<RemovedSagas, StoreUnavailable>>;
  readonly outbox: Outbox;
  /** Absent: one process alone drives the sagas of this store, and whoever opens it takes them over. */
  readonly workers?: Workers | undefined;
  /** Settles what is under way, ends the lease, and releases the store. Appends called afterwards fail with `StoreUnavailable`. */
  close(): Promise<void>;
}
