/**
 * The locks that a saga holds and wants. Owns the rule that keeps two sagas from waiting for each other: it may wait only for a name that sorts after all it holds, so that
 * no circle of waiting can close (FS-44). Who holds what among sagas is the store's to say.
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
  readonly #wanted = new Map<string, WantedLock>();

  get wanted(): number {
    return this.#wanted.size;
  }

  holds(name: string): boolean {
    return this.#held.has(name);
  }

  want(lock: WantedLock): AcquireLock {
    this.#wanted.set(lock.path, lock);
    return this.#order(lock);
  }

  /** The orders for what is still wanted, for whoever takes the saga up. */
  orders(): readonly AcquireLock[] {
    return [...this.#wanted.values()].map((lock) => this.#order(lock));
  }

  /** It is wanted no longer; `undefined` when it was not. */
  end(path: string): WantedLock | undefined {
    const lock = this.#wanted.get(path);
    this.#wanted.delete(path);
    return lock;
  }

  hold(name: string): void {
    this.#held.add(name);
  }

  below(path: string): readonly WantedLock[] {
    return [...this.#wanted.values()].filter((lock) => lock.path.startsWith(path));
  }

  #order({ path, name, until }: WantedLock): AcquireLock {
    const inOrder = [...this.#held].every((held) => held < name);
    return { _tag: "AcquireLock", path, name, until: inOrder ? until : 0 };
  }
}
