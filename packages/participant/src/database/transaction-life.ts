/**
 * The life of one transaction, the same for every implementation: it can be used until it ends; an operation that throws ends it, even if
 * the body swallows the error, because nobody knows what the store made of it; nested parts end in the reverse order of their beginnings.
 */
import type { Result } from "neverthrow";
import { DatabaseMisused } from "./database-errors.ts";

/** What a store does at the borders of a nested part. Depth 1 is the first part inside the transaction. */
export interface Savepoints {
  set(depth: number): void;
  undo(depth: number): void;
  release(depth: number): void;
}

export class TransactionLife {
  readonly #parts: symbol[] = [];
  #failure: { readonly cause: unknown } | undefined;
  #ended = false;

  /** What ended it, whatever the body made of that. */
  get failure(): { readonly cause: unknown } | undefined {
    return this.#failure;
  }

  /** For stores whose operations end later than they are called: one of them failed. The first failure counts. */
  fail(cause: unknown): void {
    this.#failure ??= { cause };
  }

  /** Refuses what was called in time and would run after a failure. */
  assertSound(): void {
    if (this.#failure !== undefined) throw this.#failure.cause;
  }

  /** Runs one operation. */
  step<Value>(work: () => Value): Value {
    this.#assertGoing();
    try {
      return work();
    } catch (cause) {
      this.#failure = { cause };
      throw cause;
    }
  }

  async nested<Value, Failure>(savepoints: Savepoints, body: () => Promise<Result<Value, Failure>>): Promise<Result<Value, Failure>> {
    const part = Symbol("part");
    const depth = this.step(() => {
      savepoints.set(this.#parts.length + 1);
      return this.#parts.push(part);
    });
    let result: Result<Value, Failure>;
    try {
      result = await body();
    } catch (cause) {
      // A transaction that is over anyway is undone as a whole.
      if (this.#failure === undefined && !this.#ended) this.#leave(part, () => savepoints.undo(depth));
      throw cause;
    }
    this.#leave(part, () => (result.isErr() ? savepoints.undo(depth) : savepoints.release(depth)));
    return result;
  }

  /** The last thing before the commit. Throws when there must be none. */
  finish(): void {
    this.step(() => {
      if (this.#parts.length > 0) throw new DatabaseMisused("a transaction ended before a nested part of it did; await the part");
    });
    this.#ended = true;
  }

  abandon(): void {
    this.#ended = true;
  }

  #leave(part: symbol, work: () => void): void {
    this.step(() => {
      if (this.#parts.at(-1) !== part)
        throw new DatabaseMisused("nested parts of one transaction overlapped; run them one after the other");
      this.#parts.pop();
      work();
    });
  }

  #assertGoing(): void {
    this.assertSound();
    if (this.#ended) throw new DatabaseMisused("a transaction was used after its end");
  }
}
