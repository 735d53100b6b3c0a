/**
 * Looks for sagas that nobody drives, again and again: those of workers that died or left. Owns when, and in which order; taking one up is the host's. Each worker takes a page at a time, in an order of its
 * own, so that those who come for the same sagas share them (FS-36, FS-62).
 */
import type { OrphanPage, Workers } from "../journal/journal-store.ts";
import { createAbortController, type Random, type Timer } from "../primitives/host.ts";

const PAGE_SAGAS = 100;
const CONCURRENCY = 32;

export type Orphan = OrphanPage["orphans"][number];

export interface PatrolPorts {
  readonly workers: Workers;
  readonly timer: Timer;
  readonly random: Random;
  readonly beatMs: number;
  /** Resolves when the lease is held. */
  readonly ready: () => Promise<void>;
  /** Takes it up, unless another worker was faster. Never rejects. */
  readonly takeUp: (orphan: Orphan) => Promise<void>;
  /** A look is over; the ids of all that it found. */
  readonly onLooked: (sagaIds: ReadonlySet<string>) => void;
}

export class Patrol {
  readonly #ports: PatrolPorts;
  #stopped = false;
  #news = createAbortController();

  constructor(ports: PatrolPorts) {
    this.#ports = ports;
  }

  /** Somebody may have left sagas behind. */
  hear(): void {
    this.#news.abort();
  }

  stop(): void {
    this.#stopped = true;
    this.hear();
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      await this.#ports.ready();
      this.#news = createAbortController();
      await this.#look();
      if (!this.#stopped) await this.#ports.timer.sleep(this.#ports.beatMs, this.#news.signal);
    }
  }

  async #look(): Promise<void> {
    const { workers, onLooked } = this.#ports;
    const found = new Set<string>();
    let after: string | undefined;
    do {
      const page = await workers.orphans({ limit: PAGE_SAGAS, after });
      // Of a store that failed nothing is known; the next look begins anew.
      if (page.isErr() || this.#stopped) return;
      for (const { sagaId } of page.value.orphans) found.add(sagaId);
      await this.#takeUpAll(page.value.orphans);
      after = page.value.next;
    } while (after !== undefined);
    onLooked(found);
  }

  async #takeUpAll(orphans: readonly Orphan[]): Promise<void> {
    const { random, takeUp } = this.#ports;
    const from = Math.floor(random() * orphans.length);
    const queue = [...orphans.slice(from), ...orphans.slice(0, from)];
    const work = async (): Promise<void> => {
      for (let orphan = queue.shift(); orphan !== undefined && !this.#stopped; orphan = queue.shift()) await takeUp(orphan);
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
  }
}
