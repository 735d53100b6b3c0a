/**
 * The engine's front: starts sagas, hands out their results, takes operators' verbs. Owns the answers; which sagas are in memory is `saga-host.ts`, what each
 * does next is `engine/`. No state outside the value it returns.
 */
import { ResultAsync } from "neverthrow";
import type { AnySaga, Saga } from "../definition/saga.ts";
import type { SagaParked } from "../errors/parked.ts";
import type { SagaEnding, SagaNotFound, SagaStartError, SagaUnavailable, VerbRefused } from "../errors/saga-error.ts";
import type { JournalStore } from "../journal/journal-store.ts";
import { hostTimer, type Random, type Timer } from "../primitives/host.ts";
import { abandonSaga, readmitSaga, retryOperation, settleOperation } from "./operator-actions.ts";
import type { OperatorOrder, SettleOrder } from "./operator-verbs.ts";
import { Registry } from "./registry.ts";
import { type Recovery, SagaHost } from "./saga-host.ts";
import { awaitResult, inspectSaga, listParked, type SagaSnapshot } from "./saga-reader.ts";
import { startSaga } from "./saga-start.ts";

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
}

export interface RunOptions {
  /**
   * Names the request: 1 to 128 characters of `A-Z a-z 0-9 . _ : @ ~ -`, e.g. `checkout:<client>:<Idempotency-Key>`. The same id and input mean the same saga,
   * for as long as the journal keeps it.
   */
  readonly id: string;
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
  /** Resolves when every saga that was unfinished at creation has been taken up. */
  readonly recovered: Promise<Recovery>;
  /** Starts nothing more, waits for the attempts in flight and journals their outcomes. Unfinished sagas go on with the next engine. The store stays open. */
  close(): Promise<void>;
}

/**
 * Creates an engine and begins at once to take up every unfinished saga of the store.
 *
 * @throws {DefinitionInvalid} when two different sagas share a name and a version.
 */
export function createEngine({ sagas, store, timer = hostTimer, random = Math.random, onEvents = () => undefined }: EngineOptions): Engine {
  const host = new SagaHost({ store, timer, random, now: () => store.now(), onEvents }, new Registry(sagas));
  const recovered = host.recover();
  const engine: Engine = {
    start: (saga, input, { id }) => new ResultAsync(startSaga(host, saga["~saga"], input, id)),
    run: (saga, input, options) =>
      engine
        .start(saga, input, options)
        .andThen(() => engine.result(saga, options.id))
        .mapErr(asStarted),
    result: (_saga, id) => new ResultAsync(awaitResult(host, id)),
    inspect: (id) => new ResultAsync(inspectSaga(host, id)),
    parked: () => new ResultAsync(listParked(host)),
    retry: (id, order) => new ResultAsync(retryOperation(host, id, order)),
    settle: (id, order) => new ResultAsync(settleOperation(host, id, order)),
    abandon: (id, order) => new ResultAsync(abandonSaga(host, id, order)),
    readmit: (id) => new ResultAsync(readmitSaga(host, id)),
    recovered,
    close: () => host.close(),
  };
  return engine;
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
