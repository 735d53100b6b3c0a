/**
 * The relay: takes committed events out of an outbox and publishes them, at least once, in the order of each lane. Owns when to look into
 * the outbox and how far; who publishes when is `relay-lanes.ts`.
 *
 * A lane whose event cannot be published rests, longer with each failure in a row, and tries again for ever: an event is never dropped and
 * never overtaken within its lane, and other lanes go on.
 */
import { hostTimer, type Random, type Timer } from "@backstep/saga-core/adapter";
import type { Outbox } from "@backstep/saga-core/journal";
import { harmless } from "../harmless.ts";
import { assertCount, TIMER_MS_MAX } from "../option-invalid.ts";
import { attempt } from "./attempt.ts";
import type { Backoff } from "./backoff.ts";
import { DeliveryMarks } from "./delivery-marks.ts";
import type { Publisher } from "./publisher.ts";
import { RelayLanes } from "./relay-lanes.ts";
import type { RelayObserver } from "./relay-news.ts";

export interface RelayOptions {
  readonly outbox: Outbox;
  readonly publisher: Publisher;
  /** How often to look when nobody nudges, in milliseconds, 1 to 2,147,483,647. Default 1,000. */
  readonly intervalMs?: number | undefined;
  /** How many events to ask for besides those that wait in this relay, at least 1. Default 100. */
  readonly batchSize?: number | undefined;
  /** How many lanes are published side by side, at least 1. Default 8. */
  readonly concurrency?: number | undefined;
  /**
   * How long a publisher may take over one event before it counts as not delivered, in milliseconds, 1 to 2,147,483,647. Longer than the
   * publisher's own limit, this is for one that never answers. Default 60,000.
   */
  readonly publishTimeoutMs?: number | undefined;
  /**
   * How many events may wait in this relay, for a turn or for a receiver to come back. With more than that behind failing lanes, new events
   * of other lanes wait too, and `WindowFull` is told. At least 1. Default 10,000.
   */
  readonly windowMax?: number | undefined;
  /** From 1 ms. Default: half a second, doubling to a minute. A receiver's own wish is honoured up to the same cap. */
  readonly backoff?: Backoff | undefined;
  readonly timer?: Timer | undefined;
  readonly random?: Random | undefined;
  readonly observe?: RelayObserver | undefined;
}

export interface Relay {
  /** Looks at once, or once more when a look is under way. Lanes that rest go on resting. */
  nudge(): void;
  /**
   * Starts no further delivery and resolves when those in flight have ended and are marked, or after `publishTimeoutMs`. What is not marked
   * stays in the outbox and is delivered, or delivered again, by the next relay.
   */
  stop(): Promise<void>;
}

const BACKOFF_DEFAULT: Backoff = { initialMs: 500, maxMs: 60_000 };

/**
 * Creates a relay and starts it.
 *
 * A crash between a delivery and its mark in the outbox repeats the delivery, with the same id; receivers drop repeats by (source, id).
 * Several relays on one outbox are safe and deliver more repeats.
 *
 * @throws {OptionInvalid} When an option is out of its range.
 */
export function createRelay(options: RelayOptions): Relay {
  const { outbox, intervalMs = 1_000, batchSize = 100, windowMax = 10_000, timer = hostTimer } = options;
  const { concurrency = 8, publishTimeoutMs = 60_000, backoff = BACKOFF_DEFAULT } = options;
  assertSizes({ batchSize, windowMax, concurrency });
  assertTimes({ intervalMs, publishTimeoutMs, backoff });
  const observe = harmless(options.observe);
  const stopping = new AbortController();
  let alarm = new AbortController();
  let windowWasFull = false;
  const nudge = (): void => alarm.abort();

  const marks = new DeliveryMarks(outbox, observe);
  const lanes = new RelayLanes({
    publisher: options.publisher,
    publishTimeoutMs,
    timer,
    concurrency,
    backoff,
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

  /** A publisher or an outbox that never answers must not keep its process from ending. */
  async function end(): Promise<void> {
    const ended = new AbortController();
    await Promise.race([running, timer.sleep(publishTimeoutMs, ended.signal)]);
    ended.abort();
  }

  const running = run();
  return {
    nudge,
    stop() {
      stopping.abort();
      nudge();
      return end();
    },
  };
}

function assertSizes(sizes: Readonly<Record<"batchSize" | "windowMax" | "concurrency", number>>): void {
  for (const [name, size] of Object.entries(sizes)) assertCount(name, size, name === "concurrency" ? "lanes" : "events", 1);
}

function assertTimes(times: { readonly intervalMs: number; readonly publishTimeoutMs: number; readonly backoff: Backoff }): void {
  const { intervalMs, publishTimeoutMs, backoff } = times;
  assertCount("intervalMs", intervalMs, "milliseconds", 1, TIMER_MS_MAX);
  assertCount("publishTimeoutMs", publishTimeoutMs, "milliseconds", 1, TIMER_MS_MAX);
  assertCount("backoff.initialMs", backoff.initialMs, "milliseconds", 1, TIMER_MS_MAX);
  assertCount("backoff.maxMs", backoff.maxMs, "milliseconds", backoff.initialMs, TIMER_MS_MAX);
}
