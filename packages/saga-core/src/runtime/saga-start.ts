/** Starting is idempotent: the same id and input are the same saga, the same id with anything else is a conflict (I8). */
import { err, ok, type Result } from "neverthrow";
import type { SagaDefinition } from "../definition/saga-definition.ts";
import type { SagaIdConflict, SagaStartError, SagaUnavailable } from "../errors/saga-error.ts";
import type { StoredJournal } from "../journal/journal-store.ts";
import type { Duration } from "../primitives/duration.ts";
import { canonicalJson, type Json } from "../primitives/json.ts";
import type { UndoWindow } from "./check-horizons.ts";
import { conflict, type SagaHost, unavailable } from "./saga-host.ts";
import { decodeJournal } from "./saga-journal.ts";
import { checkSagaId, readDeadline, readInput } from "./start-request.ts";

export async function startSaga(
  host: SagaHost,
  definition: SagaDefinition,
  rawInput: unknown,
  { id: sagaId, deadline }: { readonly id: string; readonly deadline?: Duration | undefined },
  window: UndoWindow | undefined,
): Promise<Result<void, SagaStartError>> {
  const named = checkSagaId(sagaId);
  if (named.isErr()) return err(named.error);
  const input = await readInput(definition, sagaId, rawInput);
  if (input.isErr()) return err(input.error);
  const deadlineMs = readDeadline(sagaId, definition.deadlineMs, deadline, window);
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
  if (loaded.isErr()) {
    const { error } = loaded;
    return error._tag === "JournalCorrupt" ? ok(undefined) : err(unavailable(sagaId, error.message));
  }
  const journal = loaded.value;
  if (journal === undefined) return err(unavailable(sagaId, "the journal refuses a new saga of this id, and has none"));
  return journal.saga.name === definition.name && mayHaveInput(journal, input) ? ok(undefined) : err(conflict(sagaId));
}

/**
 * Where the record of the start is damaged, no conflict can be told. The saga is there and durable, which is what a start promises; that it is parked, and
 * why, is its result.
 */
function mayHaveInput(journal: StoredJournal, input: Json | undefined): boolean {
  const begun = decodeJournal({ ...journal, records: journal.records.slice(0, 1) });
  if (begun.isErr()) return true;
  const [first] = begun.value;
  return first?._tag === "SagaStarted" && canonicalJson(first.input) === canonicalJson(input);
}
