/** A clock that can be set forward, and a timer that notices: waits that are over by the new time end at once. */
import type { EngineOptions } from "@backstep/saga-core";

type Timer = NonNullable<EngineOptions["timer"]>;

export interface SettableClock {
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly timer: Timer;
  jump(durationMs: number): void;
}

/** Longer waits overflow the host's timer and would end at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export function createSettableClock(): SettableClock {
  const waiting = new Set<{ readonly endsAt: number; end(): void }>();
  let aheadMs = 0;
  const now = (): number => Date.now() + aheadMs;
  return {
    now,
    timer: {
      sleep(delayMs, signal) {
        if (signal?.aborted === true) return Promise.resolve();
        return new Promise<void>((resolve) => {
          const end = (): void => {
            clearTimeout(timeout);
            waiting.delete(wait);
            signal?.removeEventListener("abort", end);
            resolve();
          };
          const timeout = setTimeout(end, Math.min(delayMs, TIMEOUT_MS_MAX));
          const wait = { endsAt: now() + delayMs, end };
          waiting.add(wait);
          signal?.addEventListener("abort", end, { once: true });
        });
      },
    },
    jump(durationMs) {
      aheadMs += durationMs;
      for (const wait of waiting) if (wait.endsAt <= now()) wait.end();
    },
  };
}
