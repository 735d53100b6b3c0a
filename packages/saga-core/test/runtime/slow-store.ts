/** A disk on which one append takes its time: what becomes known meanwhile is not durable yet. */
import type { AppendRequest, JournalStore, MemoryStore } from "../../src/journal.ts";

/** Holds back the append that `wanted` picks, and every one after it, as a slow disk does; then all of them are answered in order. */
export function slowStore(wanted: (request: AppendRequest) => boolean) {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  let holding = false;
  const wrap = (store: MemoryStore): JournalStore => ({
    ...store,
    append(request) {
      holding ||= wanted(request);
      const appended = store.append(request);
      if (!holding) return appended;
      reached.resolve();
      return opened.promise.then(() => appended);
    },
  });
  return { wrap, reached: reached.promise, letGo: () => opened.resolve() };
}
