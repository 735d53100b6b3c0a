/**
 * Several payment services publish from one outbox. Each publishes at once what it committed itself, and what another one committed only if that is still there a while later: its owner is dead, or
 * slow. Without this each event would be sent once by every one of them, for nothing: the inbox drops the repeats. A repeat now and then stays possible, and harmless.
 */
import type { JournalStore, Outbox, OutboxEvent } from "@backstep/saga-core/journal";

const OTHERS_AFTER_MS = 2_000;

/** The same store, whose outbox shows others' events late. A store without workers has no others, and is left as it is. */
export function ownEventsFirst(store: JournalStore, now: () => number = () => performance.now()): JournalStore {
  if (store.workers === undefined) return store;
  /** Committed here, and not yet published. */
  const own = new Set<string>();
  /** Others', with when they were first seen. */
  let seen = new Map<string, number>();

  function isDue({ id }: OutboxEvent): boolean {
    return own.has(id) || now() - (seen.get(id) ?? now()) >= OTHERS_AFTER_MS;
  }

  const outbox: Outbox = {
    async pending(options) {
      const pending = await store.outbox.pending(options);
      return pending.map((events) => {
        seen = new Map(events.map(({ id }) => [id, seen.get(id) ?? now()]));
        return events.filter(isDue);
      });
    },
    published(ids) {
      for (const id of ids) own.delete(id);
      return store.outbox.published(ids);
    },
  };
  return {
    ...store,
    outbox,
    async append(request) {
      for (const { id } of request.outbox) own.add(id);
      const appended = await store.append(request);
      if (appended.isErr()) for (const { id } of request.outbox) own.delete(id);
      return appended;
    },
  };
}
