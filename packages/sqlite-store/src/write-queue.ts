/**
 * Group commit: writes that are called during one turn of the event loop share one transaction, and those that come while it is on its way
 * gather for the next. Owns the order (first called, first run), the waiting for locks, and when a verdict is delivered: never before
 * the COMMIT that holds it, and after a COMMIT that failed only once it is known what became of it.
 */
import type { StoreUnavailable } from "@backstep/saga-core/journal";
import { err, type Result } from "neverthrow";
import { type BatchEnd, type BatchedWrite, type BatchMemory, createBatchRunner } from "./batch.ts";
import type { SqliteDatabase } from "./driver.ts";
import { pause, retryWhileBusy } from "./retry-while-busy.ts";
import { describeFailure } from "./sqlite-failure.ts";

export interface Write<Value, Failure> {
  /** Runs in the batch's transaction, possibly more than once. When it answers `err`, what it wrote stands all the same: nothing, but for the wish of a claim that came too early. */
  readonly run: () => Result<Value, Failure>;
  /** The verdict when `run` throws; `undefined`, as without it, leaves it at `StoreUnavailable`. */
  readonly failure?: (error: unknown) => Failure | undefined;
  /** After a COMMIT that failed: whether what led to this value stands in the file. */
  readonly landed: (value: Value) => boolean;
  /** Its share of a batch, in characters. */
  readonly characters: number;
}

export interface WriteQueue {
  enqueue<Value, Failure>(write: Write<Value, Failure>): Promise<Result<Value, Failure | StoreUnavailable>>;
  /** As `enqueue`, without a promise: the verdict is handed to `deliver`, which must not throw. */
  add<Value, Failure>(write: Write<Value, Failure>, deliver: Deliver<Value, Failure>): void;
  /** Resolves when nothing waits and nothing is under way. A batch in doubt that cannot be settled in time is given up: its verdicts are never delivered. */
  drain(): Promise<void>;
  readonly statistics: () => WriteQueueStatistics;
  /** How long the last transaction held the thread, in milliseconds. */
  readonly lastCommitMs: () => number;
}

export type Deliver<Value, Failure> = (verdict: Result<Value, Failure | StoreUnavailable>) => void;

export interface WriteQueueStatistics {
  /** Transactions that were committed. */
  readonly commits: number;
  /** COMMITs that failed and were settled by looking. */
  readonly settlements: number;
}

interface QueuedWrite extends BatchedWrite {
  readonly characters: number;
  deliver(): void;
}

/** Bounds of one transaction: how long the thread is held, and how much is lost together. */
const BATCH_WRITES_MAX = 1_024;
const BATCH_CHARACTERS_MAX = 16 * 1024 * 1024;

export function createWriteQueue(
  database: SqliteDatabase,
  { busyTimeoutMs, memory }: { readonly busyTimeoutMs: number; readonly memory: BatchMemory },
): WriteQueue {
  const runner = createBatchRunner(database, memory);
  const queue: QueuedWrite[] = [];
  const idleListeners: (() => void)[] = [];
  let working = false;
  let draining = false;
  let commits = 0;
  let settlements = 0;
  let lastCommitMs = 0;

  function wake(): void {
    if (working || queue.length === 0) return;
    working = true;
    // After the I/O callbacks of this turn: all answers that arrived together are written together.
    setImmediate(() => void workOff());
  }

  async function workOff(): Promise<void> {
    const batch = takeBatch(queue);
    const known = await commit(batch);
    if (known) for (const write of batch) write.deliver();
    working = false;
    wake();
    if (!working) for (const listener of idleListeners.splice(0)) listener();
  }

  /** @returns Whether the verdicts are known. */
  async function commit(batch: readonly QueuedWrite[]): Promise<boolean> {
    try {
      const end = await retryWhileBusy(() => timed(batch), busyTimeoutMs);
      if (end._tag === "Committed") commits += 1;
      return end._tag !== "InDoubt" || (await settle(batch, end.error));
    } catch (error) {
      for (const write of batch) write.fail(error);
      return true;
    }
  }

  function timed(batch: readonly QueuedWrite[]): BatchEnd {
    const begunAt = performance.now();
    const end = runner.run(batch);
    lastCommitMs = performance.now() - begunAt;
    return end;
  }

  async function settle(batch: readonly QueuedWrite[], error: unknown): Promise<boolean> {
    for (let tries = 0, drainingSince: number | undefined; ; tries++) {
      try {
        runner.settle(batch, error);
        settlements += 1;
        return true;
      } catch {
        if (draining) drainingSince ??= performance.now();
        if (drainingSince !== undefined && performance.now() - drainingSince >= busyTimeoutMs) return false;
      }
      await pause(tries);
    }
  }

  function add<Value, Failure>(write: Write<Value, Failure>, deliver: Deliver<Value, Failure>): void {
    queue.push(queued(write, deliver));
    wake();
  }

  return {
    enqueue: (write) => new Promise((resolve) => add(write, resolve)),
    add,
    drain() {
      draining = true;
      return working ? new Promise((resolve) => void idleListeners.push(resolve)) : Promise.resolve();
    },
    statistics: () => ({ commits, settlements }),
    lastCommitMs: () => lastCommitMs,
  };
}

function queued<Value, Failure>(write: Write<Value, Failure>, deliver: Deliver<Value, Failure>): QueuedWrite {
  let verdict: Result<Value, Failure | StoreUnavailable> = unavailable("the write was not run");
  return {
    characters: write.characters,
    run() {
      verdict = write.run();
    },
    landed: () => verdict.isOk() && write.landed(verdict.value),
    fail(error) {
      const failure = write.failure?.(error);
      verdict = failure === undefined ? unavailable(`nothing was written: ${describeFailure(error)}`) : err(failure);
    },
    deliver() {
      deliver(verdict);
    },
  };
}

function takeBatch(queue: QueuedWrite[]): readonly QueuedWrite[] {
  let characters = 0;
  let count = 0;
  while (count < queue.length && count < BATCH_WRITES_MAX) {
    characters += queue[count]?.characters ?? 0;
    if (count > 0 && characters > BATCH_CHARACTERS_MAX) break;
    count += 1;
  }
  return queue.splice(0, count);
}

export function unavailable(message: string): Result<never, StoreUnavailable> {
  return err({ _tag: "StoreUnavailable", message });
}
