/**
 * Keeps this worker's lease: renews it in time, and knows at any moment whether it is held. Counts from before the renewal was sent, and as over a little before it is, so that nothing more is
 * begun under it once another worker may have taken over. Epochs fence what was begun before (FS-35, FS-39).
 */
import type { Workers } from "../journal/journal-store.ts";
import { createAbortController, type Timer } from "../primitives/host.ts";
import { Alarm } from "./alarm.ts";
import { STORE_RETRY_MS } from "./store-retry.ts";

/** A lease is renewed so many times in its length, and counts as over that much before its end. */
const RENEWALS = 3;
const MARGINS = 10;

/** How long a saga may wait for another worker after its own has died: for the lease to end, and for the next look. */
export function takeOverMsMax(leaseMs: number): number {
  return leaseMs + Math.ceil(leaseMs / RENEWALS);
}

/** What the rest of the runtime needs to know of a lease. */
export interface Tenure {
  /** Whether something may be begun now. Finding that the lease has lapsed lets go of all that is driven here, before this returns. */
  held(): boolean;
}

/** Of a store without workers, whose sagas are one engine's alone. */
export const SOLE_TENURE: Tenure = { held: () => true };

export interface LeasePorts {
  readonly workers: Workers;
  readonly timer: Timer;
  /** The store's clock, epoch milliseconds. */
  readonly now: () => number;
  readonly leaseMs: number;
  readonly onLapse: () => void;
}

export class Lease implements Tenure {
  readonly #ports: LeasePorts;
  readonly #alarm: Alarm;
  readonly #stopped = createAbortController();
  #heldUntil = Number.NEGATIVE_INFINITY;
  #lapsed = true;
  #granted = Promise.withResolvers<void>();
  #renewing: Promise<boolean> = Promise.resolve(false);

  constructor(ports: LeasePorts) {
    this.#ports = ports;
    // An alarm may ring early.
    this.#alarm = new Alarm(ports, () => {
      if (this.held()) this.#alarm.set(this.#heldUntil);
    });
  }

  /** How often it is renewed, in milliseconds. */
  get beatMs(): number {
    return Math.max(1, Math.floor(this.#ports.leaseMs / RENEWALS));
  }

  held(): boolean {
    if (this.#ports.now() < this.#heldUntil) return true;
    if (!this.#lapsed) {
      this.#lapsed = true;
      this.#granted = Promise.withResolvers();
      this.#ports.onLapse();
    }
    return false;
  }

  /** Resolves when it is held, or no more renewed. */
  async whenHeld(): Promise<void> {
    while (!this.held() && !this.#stopped.signal.aborted) await this.#granted.promise;
  }

  /** Whether it is held, or about to be: waits for the renewal that is under way, and no longer. */
  async holds(): Promise<boolean> {
    return this.held() || ((await this.#renewing) && this.held());
  }

  async run(): Promise<void> {
    const { timer, leaseMs } = this.#ports;
    while (!this.#stopped.signal.aborted) {
      this.#renewing = this.#renew();
      const renewed = await this.#renewing;
      await timer.sleep(renewed ? this.beatMs : Math.min(STORE_RETRY_MS, leaseMs / RENEWALS), this.#stopped.signal);
    }
  }

  /** Ends it, so that others need not wait for its end. One that cannot be ended runs out. */
  async leave(): Promise<void> {
    this.#stopped.abort();
    this.#alarm.set(undefined);
    this.#granted.resolve();
    // One that is under way would bring the lease back.
    await Promise.race([this.#renewing, this.#ports.timer.sleep(this.beatMs)]);
    await this.#ports.workers.leave();
  }

  async #renew(): Promise<boolean> {
    const { workers, now, leaseMs } = this.#ports;
    const askedAt = now();
    const renewed = await workers.renew(leaseMs);
    if (renewed.isErr() || this.#stopped.signal.aborted) return false;
    // A lease that was over in between is a new one: what was driven under the old one may be another worker's.
    this.held();
    this.#heldUntil = Math.min(renewed.value.until, askedAt + leaseMs) - leaseMs / MARGINS;
    if (now() >= this.#heldUntil) return false;
    this.#lapsed = false;
    this.#alarm.set(this.#heldUntil);
    this.#granted.resolve();
    return true;
  }
}
