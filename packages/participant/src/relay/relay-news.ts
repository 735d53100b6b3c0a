/** What a relay tells whoever watches it. Watching cannot harm: what an observer throws or rejects with is dropped. */

export type RelayNews =
  | { readonly _tag: "EventPublished"; readonly id: string; readonly type: string }
  /** `failures` counts those in a row of the event's lane. `retryInMs`: how long the lane rests. */
  | {
      readonly _tag: "EventNotPublished";
      readonly id: string;
      readonly type: string;
      readonly message: string;
      readonly failures: number;
      readonly retryInMs: number;
    }
  | { readonly _tag: "OutboxUnavailable"; readonly message: string }
  /** So many events wait in the relay that it looks no further; what stands behind them in the outbox waits too. */
  | { readonly _tag: "WindowFull"; readonly waiting: number };

export type RelayObserver = (news: RelayNews) => void;
