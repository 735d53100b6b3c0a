/** The store in a thread of its own, so that a program goes on while the disk writes: here is the side of the program, which asks and is answered. */
import { Worker } from "node:worker_threads";
import type { JournalStore, StoreUnavailable, Workers } from "@backstep/saga-core/journal";
import { Result } from "neverthrow";
import type { OpenOptions } from "./open-database.ts";
import { problemOf } from "./operations/append-problem.ts";
import { describeFailure } from "./sqlite-failure.ts";
import type { SqliteStore, SqliteStoreStatistics } from "./store-on.ts";
import { type AnswersMessage, type AnyResult, createCallsWriter, isPlainAppend, type Method, readAnswers } from "./thread-wire.ts";
import { unavailable } from "./write-queue.ts";

export interface ThreadStoreOptions extends OpenOptions {
  readonly shared: boolean;
}

type Resolve = (result: AnyResult) => void;

/** Of one message. Smaller ones make smaller commits, which cost more of the processor and the disk per saga; larger ones leave the thread without work while the program goes through a long turn. */
const CALLS_MAX = 128;
/** Run from its sources, the thread needs to be told so, as this program was. */
const IS_SOURCE = import.meta.url.endsWith(".ts");

/**
 * The file was opened and prepared before: what can be wrong with it has been found. A thread that fails takes the program with it, since nobody could tell what became of its writes; the next life
 * reads it in the journal.
 */
export function createThreadStore({ shared, ...options }: ThreadStoreOptions): SqliteStore {
  const worker = new Worker(new URL(IS_SOURCE ? "./thread.ts" : "./thread.js", import.meta.url), {
    workerData: { ...options, shared },
    ...(IS_SOURCE ? { execArgv: ["--conditions=source", "--disable-warning=ExperimentalWarning"] } : {}),
  });
  const waiting = new Map<number, Resolve>();
  let statistics: SqliteStoreStatistics = { commits: 0, settlements: 0 };
  const calls = createCallsWriter(CALLS_MAX);
  let count = 0;
  let closing: Promise<void> | undefined;

  // It holds the program only while somebody waits for it.
  worker.unref();
  worker.on("error", (error) => {
    throw error;
  });
  const closed = Promise.withResolvers<void>();
  worker.on("message", (message: AnswersMessage | "closed") => {
    if (message === "closed") return closed.resolve();
    statistics = message.statistics;
    readAnswers(message, settle);
    if (waiting.size === 0 && closing === undefined) worker.unref();
  });

  function settle(call: number, result: AnyResult): void {
    waiting.get(call)?.(result);
    waiting.delete(call);
  }

  function send(write: () => void): Promise<AnyResult> {
    if (closing !== undefined) return Promise.resolve(unavailable("this store is closed"));
    if (calls.count() === 0) setImmediate(flush);
    if (waiting.size === 0) worker.ref();
    write();
    const answered = new Promise<AnyResult>((resolve) => waiting.set(count++, resolve));
    // A long turn is not waited for: the thread writes the first of it while the program comes to the rest.
    if (calls.count() >= CALLS_MAX) flush();
    return answered;
  }

  function flush(): void {
    const pending = calls.count();
    if (pending > 0) worker.postMessage(calls.take(count - pending));
  }

  /** Copied at once: a value that no message can hold is refused alone, where it would take the whole message with it. */
  function ask<Answer extends Result<unknown, unknown>>(method: Method, ...parameters: readonly unknown[]): Promise<Answer> {
    const copied = copyOf(parameters);
    return (copied.isOk() ? send(() => calls.ask(method, copied.value)) : Promise.resolve(copied)) as Promise<Answer>;
  }

  const workers: Workers = {
    renew: (leaseMs) => ask("renew", leaseMs),
    leave: () => ask("leave"),
    release: (sagaIds) => ask("release", sagaIds),
    orphans: (options) => ask("orphans", options),
  };

  return {
    now: Date.now,
    append(request) {
      // Here already, because what is sent in arrays of texts and numbers has to be texts and numbers.
      const problem = problemOf(request);
      if (problem !== undefined) return Promise.resolve(unavailable(problem));
      if (!isPlainAppend(request)) return ask("append", request);
      return send(() => calls.append(request)) as ReturnType<JournalStore["append"]>;
    },
    load: (sagaId) => ask("load", sagaId),
    claim: (sagaId, claiming) => ask("claim", sagaId, claiming),
    unfinished: (page) => ask("unfinished", page),
    due: (wanted) => ask("due", wanted),
    lockHolder: (name) => ask("lockHolder", name),
    ended: (wanted) => ask("ended", wanted),
    remove: (sagaIds) => ask("remove", sagaIds),
    outbox: {
      pending: (wanted) => ask("pending", wanted),
      published: (ids) => ask<Result<void, StoreUnavailable>>("published", ids),
    },
    workers: shared ? workers : undefined,
    close() {
      if (closing === undefined) {
        const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
        closing = Promise.all([closed.promise, exited]).then(() => undefined);
        flush();
        worker.ref();
        worker.postMessage("close");
      }
      return closing;
    },
    statistics: () => statistics,
  };
}

const copyOf = Result.fromThrowable(
  (parameters: readonly unknown[]) => structuredClone(parameters),
  (error): StoreUnavailable => ({ _tag: "StoreUnavailable", message: `nothing was asked: ${describeFailure(error)}` }),
);
