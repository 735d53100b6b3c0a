/** What somebody outside tells a saga, other than the answers to its calls: signals and cancellations. Finds the saga, wherever it is, and says whether it took it. */
import { err, ok, type Result } from "neverthrow";
import { match } from "ts-pattern";
import type { SagaDefinition } from "../definition/saga-definition.ts";
import type { Signal } from "../definition/signal.ts";
import { createMachine, type SagaMachine } from "../engine/machine.ts";
import type { CancelRefused, SagaNotFound, SagaUnavailable, SignalRefused } from "../errors/saga-error.ts";
import type { Entry, Fact } from "../journal/entry.ts";
import { type SagaView, statusOf } from "../journal/saga-view.ts";
import { readJson } from "./attempt.ts";
import { checkValue } from "./check-value.ts";
import type { SagaInstance } from "./instance.ts";
import { ELSEWHERE, type SagaHost, unavailable } from "./saga-host.ts";
import { readSaga } from "./saga-reader.ts";

/** Signals that one saga keeps until somebody waits for them. */
export const SIGNALS_QUEUED_MAX = 1_000;

const KEY_CHARACTERS_MAX = 255;
const BY_CHARACTERS_MAX = 200;
const REASON_CHARACTERS_MAX = 2_000;

export async function signalSaga(
  host: SagaHost,
  sagaId: string,
  signal: Signal<string, unknown, unknown>,
  given: unknown,
  key: string,
): Promise<Result<void, SignalRefused | SagaNotFound | SagaUnavailable>> {
  const refuse = (reason: SignalRefused["reason"], message: string) =>
    err<void, SignalRefused>({ _tag: "SignalRefused", sagaId, reason, message });
  if (!isText(key, KEY_CHARACTERS_MAX)) return refuse("payloadInvalid", `a signal's key has 1 to ${KEY_CHARACTERS_MAX} characters`);
  const checked = await checkValue(signal.payload, given, "payload");
  if (checked.isErr()) return refuse("payloadInvalid", checked.error.map(({ path, message }) => `${path}: ${message}`).join("; "));
  const payload = checked.value === undefined ? ok(undefined) : readJson(checked.value);
  if (payload.isErr()) return refuse("payloadInvalid", `the payload ${payload.error}`);

  const received = { signal: signal.name, key, payload: payload.value };
  return onSaga<void, SignalRefused>(host, sagaId, {
    ended: (view) => refuse("ended", `it is ${statusOf(view)}`),
    unfinished: (saga) =>
      match(saga.signalUse(received))
        .with("repeated", () => ok(undefined))
        .with("reused", () => refuse("keyReused", `the key ${key} came with another signal`))
        .with("fresh", () => {
          if (saga.signalsQueued() >= SIGNALS_QUEUED_MAX) return refuse("tooMany", `${SIGNALS_QUEUED_MAX} signals wait to be taken`);
          return fact({ _tag: "SignalReceived", ...received, at: host.ports.now() });
        })
        .exhaustive(),
  });
}

export async function cancelSaga(
  host: SagaHost,
  sagaId: string,
  reason: string,
  by: string | undefined,
): Promise<Result<void, CancelRefused | SagaNotFound | SagaUnavailable>> {
  const refuse = (why: CancelRefused["reason"], message: string) =>
    err<void, CancelRefused>({ _tag: "CancelRefused", sagaId, reason: why, message });
  if (!isText(reason, REASON_CHARACTERS_MAX)) return refuse("requestInvalid", `a reason has 1 to ${REASON_CHARACTERS_MAX} characters`);
  if (by !== undefined && !isText(by, BY_CHARACTERS_MAX))
    return refuse("requestInvalid", `who cancels has 1 to ${BY_CHARACTERS_MAX} characters`);
  return onSaga<void, CancelRefused>(host, sagaId, {
    // What is taken back already needs no more of it.
    ended: (view) => (view.ending?._tag === "Compensated" ? ok(undefined) : refuse("ended", `it is ${statusOf(view)}`)),
    unfinished: (saga) =>
      match(saga.phase())
        .with("back", () => ok(undefined))
        .with("run", () => (saga.halted() ? ok(undefined) : fact({ _tag: "CancelRequested", by, reason, at: host.ports.now() })))
        .with("pivot", () => refuse("pastPivot", "its pivot's intent is journaled: what becomes of the pivot decides"))
        .with("complete", () => refuse("pastPivot", "it is in complete, and can only go forward"))
        .exhaustive(),
  });
}

