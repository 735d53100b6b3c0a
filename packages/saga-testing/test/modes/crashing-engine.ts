/**
 * An engine whose process dies at every append that took effect, before it learns so. In truth there is one engine after the other, each on what the former one left in the
 * store; whoever waits for an answer asks the next one, as a caller does whose connection broke.
 */
import { createEngine, type Engine, type EngineOptions, type Transport } from "@backstep/saga-core";
import { type AbortSignal, hostTimer, type Timer } from "@backstep/saga-core/adapter";
import type { AppendRequest, JournalStore } from "@backstep/saga-core/journal";
import { ok, type Result, ResultAsync } from "neverthrow";

export interface CrashingEngine extends Engine {
  /** How many processes there were. */
  readonly lives: number;
  /** How many appends took effect. */
  readonly appends: number;
}

interface Life {
  readonly engine: Engine;
  /** Settles when it is dead. */
  readonly over: Promise<"over">;
  die(): void;
}

/** @throws {DefinitionInvalid} as `createEngine` does. */
export function createCrashingEngine(options: EngineOptions): CrashingEngine {
  /** How often each order was journaled, by its name. */
  const orders = new Map<string, number>();
  let lives = 0;
  let appends = 0;
  let closing = false;
  let current = begin();

  function begin(): Life {
    lives += 1;
    return beginLife(options, (life, request) => {
      appends += 1;
      const name = orderIn(request);
      orders.set(name, (orders.get(name) ?? 0) + 1);
      // One that is to end writes down what is in flight, and is let end.
      if (closing || life !== current) return;
      life.die();
      current = begin();
      // What a process does first of all that publishes events: look whether there are any.
      if (request.outbox.length > 0) options.onEvents?.();
    });
  }

  async function ask<Answer>(question: (engine: Engine) => PromiseLike<Answer>): Promise<Answer> {
    for (;;) {
      const { engine, over } = current;
      const answered = await Promise.race([Promise.resolve(question(engine)).then((answer) => ({ answer })), over]);
      if (answered !== "over") return answered.answer;
    }
  }

  /**
   * Every other question may be asked again. An operator's verb counts once, and a signal that was the last thing its saga waited for is refused afterwards, because that has
   * ended; whoever lost such an answer finds in the journal that it counted.
   */
  async function order<Failure>(name: string, give: (engine: Engine) => ResultAsync<void, Failure>): Promise<Result<void, Failure>> {
    const before = orders.get(name) ?? 0;
    return ask((engine) => ((orders.get(name) ?? 0) > before ? Promise.resolve(ok<void, Failure>(undefined)) : give(engine)));
  }

  const asking = <Value, Failure>(question: (engine: Engine) => ResultAsync<Value, Failure>): ResultAsync<Value, Failure> =>
    new ResultAsync(ask(question));

  return {
    get lives() {
      return lives;
    },
    get appends() {
      return appends;
    },
    start: (saga, input, wanted) => asking((engine) => engine.start(saga, input, wanted)),
    run: (saga, input, wanted) => asking((engine) => engine.run(saga, input, wanted)),
    result: (saga, id) => asking((engine) => engine.result(saga, id)),
    signal: (id, signal, payload, sent) =>
      new ResultAsync(order(`SignalReceived ${id} ${sent.key}`, (engine) => engine.signal(id, signal, payload, sent))),
    cancel: (id, reason, by) => asking((engine) => engine.cancel(id, reason, by)),
    compensate: (id, reason, by) => asking((engine) => engine.compensate(id, reason, by)),
    forget: (wanted) => asking((engine) => engine.forget(wanted)),
    inspect: (id) => asking((engine) => engine.inspect(id)),
    parked: () => asking((engine) => engine.parked()),
    retry: (id, wanted) => new ResultAsync(order(`OperatorRetried ${id} ${wanted.path}`, (engine) => engine.retry(id, wanted))),
    settle: (id, wanted) => new ResultAsync(order(`OperatorSettled ${id} ${wanted.path}`, (engine) => engine.settle(id, wanted))),
    abandon: (id, wanted) => new ResultAsync(order(`OperatorAbandoned ${id}`, (engine) => engine.abandon(id, wanted))),
    readmit: (id) => asking((engine) => engine.readmit(id)),
    recovered: ask((engine) => engine.recovered),
    close() {
      closing = true;
      return current.engine.close();
    },
  };
}

function beginLife(options: EngineOptions, onAppended: (life: Life, request: AppendRequest) => void): Life {
  const { store, observer, onEvents, transport = (_sending, send) => send(), timer = hostTimer } = options;
  const death = new AbortController();
  const over = Promise.withResolvers<"over">();
  const alive = (): boolean => !death.signal.aborted;
  const carry: Transport = (sending, send) => (alive() ? transport(sending, send) : never());
  const engine = createEngine({
    ...options,
    store: mortalStore(store, alive, (request) => onAppended(life, request)),
    timer: mortalTimer(timer, death.signal),
    transport: carry,
    observer: observer === undefined ? undefined : (notice) => void (alive() && observer(notice)),
    onEvents: () => void (alive() && onEvents?.()),
  });
  const life: Life = {
    engine,
    over: over.promise,
    die() {
      death.abort();
      over.resolve("over");
    },
  };
  return life;
}

/** The store as a process has it: once that is dead, nothing reaches the store, and what did is answered to nobody. */
function mortalStore(store: JournalStore, alive: () => boolean, onAppended: (request: AppendRequest) => void): JournalStore {
  const ask = async <Answer>(question: () => Promise<Answer>): Promise<Answer> => {
    if (!alive()) return never();
    const answer = await question();
    return alive() ? answer : never();
  };
  return {
    now: () => store.now(),
    append: (request) =>
      ask(async () => {
        const appended = await store.append(request);
        if (appended.isOk()) onAppended(request);
        return appended;
      }),
    load: (sagaId) => ask(() => store.load(sagaId)),
    claim: (sagaId) => ask(() => store.claim(sagaId)),
    unfinished: (options) => ask(() => store.unfinished(options)),
    due: (options) => ask(() => store.due(options)),
    lockHolder: (name) => ask(() => store.lockHolder(name)),
    ended: (options) => ask(() => store.ended(options)),
    remove: (sagaIds) => ask(() => store.remove(sagaIds)),
    outbox: {
      pending: (options) => ask(() => store.outbox.pending(options)),
      published: (ids) => ask(() => store.outbox.published(ids)),
    },
    close: () => store.close(),
  };
}

function mortalTimer(timer: Timer, death: AbortSignal): Timer {
  return {
    async sleep(delayMs, signal) {
      await timer.sleep(delayMs, signal === undefined ? death : AbortSignal.any([death, signal]));
      if (death.aborted) await never();
    },
  };
}

/** What somebody outside gave is the fact at the head of its record. */
function orderIn({ sagaId, record }: AppendRequest): string {
  const { entries } = JSON.parse(record) as {
    readonly entries: readonly { readonly _tag: string; readonly key?: string; readonly path?: string }[];
  };
  const [{ _tag, key, path } = { _tag: "" }] = entries;
  return [_tag, sagaId, key ?? path].filter((part) => part !== undefined).join(" ");
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
