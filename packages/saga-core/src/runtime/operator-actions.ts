/** Operators' verbs on sagas: find the saga, check that the verb fits, journal who did it and why, and let the engine go on from there. */
import { err, ok, type Result } from "neverthrow";
import type { Operation } from "../engine/operation.ts";
import type { Quarantine } from "../errors/parked.ts";
import type { SagaNotFound, SagaUnavailable, VerbRefused } from "../errors/saga-error.ts";
import type { Fact, OperatorAbandoned } from "../journal/entry.ts";
import { encodeRecord } from "../journal/entry-codec.ts";
import type { StoredJournal } from "../journal/journal-store.ts";
import { type SagaView, standingEffects, statusOf } from "../journal/saga-view.ts";
import type { SagaInstance } from "./instance.ts";
import { checkOperator, type OperatorOrder, retryFact, type SettleOrder, settleFact } from "./operator-verbs.ts";
import { ELSEWHERE, type SagaHost, unavailable } from "./saga-host.ts";
import { readSaga, statusIn } from "./saga-reader.ts";

type VerbResult = Result<void, VerbRefused | SagaNotFound | SagaUnavailable>;

export async function retryOperation(host: SagaHost, sagaId: string, order: OperatorOrder): Promise<VerbResult> {
  return actOnParked(host, sagaId, order, async () => retryFact(order, host.ports.now()));
}

export async function settleOperation(host: SagaHost, sagaId: string, order: SettleOrder): Promise<VerbResult> {
  return actOnParked(host, sagaId, order, (operation, callsAs) => settleFact(order, operation, callsAs, host.ports));
}

/** Given the operation, and the saga in whose name it is called. */
type FactOf = (operation: Readonly<Operation>, callsAs: string) => Promise<Result<Fact, string>>;

async function actOnParked(host: SagaHost, sagaId: string, order: OperatorOrder, factOf: FactOf): Promise<VerbResult> {
  const present = await host.present(sagaId, { hold: true, want: true });
  if (present.isErr()) return err(present.error);
  const found = present.value;
  if (found._tag === "NoSuchSaga") return err({ _tag: "SagaNotFound", sagaId });
  if (found._tag === "Elsewhere") return err(unavailable(sagaId, ELSEWHERE));
  try {
    // Read after the claim: whoever ends the saga from now on makes the claim stale, and the append below fails.
    const read = await readSaga(host, sagaId);
    if (read.isErr()) return err(read.error);
    if (read.value._tag === "Unreadable") return refuseUnreadable(sagaId, read.value.quarantine);
    if (read.value.view.ending !== undefined) {
      return refuse(sagaId, `it is ${statusOf(read.value.view)}, and what has ended stays as it is`);
    }
    if (found._tag === "Quarantined") {
      return refuse(sagaId, `no definition here can drive it (${found.quarantine.message}): readmit it once that is mended, or abandon it`);
    }
    return await applyVerb(found.instance, sagaId, order, factOf);
  } finally {
    if (found._tag === "Live") found.instance.release();
  }
}

async function applyVerb(instance: SagaInstance, sagaId: string, { path, slot }: OperatorOrder, factOf: FactOf): Promise<VerbResult> {
  if (instance.gone) return err(unavailable(sagaId, "it is no longer driven from here: try again"));
  const operation = instance.operation(path, slot);
  if (operation?.state !== "parked") return refuse(sagaId, `the ${slot} of ${path} is ${operation?.state ?? "not there"}, not parked`);
  const { generation } = operation;
  const fact = await factOf(operation, instance.saga.callsAs());
  if (fact.isErr()) return refuse(sagaId, fact.error);
  // Another verb may have been faster. From here to the fact being applied nothing is awaited.
  const now = instance.operation(path, slot);
  if (!instance.gone && (now?.state !== "parked" || now.generation !== generation)) {
    return refuse(sagaId, `it moved meanwhile, the ${slot} of ${path} is ${now?.state ?? "not there"}: look again`);
  }
  const applied = await instance.apply(fact.value);
  return applied.mapErr(({ _tag }) => unavailable(sagaId, `the verb was not journaled (${_tag}): try again`));
}

/** Needs no definition, so that a saga nobody can drive can still be ended truthfully. */
export async function abandonSaga(
  host: SagaHost,
  sagaId: string,
  { by, reason }: Pick<OperatorOrder, "by" | "reason">,
): Promise<VerbResult> {
  const checked = checkOperator({ by, reason });
  if (checked.isErr()) return refuse(sagaId, checked.error);
  if (host.closed) return err(unavailable(sagaId, "the engine is closed"));
  const read = await readSaga(host, sagaId);
  if (read.isErr()) return err(read.error);
  if (read.value._tag === "Unreadable") return refuseUnreadable(sagaId, read.value.quarantine);
  const { view, journal } = read.value;
  const flaw = whyNotAbandon(host, sagaId, journal, view);
  if (flaw !== undefined) return refuse(sagaId, flaw);
  const claimed = await host.claim(sagaId);
  if (claimed.isErr() || claimed.value === undefined) return err(unavailable(sagaId, "the journal cannot be claimed: try again"));
  const abandoned = await abandonClaimed(host, claimed.value, journal, view, { by, reason });
  // Whatever came of it, nobody drives it here.
  host.letGo(sagaId);
  return abandoned;
}

async function abandonClaimed(
  host: SagaHost,
  { sagaId, saga, epoch, records }: StoredJournal,
  seen: StoredJournal,
  view: SagaView,
  { by, reason }: Pick<OperatorOrder, "by" | "reason">,
): Promise<VerbResult> {
  if (records.length !== seen.records.length) return refuse(sagaId, "it moved meanwhile: look again");
  const fact: OperatorAbandoned = { _tag: "OperatorAbandoned", by, reason, stands: standingEffects(view), at: host.ports.now() };
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
  // Whoever stands in line for its locks is due; also when the answer says nothing of what became of the record.
  host.lookForDue();
  if (appended.isOk()) {
    host.forgetQuarantine(sagaId);
    host.ports.observe?.({ _tag: "EntryAppended", sagaId, saga, sequence: records.length, entry: fact });
  }
  return appended.mapErr(({ _tag }) => unavailable(sagaId, `the verb was not journaled (${_tag}): try again`));
}

function whyNotAbandon(host: SagaHost, sagaId: string, journal: StoredJournal, view: SagaView): string | undefined {
  const status = statusIn(journal, view);
  const goesOn = status === "running" || status === "waiting";
  const stuck = status === "parked" || (goesOn && host.quarantine(sagaId) !== undefined);
  if (!stuck) return `it is ${status}; only a parked saga can be abandoned`;
  return host.live(sagaId) === undefined ? undefined : "another operator's verb is at it: look again";
}

export async function readmitSaga(host: SagaHost, sagaId: string): Promise<VerbResult> {
  if (host.quarantine(sagaId) === undefined) return refuse(sagaId, "it is not quarantined");
  const present = await host.present(sagaId, { force: true, want: true });
  if (present.isErr()) return err(present.error);
  if (present.value._tag === "Elsewhere") return err(unavailable(sagaId, ELSEWHERE));
  const still = host.quarantine(sagaId);
  return still === undefined ? ok(undefined) : refuse(sagaId, still.message);
}

function refuseUnreadable(sagaId: string, { message }: Quarantine): Result<never, VerbRefused> {
  return refuse(sagaId, `its journal cannot be read (${message}), so what stands is not known`);
}

function refuse(sagaId: string, message: string): Result<never, VerbRefused> {
  return err({ _tag: "VerbRefused", sagaId, message });
}
