/** The store in a thread of its own, so that a program goes on while the disk writes: here is the side of the program, which asks and is answered. */
import { Worker } from "node:worker_threads";
import type { JournalStore, StoreUnavailable, Workers } from "@backstep/saga-core/journal";
import { ok, type Result } from "neverthrow";
import type { OpenOptions } from "./open-database.ts";
import { problemOf } from "./operations/append-problem.ts";
import type { SqliteStore, SqliteStoreStatistics } from "./store-on.ts";
import { type AnswersMessage, type AnyResult, type Asked, type CallsMessage, type Method, packAppend, unpack } from "./thread-wire.ts";
import { unavailable } from "./write-queue.ts";

export interface ThreadStoreOptions extends OpenOptions {
  readonly shared: boolean;
}

type Resolve = (result: AnyResult) => void;

const CALLS_MAX = 64;
const NOTHING: AnyResult = ok(undefined);
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
  let calls: CallsMessage["calls"][number][] = [];
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
    const { oks, answers } = message;
    statistics = message.statistics;
    for (const call of oks) settle(call, NOTHING);
    for (const [call, isOk, valueOrError] of answers) settle(call, unpack(isOk, valueOrError));
    if (waiting.size === 0 && closing === undefined) worker.unref();
  });

  function settle(call: number, result: AnyResult): void {
    waiting.get(call)?.(result);
    waiting.delete(call);
  }

  function send(call: CallsMessage["calls"][number]): Promise<AnyResult> {
    if (closing !== undefined) return Promise.resolve(unavailable("this store is closed"));
    if (calls.length === 0) setImmediate(flush);
    if (waiting.size === 0) worker.ref();
    calls.push(call);
    const answered = new Promise<AnyResult>((resolve) => waiting.set(count++, resolve));
    // A long turn is not waited for: the thread writes the first of it while the program comes to the rest.
    if (calls.length >= CALLS_MAX) flush();
    return answered;
  }

  function flush(): void {
    if (calls.length === 0) return;
    const sent = calls;
    calls = [];
    worker.postMessage({ first: count - sent.length, calls: sent } satisfies CallsMessage);
  }

  function ask<Answer extends Result<unknown, unknown>>(method: Method, ...parameters: readonly unknown[]): Promise<Answer> {
    return send({ method, parameters } satisfies Asked) as Promise<AnyResult> as Promise<Answer>;
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
      // Here, because a value that no message can hold would take those of others with it.
      const problem = problemOf(request);
      return (problem === undefined ? send(packAppend(request)) : Promise.resolve(unavailable(problem))) as ReturnType<
        JournalStore["append"]
      >;
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
