/**
 * What core needs of its host, as ports, and the one place that reads the host's globals for their defaults. Everything else in
 * saga-core compiles against `lib: es2024` alone, so it cannot reach a timer, a clock or a process by accident.
 */

/** The host's own AbortSignal where there is one, so that it can be handed to `fetch` without a cast. */
export type AbortSignal = typeof globalThis extends { AbortSignal: { prototype: infer Signal } }
  ? Signal
  : { readonly aborted: boolean; readonly reason?: unknown };

/** Waits, in milliseconds. `sleep` resolves when the time is over or at once when `signal` aborts; it never rejects. */
export interface Timer {
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once the time is over, unless it was told not to by the function handed back. For what is nearly always told so. Default: made of `sleep`. */
  after?(delayMs: number, callback: () => void): () => void;
}

/** Fractions in [0, 1), for jitter and seeds; nothing that must be secret is made of them. */
export type Random = () => number;

interface HostSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

interface HostAbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

interface Host {
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
  AbortController: new () => HostAbortController;
}

const host = globalThis as unknown as Host;

/** Longer waits overflow the host's timer and would fire at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export function createAbortController(): HostAbortController {
  return new host.AbortController();
}

/** Given as the reason, because the default one is an exception with a stack, made for nobody. */
const NOT_NEEDED = "not needed any more";

export function callAfter(timer: Timer, delayMs: number, callback: () => void): () => void {
  if (timer.after !== undefined) return timer.after(delayMs, callback);
  const called = createAbortController();
  const call = async (): Promise<void> => {
    await timer.sleep(delayMs, called.signal);
    if (!called.signal.aborted) callback();
  };
  void call();
  return () => called.abort(NOT_NEEDED);
}

export const hostTimer: Timer = {
  after(delayMs, callback) {
    const handle = host.setTimeout(callback, Math.min(delayMs, TIMEOUT_MS_MAX));
    return () => host.clearTimeout(handle);
  },
  sleep(delayMs, signal) {
    const hostSignal = signal as HostSignal | undefined;
    if (hostSignal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        host.clearTimeout(handle);
        hostSignal?.removeEventListener("abort", done);
        resolve();
      };
      const handle = host.setTimeout(done, Math.min(delayMs, TIMEOUT_MS_MAX));
      hostSignal?.addEventListener("abort", done, { once: true });
    });
  },
};
