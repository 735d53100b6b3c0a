/**
 * The clock of one run. Time passes only when `jump` is called, which is when nothing else moves: then the earliest sleeper wakes, in order of time and, at one time, of
 * falling asleep. No timer of the host is involved.
 */
import type { AbortSignal, Timer } from "@backstep/saga-core/adapter";

/** Epoch milliseconds; any fixed time would do. */
export const START_MS = Date.UTC(2026, 0, 1);

interface Sleeper {
  readonly wakeMs: number;
  readonly owner: object;
  readonly wake: () => void;
}

/** A timer that one process has of the clock: it ends with the process, and then no sleep of it ends. */
export interface MortalTimer extends Timer {
  end(): void;
}

export class VirtualClock {
  #nowMs = START_MS;
  /** By time, then by falling asleep. Few sleep at once, so insertion is cheap. */
  readonly #sleepers: Sleeper[] = [];
  #jumps = 0;

  now(): number {
    return this.#nowMs;
  }

  /** How often time has passed. */
  get jumps(): number {
    return this.#jumps;
  }

  timer(): MortalTimer {
    const owner = {};
    let ended = false;
    return {
      sleep: (delayMs, signal) => (ended ? never() : this.#sleep(owner, delayMs, signal)),
      end: () => {
        ended = true;
        this.#forget(owner);
      },
    };
  }

  /** Stands still for everyone until then; who should have woken meanwhile wakes late. */
  skipTo(atMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  /** Lets time pass until the next sleeper wakes; `false` when nobody sleeps. */
  jump(): boolean {
    const next = this.#sleepers.shift();
    if (next === undefined) return false;
    this.#jumps += 1;
    this.#nowMs = Math.max(this.#nowMs, next.wakeMs);
    next.wake();
    return true;
  }

  #sleep(owner: object, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper: Sleeper = { owner, wakeMs: this.#nowMs + delayMs, wake: resolve };
      this.#insert(sleeper);
      signal?.addEventListener("abort", () => this.#wakeEarly(sleeper), { once: true });
    });
  }

  #insert(sleeper: Sleeper): void {
    let at = this.#sleepers.length;
    while (at > 0 && (this.#sleepers[at - 1]?.wakeMs ?? 0) > sleeper.wakeMs) at -= 1;
    this.#sleepers.splice(at, 0, sleeper);
  }

  #wakeEarly(sleeper: Sleeper): void {
    const at = this.#sleepers.indexOf(sleeper);
    if (at === -1) return;
    this.#sleepers.splice(at, 1);
    sleeper.wake();
  }

  #forget(owner: object): void {
    for (let at = this.#sleepers.length - 1; at >= 0; at -= 1) if (this.#sleepers[at]?.owner === owner) this.#sleepers.splice(at, 1);
  }
}

export function never(): Promise<never> {
  return new Promise(() => undefined);
}
