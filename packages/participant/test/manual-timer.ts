/** Time that is moved by hand, for whatever sleeps. */
import type { Timer } from "@backstep/saga-core/adapter";

interface Sleep {
  readonly until: number;
  readonly wake: () => void;
}

export class ManualTimer implements Timer {
  #now = 0;
  readonly #sleeps = new Set<Sleep>();

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const sleep: Sleep = {
        until: this.#now + delayMs,
        wake: () => {
          this.#sleeps.delete(sleep);
          resolve();
        },
      };
      this.#sleeps.add(sleep);
      signal?.addEventListener("abort", sleep.wake, { once: true });
    });
  }

  async advance(byMs: number): Promise<void> {
    await idle();
    this.#now += byMs;
    for (const sleep of this.#sleeps) if (sleep.until <= this.#now) sleep.wake();
    await idle();
  }
}

/** Until everything that can go on without time has gone on. */
export async function idle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
