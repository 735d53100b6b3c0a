/** The publisher port: what a relay hands events to. A broker's client or an HTTP one fits behind it. */
import type { Result } from "neverthrow";
import type { CloudEvent } from "../events/cloud-event.ts";

/** It did not arrive, or nobody knows whether it did. The relay sends it again. */
export interface NotDelivered {
  readonly _tag: "NotDelivered";
  readonly message: string;
  /** What the receiver asked for before the next attempt, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

export interface Publisher {
  /**
   * `ok` when every receiver has taken the event over. May throw instead of answering `err`.
   *
   * @param signal - Aborts when the relay gives the attempt up and will make another one. A delivery that goes on all the same may
   * arrive behind later events of its lane.
   */
  publish(event: CloudEvent, signal?: AbortSignal): Promise<Result<void, NotDelivered>>;
}
