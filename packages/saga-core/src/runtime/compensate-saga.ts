/**
 * Taking back a saga that has completed, as a new saga that is linked to it: by the same rules, under the keys that the original would have used. The original's answer
 * stands. Only what has no point of no return, and told nobody that it was done, can be taken back.
 */
import { err, ok, type Result } from "neverthrow";
import type { SagaDefinition } from "../definition/saga-definition.ts";
import type { CompensateRefused, SagaNotFound, SagaUnavailable } from "../errors/saga-error.ts";
import type { Entry, UndoneSaga } from "../journal/entry.ts";
import { encodeRecord } from "../journal/entry-codec.ts";
import { statusOf, viewOf } from "../journal/saga-view.ts";
import { hash128 } from "../primitives/hash.ts";
import { checkOperator } from "./operator-verbs.ts";
import { type SagaHost, unavailable } from "./saga-host.ts";
import { readSaga } from "./saga-reader.ts";
import { SAGA_ID_LENGTH_MAX } from "./start-request.ts";

type Refusal = Pick<CompensateRefused, "reason" | "message">;

/** Room for what a record is made of besides the entries of the original. */
const RECORD_OVERHEAD = { _tag: "SagaStarted", seed: "0".repeat(32), at: Number.MAX_SAFE_INTEGER } as const;

export async function compensateSaga(
  host: SagaHost,
  sagaId: string,
  reason: string,
  by: string | undefined,
): Promise<Result<{ readonly sagaId: string }, CompensateRefused | SagaNotFound | SagaUnavailable>> {
  const refuse = (refusal: Refusal) => err<never, CompensateRefused>({ _tag: "CompensateRefused", sagaId, ...refusal });
  const checked = checkOperator({ by: by ?? "-", reason });
  if (checked.isErr()) return refuse({ reason: "requestInvalid", message: checked.error });
  const read = await readSaga(host, sagaId);
  if (read.isErr()) return err(read.error);
  if (read.value._tag === "Unreadable") return err(unavailable(sagaId, read.value.quarantine.message));
  const { journal, entries } = read.value;
  const definition = host.definition(journal.saga);
  if (definition === undefined)
    return refuse({ reason: "unknownSaga", message: `no definition of ${journal.saga.name} ${journal.saga.version} is here` });
  const undoes: UndoneSaga = { sagaId, entries, by, reason };
  const refusal = whyNot(definition, undoes);
  if (refusal !== undefined) return refuse(refusal);
  const undoId = undoIdOf(sagaId);
  const [start] = entries;
  const input = start?._tag === "SagaStarted" ? start.input : undefined;
  const begun = await host.begin(definition, undoId, input, { undoes });
  return begun.isErr() ? err(unavailable(sagaId, begun.error.message)) : ok({ sagaId: undoId });
}

function whyNot({ name, pivot, complete }: SagaDefinition, undoes: UndoneSaga): Refusal | undefined {
  const view = viewOf(undoes.entries);
  if (view.ending?._tag !== "Completed")
    return { reason: "notCompleted", message: `it is ${statusOf(view)}; only a completed saga is taken back` };
  if (pivot !== undefined || complete !== undefined) {
    return { reason: "pastPivot", message: `${name} has a point of no return, and this saga is past it` };
  }
  if (undoes.entries.some(isEvent)) return { reason: "published", message: "it has published events, which others have acted on" };
  if (encodeRecord([{ ...RECORD_OVERHEAD, undoes }]).isErr()) return { reason: "tooLarge", message: "its journal does not fit one record" };
  return undefined;
}

function isEvent({ _tag }: Entry): boolean {
  return _tag === "EventEmitted";
}

/** One saga takes back one saga: asking twice finds the same one. */
function undoIdOf(sagaId: string): string {
  const plain = `${sagaId}~undo`;
  return plain.length <= SAGA_ID_LENGTH_MAX ? plain : `${hash128(sagaId)}~undo`;
}
