/**
 * The engine's front: starts sagas, hands out their results, takes operators' verbs. Owns the answers; which sagas are in memory is `saga-host.ts`, what each
 * does next is `engine/`. No state outside the value it returns.
 */
import { ResultAsync } from "neverthrow";
import type { AnySaga, Saga } from "../definition/saga.ts";
import type { Signal } from "../definition/signal.ts";
import { DefinitionInvalid } from "../errors/definition-invalid.ts";
import type { SagaParked } from "../errors/parked.ts";
import type {
  CancelRefused,
  CompensateRefused,
  SagaEnding,
  SagaNotFound,
  SagaStartError,
  SagaUnavailable,
  SignalRefused,
  VerbRefused,
} from "../errors/saga-error.ts";
import type { JournalStore } from "../journal/journal-store.ts";
import type { Duration } from "../primitives/duration.ts";
import { hostTimer, type Random, type Timer } from "../primitives/host.ts";
import { checkHorizons, type Horizons } from "./check-horizons.ts";
import { compensateSaga } from "./compensate-saga.ts";
import { type ForgetOptions, type Forgotten, forgetSagas } from "./forget-sagas.ts";
import { guardedStore } from "./guarded-store.ts";
import { takeOverMsMax } from "./lease.ts";
import { harmless, type Observer } from "./observer.ts";
import { abandonSaga, readmitSaga, retryOperation, settleOperation } from "./operator-actions.ts";
import type { OperatorOrder, SettleOrder } from "./operator-verbs.ts";
import { cancelSaga, signalSaga } from "./outside-facts.ts";
import type { Recovery } from "./recovery.ts";
import { Registry } from "./registry.ts";
import { SagaHost } from "./saga-host.ts";
import { awaitResult, inspectSaga, listParked, type SagaSnapshot } from "./saga-reader.ts";
import { startSaga } from "./saga-start.ts";
import { direct, type Transport } from "./transport.ts";

export interface EngineOptions {
  /** Every saga, in every version, that this engine may have to drive. */
  readonly sagas: readonly AnySaga[];
  readonly store: JournalStore;
  /** Waits between attempts, and the deadlines of attempts. Default: the host's. */
  readonly timer?: Timer | undefined;
  /** Jitter, and seeds of derived ids. Default: the language's. */
  readonly random?: Random | undefined;
  /** Called after events were committed; a relay's `nudge` fits. Must not throw. */
  readonly onEvents?: (() => void) | undefined;
  /** Stands between the engine and every call of a participant. Default: none, calls are made directly. */
  readonly transport?: Transport | undefined;
  /** Watches every entry, attempt, park and recovery. */
  readonly observer?: Observer | undefined;
  /**
   * Checked at creation, and at each start and `compensate`: no step may be attempted, and none undone, after its participant may have forgotten it. Wants a deadline of
   * every saga, unless no step is undone. Default: not checked.
   */
  readonly horizons?: Horizons | undefined;
  /**
   * How long, in milliseconds, a saga that only waits is kept in memory. When nothing but time moves it, and that is further away, it leaves at once; when a signal or a lock may move it, once it has
   * been at rest for so long. Default 10,000.
   */
  readonly evictAfterMs?: number | undefined;
  /**
   * How many sagas may be in memory at a time. One more waits for its turn, and so does who starts it; those that only wait for something make room. Once as many callers wait, others are answered
   * `SagaUnavailable` with `retryAfterMs`. Default 10,000.
   */
  readonly inMemoryMax?: number | undefined;
  /**
   * With a store that several workers share: how long, in milliseconds, the sagas of a worker that died are kept from others, who look for them three times in that time. It is renewed three times in its length; a worker that cannot renew it, because it was
   * paused or the store is away, lets go of its sagas a little before its end. From 50 on. Default 15,000.
   */
  readonly leaseMs?: number | undefined;
}

const EVICT_AFTER_MS_DEFAULT = 10_000;
const IN_MEMORY_MAX_DEFAULT = 10_000;
const LEASE_MS_DEFAULT = 15_000;
const LEASE_MS_MIN = 50;

