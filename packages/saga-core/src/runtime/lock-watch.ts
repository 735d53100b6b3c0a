/**
 * Looks, for a saga in memory, who is first in line for the locks that it waits for. Owns when the store is asked, and what its answer means for each wait: granted, refused, or
 * nothing yet. Who comes when is the store's to say; a saga out of memory needs no watch, for the store has it due once it is first.
 */
import type { WatchLock } from "../engine/command.ts";
import type { LockGranted, LockRefused } from "../journal/entry.ts";
import type { JournalStore } from "../journal/journal-store.ts";
import { createAbortController, type Timer } from "../primitives/host.ts";
import { STORE_RETRY_MS } from "./store-retry.ts";

const STOPPED = "nothing is watched any more";

export interface LockWatchPorts {
  readonly store: JournalStore;
  readonly timer: Timer;
  readonly now: () => number;
}

export interface WatchedSaga {
  readonly sagaId: string;
  /** Epoch milliseconds; `undefined` when the lock of this path is wanted no longer. */
  readonly waitsUntil: (path: string) => number | undefined;
  /** To be applied at once: nothing is awaited between the look at the saga and the call. */
  readonly apply: (fact: LockGranted | LockRefused) => void;
  /** No look is under way any more. */
  readonly onQuiet: () => void;
}

interface Watched {
  readonly path: string;
  readonly name: string;
  readonly until: number;
}

export class LockWatch {
  readonly #ports: LockWatchPorts;
  readonly #saga: WatchedSaga;
  /** Paths to names. */
  readonly #names = new Map<string, string>();
  /** By name; whether it is to be looked at once more. */
  readonly #looks = new Map<string, { again: boolean }>();
  #isStopped = false;
  /** Made with the first wait for the store. */
  #stopped: ReturnType<typeof createAbortController> | undefined;

  constructor(ports: LockWatchPorts, saga: WatchedSaga) {
    this.#ports = ports;
    this.#saga = saga;
  }

  /** A look is under way, or the store is given time before the next one: what it finds may move the saga. */
  get busy(): boolean {
    if (this.#names.size === 0) return false;
    return this.#watched().some(({ name }) => this.#looks.has(name));
  }

  /** Called once the record that says so is durable. Before that, the store may know the saga from an earlier place in the same line, which that record gives up. */
  add({ path, name }: WatchLock): void {
    this.#names.set(path, name);
  }

  /** When a wait is over, and the store to be asked whether it came to nothing. */
  nextLookAt(): number | undefined {
    if (this.#names.size === 0) return undefined;
    const untils = this.#watched().flatMap(({ name, until }) => (this.#looks.has(name) ? [] : [until]));
    return untils.length === 0 ? undefined : Math.min(...untils);
  }

  /** The lines may have moved. */
  look(): void {
    if (this.#names.size === 0) return;
    for (const name of new Set(this.#watched().map((watched) => watched.name))) {
      const look = this.#looks.get(name);
      if (look === undefined) void this.#lookAt(name);
      else look.again = true;
    }
  }

  stop(): void {
    this.#names.clear();
    this.#isStopped = true;
    this.#stopped?.abort(STOPPED);
  }

  async #lookAt(name: string): Promise<void> {
    const look = { again: true };
    this.#looks.set(name, look);
    while (look.again) {
      look.again = false;
      const watched = this.#watched().filter((each) => each.name === name);
      if (watched.length === 0) break;
      const found = await this.#ports.store.lockHolder(name);
      if (found.isOk()) this.#decide(watched, found.value);
      else {
        this.#stopped ??= createAbortController();
        if (!this.#isStopped) await this.#ports.timer.sleep(STORE_RETRY_MS, this.#stopped.signal);
        look.again = true;
      }
    }
    this.#looks.delete(name);
    if (!this.#isStopped) this.#saga.onQuiet();
  }

  /** Of those that were watched when the store was asked. */
  #decide(watched: readonly Watched[], holder: string | undefined): void {
    const { sagaId, waitsUntil, apply } = this.#saga;
    // Nobody in line: a saga from before there were lines has no place. It takes one with what follows, and the store refuses that if another one was faster.
    const lockedBy = holder ?? sagaId;
    const at = this.#ports.now();
    for (const { path } of watched) {
      // It may have been left since, also by what was applied for the one before.
      const until = this.#names.has(path) ? waitsUntil(path) : undefined;
      if (until === undefined) continue;
      if (lockedBy === sagaId) apply({ _tag: "LockGranted", path, at });
      else if (at >= until) apply({ _tag: "LockRefused", path, lockedBy, at });
    }
  }

  #watched(): readonly Watched[] {
    const watched: Watched[] = [];
    for (const [path, name] of this.#names) {
      const until = this.#saga.waitsUntil(path);
      if (until === undefined) this.#names.delete(path);
      else watched.push({ path, name, until });
    }
    return watched;
  }
}
