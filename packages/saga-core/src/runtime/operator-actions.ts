/** Operators' verbs on sagas: find the saga, check that the verb fits, journal who did it and why, and let the engine go on from there. */
import { err, ok, type Result } from "neverthrow";
import type { Operation } from "../engine/operation.ts";
import type { SagaNotFound, SagaUnavailable, VerbRefused } from "../errors/saga-error.ts";
import type { Fact, OperatorAbandoned } from "../journal/entry.ts";
import { encodeRecord } from "../journal/entry-codec.ts";
import { standingEffects, statusOf } from "../journal/saga-view.ts";
import { checkOperator, type OperatorOrder, retryFact, type SettleOrder, settleFact } from "./operator-verbs.ts";
import { type SagaHost, unavailable } from "./saga-host.ts";
import { readSaga } from "./saga-reader.ts";

type VerbResult = Result<void, VerbRefused | SagaNotFound | SagaUnavailable>;

export async function retryOperation(host: SagaHost, sagaId: string, order: OperatorOrder): Promise<VerbResult> {
  return actOnParked(host, sagaId, order, async () => retryFact(order, host.ports.now()));
}

export async function settleOperation(host: SagaHost, sagaId: string, order: SettleOrder): Promise<VerbResult> {
  return actOnParked(host, sagaId, order, (operation) => settleFact(order, operation, sagaId, host.ports));
}

async function actOnParked(
  host: SagaHost,
  sagaId: string,
  { path, slot }: OperatorOrder,
  factOf: (operation: Readonly<Operation>) => Promise<Result<Fact, string>>,
): Promise<VerbResult> {
  const present = await host.present(sagaId, { hold: true });
  if (present.isErr()) return err(present.error);
  const found = present.value;
  if (found._tag === "NoSuchSaga") return err({ _tag: "SagaNotFound", sagaId });
  if (found._tag === "Quarantined") {
    return refuse(sagaId, `no definition here can drive it (${found.quarantine.message}): readmit it once that is mended, or abandon it`);
  }
  const { instance } = found;
  try {
    const operation = instance.operation(path, slot);
    if (operation?.state !== "parked") return refuse(sagaId, `the ${slot} of ${path} is ${operation?.state ?? "not there"}, not parked`);
    const fact = await factOf(operation);
    if (fact.isErr()) return refuse(sagaId, fact.error);
    const applied = await instance.apply(fact.value);
    return applied.mapErr(({ _tag }) => unavailable(sagaId, `the verb was not journaled (${_tag}): try again`));
  } finally {
    instance.release();
  }
}

/** Needs no definition, so that a saga nobody can drive can still be ended truthfully. */
export async function abandonSaga(
  host: SagaHost,
  sagaId: string,
  { by, reason }: Pick<OperatorOrder, "by" | "reason">,
): Promise<VerbResult> {
  const checked = checkOperator({ by, reason });
  if (checked.isErr()) return refuse(sagaId, checked.error);
  const read = await readSaga(host, sagaId);
  if (read.isErr()) return err(read.error);
  if (read.value._tag === "Unreadable")
    return refuse(sagaId, `its journal cannot be read (${read.value.quarantine.message}), so what stands is not known`);
  const parked = host.live(sagaId) === undefined && (statusOf(read.value.view) === "parked" || host.quarantine(sagaId) !== undefined);
  if (!parked) return refuse(sagaId, `it is ${statusOf(read.value.view)}; only a parked saga can be abandoned`);
  const claimed = await host.ports.store.claim(sagaId);
  if (claimed.isErr() || claimed.value === undefined) return err(unavailable(sagaId, "the journal cannot be claimed: try again"));
  const { saga, epoch, records } = claimed.value;
  if (records.length !== read.value.journal.records.length) return refuse(sagaId, "it moved meanwhile: look again");
  const fact: OperatorAbandoned = { _tag: "OperatorAbandoned", by, reason, stands: standingEffects(read.value.view), at: host.ports.now() };
  const record = encodeRecord([fact]);
  if (record.isErr()) return refuse(sagaId, "the record is too large");
  const appended = await host.ports.store.append({
    sagaId,
    sequence: records.length,
    epoch,
    saga,
    status: "abandoned",
    record: record.value,
    outbox: [],
  });
  return appended.mapErr(({ _tag }) => unavailable(sagaId, `the verb was not journaled (${_tag}): try again`));
}

export async function readmitSaga(host: SagaHost, sagaId: string): Promise<VerbResult> {
  if (host.quarantine(sagaId) === undefined) return refuse(sagaId, "it is not quarantined");
  const present = await host.present(sagaId, { force: true });
  if (present.isErr()) return err(present.error);
  const still = host.quarantine(sagaId);
  return still === undefined ? ok(undefined) : refuse(sagaId, still.message);
}

function refuse(sagaId: string, message: string): Result<never, VerbRefused> {
  return err({ _tag: "VerbRefused", sagaId, message });
}
