/**
 * Taking back a saga that has completed, as a new saga that is linked to it: by the same rules, under the keys that the original would have used. The original's answer
 * stands. Only what has no point of no return, and told nobody that it was done, can be taken back.
 */
import { err, ok, type Result } from "neverthrow";
import type { SagaDefinition } from "../definition/saga-definition.ts";
import { createMachine } from "../engine/machine.ts";
import type { CompensateRefused, SagaNotFound, SagaUnavailable } from "../errors/saga-error.ts";
import type { Entry, SagaStarted, UndoneSaga } from "../journal/entry.ts";
import { encodeRecord } from "../journal/entry-codec.ts";
import { statusOf, viewOf } from "../journal/saga-view.ts";
import { hash128 } from "../primitives/hash.ts";
import { quarantineOf } from "./adoption.ts";
import { ageFlaw, type UndoWindow } from "./check-horizons.ts";
import { checkOperator } from "./operator-verbs.ts";
import { type SagaHost, unavailable } from "./saga-host.ts";
import { readSaga } from "./saga-reader.ts";
import { SAGA_ID_LENGTH_MAX, UNDO_ID_ENDING } from "./start-request.ts";

type Refusal = Pick<CompensateRefused, "reason" | "message">;

const ID_TAKEN: Refusal = {
  reason: "idTaken",
  message: "an earlier saga of this id was taken back, and the saga that did it is still in the journal",
};

export async function compensateSaga(
  host: SagaHost,
  sagaId: string,
  reason: string,
  by: string | undefined,
  window: UndoWindow | undefined,
): Promise<Result<{ readonly sagaId: string }, CompensateRefused | SagaNotFound | SagaUnavailable>> {
  const refuse = (refusal: Refusal) => err<never, CompensateRefused>({ _tag: "CompensateRefused", sagaId, ...refusal });
  const checked = checkOperator({ by: by ?? "-", reason });
  if (checked.isErr()) return refuse({ reason: "requestInvalid", message: checked.error });
  const read = await readSaga(host, sagaId);
  if (read.isErr()) return err(read.error);
  if (read.value._tag === "Unreadable") return err(unavailable(sagaId, read.value.quarantine.message));
  const { journal, entries } = read.value;
  const undoId = undoIdOf(sagaId);
  const taken = await takenBack(host, undoId, entries);
  if (taken.isErr()) return err(taken.error);
  if (taken.value === "another") return refuse(ID_TAKEN);
  if (taken.value === "this") return ok({ sagaId: undoId });
  const definition = host.definition(journal.saga);
  if (definition === undefined)
    return refuse({ reason: "unknownSaga", message: `no definition of ${journal.saga.name} ${journal.saga.version} is here` });
  const undoes: UndoneSaga = { sagaId, entries, by, reason };
  const input = startOf(entries)?.input;
  const refusal = whyNot(definition, undoes) ?? tooLate(host, undoes, window) ?? rehearse(definition, undoId, { input, undoes });
  if (refusal !== undefined) return refuse(refusal);
  const begun = await host.begin(definition, undoId, input, { undoes });
  if (begun.isErr()) return begun.error._tag === "SagaUnavailable" ? err(begun.error) : refuse(ID_TAKEN);
  // Somebody else was faster, here or on another engine.
  if (begun.value === "exists") return compensateSaga(host, sagaId, reason, by, window);
  return ok({ sagaId: undoId });
}

/** Whether the saga of this id takes back the one with these entries, or an earlier one of the same id that is forgotten by now. */
async function takenBack(
  host: SagaHost,
  undoId: string,
  entries: readonly Entry[],
): Promise<Result<"this" | "another" | "none", SagaUnavailable>> {
  const read = await readSaga(host, undoId);
  if (read.isErr()) return read.error._tag === "SagaNotFound" ? ok("none") : err(read.error);
  if (read.value._tag === "Unreadable") return err(unavailable(undoId, read.value.quarantine.message));
  const { undoes } = startOf(read.value.entries) ?? {};
  return ok(undoes !== undefined && startOf(undoes.entries)?.seed === startOf(entries)?.seed ? "this" : "another");
}

function startOf([start]: readonly Entry[]): SagaStarted | undefined {
  return start?._tag === "SagaStarted" ? start : undefined;
}

function whyNot({ name, pivot, complete }: SagaDefinition, undoes: UndoneSaga): Refusal | undefined {
  const view = viewOf(undoes.entries);
  if (view.ending?._tag !== "Completed")
    return { reason: "notCompleted", message: `it is ${statusOf(view)}; only a completed saga is taken back` };
  if (pivot !== undefined || complete !== undefined) {
    return { reason: "pastPivot", message: `${name} has a point of no return, and this saga is past it` };
  }
  if (undoes.entries.some(isEvent)) return { reason: "published", message: "it has published events, which others have acted on" };
  return undefined;
}

/** Its participants may forget its keys before the last of them has taken its action back. */
function tooLate({ ports }: SagaHost, { entries }: UndoneSaga, window: UndoWindow | undefined): Refusal | undefined {
  const start = startOf(entries);
  if (start === undefined || window === undefined) return undefined;
  const message = ageFlaw(ports.store.now() - start.at, window);
  return message === undefined ? undefined : { reason: "pastRetention", message };
}

/** What would be begun is tried first, so that what cannot be driven or kept is refused instead of being begun. */
function rehearse(
  definition: SagaDefinition,
  undoId: string,
  { input, undoes }: Pick<SagaStarted, "input" | "undoes">,
): Refusal | undefined {
  const started: SagaStarted = { _tag: "SagaStarted", input, seed: "0".repeat(32), undoes, at: Number.MAX_SAFE_INTEGER };
  try {
    const { entries } = createMachine(definition, undoId).apply(started);
    return encodeRecord(entries).isErr() ? { reason: "tooLarge", message: "its journal does not fit one record" } : undefined;
  } catch (thrown) {
    return { reason: "replayDiverged", message: quarantineOf(definition, thrown).message };
  }
}

function isEvent({ _tag }: Entry): boolean {
  return _tag === "EventEmitted";
}

/** One saga takes back one saga: asking twice finds the same one. */
function undoIdOf(sagaId: string): string {
  const plain = `${sagaId}${UNDO_ID_ENDING}`;
  return plain.length <= SAGA_ID_LENGTH_MAX ? plain : `${hash128(sagaId)}${UNDO_ID_ENDING}`;
}
