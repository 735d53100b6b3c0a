/**
 * A timer and a clock for tests: time passes only when everything waits. Everything waits when a whole turn of the event loop has gone by and all that is
 * left are sleepers; then the earliest of them wakes, in order of time and, at one time, of falling asleep. So a day of retries takes no real time, and the
 * same program takes the same course in every run. Work on real handles (sockets, files) is not seen: wrap it in `during`.
 */
import type { AbortSignal, Timer } from "../src/primitives/host.ts";

export interface VirtualTimer extends Timer {
  /** Epoch milliseconds; fits a store's `now`. */
  readonly now: () => number;
  /** The sleeps that ran their whole length, in milliseconds, in order of their ends: waits between attempts, but not deadlines that were met. */
  readonly slept: readonly number[];
  /** How many sleep right now. */
  readonly sleepers: number;
  /** Stops time; what does not need it goes on. */
  pause(): void;
  resume(): void;
  /** Resolves when everything waits, without letting time pass. Pause first, or time goes on meanwhile. */
  idle(): Promise<void>;
  /** Lets exactly this long pass, waking sleepers at their times, and resolves when everything waits again. Works while paused; leaves the timer paused. */
  advance(durationMs: number): Promise<void>;
  /** Time stands still until `work` settles. */
  during<Value>(work: Promise<Value>): Promise<Value>;
}

export interface VirtualTimerOptions {
  /** Epoch milliseconds. Default: 1 January 2026. */
  readonly startMs?: number | undefined;
  /** How often time may jump before the test counts as one that never ends. Default 100,000. */
  readonly jumpsMax?: number | undefined;
}

interface Sleeper {
  readonly delayMs: number;
  readonly wakeMs: number;
  readonly order: number;
  readonly wake: () => void;
}

export const VIRTUAL_START_MS = Date.UTC(2026, 0, 1);

/** A chain of microtasks is done after one turn; the second covers what another `setImmediate` of a test brings in. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

export function createVirtualTimer({ startMs = VIRTUAL_START_MS, jumpsMax = 100_000 }: VirtualTimerOptions = {}): VirtualTimer {
  const sleeping = new Set<Sleeper>();
  const slept: number[] = [];
  let nowMs = startMs;
  let asleep = 0;
  let jumps = 0;
  let paused = false;
  let driving = false;
  let busy = 0;

  function earliest(): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of sleeping) {
      if (first === undefined || sleeper.wakeMs < first.wakeMs || (sleeper.wakeMs === first.wakeMs && sleeper.order < first.order))
        first = sleeper;
    }
    return first;
  }

  function wakeNext(untilMs: number): boolean {
    const next = earliest();
    if (next === undefined || next.wakeMs > untilMs) return false;
    jumps += 1;
    if (jumps > jumpsMax)
      throw new Error(`virtual time jumped ${jumpsMax} times, to ${new Date(nowMs).toISOString()}: this test never ends`);
    nowMs = Math.max(nowMs, next.wakeMs);
    slept.push(next.delayMs);
    next.wake();
    return true;
  }

  async function drive(): Promise<void> {
    if (driving) return;
    driving = true;
    try {
      while (!paused) {
        await turn();
        if (paused || (busy === 0 && !wakeNext(Number.POSITIVE_INFINITY))) break;
      }
    } finally {
      driving = false;
    }
  }

  return {
    now: () => nowMs,
    slept,
    get sleepers() {
      return sleeping.size;
    },
    sleep(delayMs: number, signal?: AbortSignal) {
      if (signal?.aborted === true) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = (): void => {
          sleeping.delete(sleeper);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        asleep += 1;
        const sleeper: Sleeper = { delayMs, wakeMs: nowMs + delayMs, order: asleep, wake };
        sleeping.add(sleeper);
        signal?.addEventListener("abort", wake, { once: true });
        void drive();
      });
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      void drive();
    },
    idle: turn,
    async advance(durationMs: number) {
      paused = true;
      const untilMs = nowMs + durationMs;
      await turn();
      while (wakeNext(untilMs)) await turn();
      nowMs = untilMs;
    },
    async during(work) {
      busy += 1;
      try {
        return await work;
      } finally {
        busy -= 1;
      }
    },
  };
}
