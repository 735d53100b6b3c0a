/** Retention: sagas that have ended are handed to an archive, if there is one, and forgotten. Unfinished ones are never touched, however old. */

import { err, ok, type Result } from "neverthrow";
import type { SagaUnavailable } from "../errors/saga-error.ts";
import type { StoredJournal } from "../journal/journal-store.ts";
import { messageOf } from "../primitives/thrown.ts";
import { type SagaHost, unavailable } from "./saga-host.ts";

export interface ForgetOptions {
  /** Epoch milliseconds of the store's clock: sagas that ended before. Ids and the API keys that they were made of must be out of use by then. */
  readonly endedBefore: number;
  /** Keeps a journal elsewhere. A saga is forgotten only once this has resolved; when it rejects, forgetting ends there, and what it took before is gone. Called again for the same saga after a crash. */
  readonly archive?: ((journal: StoredJournal) => Promise<void>) | undefined;
}

export interface Forgotten {
  readonly sagas: number;
  /** Ended sagas that stay, because their journals cannot be read and so no archive took them. Without an archive nothing is read, and they go. */
  readonly unreadable: readonly string[];
}

const PAGE_SAGAS = 200;

export async function forgetSagas(host: SagaHost, { endedBefore, archive }: ForgetOptions): Promise<Result<Forgotten, SagaUnavailable>> {
  const { store } = host.ports;
  const unreadable = new Set<string>();
  let sagas = 0;
  for (;;) {
    // What stays is listed first, and must not hide what is behind it.
    const limit = PAGE_SAGAS + unreadable.size;
    const page = await store.ended({ before: endedBefore, limit });
    if (page.isErr()) return err(unavailable("", page.error.message));
    const wanted = page.value.sagaIds.filter((sagaId) => !unreadable.has(sagaId));
    const { taken, skipped, refusal } = await archiveAll(host, wanted, archive);
    const removed = await store.remove(taken);
    if (removed.isErr()) return err(unavailable("", removed.error.message));
    if (refusal !== undefined) return err(refusal);
    sagas += removed.value.removed;
    for (const sagaId of skipped) unreadable.add(sagaId);
    const stuck = removed.value.removed === 0 && skipped.length === 0;
    if (page.value.sagaIds.length < limit || stuck) return ok({ sagas, unreadable: [...unreadable] });
  }
}

interface Archived {
  readonly taken: readonly string[];
  readonly skipped: readonly string[];
  /** What ended it. */
  readonly refusal?: SagaUnavailable | undefined;
}

async function archiveAll(host: SagaHost, sagaIds: readonly string[], archive: ForgetOptions["archive"]): Promise<Archived> {
  if (archive === undefined) return { taken: sagaIds, skipped: [] };
  const taken: string[] = [];
  const skipped: string[] = [];
  for (const sagaId of sagaIds) {
    const archived = await archiveSaga(host, sagaId, archive);
    if (archived.isErr()) return { taken, skipped, refusal: archived.error };
    (archived.value === "taken" ? taken : skipped).push(sagaId);
  }
  return { taken, skipped };
}

async function archiveSaga(
  host: SagaHost,
  sagaId: string,
  archive: (journal: StoredJournal) => Promise<void>,
): Promise<Result<"taken" | "unreadable", SagaUnavailable>> {
  const loaded = await host.ports.store.load(sagaId);
  if (loaded.isErr()) {
    const { _tag, message } = loaded.error;
    return _tag === "JournalCorrupt" ? ok("unreadable") : err(unavailable(sagaId, message));
  }
  try {
    if (loaded.value !== undefined) await archive(loaded.value);
    return ok("taken");
  } catch (thrown) {
    return err(unavailable(sagaId, `the archive did not take it: ${messageOf(thrown)}`));
  }
}
