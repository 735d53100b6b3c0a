/**
 * What goes between a store and its thread. Calls of one turn of the event loop go in one message, and so do their answers. The append that is most frequent, without locks or events, is flattened: a
 * message is copied member by member.
 */
import type { AppendRequest, JournalStore, SagaStatus, Workers } from "@backstep/saga-core/journal";
import { err, ok, type Result } from "neverthrow";
import type { WriteQueueStatistics } from "./write-queue.ts";

/** What a store can be asked for, by name. */
export const METHODS = {
  append: (store: JournalStore, request: AppendRequest) => store.append(request),
  load: (store: JournalStore, sagaId: string) => store.load(sagaId),
  claim: (store: JournalStore, ...parameters: Parameters<JournalStore["claim"]>) => store.claim(...parameters),
  unfinished: (store: JournalStore, ...parameters: Parameters<JournalStore["unfinished"]>) => store.unfinished(...parameters),
  due: (store: JournalStore, ...parameters: Parameters<JournalStore["due"]>) => store.due(...parameters),
  lockHolder: (store: JournalStore, name: string) => store.lockHolder(name),
  ended: (store: JournalStore, ...parameters: Parameters<JournalStore["ended"]>) => store.ended(...parameters),
  remove: (store: JournalStore, sagaIds: readonly string[]) => store.remove(sagaIds),
  pending: (store: JournalStore, ...parameters: Parameters<JournalStore["outbox"]["pending"]>) => store.outbox.pending(...parameters),
  published: (store: JournalStore, ids: readonly string[]) => store.outbox.published(ids),
  renew: (store: JournalStore, leaseMs: number) => workersOf(store).renew(leaseMs),
  leave: (store: JournalStore) => workersOf(store).leave(),
  release: (store: JournalStore, sagaIds: readonly string[]) => workersOf(store).release(sagaIds),
  orphans: (store: JournalStore, ...parameters: Parameters<Workers["orphans"]>) => workersOf(store).orphans(...parameters),
} as const;

function workersOf({ workers }: JournalStore): Workers {
  if (workers === undefined) throw new TypeError("the store is not shared, and has no workers");
  return workers;
}

export type Method = keyof typeof METHODS;

/** The flattened append. */
type PlainAppend = readonly [
  sagaId: string,
  sequence: number,
  epoch: number,
  name: string,
  version: number,
  status: SagaStatus,
  wakeAt: number | undefined,
  record: string,
  leaves: boolean,
];

export interface Asked {
  readonly method: Method;
  readonly parameters: readonly unknown[];
}

/** Calls in order; the first one has this number, each further one the next. */
export interface CallsMessage {
  readonly first: number;
  readonly calls: readonly (PlainAppend | Asked)[];
}

/** Answers, by the numbers of their calls. An `ok` without a value, the usual answer, is a number alone. */
export interface AnswersMessage {
  readonly oks: readonly number[];
  readonly answers: readonly (readonly [call: number, isOk: boolean, valueOrError: unknown])[];
  readonly statistics: WriteQueueStatistics;
}

export type AnyResult = Result<unknown, unknown>;

export function packAppend(request: AppendRequest): PlainAppend | Asked {
  const { sagaId, sequence, epoch, saga, status, wakeAt, locks, record, outbox, leaves = false } = request;
  if (locks !== undefined || outbox.length > 0) return { method: "append", parameters: [request] };
  return [sagaId, sequence, epoch, saga.name, saga.version, status, wakeAt, record, leaves];
}

const NO_EVENTS: AppendRequest["outbox"] = [];

export function perform(store: JournalStore, call: PlainAppend | Asked): Promise<AnyResult> {
  if ("method" in call)
    return (METHODS[call.method] as (store: JournalStore, ...parameters: readonly unknown[]) => Promise<AnyResult>)(
      store,
      ...call.parameters,
    );
  const [sagaId, sequence, epoch, name, version, status, wakeAt, record, leaves] = call;
  return store.append({ sagaId, sequence, epoch, saga: { name, version }, status, wakeAt, record, outbox: NO_EVENTS, leaves });
}

export function unpack(isOk: boolean, valueOrError: unknown): AnyResult {
  return isOk ? ok(valueOrError) : err(valueOrError);
}
