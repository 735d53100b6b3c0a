/**
 * The lanes of a relay: queues of events that are published one after the other, side by side with other lanes. Owns who may publish now
 * and how long a lane rests after a failure; a lane gives its place away after each event, so that a long one does not starve the others.
 */
import type { Random, Timer } from "@backstep/saga-core/adapter";
import type { OutboxEvent } from "@backstep/saga-core/journal";
import { err, type Result } from "neverthrow";
import type { CloudEvent } from "../events/cloud-event.ts";
import { attempt, type PortThrew } from "./attempt.ts";
import { type Backoff, backoffMs } from "./backoff.ts";
import { cloudEventOf, laneOf } from "./outbox-event.ts";
import type { NotDelivered, Publisher } from "./publisher.ts";
import type { RelayObserver } from "./relay-news.ts";

export interface LaneOptions {
  readonly publisher: Publisher;
  readonly publishTimeoutMs: number;
  readonly timer: Timer;
  readonly concurrency: number;
  readonly backoff: Backoff;
  readonly random: Random;
  readonly observe: RelayObserver;
  readonly signal: AbortSignal;
  /** Resolves when the time is over, or at once when the relay stops. */
  readonly rest: (delayMs: number) => Promise<void>;
  readonly delivered: (id: string) => void;
  /** A place is free and no lane wants it. */
  readonly idle: () => void;
}

interface Lane {
  readonly name: string;
  readonly queue: OutboxEvent[];
  failures: number;
  state: "ready" | "busy" | "resting";
}

export class RelayLanes {
  readonly #options: LaneOptions;
  /** In the order in which they take turns. */
  readonly #lanes = new Map<string, Lane>();
  readonly #inFlight = new Set<Promise<void>>();

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get hasFreePlace(): boolean {
    return this.#inFlight.size < this.#options.concurrency;
  }

  add(events: readonly OutboxEvent[]): void {
    for (const event of events) {
      const name = laneOf(event);
      const lane = this.#lanes.get(name) ?? { name, queue: [], failures: 0, state: "ready" };
      lane.queue.push(event);
      this.#lanes.set(name, lane);
    }
    this.#fill();
  }

  /** Resolves when no delivery is in flight. */
  async settled(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
  }

  #fill(): void {
    for (const lane of this.#lanes.values()) {
      if (!this.hasFreePlace || this.#options.signal.aborted) return;
      if (lane.state === "ready") this.#start(lane);
    }
  }

  #start(lane: Lane): void {
    lane.state = "busy";
    const turn = this.#turn(lane).finally(() => {
      this.#inFlight.delete(turn);
      this.#fill();
      if (this.hasFreePlace) this.#options.idle();
    });
    this.#inFlight.add(turn);
  }

  async #turn(lane: Lane): Promise<void> {
    const event = lane.queue.at(0);
    if (event === undefined) return;
    const published = await this.#publish(event);
    this.#lanes.delete(lane.name);
    if (published.isErr()) {
      this.#lanes.set(lane.name, lane);
      this.#rest(lane, event, published.error);
      return;
    }
    lane.queue.shift();
    lane.failures = 0;
    lane.state = "ready";
    // Behind the others; an empty one is forgotten.
    if (lane.queue.length > 0) this.#lanes.set(lane.name, lane);
    this.#options.observe({ _tag: "EventPublished", id: event.id, type: event.type });
    this.#options.delivered(event.id);
  }

  async #publish(event: OutboxEvent): Promise<Result<void, NotDelivered | PortThrew>> {
    const cloudEvent = cloudEventOf(event);
    if (cloudEvent.isErr()) return err({ _tag: "NotDelivered", message: `the stored event is none: ${cloudEvent.error._tag}` });
    return this.#inTime(cloudEvent.value);
  }

  /** A publisher that never answers would keep its place for ever. */
  async #inTime(event: CloudEvent): Promise<Result<void, NotDelivered | PortThrew>> {
    const { publisher, publishTimeoutMs, timer } = this.#options;
    const [givingUp, answered] = [new AbortController(), new AbortController()];
    const tooLate = timer.sleep(publishTimeoutMs, answered.signal).then((): Result<void, NotDelivered> => {
      givingUp.abort();
      return err({ _tag: "NotDelivered", message: `the publisher did not answer within ${publishTimeoutMs} ms` });
    });
    const published = await Promise.race([attempt(() => publisher.publish(event, givingUp.signal)), tooLate]);
    answered.abort();
    return published;
  }

  #rest(lane: Lane, { id, type }: OutboxEvent, failure: NotDelivered | PortThrew): void {
    const { backoff, random, observe, rest } = this.#options;
    lane.failures += 1;
    lane.state = "resting";
    const wished = failure._tag === "NotDelivered" ? (failure.retryAfterMs ?? 0) : 0;
    const retryInMs = Math.max(backoffMs(backoff, lane.failures, random), Math.min(wished, backoff.maxMs));
    observe({ _tag: "EventNotPublished", id, type, message: failure.message, failures: lane.failures, retryInMs });
    void rest(retryInMs).then(() => {
      lane.state = "ready";
      this.#fill();
    });
  }
}
