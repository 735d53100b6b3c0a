/**
 * Carries retention out: fences and inboxes forget nothing by themselves, so a service that runs for long needs somebody who asks them to.
 * Owns when; what may be forgotten is theirs to know.
 */
import { hostTimer, type Timer } from "@backstep/saga-core/adapter";
import { harmless } from "../harmless.ts";
import { assertCount, TIMER_MS_MAX } from "../option-invalid.ts";

/** A fence, an inbox, or anything else that forgets what is older than its retention. */
export interface Sweepable {
  /** Resolves to how many were forgotten. */
  sweep(): Promise<number>;
}

/** What a sweeper tells whoever watches it. What an observer throws or rejects with is dropped. */
export type SweeperNews =
  /** `forgotten`: rows of all that were swept in this round. */
  | { readonly _tag: "Swept"; readonly forgotten: number }
  /** One of them could not be swept; the others were, and it is tried again in the next round. */
  | { readonly _tag: "SweepFailed"; readonly cause: unknown };

export interface SweeperOptions {
  /** Swept one after the other. */
  readonly of: readonly Sweepable[];
  /** Between the end of a round and the next one, in milliseconds, 1 to 2,147,483,647. Default 3,600,000, an hour. */
  readonly intervalMs?: number | undefined;
  readonly timer?: Timer | undefined;
  readonly observe?: ((news: SweeperNews) => void) | undefined;
}

export interface Sweeper {
  /** Begins no further round and resolves when the sweep under way has ended; then the database may be closed. */
  stop(): Promise<void>;
}

const INTERVAL_MS_DEFAULT = 3_600_000;

/**
 * Creates a sweeper and starts its first round. A crash in the middle of one loses nothing: each sweep is made of whole transactions. Several
 * sweepers on one database are safe.
 *
 * @throws {OptionInvalid}
 */
export function createSweeper({ of, intervalMs = INTERVAL_MS_DEFAULT, timer = hostTimer, observe }: SweeperOptions): Sweeper {
  assertCount("intervalMs", intervalMs, "milliseconds", 1, TIMER_MS_MAX);
  const stopping = new AbortController();
  const tell = harmless(observe);

  async function sweepAll(): Promise<void> {
    let forgotten = 0;
    for (const each of of) {
      if (stopping.signal.aborted) break;
      try {
        forgotten += await each.sweep();
      } catch (cause) {
        tell({ _tag: "SweepFailed", cause });
      }
    }
    tell({ _tag: "Swept", forgotten });
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sweepAll();
      await timer.sleep(intervalMs, stopping.signal);
    }
  }

  const running = run();
  return {
    stop() {
      stopping.abort();
      return running;
    },
  };
}
