/** What a caller hands in to start a saga, checked before anything is journaled. */
import { err, ok, type Result } from "neverthrow";
import type { SagaDefinition } from "../definition/saga-definition.ts";
import type { SagaRequestInvalid } from "../errors/saga-error.ts";
import { type Duration, durationMs } from "../primitives/duration.ts";
import { type Json, toJson } from "../primitives/json.ts";
import { VALUE_CHARACTERS_MAX } from "./attempt.ts";
import { deadlineFlaw, type UndoWindow } from "./check-horizons.ts";
import { checkValue } from "./check-value.ts";

export const SAGA_ID_LENGTH_MAX = 128;

/** What keys and headers carry unescaped, without the "/" that separates a saga's id from a path. */
const SAGA_ID_PATTERN = /^[A-Za-z0-9._:@~-]+$/;
/** How the ids of sagas end that take back another one; no caller's does. */
export const UNDO_ID_ENDING = "~undo";

export function checkSagaId(sagaId: string): Result<void, SagaRequestInvalid> {
  if (typeof sagaId === "string" && sagaId.length <= SAGA_ID_LENGTH_MAX && SAGA_ID_PATTERN.test(sagaId)) {
    if (!sagaId.endsWith(UNDO_ID_ENDING)) return ok(undefined);
    return err(invalid(sagaId, "id", `ids that end with ${UNDO_ID_ENDING} are those of sagas that take back another one`));
  }
  return err(invalid(String(sagaId), "id", `a saga's id has 1 to ${SAGA_ID_LENGTH_MAX} characters of A-Z a-z 0-9 . _ : @ ~ -`));
}

/** The saga's own deadline, or the one that replaces it. Undos after either must come in time. */
export function readDeadline(
  sagaId: string,
  own: number | undefined,
  given: Duration | undefined,
  window: UndoWindow | undefined,
): Result<number | undefined, SagaRequestInvalid> {
  const read: Result<number | undefined, string> = given === undefined ? ok(own) : durationMs(given);
  return read
    .andThen((ms) => {
      const flaw = window === undefined ? undefined : deadlineFlaw(ms, window);
      return flaw === undefined ? ok(ms) : err(flaw);
    })
    .mapErr((flaw) => invalid(sagaId, "deadline", flaw));
}

/** The input as the journal keeps it: validated by the saga's schema, plain JSON, within bounds. */
export async function readInput(
  definition: SagaDefinition,
  sagaId: string,
  raw: unknown,
): Promise<Result<Json | undefined, SagaRequestInvalid>> {
  const validated = await checkValue(definition.input, raw, "input");
  if (validated.isErr()) return err({ _tag: "SagaRequestInvalid", sagaId, issues: validated.error });
  if (validated.value === undefined) return ok(undefined);
  return toJson(validated.value)
    .mapErr(({ path, found }) => invalid(sagaId, `input${path}`, `must be JSON; found ${found}`))
    .andThen((json): Result<Json, SagaRequestInvalid> => {
      const { length } = JSON.stringify(json);
      if (length <= VALUE_CHARACTERS_MAX) return ok(json);
      return err(invalid(sagaId, "input", `has ${length} characters of JSON; ${VALUE_CHARACTERS_MAX} are the most`));
    });
}

function invalid(sagaId: string, path: string, message: string): SagaRequestInvalid {
  return { _tag: "SagaRequestInvalid", sagaId, issues: [{ path, message }] };
}
