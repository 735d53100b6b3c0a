/** Starting is idempotent: the same id and input are the same saga, the same id with anything else is a conflict (I8). */
import { err, ok, type Result } from "neverthrow";
import type { SagaDefinition } from "../definition/saga-definition.ts";
import type { SagaIdConflict, SagaStartError, SagaUnavailable } from "../errors/saga-error.ts";
import type { Duration } from "../primitives/duration.ts";
import { canonicalJson, type Json } from "../primitives/json.ts";
import { conflict, type SagaHost, unavailable } from "./saga-host.ts";
import { decodeJournal } from "./saga-journal.ts";
import { checkSagaId, readDeadline, readInput } from "./start-request.ts";

export async function startSaga(
  host: SagaHost,
  definition: SagaDefinition,
  rawInput: unknown,
  { id: sagaId, deadline }: { readonly id: string; readonly deadline?: Duration | undefined },
): Promise<Result<void, SagaStartError>> {
  const named = checkSagaId(sagaId);
  if (named.isErr()) return err(named.error);
  const input = await readInput(definition, sagaId, rawInput);
  if (input.isErr()) return err(input.error);
  const deadlineMs = deadline === undefined ? ok(definition.deadlineMs) : readDeadline(sagaId, deadline);
  if (deadlineMs.isErr()) return err(deadlineMs.error);
  const begun = await host.begin(definition, sagaId, input.value, { deadlineMs: deadlineMs.value });
  if (begun.isErr()) return err(begun.error);
  return begun.value === "begun" ? ok(undefined) : joinStored(host, definition, sagaId, input.value);
}

async function joinStored(
  host: SagaHost,
  definition: SagaDefinition,
  sagaId: string,
  input: Json | undefined,
): Promise<Result<void, SagaIdConflict | SagaUnavailable>> {
  const loaded = await host.ports.store.load(sagaId);
  if (loaded.isErr()) return err(unavailable(sagaId, loaded.error.message));
  if (loaded.value === undefined) return err(unavailable(sagaId, "the journal refuses a new saga of this id, and has none"));
  const entries = decodeJournal(loaded.value);
  if (entries.isErr()) return err(unavailable(sagaId, entries.error.message));
  const [first] = entries.value;
  const same =
    loaded.value.saga.name === definition.name && first?._tag === "SagaStarted" && canonicalJson(first.input) === canonicalJson(input);
  return same ? ok(undefined) : err(conflict(sagaId));
}
