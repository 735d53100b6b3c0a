/** The store in a thread of its own, so that a program goes on while the disk writes: here is the side of the program, which asks and is answered. */
import { Worker } from "node:worker_threads";
import type { AppendRequest, JournalStore, StoreUnavailable, Workers } from "@backstep/saga-core/journal";
import { Result } from "neverthrow";
import type { OpenOptions } from "./open-database.ts";
import { problemOf } from "./operations/append-problem.ts";
import { createShortcut, SHORTCUT_APPENDS_MAX, type Shortcut } from "./shortcut.ts";
import { describeFailure } from "./sqlite-failure.ts";
import type { SqliteStore, SqliteStoreStatistics, StoreOfThread } from "./store-on.ts";
import { type AnswersMessage, type AnyResult, createCallsWriter, isPlainAppend, type Method, readAnswers } from "./thread-wire.ts";
import { unavailable } from "./write-queue.ts";

export interface ThreadStoreOptions extends OpenOptions {
  readonly shared: boolean;
  /** What `near` is called as well: to everybody else the two are one store. */
  readonly writer: number;
}

type Resolve = (result: AnyResult) => void;

/** A write that waits for the end of its turn, which decides what way it goes. */
interface Held {
  /** Present for one that could go either way. */
  readonly request: AppendRequest | undefined;
  readonly write: () => void;
  readonly resolve: Resolve;
}

/** Calls whose order among each other and among appends is a promise to nobody: they need not wait for what is under way elsewhere. */
const UNORDERED: ReadonlySet<Method> = new Set([
  "load",
  "unfinished",
  "due",
  "lockHolder",
  "ended",
  "pending",
  "published",
  "renew",
  "leave",
  "orphans",
]);

/** Of one message. Smaller ones make smaller commits, which cost more of the processor and the disk per saga; larger ones leave the thread without work while the program goes through a long turn. */
const CALLS_MAX = 128;
/** Run from its sources, the thread needs to be told so, as this program was. */
const IS_SOURCE = import.meta.url.endsWith(".ts");

/**
 * The file was opened and prepared before: what can be wrong with it has been found. `near` is the store on the caller's own connection, for the shortcut. At any time writes of sagas are under way on one
 * side only, so that a saga's records are written in the order in which they were appended. Reads, and the lease, go to the thread whatever is under way.
 *
 * A thread that fails takes the program with it, since nobody could tell what became of its writes; the next life reads it in the journal.
 */
export function createThreadStore(
  { shared, ...options }: ThreadStoreOptions,
  near: StoreOfThread,
  shortcut: Shortcut = createShortcut(near),
): SqliteStore {
  const worker = new Worker(new URL(IS_SOURCE ? "./thread.ts" : "./thread.js", import.meta.url), {
    workerData: { ...options, shared },
    ...(IS_SOURCE ? { execArgv: ["--conditions=source", "--disable-warning=ExperimentalWarning"] } : {}),
  });
  const waiting = new Map<number, Resolve>();
  let ofThread: SqliteStoreStatistics = { commits: 0, settlements: 0 };
  const calls = createCallsWriter(CALLS_MAX);
  const held: Held[] = [];
  /** Among those that wait for the thread. */
  let ordered = 0;
  let count = 0;
  let closing: Promise<void> | undefined;

  worker.on("error", (error) => {
    throw error;
  });
  const closed = Promise.withResolvers<void>();
  worker.on("message", (message: AnswersMessage | "closed") => {
    if (message === "closed") return closed.resolve();
    ofThread = message.statistics;
    readAnswers(message, settle);
    if (waiting.size === 0 && closing === undefined) worker.unref();
  });

  // It holds the program only while somebody waits for it. Not before there is a listener, for that takes hold of it anew.
  worker.unref();

  function settle(call: number, result: AnyResult): void {
    waiting.get(call)?.(result);
    waiting.delete(call);
  }

  function send(
    write: () => void,
    { request, isOrdered }: { readonly request?: AppendRequest; readonly isOrdered: boolean },
  ): Promise<AnyResult> {
    if (closing !== undefined) return Promise.resolve(unavailable("this store is closed"));
    return new Promise((resolve) => {
      if (!isOrdered) return toThread(write, resolve);
      const call = { request, write, resolve };
      if (ordered > 0) return handOver(call);
      held.push(call);
      if (shortcut.busy) return;
      if (request === undefined || held.length > SHORTCUT_APPENDS_MAX) decide();
      else if (held.length === 1) setImmediate(decide);
    });
  }

  /** Writes of one turn go one way together. Those that come while the shortcut is busy wait for its end. */
  function decide(): void {
    if (shortcut.busy || held.length === 0 || closing !== undefined) return;
    const together = held.splice(0);
    const appends = together.flatMap(({ request, resolve }) => (request === undefined ? [] : [{ request, resolve }]));
    const characters = appends.reduce((sum, { request }) => sum + request.record.length, 0);
    if (appends.length < together.length || !shortcut.opens({ appends: appends.length, characters })) together.forEach(handOver);
    else shortcut.take(appends, () => held.length > 0 && setImmediate(decide));
  }

  function handOver({ write, resolve }: Held): void {
    ordered += 1;
    toThread(write, (result) => {
      ordered -= 1;
      resolve(result);
    });
  }

  function toThread(write: () => void, resolve: Resolve): void {
    if (calls.count() === 0) setImmediate(flush);
    if (waiting.size === 0) worker.ref();
    write();
    waiting.set(count++, resolve);
    // A long turn is not waited for: the thread writes the first of it while the program comes to the rest.
    if (calls.count() >= CALLS_MAX) flush();
  }

  function flush(): void {
    const pending = calls.count();
    if (pending > 0) worker.postMessage(calls.take(count - pending));
  }

  /** Copied at once: a value that no message can hold is refused alone, where it would take the whole message with it. */
  function ask<Answer extends Result<unknown, unknown>>(method: Method, ...parameters: readonly unknown[]): Promise<Answer> {
    const copied = copyOf(parameters);
    return (
      copied.isOk() ? send(() => calls.ask(method, copied.value), { isOrdered: !UNORDERED.has(method) }) : Promise.resolve(copied)
    ) as Promise<Answer>;
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
      return send(() => calls.append(request), { request, isOrdered: true }) as ReturnType<JournalStore["append"]>;
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
      closing ??= end();
      return closing;
    },
    statistics() {
      const ofNear = near.store.statistics();
      return { commits: ofNear.commits + ofThread.commits, settlements: ofNear.settlements + ofThread.settlements };
    },
  };

  async function end(): Promise<void> {
    worker.ref();
    const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    // The other one closes last, and so copies the log into the file.
    await near.end();
    held.splice(0).forEach(handOver);
    flush();
    worker.postMessage("close");
    await Promise.all([closed.promise, exited]);
  }
}

const copyOf = Result.fromThrowable(
  (parameters: readonly unknown[]) => structuredClone(parameters),
  (error): StoreUnavailable => ({ _tag: "StoreUnavailable", message: `nothing was asked: ${describeFailure(error)}` }),
);
