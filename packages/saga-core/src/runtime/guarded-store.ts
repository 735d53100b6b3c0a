/** The store as the runtime sees it: one that throws or rejects breaks its port, and is asked again as one that cannot be reached. `append` guards itself, for its verdict counts more. */
import { err, type Result } from "neverthrow";
import type { JournalStore, Workers } from "../journal/journal-store.ts";
import type { StoreUnavailable } from "../journal/store-unavailable.ts";
import { messageOf } from "../primitives/thrown.ts";

export function guardedStore(store: JournalStore): JournalStore {
  const { workers } = store;
  return {
    now: () => store.now(),
    append: (request) => store.append(request),
    load: (sagaId) => guarded(() => store.load(sagaId)),
    claim: (sagaId, options) => guarded(() => store.claim(sagaId, options)),
    unfinished: (options) => guarded(() => store.unfinished(options)),
    due: (options) => guarded(() => store.due(options)),
    lockHolder: (name) => guarded(() => store.lockHolder(name)),
    ended: (options) => guarded(() => store.ended(options)),
    remove: (sagaIds) => guarded(() => store.remove(sagaIds)),
    outbox: store.outbox,
    workers: workers === undefined ? undefined : guardedWorkers(workers),
    close: () => store.close(),
  };
}

function guardedWorkers(workers: Workers): Workers {
  return {
    renew: (leaseMs) => guarded(() => workers.renew(leaseMs)),
    leave: () => guarded(() => workers.leave()),
    release: (sagaIds) => guarded(() => workers.release(sagaIds)),
    orphans: (options) => guarded(() => workers.orphans(options)),
    listen: (listener) => workers.listen?.(listener) ?? (() => undefined),
  };
}

async function guarded<Value, Failure>(ask: () => Promise<Result<Value, Failure>>): Promise<Result<Value, Failure | StoreUnavailable>> {
  try {
    return await ask();
  } catch (thrown) {
    return err({ _tag: "StoreUnavailable", message: `the store threw: ${messageOf(thrown)}` });
  }
}