interface ToApply {
  readonly _tag: "ToApply";
  readonly fact: Fact;
}

function fact(applied: Fact): Result<ToApply, never> {
  return ok({ _tag: "ToApply", fact: applied });
}

interface Deciding<Value, Failure> {
  readonly ended: (view: SagaView) => Result<Value, Failure>;
  /** Called with nothing awaited between its look and the fact being applied. */
  readonly unfinished: (saga: SagaInstance["saga"]) => Result<Value | ToApply, Failure>;
}

type Answer<Value, Failure> = Result<Value | undefined, Failure | SagaNotFound | SagaUnavailable>;

async function onSaga<Value, Failure>(host: SagaHost, sagaId: string, deciding: Deciding<Value, Failure>): Promise<Answer<Value, Failure>> {
  const written = host.live(sagaId) === undefined ? await answerFromJournal(host, sagaId, deciding) : undefined;
  if (written !== undefined) return written;
  const present = await host.present(sagaId, { hold: true, want: true });
  if (present.isErr()) return err(present.error);
  const found = present.value;
  if (found._tag === "NoSuchSaga") return err({ _tag: "SagaNotFound", sagaId });
  if (found._tag === "Elsewhere") return err(unavailable(sagaId, ELSEWHERE));
  if (found._tag === "Quarantined") return err(unavailable(sagaId, found.quarantine.message));
  const { instance } = found;
  try {
    if (!instance.gone && !instance.saga.ended()) {
      const decided = deciding.unfinished(instance.saga);
      if (decided.isOk() && isToApply(decided.value)) {
        const applied = await instance.apply(decided.value.fact);
        return applied.map(() => undefined).mapErr(({ _tag }) => unavailable(sagaId, `it was not journaled (${_tag}): try again`));
      }
      // It follows from what is in memory, and some of that may never reach the journal.
      if (await instance.settled()) return decided as Result<Value, Failure>;
    }
    await instance.settled();
  } finally {
    instance.release();
  }
  return (await answerFromJournal(host, sagaId, deciding)) ?? onSaga(host, sagaId, deciding);
}

/**
 * What the journal alone decides, so that nobody is displaced for it: a saga that is taken over again and again without anything coming of it counts as one that
 * brings its owners down. `undefined`: there is a fact to apply, or more than the journal is needed to tell.
 */
async function answerFromJournal<Value, Failure>(
  host: SagaHost,
  sagaId: string,
  { ended, unfinished }: Deciding<Value, Failure>,
): Promise<Answer<Value, Failure> | undefined> {
  const read = await readSaga(host, sagaId);
  if (read.isErr()) return err(read.error);
  if (read.value._tag === "Unreadable") return err(unavailable(sagaId, read.value.quarantine.message));
  const { journal, entries, view } = read.value;
  if (view.ending !== undefined) return ended(view);
  const definition = host.definition(journal.saga);
  const saga = definition === undefined ? undefined : replayed(definition, sagaId, entries);
  const decided = saga === undefined ? undefined : unfinished(saga);
  return decided === undefined || (decided.isOk() && isToApply(decided.value)) ? undefined : (decided as Result<Value, Failure>);
}

function replayed(definition: SagaDefinition, sagaId: string, entries: readonly Entry[]): SagaMachine | undefined {
  const machine = createMachine(definition, sagaId);
  try {
    machine.replay(entries);
    return machine.ended() || machine.quarantine() !== undefined ? undefined : machine;
  } catch {
    return undefined;
  }
}

function isToApply(value: unknown): value is ToApply {
  return typeof value === "object" && value !== null && "_tag" in value && value._tag === "ToApply";
}

function isText(value: unknown, charactersMax: number): boolean {
  return typeof value === "string" && value.length > 0 && value.length <= charactersMax && value.isWellFormed();
}
