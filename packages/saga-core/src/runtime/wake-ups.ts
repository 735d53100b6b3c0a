/**
 * Wakes sagas that time moves and that are not in memory. Owns when the store is looked at: at once, when the first of them is due, and when one that left memory is due
 * earlier than that. It never decides that a time has come for a saga; the saga, once awake, looks at the clock itself (FS-37, FS-38).
 */
import type { JournalStore } from "../journal/journal-store.ts";
import { createAbortController, type Timer } from "../primitives/host.ts";

const PAGE_SAGAS = 100;
/** A clock that was set shows within this time, in milliseconds. */
const LOOK_MS_MAX = 10 * 60 * 1_000;
/** How long the store is left alone when it failed, or when none of the sagas that are due could be woken, in milliseconds. */
const PAUSE_MS = 1_000;

export interface WakeUpPorts {
  readonly store: JournalStore;
  readonly timer: Timer;
  readonly now: () => number;
  /** Whether it needs waking: it is not in memory, and nothing is known to stand in its way. */
  readonly asleep: (sagaId: string) => boolean;
  readonly wake: (sagaId: string) => Promise<void>;
}

export class WakeUps {
  readonly #ports: WakeUpPorts;
  #stopped = false;
  /** When the store is looked at next; `Infinity` while nothing is due. */
  #nextLook = Number.POSITIVE_INFINITY;
  /** The earliest that was noted since the last look began: the store may have been read before. */
  #noted = Number.POSITIVE_INFINITY;
  #look: () => void = () => undefined;

  constructor(ports: WakeUpPorts) {
    this.#ports = ports;
  }

  /** A saga left memory, and is due then. */
  note(wakeAt: number): void {
    this.#noted = Math.min(this.#noted, wakeAt);
    if (wakeAt < this.#nextLook) this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#look();
  }

  async run(): Promise<void> {
    while (!this.#stopped) await this.#restUntil(await this.#wakeDue());
  }

  /** When to look again. */
  async #wakeDue(): Promise<number> {
    const { store, now, asleep, wake } = this.#ports;
    this.#noted = Number.POSITIVE_INFINITY;
    const due = await store.due({ until: now(), limit: PAGE_SAGAS });
    if (due.isErr()) return now() + PAUSE_MS;
    const { sagaIds, next = Number.POSITIVE_INFINITY } = due.value;
    const sleeping = sagaIds.filter(asleep);
    await Promise.all(sleeping.map(wake));
    const more = sagaIds.length === PAGE_SAGAS;
    return more ? now() + (sleeping.length > 0 ? 0 : PAUSE_MS) : next;
  }

  async #restUntil(lookAt: number): Promise<void> {
    const { timer, now } = this.#ports;
    const looked = createAbortController();
    const asked = new Promise<void>((resolve) => {
      this.#look = () => {
        looked.abort();
        resolve();
      };
    });
    this.#nextLook = Math.min(lookAt, this.#noted);
    const delayMs = Math.min(this.#nextLook - now(), LOOK_MS_MAX);
    if (this.#stopped || delayMs <= 0) return;
    await (this.#nextLook === Number.POSITIVE_INFINITY ? asked : timer.sleep(delayMs, looked.signal));
  }
}
