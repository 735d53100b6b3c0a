/**
 * One process of the crash cases: the engine, on a store that was opened for it, with one trouble on its way. Once it is dead, nothing of it settles, waits, is sent or
 * reaches its store any more; the store itself is left open behind it, for nobody closes the store of a process that is killed.
 */
import { err, type Result } from "neverthrow";
import type { AnySaga } from "../definition/saga.ts";
import type { AppendError, AppendRequest, JournalStore } from "../journal/journal-store.ts";
import type { StoreUnavailable } from "../journal/store-unavailable.ts";
import { hostTimer, type Timer } from "../primitives/host.ts";
import { createEngine, type Engine } from "../runtime/engine.ts";

/**
 * `before`, `after`: the process dies as it is about to append, or when the store has told it that it did. `claimed`: it dies when it has claimed a saga. `noAnswer`: the
 * append takes effect, and its writer is told that the store is unavailable. `refused`: so it is told, and nothing was written. `stalled`: the process stands still before
 * the append, until another one has claimed the saga; then it goes on.
 */
export type Moment = "before" | "after" | "claimed" | "noAnswer" | "refused" | "stalled";

export interface Trouble {
  readonly moment: Moment;
  /** The append, or the claim, of this process, from 1. */
  readonly nth: number;
}

export interface CrashProcess {
  readonly engine: Engine;
  /** Appends that were asked of the store, or would have been. */
  readonly appends: () => number;
  /** Settles when the next process is to begin: this one is dead, or stands still. */
  readonly over: Promise<"over">;
  /** Lets one that stands still go on, and hands back what its append is answered. */
  readonly goOn: () => Promise<Result<void, AppendError>>;
  readonly die: () => void;
}

export interface CrashProcessOptions {
  readonly store: JournalStore;
  readonly sagas: readonly AnySaga[];
  /** Other lives lie in the same storage; a process sees its own. */
  readonly owns: (sagaId: string) => boolean;
  readonly trouble: Trouble | undefined;
  /** Called when the process has been told that its append counts. */
  readonly onAcknowledged: (request: AppendRequest) => void;
  /** Awaited when a claim has taken effect, before the process learns of it. */
  readonly onClaimed: () => Promise<void>;
}

/** Waits are short, so that a case is; no call here takes longer than a few promises, so none is over time by that. */
const SLEEP_MS_MAX = 2;

export function startProcess({ store, sagas, owns, trouble, onAcknowledged, onClaimed }: CrashProcessOptions): CrashProcess {
  const over = Promise.withResolvers<"over">();
  const resumed = Promise.withResolvers<void>();
  const stalled = Promise.withResolvers<Result<void, AppendError>>();
  let alive = true;
  let appends = 0;
  let claims = 0;

  const die = (): void => {
    alive = false;
    over.resolve("over");
  };
  /** Asks the store, and hands the answer to nobody if the process is dead by then. */
  const ask = async <Answer>(question: () => Promise<Answer>): Promise<Answer> => {
    if (!alive) return never();
    const answer = await question();
    return alive ? answer : never();
  };

  async function append(request: AppendRequest): Promise<Result<void, AppendError>> {
    appends += 1;
    const struck = trouble?.moment !== "claimed" && trouble?.nth === appends ? trouble.moment : undefined;
    if (struck === "refused") return unavailable("refused");
    if (struck === "before") {
      die();
      return never();
    }
    if (struck === "stalled") {
      over.resolve("over");
      await resumed.promise;
    }
    const appended = await store.append(request);
    if (struck === "stalled") stalled.resolve(appended);
    if (struck === "after") die();
    return struck === "noAnswer" && appended.isOk() ? unavailable("the answer was lost") : appended;
  }

  const mortal: JournalStore = {
    now: () => store.now(),
    async append(request) {
      const appended = await ask(() => append(request));
      if (appended.isOk()) onAcknowledged(request);
      return appended;
    },
    load: (sagaId) => ask(() => store.load(sagaId)),
    claim: (sagaId) =>
      ask(async () => {
        const claimed = await store.claim(sagaId);
        claims += 1;
        await onClaimed();
        if (trouble?.moment === "claimed" && trouble.nth === claims) die();
        return claimed;
      }),
    unfinished: (options) => ask(async () => (await store.unfinished(options)).map((page) => ownAmong(page, owns))),
    due: (options) => ask(async () => (await store.due(options)).map((found) => ownAmong(found, owns))),
    lockHolder: (name) => ask(() => store.lockHolder(name)),
    ended: (options) => ask(() => store.ended(options)),
    remove: (sagaIds) => ask(() => store.remove(sagaIds)),
    outbox: {
      pending: (options) => ask(() => store.outbox.pending(options)),
      published: (ids) => ask(() => store.outbox.published(ids)),
    },
    close: () => Promise.resolve(),
  };
  const engine = createEngine({
    sagas,
    store: mortal,
    timer: mortalTimer(() => alive),
    random: () => 0,
    // A saga that waits leaves memory at once, and is found again by the store's list of what is due.
    evictAfterMs: 0,
    transport: (_sending, send) => (alive ? send() : never()),
  });
  const goOn = (): Promise<Result<void, AppendError>> => {
    resumed.resolve();
    return stalled.promise;
  };
  return { engine, appends: () => appends, over: over.promise, goOn, die };
}

function ownAmong<Listed extends { readonly sagaIds: readonly string[] }>(listed: Listed, owns: (sagaId: string) => boolean): Listed {
  return { ...listed, sagaIds: listed.sagaIds.filter(owns) };
}

function mortalTimer(alive: () => boolean): Timer {
  return {
    async sleep(delayMs, signal) {
      if (alive()) await hostTimer.sleep(Math.min(delayMs, SLEEP_MS_MAX), signal);
      if (!alive()) await never();
    },
  };
}

function unavailable(message: string): Result<never, StoreUnavailable> {
  return err({ _tag: "StoreUnavailable", message });
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
