/**
 * The way around the thread, for a program that has little to write: to wake a thread, and to be woken by it, takes longer than a commit does. Owns when it may be taken: by a few appends at a time,
 * while the disk is quick, and so that the thread has a turn now and then, which keeps the write-ahead log short.
 */
import type { AppendError, AppendRequest } from "@backstep/saga-core/journal";
import type { Result } from "neverthrow";
import type { StoreOfThread } from "./store-on.ts";

export interface ShortcutAppend {
  readonly request: AppendRequest;
  resolve(verdict: Result<void, AppendError>): void;
}

export interface Shortcut {
  /** Whether appends that went this way are under way. */
  readonly busy: boolean;
  /** Whether so many appends may go this way now. Each `false` is a turn of the thread. */
  opens(appends: number): boolean;
  /** Calls `passed` once all of them are answered. Not while it is busy. */
  take(appends: readonly ShortcutAppend[], passed: () => void): void;
}

/** More are worth the way to the thread: to write them takes as long as to sync the disk. */
export const SHORTCUT_APPENDS_MAX = 64;
/** In a row, before the thread has a turn. Their pages are some thousands; SQLite copies the log into the file with the first commit of the thread after a thousand. */
const APPENDS_IN_A_ROW_MAX = 2_048;
/** A commit that takes longer is slow: the program stands still for it. */
const COMMIT_MS_MAX = 2;
/** Any disk is slow now and then. One that is slow more often than once in so many times, and so many times over, is left to the thread for so many turns. */
const QUICK_PER_SLOW = 4;
const SLOW_MAX = 3;
const TURNS_OF_THREAD = 256;

export function createShortcut({ appendSound, lastCommitMs }: Pick<StoreOfThread, "appendSound" | "lastCommitMs">): Shortcut {
  let underWay = 0;
  let inARow = 0;
  let turnsOfThread = 0;
  let slow = 0;

  function note(commitMs: number): void {
    slow = commitMs > COMMIT_MS_MAX ? slow + 1 : Math.max(0, slow - 1 / QUICK_PER_SLOW);
    if (slow < SLOW_MAX) return;
    turnsOfThread = TURNS_OF_THREAD;
    // The next one tells whether it still is.
    slow = SLOW_MAX - 1;
  }

  return {
    get busy() {
      return underWay > 0;
    },
    opens(appends) {
      if (turnsOfThread > 0) turnsOfThread -= 1;
      else if (appends <= SHORTCUT_APPENDS_MAX && inARow < APPENDS_IN_A_ROW_MAX) return true;
      inARow = 0;
      return false;
    },
    take(appends, passed) {
      inARow += appends.length;
      underWay = appends.length;
      for (const { request, resolve } of appends) {
        appendSound(request, (verdict) => {
          resolve(verdict);
          underWay -= 1;
          if (underWay > 0) return;
          note(lastCommitMs());
          passed();
        });
      }
    },
  };
}
