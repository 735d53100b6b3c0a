/** Taking up what was left behind before the engine was created. Owns the order and the count; taking one up is the host's. */
import type { JournalStore } from "../journal/journal-store.ts";
import type { Timer } from "../primitives/host.ts";
import { inParallel } from "./in-parallel.ts";
import type { SagaNotice } from "./observer.ts";
import { STORE_RETRY_MS } from "./store-retry.ts";

const PAGE_SAGAS = 100;
const CONCURRENCY = 32;

export interface Recovery {
  /** Sagas that were left behind before the engine was created, and that it has taken up. */
  readonly adopted: number;
  readonly quarantined: number;
}

/** Ends once; what is taken up later was not left behind before. */
export class RecoveryCount {
  readonly #ended = Promise.withResolvers<Recovery>();
  readonly #observe: ((notice: SagaNotice) => void) | undefined;
  #count: Recovery = { adopted: 0, quarantined: 0 };
  #isOver = false;

  constructor(observe: ((notice: SagaNotice) => void) | undefined) {
    this.#observe = observe;
  }

  get ended(): Promise<Recovery> {
    return this.#ended.promise;
  }

  add(kind: keyof Recovery): void {
    this.#count = { ...this.#count, [kind]: this.#count[kind] + 1 };
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#observe?.({ _tag: "RecoveryEnded", ...this.#count });
    this.#ended.resolve(this.#count);
  }
}

export interface RecoveryPorts {
  readonly store: Pick<JournalStore, "unfinished">;
  readonly timer: Timer;
  readonly stopped: () => boolean;
  readonly takeUp: (sagaId: string) => Promise<void>;
}

/** Takes up every unfinished saga of a store that is this engine's alone, oldest first, a bounded number at a time. A store that fails meanwhile is asked again. */
export async function recoverAll({ store, timer, stopped, takeUp }: RecoveryPorts): Promise<void> {
  let after: string | undefined;
  while (!stopped()) {
    const page = await store.unfinished({ limit: PAGE_SAGAS, after });
    if (page.isErr()) {
      await timer.sleep(STORE_RETRY_MS);
      continue;
    }
    await inParallel(page.value.sagaIds, { concurrency: CONCURRENCY, stopped }, takeUp);
    if (page.value.next === undefined) return;
    after = page.value.next;
  }
}
