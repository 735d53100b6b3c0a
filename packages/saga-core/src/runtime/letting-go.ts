/** Tells the store which sagas left memory without a record that says so, many at a time, until it has heard: one that it took for driven nobody else would take up. */
import type { Workers } from "../journal/journal-store.ts";
import { createAbortController, type Timer } from "../primitives/host.ts";

export interface LettingGoPorts {
  readonly workers: Workers;
  readonly timer: Timer;
  /** How long the store is left alone after it failed, in milliseconds. */
  readonly beatMs: number;
}

export class LettingGo {
  readonly #ports: LettingGoPorts;
  readonly #stopped = createAbortController();
  #gathered = new Set<string>();
  #told: ReadonlySet<string> = new Set();
  #telling: Promise<void> = Promise.resolve();
  #busy = false;

  constructor(ports: LettingGoPorts) {
    this.#ports = ports;
  }

  add(sagaId: string): void {
    this.#gathered.add(sagaId);
    if (!this.#busy) void this.#run();
  }

  /** It is to be claimed, and not let go of. Resolves when nothing that is under way could undo that. */
  async keep(sagaId: string): Promise<void> {
    this.#gathered.delete(sagaId);
    while (this.#told.has(sagaId)) await this.#telling;
    this.#gathered.delete(sagaId);
  }

  /** Resolves when the store has been told of all, or has failed once more: what it did not hear of then goes with the lease. */
  async stop(): Promise<void> {
    this.#stopped.abort(STOPPED);
    await this.#telling;
    await this.#tell();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    // Those that leave in this very moment go along.
    await Promise.resolve();
    while (this.#gathered.size > 0 && !this.#stopped.signal.aborted) {
      this.#telling = this.#tell();
      await this.#telling;
      if (this.#gathered.size > 0) await this.#ports.timer.sleep(this.#ports.beatMs, this.#stopped.signal);
    }
    this.#busy = false;
  }

  async #tell(): Promise<void> {
    const told = this.#gathered;
    if (told.size === 0) return;
    this.#gathered = new Set();
    this.#told = told;
    const released = await this.#ports.workers.release([...told]);
    this.#told = new Set();
    if (released.isErr()) for (const sagaId of told) this.#gathered.add(sagaId);
  }
}

const STOPPED = "the worker leaves";
