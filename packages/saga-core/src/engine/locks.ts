/**
 * The locks that a saga holds and wants. Owns the rule that keeps two sagas from waiting for each other: at any time, it may wait only for a name that sorts after all it
 * holds, so that no circle of waiting can close (FS-44). Who holds what among sagas is the store's to say.
 */
import type { AcquireLock } from "./command.ts";

export type LockEnd =
  | { readonly _tag: "Granted" }
  | { readonly _tag: "Refused"; readonly lockedBy: string }
  /** The group around it failed, or the saga goes back. */
  | { readonly _tag: "Halted" };

export interface WantedLock {
  readonly path: string;
  readonly name: string;
  readonly until: number;
  readonly ended: (end: LockEnd) => void;
}

export class Locks {
  readonly #held = new Set<string>();
  /** Left while the store was asked for them, which may have granted them: they count for the order, and are asked for anew. */
  readonly #left = new Set<string>();
  readonly #wanted = new Map<string, WantedLock>();

  get wanted(): number {
    return this.#wanted.size;
  }

  holds(name: string): boolean {
    return this.#held.has(name);
  }

  want(lock: WantedLock): AcquireLock {
    this.#wanted.set(lock.path, lock);
    return orderOf(lock);
  }

  /** The orders for what is still wanted, for whoever takes the saga up. */
  orders(): readonly AcquireLock[] {
    return [...this.#wanted.values()].map(orderOf);
  }

  /** How long it may be waited for, epoch milliseconds: not at all once a name behind it is held. `undefined` when it is wanted no longer. */
  waitsUntil(path: string): number | undefined {
    const lock = this.#wanted.get(path);
    if (lock === undefined) return undefined;
    const inOrder = [...this.#held, ...this.#left].every((name) => name < lock.name);
    return inOrder ? lock.until : 0;
  }

  /** It is wanted no longer; `undefined` when it was not. */
  end(path: string): WantedLock | undefined {
    const lock = this.#wanted.get(path);
    this.#wanted.delete(path);
    return lock;
  }

  /** As `end`, with no answer from the store. */
  leave(path: string): WantedLock | undefined {
    const lock = this.end(path);
    if (lock !== undefined) this.#left.add(lock.name);
    return lock;
  }

  hold(name: string): void {
    this.#held.add(name);
  }

  below(path: string): readonly WantedLock[] {
    return [...this.#wanted.values()].filter((lock) => lock.path.startsWith(path));
  }
}

function orderOf({ path, name }: WantedLock): AcquireLock {
  return { _tag: "AcquireLock", path, name };
}
