/** The door for participants: the transaction port, a memory database, the fence, the inbox, events and the relay. */

export { DatabaseCorrupt, type DatabaseError, DatabaseMisused, DatabaseUnavailable, isDatabaseError } from "./database/database-errors.ts";
export { createMemoryDatabase, type MemoryDatabaseOptions } from "./database/memory-database.ts";
export type { Database, Page, Table, Transaction } from "./database.ts";
export { type CloudEvent, type CloudEventInit, cloudEvent, type ExtensionValue } from "./events/cloud-event.ts";
export type {
  EventAttributeInvalid,
  EventAttributeMissing,
  EventBodyMalformed,
  EventContentUnsupported,
  EventInvalid,
  EventVersionUnsupported,
} from "./events/event-invalid.ts";
export { type EventMessage, type EventMode, formatEvent, parseEvent, type ReceivedMessage } from "./events/event-message.ts";
export type {
  ActAnswer,
  ActionDecision,
  Decision,
  EvidenceLost,
  Executed,
  Expired,
  KeyReused,
  NothingToUndo,
  Rejected,
  Replayed,
  ResolveAnswer,
  Running,
  Sealed,
  Succeeded,
  UndoAnswer,
  UndoDecision,
  Undone,
} from "./fence/answer.ts";
export { createFence, type Fence, type FenceOptions } from "./fence/fence.ts";
export { FenceMisused } from "./fence/fence-misused.ts";
export type { Conclusion, ForeignAction, ForeignUndo, ForeignVerdict } from "./fence/foreign.ts";
export type {
  ActionContext,
  FencedOperation,
  FencedUndo,
  ForeignContext,
  ForeignUndoContext,
  NamedOperation,
  UndoContext,
  UndoneKey,
} from "./fence/operation.ts";
export { type Consumed, createInbox, type Inbox, type InboxOptions, type Repeated } from "./inbox/inbox.ts";
export { OptionInvalid } from "./option-invalid.ts";
export type { Backoff } from "./relay/backoff.ts";
export { createHttpPublisher, type HttpPublisherOptions } from "./relay/http-publisher.ts";
export { cloudEventOf } from "./relay/outbox-event.ts";
export type { NotDelivered, Publisher } from "./relay/publisher.ts";
export { createRelay, type Relay, type RelayOptions } from "./relay/relay.ts";
export type { RelayNews, RelayObserver } from "./relay/relay-news.ts";
export { createSweeper, type Sweepable, type Sweeper, type SweeperNews, type SweeperOptions } from "./retention/sweeper.ts";
