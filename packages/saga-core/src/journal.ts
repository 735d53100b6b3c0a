/** The door for store authors: the journal port and the memory store that shows it done. */
export type {
  AppendError,
  AppendRequest,
  ClaimError,
  ClaimOptions,
  DueOptions,
  DueSagas,
  EndedOptions,
  EndedSagas,
  JournalCorrupt,
  JournalStore,
  Lease,
  LoadError,
  LockPlaces,
  OrphanOptions,
  OrphanPage,
  RemovedSagas,
  SagaDriven,
  SagaStatus,
  SequenceConflict,
  StaleEpoch,
  StoredJournal,
  UnfinishedOptions,
  UnfinishedPage,
  Workers,
} from "./journal/journal-store.ts";
export { RECORD_CHARACTERS_MAX } from "./journal/journal-store.ts";
export {
  createMemoryDisk,
  createMemoryStore,
  type MemoryDisk,
  type MemoryStore,
  type MemoryStoreFaults,
  type MemoryStoreOptions,
} from "./journal/memory-store.ts";
export type { Outbox, OutboxEvent } from "./journal/outbox.ts";
export type { StoreUnavailable } from "./journal/store-unavailable.ts";
