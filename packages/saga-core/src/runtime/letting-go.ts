/** Tells the store which sagas left memory without a record that says so, many at a time. One that the store does not hear of stays this worker's, and is found here again when it is due. */
import type { Workers } from "../journal/journal-store.ts";

export class LettingGo {
  readonly #workers: Workers;
  #gathered: string[] = [];
  #telling: Promise<void> | undefined;

  constructor(workers: Workers) {
    this.#workers = workers;
  }

  add(sagaId: string): void {
    this.#gathered.push(sagaId);
    this.#telling ??= this.#tell();
  }

  /** Resolves when the store has been told of all. */
  async settled(): Promise<void> {
    while (this.#telling !== undefined) await this.#telling;
  }

  async #tell(): Promise<void> {
    // Those that leave in this very moment go along.
    await Promise.resolve();
    while (this.#gathered.length > 0) {
      const sagaIds = this.#gathered;
      this.#gathered = [];
      await this.#workers.release(sagaIds).catch(() => undefined);
    }
    this.#telling = undefined;
  }
}
