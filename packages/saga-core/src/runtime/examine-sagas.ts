/**
 * Before a deploy: which unfinished sagas would the new definitions be unable to go on with? Replays their journals and does nothing else; nobody is called, and nothing is
 * written or taken over.
 */
import { err, ok, type Result } from "neverthrow";
import type { AnySaga } from "../definition/saga.ts";
import { createMachine } from "../engine/machine.ts";
import type { Quarantine } from "../errors/parked.ts";
import type { SagaUnavailable } from "../errors/saga-error.ts";
import type { JournalStore, StoredJournal } from "../journal/journal-store.ts";
import { quarantineOf } from "./adoption.ts";
import { Registry } from "./registry.ts";
import { unavailable } from "./saga-host.ts";
import { decodeJournal } from "./saga-journal.ts";

export interface ExamineOptions {
  /** The definitions to be deployed, in every version that is to run. */
  readonly sagas: readonly AnySaga[];
  /** The journal of the running ones; it may be in use. */
  readonly store: JournalStore;
}

export interface Examination {
  /** Unfinished sagas that were replayed. */
  readonly examined: number;
  /** Those that would be quarantined, with what stands in their way, oldest first. */
  readonly broken: readonly BrokenSaga[];
}

export interface BrokenSaga {
  readonly sagaId: string;
  readonly saga: StoredJournal["saga"];
  readonly quarantine: Quarantine;
}

const PAGE_SAGAS = 200;

export async function examineSagas({ sagas, store }: ExamineOptions): Promise<Result<Examination, SagaUnavailable>> {
  const registry = new Registry(sagas);
  const broken: BrokenSaga[] = [];
  let examined = 0;
  let after: string | undefined;
  do {
    const page = await store.unfinished({ limit: PAGE_SAGAS, after, waiting: true });
    if (page.isErr()) return err(unavailable("", page.error.message));
    for (const sagaId of page.value.sagaIds) {
      const found = await examine(store, registry, sagaId);
      if (found.isErr()) return err(found.error);
      examined += 1;
      if (found.value !== undefined) broken.push(found.value);
    }
    after = page.value.next;
  } while (after !== undefined);
  return ok({ examined, broken });
}

async function examine(store: JournalStore, registry: Registry, sagaId: string): Promise<Result<BrokenSaga | undefined, SagaUnavailable>> {
  const loaded = await store.load(sagaId);
  if (loaded.isErr()) {
    const { error } = loaded;
    if (error._tag === "StoreUnavailable") return err(unavailable(sagaId, error.message));
    return ok({ sagaId, saga: { name: "", version: 0 }, quarantine: { _tag: "JournalCorrupt", message: error.message } });
  }
  // It ended and was removed while the page was on its way.
  if (loaded.value === undefined) return ok(undefined);
  const quarantine = quarantineIn(registry, loaded.value);
  return ok(quarantine === undefined ? undefined : { sagaId, saga: loaded.value.saga, quarantine });
}

function quarantineIn(registry: Registry, journal: StoredJournal): Quarantine | undefined {
  const { sagaId, saga } = journal;
  const definition = registry.get(saga);
  if (definition === undefined) {
    return { _tag: "UnknownSaga", message: `no definition of saga ${saga.name} version ${saga.version} is among those to be deployed` };
  }
  const entries = decodeJournal(journal);
  if (entries.isErr()) return entries.error;
  const machine = createMachine(definition, sagaId);
  try {
    machine.replay(entries.value);
    return machine.quarantine();
  } catch (thrown) {
    return quarantineOf(saga, thrown);
  }
}
