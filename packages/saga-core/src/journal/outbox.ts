/**
 * The outbox: events committed with the entry that makes them true, and published afterwards, at least once. A part of the journal port; what publishes is a relay.
 */
import type { Result } from "neverthrow";
import type { StoreUnavailable } from "./store-unavailable.ts";

/** An event of a saga, fixed at commit. Publishing adds nothing to it, so every delivery of it is the same. */
export interface OutboxEvent {
  /** Unique over all sagas of the store; equal over deliveries. */
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly subject?: string | undefined;
  /** RFC 3339, from the store's clock. */
  readonly time: string;
  readonly sagaId: string;
  /** JSON text of the event's data. */
  readonly data: string;
}

/** The events that were committed and not yet marked as published. Publishing is a relay's work, at least once. */
export interface Outbox {
  /** Oldest first. */
  pending(options: { readonly limit: number }): Promise<Result<readonly OutboxEvent[], StoreUnavailable>>;
  /** Forgets events by id; unknown ids are ignored. */
  published(ids: readonly string[]): Promise<Result<void, StoreUnavailable>>;
}
