/**
 * The relay: takes committed events out of an outbox and publishes them, at least once, in the order of each lane. Owns when to look into
 * the outbox and how far; who publishes when is `relay-lanes.ts`.
 *
 * A lane whose event cannot be published rests, longer with each failure in a row, and tries again for ever: an event is never dropped and
 * never overtaken within its lane, and other lanes go on.
 */
import { hostTimer, type Random, type Timer } from "@backstep/saga-core/adapter";
import type { Outbox } from "@backstep/saga-core/journal";
import { attempt } from "./attempt.ts";
import type { Backoff } from "./backoff.ts";
import { DeliveryMarks } from "./delivery-marks.ts";
import type { Publisher } from "./publisher.ts";
import { RelayLanes } from "./relay-lanes.ts";
import { harmless, type RelayObserver } from "./relay-news.ts";

export interface RelayOptions {
  readonly outbox: Outbox;
  readonly publisher: Publisher;
  /** How often to look when nobody nudges, in milliseconds. Default 1,000. */
  readonly intervalMs?: number | undefined;
  /** How many events to ask for besides those that wait in this relay. Default 100. */
  readonly batchSize?: number | undefined;
  /** How many lanes are published side by side. Default 8. */
  readonly concurrency?: number | undefined;
  /**
   * How many events may wait in this relay, for a turn or for a receiver to come back. With more than that behind failing lanes, new events
   * of other lanes wait too, and `WindowFull` is told. Default 10,000.
   */
  readonly windowMax?: number | undefined;
  /** Default: half a second, doubling to a minute. A receiver's own wish is honoured up to the same cap. */
  readonly backoff?: Backoff | undefined;
  readonly timer?: Timer | undefined;
  readonly random?: Random | undefined;
  readonly observe?: RelayObserver | undefined;
}

export interface Relay {
  /** Looks at once, or once more when a look is under way. Lanes that rest go on resting. */
  nudge(): void;
  /** Starts no further delivery and resolves when those in flight have ended and are marked. The rest stays in the outbox. */
  stop(): Promise<void>;
}

const BACKOFF_DEFAULT: Backoff = { initialMs: 500, maxMs: 60_000 };

/**
 * Creates a relay and starts it.
 *
 * A crash between a delivery and its mark in the outbox repeats the delivery, with the same id; receivers drop repeats by (source, id).
 * Several relays on one outbox are safe and deliver more repeats.
 */
export function createRelay(options: RelayOptions): Relay {
  const { outbox, intervalMs = 1_000, batchSize = 100, windowMax = 10_000, timer = hostTimer } = options;
  const observe = harmless(options.observe);
  const stopping = new AbortController();
  let alarm = new AbortController();
  let windowWasFull = false;
  const nudge = (): void => alarm.abort();

  const marks = new DeliveryMarks(outbox, observe);
  const lanes = new RelayLanes({
    publisher: options.publisher,
    concurrency: options.concurrency ?? 8,
    backoff: options.backoff ?? BACKOFF_DEFAULT,
    random: options.random ?? Math.random,
    observe,
    signal: stopping.signal,
    rest: (delayMs) => timer.sleep(delayMs, stopping.signal),
    delivered: (id) => marks.delivered(id),
    idle: () => {
      if (windowWasFull) nudge();
    },
  });

  /** @returns Whether to look again at once: the outbox held more, and there is somebody to publish it. */
  async function look(): Promise<boolean> {
    await marks.flush();
    marks.beginLook();
    // Twice what waits here, so that a backlog behind failing lanes is passed in few looks.
    const limit = batchSize + Math.min(windowMax, 2 * marks.knownCount);
    const pending = await attempt(() => outbox.pending({ limit }));
    if (pending.isErr()) {
      observe({ _tag: "OutboxUnavailable", message: pending.error.message });
      return false;
    }
    const fresh = marks.absorb(pending.value);
    windowWasFull = pending.value.length >= limit;
    lanes.add(fresh);
    if (windowWasFull && fresh.length === 0) observe({ _tag: "WindowFull", waiting: marks.knownCount });
    return windowWasFull && fresh.length > 0 && lanes.hasFreePlace;
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      // Armed before the look, so that a nudge during it is not lost.
      alarm = new AbortController();
      if (!(await look()) && !stopping.signal.aborted) await timer.sleep(intervalMs, alarm.signal);
    }
    await lanes.settled();
    await marks.flush();
  }

  const running = run();
  return {
    nudge,
    stop() {
      stopping.abort();
      nudge();
      return running;
    },
  };
}
