/** Retention: sagas that have ended are handed to an archive, if there is one, and forgotten. Unfinished ones are never touched, however old. */
import { err, ok, type Result } from "neverthrow";
import type { SagaUnavailable } from "../errors/saga-error.ts";
import type { StoredJournal } from "../journal/journal-store.ts";
import { type SagaHost, unavailable } from "./saga-host.ts";

export interface ForgetOptions {
  /** Epoch milliseconds of the store's clock: sagas that ended before. Ids and the API keys that they were made of must be out of use by then. */
  readonly endedBefore: number;
  /** Keeps a journal elsewhere. A saga is forgotten only once this has resolved; when it rejects, forgetting ends there. Called again for the same saga after a crash. */
  readonly archive?: ((journal: StoredJournal) => Promise<void>) | undefined;
}

export interface Forgotten {
  readonly sagas: number;
}

const PAGE_SAGAS = 200;

export async function forgetSagas(host: SagaHost, { endedBefore, archive }: ForgetOptions): Promise<Result<Forgotten, SagaUnavailable>> {
  const { store } = host.ports;
  let sagas = 0;
  for (;;) {
    const page = await store.ended({ before: endedBefore, limit: PAGE_SAGAS });
    if (page.isErr()) return err(unavailable("", page.error.message));
    const { sagaIds } = page.value;
    for (const sagaId of archive === undefined ? [] : sagaIds) {
      const archived = await archiveSaga(host, sagaId, archive);
      if (archived.isErr()) return err(archived.error);
    }
    const removed = await store.remove(sagaIds);
    if (removed.isErr()) return err(unavailable("", removed.error.message));
    sagas += removed.value.removed;
    if (sagaIds.length < PAGE_SAGAS || removed.value.removed === 0) return ok({ sagas });
  }
}

async function archiveSaga(host: SagaHost, sagaId: string, archive: ForgetOptions["archive"]): Promise<Result<void, SagaUnavailable>> {
  const loaded = await host.ports.store.load(sagaId);
  // A journal that cannot be read cannot be archived, and so is not forgotten either: the page ends here, and says why.
  if (loaded.isErr()) return err(unavailable(sagaId, loaded.error.message));
  try {
    if (loaded.value !== undefined) await archive?.(loaded.value);
    return ok(undefined);
  } catch (thrown) {
    return err(unavailable(sagaId, `the archive did not take it: ${thrown instanceof Error ? thrown.message : String(thrown)}`));
  }
}