export interface RunOptions {
  /**
   * Names the request: 1 to 128 characters of `A-Z a-z 0-9 . _ : @ ~ -`, not ending with `~undo`, e.g. `checkout:<client>:<Idempotency-Key>`. The same id and input mean the same saga,
   * for as long as the journal keeps it.
   */
  readonly id: string;
  /**
   * How long it may take until its point of no return; replaces the saga's own `deadline`. Of the first start of an id it counts, and of no other. With `horizons`, one
   * after which undos may come too late is refused as `SagaRequestInvalid`.
   */
  readonly deadline?: Duration | undefined;
}

export interface SignalOptions {
  /** The sender's name for this signal: 1 to 255 characters. The same key again, with the same payload, is the same signal, and is taken once. */
  readonly key: string;
}

export interface CancelOptions {
  /** Who cancels, for the journal: 1 to 200 characters. */
  readonly by?: string | undefined;
}

export type VerbError = VerbRefused | SagaNotFound | SagaUnavailable;

export interface Engine {
  /**
   * Starts a saga, or finds the one that the same request started before. When it answers `ok`, the start is durable. A crash before leaves nothing; after it,
   * the next engine on this store takes the saga up.
   */
  start<Input>(saga: Saga<string, Input, unknown, unknown>, input: NoInfer<Input>, options: RunOptions): ResultAsync<void, SagaStartError>;
  /** `start`, then `result`. */
  run<Input, Output, Failure>(
    saga: Saga<string, Input, Output, Failure>,
    input: NoInfer<Input>,
    options: RunOptions,
  ): ResultAsync<Output, Failure | SagaEnding | SagaStartError>;
  /**
   * Waits until the saga has ended or is parked. A bare domain error means: rejected, and everything taken back. Works for sagas that an
   * earlier process started, and gives the same answer ever after once the saga has ended.
   */
  result<Output, Failure>(
    saga: Saga<string, never, Output, Failure>,
    id: string,
  ): ResultAsync<Output, Failure | SagaEnding | SagaNotFound | SagaUnavailable>;
  /**
   * Tells an unfinished saga something, once per key, whether or not it waits for it yet. When it answers `ok`, the signal is durable. Refused for a saga that has
   * ended, a payload that does not fit, and a key that came with another payload.
   */
  signal<Given, Payload>(
    id: string,
    signal: Signal<string, Given, Payload>,
    payload: NoInfer<Given>,
    options: SignalOptions,
  ): ResultAsync<void, SignalRefused | SagaNotFound | SagaUnavailable>;
  /**
   * Asks for a saga to be taken back. Until the pivot's intent is journaled it is: once the attempts in flight have settled; waits and pending retries end at once. From
   * then on it is refused. Of a saga that goes back, or went, it is no news, and `ok`. No compensation is stopped by it (FS-48).
   */
  cancel(id: string, reason: string, options?: CancelOptions): ResultAsync<void, CancelRefused | SagaNotFound | SagaUnavailable>;
  /**
   * Takes back a saga that has completed, as a new saga that is linked to it, whose id it answers with; asking again finds the same one. By the same rules as going
   * back: the new saga ends compensated, its result `SagaCancelled`, or is parked. It holds no locks, for those of the original went with its end. The original's answer
   * stands. Refused for a saga with a pivot or `complete`, for one that published events, for one that has not completed, and, with `horizons`, for one that started so long
   * ago that a participant may forget its keys before everything is taken back.
   */
  compensate(
    id: string,
    reason: string,
    options?: CancelOptions,
  ): ResultAsync<{ readonly sagaId: string }, CompensateRefused | SagaNotFound | SagaUnavailable>;
  /** Forgets sagas that ended long ago, after handing each to an archive, if one is given. */
  forget(options: ForgetOptions): ResultAsync<Forgotten, SagaUnavailable>;
  /** The saga as it stands in the journal. */
  inspect(id: string): ResultAsync<SagaSnapshot, SagaNotFound | SagaUnavailable>;
  /** The sagas that wait for an operator, oldest first. */
  parked(): ResultAsync<readonly SagaParked[], SagaUnavailable>;
  /** Attempts a parked operation again under the same key, with new budgets. */
  retry(id: string, order: OperatorOrder): ResultAsync<void, VerbError>;
  /** Says what became of a parked operation, with evidence. "Not applied" seals the key at the participant first. */
  settle(id: string, order: SettleOrder): ResultAsync<void, VerbError>;
  /** Ends a parked saga as it stands; its result lists the effects that remain. */
  abandon(id: string, order: Pick<OperatorOrder, "by" | "reason">): ResultAsync<void, VerbError>;
  /** Examines a quarantined saga again, however often it was adopted in vain. */
  readmit(id: string): ResultAsync<void, VerbError>;
  /** Resolves when every saga that was unfinished at creation has been taken up; of a store that workers share, every running one that nobody drove. */
  readonly recovered: Promise<Recovery>;
  /** Starts nothing more, waits for the attempts in flight and journals their outcomes. Unfinished sagas go on with the next engine, or at once with another worker. The store stays open. */
  close(): Promise<void>;
}

