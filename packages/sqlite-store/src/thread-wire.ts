/**
 * What goes between a store and its thread. Calls of one turn of the event loop go in one message, and so do their answers. A message is copied member by member, and texts and numbers of one kind are
 * copied fastest in arrays of their own: so go the appends that are most frequent, those without locks or events. All other calls go as they are.
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

export interface Asked {
  readonly method: Method;
  readonly parameters: readonly unknown[];
}

/** Calls in order; the first one has this number, each further one the next. */
export interface CallsMessage {
  readonly first: number;
  /** `NUMBERS_PER_CALL` each, see `CallsWriter`. */
  readonly numbers: Float64Array;
  /** Of each plain append, its saga's id and its record. */
  readonly texts: readonly string[];
  /** Names and versions of sagas, in the order in which the plain appends first mention them. */
  readonly sagas: readonly AppendRequest["saga"][];
  /** All other calls. */
  readonly asked: readonly Asked[];
}

/** Answers, by the numbers of their calls. An `ok` without a value, the usual answer, goes in a range: the first number of a call, and how many calls. */
export interface AnswersMessage {
  readonly oks: readonly number[];
  readonly answers: readonly (readonly [call: number, isOk: boolean, valueOrError: unknown])[];
  readonly statistics: WriteQueueStatistics;
}

export type AnyResult = Result<unknown, unknown>;

const STATUSES: readonly SagaStatus[] = ["running", "parked", "waiting", "completed", "compensated", "abandoned"];
const NO_EVENTS: AppendRequest["outbox"] = [];
/** Which saga by its place in `sagas`, or `ASKED`; sequence; epoch; status, and `LEAVES`; wakeAt, or `NaN`. */
const NUMBERS_PER_CALL = 5;
const ASKED = -1;
const LEAVES = 8;

export function isPlainAppend({ status, locks, outbox }: AppendRequest): boolean {
  return locks === undefined && outbox.length === 0 && STATUSES.includes(status);
}

/** Collects calls, at most `callsMax`, until they are taken as a message. */
export interface CallsWriter {
  readonly count: () => number;
  /** Only of a request that `isPlainAppend`. */
  append(request: AppendRequest): void;
  ask(method: Method, parameters: readonly unknown[]): void;
  take(first: number): CallsMessage;
}

export function createCallsWriter(callsMax: number): CallsWriter {
  const numbers = new Float64Array(callsMax * NUMBERS_PER_CALL);
  let filled = 0;
  let texts: string[] = [];
  let sagas: AppendRequest["saga"][] = [];
  let asked: Asked[] = [];

  function placeOf(saga: AppendRequest["saga"]): number {
    const place = sagas.findIndex(({ name, version }) => name === saga.name && version === saga.version);
    return place === -1 ? sagas.push({ name: saga.name, version: saga.version }) - 1 : place;
  }

  return {
    count: () => filled / NUMBERS_PER_CALL,
    append(request) {
      const { sagaId, sequence, epoch, saga, status, wakeAt, record, leaves = false } = request;
      texts.push(sagaId, record);
      numbers[filled] = placeOf(saga);
      numbers[filled + 1] = sequence;
      numbers[filled + 2] = epoch;
      numbers[filled + 3] = STATUSES.indexOf(status) + (leaves ? LEAVES : 0);
      numbers[filled + 4] = wakeAt ?? Number.NaN;
      filled += NUMBERS_PER_CALL;
    },
    ask(method, parameters) {
      asked.push({ method, parameters });
      numbers[filled] = ASKED;
      filled += NUMBERS_PER_CALL;
    },
    take(first) {
      const message = { first, numbers: numbers.slice(0, filled), texts, sagas, asked };
      [filled, texts, sagas, asked] = [0, [], [], []];
      return message;
    },
  };
}

/** Who takes the calls of a message, in their order. */
export interface CallsReader {
  append(call: number, request: AppendRequest): void;
  ask(call: number, asked: Asked): void;
}

export function readCalls({ first, numbers, texts, sagas, asked }: CallsMessage, reader: CallsReader): void {
  const numberAt = (at: number): number => numbers[at] ?? Number.NaN;
  const textAt = (at: number): string => texts[at] ?? "";
  let [call, text, other] = [first, 0, 0];
  for (let at = 0; at < numbers.length; at += NUMBERS_PER_CALL, call += 1) {
    const saga = sagas[numberAt(at)];
    if (saga === undefined) {
      const question = asked[other++];
      if (question !== undefined) reader.ask(call, question);
      continue;
    }
    const [flags, wakeAt] = [numberAt(at + 3), numberAt(at + 4)];
    reader.append(call, {
      sagaId: textAt(text),
      sequence: numberAt(at + 1),
      epoch: numberAt(at + 2),
      saga,
      status: STATUSES[flags % LEAVES] ?? "running",
      wakeAt: Number.isNaN(wakeAt) ? undefined : wakeAt,
      record: textAt(text + 1),
      outbox: NO_EVENTS,
      leaves: flags >= LEAVES,
    });
    text += 2;
  }
}

export function perform(store: JournalStore, { method, parameters }: Asked): Promise<AnyResult> {
  return (METHODS[method] as (store: JournalStore, ...parameters: readonly unknown[]) => Promise<AnyResult>)(store, ...parameters);
}

/** Collects answers until they are taken as a message. */
export interface AnswersWriter {
  readonly isEmpty: () => boolean;
  add(call: number, result: AnyResult): void;
  take(statistics: WriteQueueStatistics): AnswersMessage;
}

export function createAnswersWriter(): AnswersWriter {
  let oks: number[] = [];
  let answers: AnswersMessage["answers"][number][] = [];

  function addOk(call: number): void {
    const last = oks.length - 2;
    const [first = call, count = 0] = last < 0 ? [] : [oks[last], oks[last + 1]];
    if (last >= 0 && first + count === call) oks[last + 1] = count + 1;
    else oks.push(call, 1);
  }

  return {
    isEmpty: () => oks.length + answers.length === 0,
    add(call, result) {
      if (result.isErr()) answers.push([call, false, result.error]);
      else if (result.value === undefined) addOk(call);
      else answers.push([call, true, result.value]);
    },
    take(statistics) {
      const message = { oks, answers, statistics };
      [oks, answers] = [[], []];
      return message;
    },
  };
}

const NOTHING: AnyResult = ok(undefined);

export function readAnswers({ oks, answers }: AnswersMessage, settle: (call: number, result: AnyResult) => void): void {
  for (let at = 0; at < oks.length; at += 2) {
    const [first = 0, count = 0] = [oks[at], oks[at + 1]];
    for (let call = first; call < first + count; call++) settle(call, NOTHING);
  }
  for (const [call, isOk, valueOrError] of answers) settle(call, isOk ? ok(valueOrError) : err(valueOrError));
}
