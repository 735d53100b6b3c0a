/**
 * The locks that a saga holds and wants. Owns the rule that keeps sagas from waiting for each other: at any time, it may wait only for a name that sorts after all it holds, so that no circle of
 * waiting can close (FS-44). It also tells the store what the saga has and stands in line for; who comes when is the store's to say.
 */
import type { LockPlaces } from "../journal/journal-store.ts";
import type { WatchLock } from "./command.ts";

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

/** What the next record says of locks. */
export interface LockNews {
  /** Absent when the store knows of none, and there is none to know of. */
  readonly locks: LockPlaces | undefined;
  /** Whether the saga lets go of a name, or leaves the line for one. */
  readonly letsGo: boolean;
}

const NO_NEWS: LockNews = { locks: undefined, letsGo: false };

export class Locks {
  readonly #held = new Set<string>();
  readonly #wanted = new Map<string, WantedLock>();
  /** Names that a record on its way to the store, or in it, lists. */
  #told: ReadonlySet<string> = new Set();

  get wanted(): number {
    return this.#wanted.size;
  }

  holds(name: string): boolean {
    return this.#held.has(name);
  }

  want(lock: WantedLock): WatchLock {
    this.#wanted.set(lock.path, lock);
    this.#told = new Set([...this.#told, lock.name]);
    return orderOf(lock);
  }

  /** The orders for what is still wanted, for whoever takes the saga up. */
  orders(): readonly WatchLock[] {
    return [...this.#wanted.values()].map(orderOf);
  }

  /** How long it may be waited for, epoch milliseconds: not at all once a name behind it is held. `undefined` when it is wanted no longer. */
  waitsUntil(path: string): number | undefined {
    const lock = this.#wanted.get(path);
    if (lock === undefined) return undefined;
    const inOrder = [...this.#held].every((name) => name < lock.name);
    return inOrder ? lock.until : 0;
  }

  /** When the first of those that are wanted may be waited for no longer. */
  nextUntil(): number | undefined {
    if (this.#wanted.size === 0) return undefined;
    const untils = [...this.#wanted.keys()].map((path) => this.waitsUntil(path) ?? 0);
    return Math.min(...untils);
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

  /** To be called once per record, and after a replay. A saga that has ended has none. */
  tell({ ended }: { readonly ended: boolean }): LockNews {
    // Most sagas know no locks, and this is asked with every record.
    if (this.#held.size === 0 && this.#wanted.size === 0 && this.#told.size === 0) return NO_NEWS;
    const held = ended ? [] : [...this.#held];
    const wanted = ended ? [] : [...new Set([...this.#wanted.values()].map(({ name }) => name))];
    const before = this.#told;
    this.#told = new Set([...held, ...wanted]);
    return {
      locks: before.size === 0 && this.#told.size === 0 ? undefined : { held, wanted },
      letsGo: [...before].some((name) => !this.#told.has(name)),
    };
  }
}

function orderOf({ path, name }: WantedLock): WatchLock {
  return { _tag: "WatchLock", path, name };
}
