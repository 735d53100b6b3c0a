/** The door for participants: the transaction port, a memory database, the fence, the inbox, events and the relay. */

export { DatabaseCorrupt, type DatabaseError, DatabaseMisused, DatabaseUnavailable, isDatabaseError } from "./database/database-errors.ts";
export { createMemoryDatabase, type MemoryDatabaseOptions } from "./database/memory-database.ts";
export type { Database, Page, Table, Transaction } from "./database.ts";
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
