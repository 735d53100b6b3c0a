/**
 * Looks for sagas that nobody drives, again and again: those of workers that died or left. Owns when, and in which order; taking one up is the host's. Each worker takes a page at a time, in an order of its
 * own, so that those who come for the same sagas share them (FS-36, FS-62).
 */
import type { OrphanPage, Workers } from "../journal/journal-store.ts";
import { createAbortController, type Random, type Timer } from "../primitives/host.ts";
import { inParallel } from "./in-parallel.ts";

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
  /** Takes it up, unless another worker was faster. Whether it is known what became of it. */
  readonly takeUp: (orphan: Orphan) => Promise<boolean>;
  readonly onLooked: (look: Look) => void;
}

/** A look is over that the store answered to its end. */
export interface Look {
  readonly sagaIds: ReadonlySet<string>;
  /** Whether it is known of each of them what became of it. */
  readonly complete: boolean;
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
    const sagaIds = new Set<string>();
    let complete = true;
    let after: string | undefined;
    do {
      const page = await workers.orphans({ limit: PAGE_SAGAS, after });
      // Of a store that failed nothing is known; the next look begins anew.
      if (page.isErr() || this.#stopped) return;
      for (const { sagaId } of page.value.orphans) sagaIds.add(sagaId);
      complete = (await this.#takeUpAll(page.value.orphans)) && complete;
      after = page.value.next;
    } while (after !== undefined);
    onLooked({ sagaIds, complete });
  }

  async #takeUpAll(orphans: readonly Orphan[]): Promise<boolean> {
    const { random, takeUp } = this.#ports;
    const from = Math.floor(random() * orphans.length);
    let complete = true;
    await inParallel(
      [...orphans.slice(from), ...orphans.slice(0, from)],
      { concurrency: CONCURRENCY, stopped: () => this.#stopped },
      async (orphan) => {
        if (!(await takeUp(orphan))) complete = false;
      },
    );
    return complete;
  }
}
