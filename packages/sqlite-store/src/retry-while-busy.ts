/**
 * Waits for a lock that another connection holds, without holding up the event loop: SQLite itself answers "busy" at once, and the waiting is
 * done here, on timers. Bounded by time; the last "busy" is thrown when it is over.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isBusy } from "./sqlite-failure.ts";

/** Short at first, because a rival's commit takes about a millisecond; the last one repeats. */
const PAUSES_MS = [1, 2, 5, 10, 20] as const;
const PAUSE_MS_MAX = 25;

export async function retryWhileBusy<Value>(attempt: () => Value, busyTimeoutMs: number): Promise<Value> {
  const deadline = performance.now() + busyTimeoutMs;
  for (let tries = 0; ; tries++) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
    }
    await pause(tries);
  }
}

export function pause(tries: number): Promise<void> {
  return sleep(PAUSES_MS[tries] ?? PAUSE_MS_MAX);
}