/**
 * Creates an engine and begins at once to take up every unfinished saga of the store; of one that workers share, those that nobody drives. Give each engine a store of its own there: two on one
 * store are one worker, and the first that closes ends the lease of both.
 *
 * @throws {DefinitionInvalid} when two different sagas share a name and a version, or when horizons disagree.
 */
export function createEngine(options: EngineOptions): Engine {
  const { sagas, store, timer = hostTimer, random = Math.random } = options;
  const { onEvents = () => undefined, evictAfterMs = EVICT_AFTER_MS_DEFAULT, transport = direct } = options;
  const { inMemoryMax = IN_MEMORY_MAX_DEFAULT, leaseMs = LEASE_MS_DEFAULT } = options;
  checkWhole("evictAfterMs", evictAfterMs, "milliseconds", 0);
  checkWhole("inMemoryMax", inMemoryMax, "sagas", 1);
  checkWhole("leaseMs", leaseMs, "milliseconds", LEASE_MS_MIN);
  const observe = options.observer === undefined ? undefined : harmless(options.observer);
  const window =
    options.horizons === undefined
      ? undefined
      : checkHorizons(sagas, options.horizons, store.workers === undefined ? 0 : takeOverMsMax(leaseMs));
  const ports = {
    store: guardedStore(store),
    timer,
    random,
    transport,
    now: () => store.now(),
    onEvents,
    evictAfterMs,
    inMemoryMax,
    leaseMs,
    observe,
  };
  const host = new SagaHost(ports, new Registry(sagas));
  host.start();
  const engine: Engine = {
    start: (saga, input, wanted) => new ResultAsync(startSaga(host, saga["~saga"], input, wanted, window)),
    run: (saga, input, options) =>
      engine
        .start(saga, input, options)
        .andThen(() => engine.result(saga, options.id))
        .mapErr(asStarted),
    result: (_saga, id) => new ResultAsync(awaitResult(host, id)),
    signal: (id, signal, payload, { key }) => new ResultAsync(signalSaga(host, id, signal, payload, key)),
    cancel: (id, reason, { by } = {}) => new ResultAsync(cancelSaga(host, id, reason, by)),
    compensate: (id, reason, { by } = {}) => new ResultAsync(compensateSaga(host, id, reason, by, window)),
    forget: (wanted) => new ResultAsync(forgetSagas(host, wanted)),
    inspect: (id) => new ResultAsync(inspectSaga(host, id)),
    parked: () => new ResultAsync(listParked(host)),
    retry: (id, order) => new ResultAsync(retryOperation(host, id, order)),
    settle: (id, order) => new ResultAsync(settleOperation(host, id, order)),
    abandon: (id, order) => new ResultAsync(abandonSaga(host, id, order)),
    readmit: (id) => new ResultAsync(readmitSaga(host, id)),
    recovered: host.recovered,
    close: () => host.close(),
  };
  return engine;
}

function checkWhole(option: string, value: number, unit: string, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new DefinitionInvalid(`${option} must be a whole number of ${unit} from ${least} on; found ${value}`);
}

/** A saga that was just started is there: only a journal that lost it could answer otherwise. */
function asStarted<Failure>(error: Failure | SagaNotFound | SagaUnavailable): Failure | SagaUnavailable {
  if (isNotFound(error))
    return { _tag: "SagaUnavailable", sagaId: error.sagaId, message: "the journal does not show a saga that it acknowledged" };
  return error;
}

function isNotFound(error: unknown): error is SagaNotFound {
  return typeof error === "object" && error !== null && "_tag" in error && error._tag === "SagaNotFound";
}
