/** How long to rest after failures in a row: doubling, capped, and spread over the upper half, so that relays do not knock in step. */
import type { Random } from "@backstep/saga-core/adapter";

export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** @param failures - In a row, 1 for the first. @returns Milliseconds, at most `maxMs`. */
export function backoffMs({ initialMs, maxMs }: Backoff, failures: number, random: Random): number {
  const full = Math.min(maxMs, initialMs * 2 ** Math.min(failures - 1, 52));
  return Math.round(full / 2 + (full / 2) * random());
}
