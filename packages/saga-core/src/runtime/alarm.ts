/** One timer, set anew as often as its time changes. */
import { callAfter, type Timer } from "../primitives/host.ts";

/** A clock that was set shows within this time, in milliseconds. */
const ALARM_MS_MAX = 10 * 60 * 1_000;

export class Alarm {
  readonly #ports: { readonly timer: Timer; readonly now: () => number };
  readonly #onRing: () => void;
  #set: { readonly at: number; off(): void } | undefined;

  constructor(ports: { readonly timer: Timer; readonly now: () => number }, onRing: () => void) {
    this.#ports = ports;
    this.#onRing = onRing;
  }

  /** Rings at this time, epoch milliseconds, or earlier; never, for `undefined`. What was set before counts no more. */
  set(at: number | undefined): void {
    if (this.#set?.at === at) return;
    this.#set?.off();
    this.#set = undefined;
    if (at === undefined) return;
    const delayMs = Math.min(Math.max(at - this.#ports.now(), 0), ALARM_MS_MAX);
    const off = callAfter(this.#ports.timer, delayMs, () => {
      this.#set = undefined;
      this.#onRing();
    });
    this.#set = { at, off };
  }
}
