/** When there is nothing left to do: every saga has ended, and every event is out. */
import type { JournalStore } from "@backstep/saga-core/journal";

const LOOK_MS = 200;

/** Resolves then, with `true`, or with `false` at `until`, `performance.now()`. Looks once at least. */
export async function untilQuiet(store: JournalStore, until: number): Promise<boolean> {
  for (;;) {
    const [unfinished, pending] = await Promise.all([store.unfinished({ limit: 1, waiting: true }), store.outbox.pending({ limit: 1 })]);
    const ended = unfinished.isOk() && unfinished.value.sagaIds.length === 0;
    if (ended && pending.isOk() && pending.value.length === 0) return true;
    if (performance.now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
