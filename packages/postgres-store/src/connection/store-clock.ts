/**
 * The store's clock: the server's, read without asking it. Each answer that carries the server's time is a measurement: the time was read after the question was sent and before the answer came,
 * on this process's monotonic clock.
 *
 * It is never behind the server's clock as far as any answer has shown, and ahead of it by no more than the shortest round trip that was measured, plus the drift of two clocks between two
 * answers. It never goes back: when the server's does, this one stands until it is overtaken.
 */
export interface StoreClock {
  /** Epoch milliseconds, whole. */
  now(): number;
  /** @param sentAt - `performance.now()` when the question was sent, plus what the server is known to have taken until it looked at its clock: waiting for a lock is no way. */
  measured(sentAt: number, serverMs: number): void;
}

export function createStoreClock(monotonic: () => number = () => performance.now()): StoreClock {
  let ahead: number | undefined;
  let last = 0;

  return {
    now() {
      last = Math.max(last, Math.floor(monotonic() + (ahead ?? 0)));
      return last;
    },
    measured(sentAt, serverMs) {
      const most = serverMs - sentAt;
      const least = serverMs - monotonic();
      // Outside of what is possible now: a clock was set, or the two have drifted apart.
      if (ahead === undefined || least > ahead || most < ahead) ahead = most;
    },
  };
}
