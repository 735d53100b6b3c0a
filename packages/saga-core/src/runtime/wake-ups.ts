/**
 * Wakes sagas that time moves and that are not in memory. Owns when the store is looked at: at once, when the first of them is due, and when one that left memory is due
 * earlier than that. It never decides that a time has come for a saga; the saga, once awake, looks at the clock itself (FS-37, FS-38).
 */
import type { JournalStore } from "../journal/journal-store.ts";
import { createAbortController, type Timer } from "../primitives/host.ts";

const PAGE_SAGAS = 100;
/** A clock that was set shows within this time, in milliseconds. */
const LOOK_MS_MAX_DEFAULT = 10 * 60 * 1_000;
/** How long the store is left alone when it failed, or when a saga that is due could not be woken, in milliseconds. */
const PAUSE_MS = 1_000;

export interface WakeUpPorts {
  readonly store: JournalStore;
  readonly timer: Timer;
  readonly now: () => number;
  /** The store is looked at at least so often, in milliseconds, for others may make sagas due. Default: ten minutes. */
  readonly lookMsMax?: number | undefined;
  /** Whether it needs waking: it is not in memory, and nothing is known to stand in its way. */
  readonly asleep: (sagaId: string) => boolean;
  /** It is in memory, and due: perhaps for what its memory does not know, a lock that it has come to hold. */
  readonly nudge: (sagaId: string) => void;
  /** Another worker wants it. May be called again while it is handed over. */
  readonly handOver: (sagaId: string) => void;
  /** Whether it is in memory now, or known to be unable to be. */
  readonly wake: (sagaId: string) => Promise<boolean>;
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

  /** A saga that may not be in memory is due then. */
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

  /** Wakes all that are due, a page at a time, each at most once; and tells when to look again. */
  async #wakeDue(): Promise<number> {
    const { store, now, asleep, nudge, handOver, wake } = this.#ports;
    const tried = new Set<string>();
    this.#noted = Number.POSITIVE_INFINITY;
    for (let limit = PAGE_SAGAS; !this.#stopped; ) {
      const due = await store.due({ until: now(), limit });
      if (due.isErr()) return now() + PAUSE_MS;
      const { sagaIds, next = Number.POSITIVE_INFINITY, wanted = [] } = due.value;
      for (const sagaId of wanted) handOver(sagaId);
      const sleeping = sagaIds.filter(asleep);
      for (const sagaId of sagaIds) if (!asleep(sagaId) && !tried.has(sagaId)) nudge(sagaId);
      if (sleeping.some((sagaId) => tried.has(sagaId))) return now() + PAUSE_MS;
      const page = sleeping.slice(0, PAGE_SAGAS);
      const woken = await Promise.all(page.map(wake));
      if (woken.includes(false)) return now() + PAUSE_MS;
      if (sagaIds.length < limit && page.length === sleeping.length) return next;
      for (const sagaId of page) tried.add(sagaId);
      // Those that stay due, because they are at work or cannot be woken, must not hide the ones behind them.
      if (page.length === 0) limit *= 2;
    }
    return Number.POSITIVE_INFINITY;
  }

  async #restUntil(lookAt: number): Promise<void> {
    const { timer, now, lookMsMax } = this.#ports;
    const looked = createAbortController();
    const asked = new Promise<void>((resolve) => {
      this.#look = () => {
        looked.abort();
        resolve();
      };
    });
    this.#nextLook = Math.min(lookAt, this.#noted);
    const delayMs = Math.min(this.#nextLook - now(), lookMsMax ?? LOOK_MS_MAX_DEFAULT);
    if (this.#stopped || delayMs <= 0) return;
    const untilAsked = this.#nextLook === Number.POSITIVE_INFINITY && lookMsMax === undefined;
    await (untilAsked ? asked : timer.sleep(delayMs, looked.signal));
  }
}
