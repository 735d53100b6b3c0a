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

export interface TurnSize {
  readonly appends: number;
  /** Of all their records. */
  readonly characters: number;
}

export interface Shortcut {
  /** Whether appends that went this way are under way. */
  readonly busy: boolean;
  /** Whether a turn's appends may go this way now. Each `false` is a turn of the thread. */
  opens(turn: TurnSize): boolean;
  /** Calls `passed` once all of them are answered. Not while it is busy. */
  take(appends: readonly ShortcutAppend[], passed: () => void): void;
}

/** More of either are worth the way to the thread: to write them takes as long as to sync the disk. */
export const SHORTCUT_APPENDS_MAX = 64;
const CHARACTERS_MAX = 256 * 1024;
/** In a row, before the thread has a turn. An append alone writes two pages, so that their log is about as long as SQLite lets it grow before it copies it into the file, which is for the thread to do. */
const IN_A_ROW_MAX: TurnSize = { appends: 512, characters: 2 * 1024 * 1024 };
/** A commit that takes longer is slow: the program stands still for it. */
const COMMIT_MS_MAX = 2;
/** Any disk is slow now and then. One that is slow more often than once in so many times, and so many times over, is left to the thread for so many turns. */
const QUICK_PER_SLOW = 4;
const SLOW_MAX = 3;
const TURNS_OF_THREAD = 256;

const NOTHING: TurnSize = { appends: 0, characters: 0 };

export function createShortcut({ appendSound, lastCommitMs }: Pick<StoreOfThread, "appendSound" | "lastCommitMs">): Shortcut {
  let underWay = 0;
  let inARow: TurnSize = NOTHING;
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
    opens({ appends, characters }) {
      const after = { appends: inARow.appends + appends, characters: inARow.characters + characters };
      const isSmall = appends <= SHORTCUT_APPENDS_MAX && characters <= CHARACTERS_MAX;
      const isOpen = isSmall && turnsOfThread === 0 && after.appends <= IN_A_ROW_MAX.appends && after.characters <= IN_A_ROW_MAX.characters;
      if (turnsOfThread > 0) turnsOfThread -= 1;
      inARow = isOpen ? after : NOTHING;
      return isOpen;
    },
    take(appends, passed) {
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
