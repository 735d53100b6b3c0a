/** When there is nothing left to do: every saga has ended, and every event is out. */
import type { JournalStore } from "@backstep/saga-core/journal";

const LOOK_MS = 200;
const NAMED_MAX = 5;

/** Resolves then, with nothing, or at `until`, `performance.now()`, with what is left. Looks once at least. */
export async function untilQuiet(store: JournalStore, until: number): Promise<string | undefined> {
  for (;;) {
    const left = await leftIn(store);
    if (left === undefined || performance.now() >= until) return left;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function leftIn(store: JournalStore): Promise<string | undefined> {
  const [unfinished, pending] = await Promise.all([
    store.unfinished({ limit: NAMED_MAX, waiting: true }),
    store.outbox.pending({ limit: NAMED_MAX }),
  ]);
  if (unfinished.isErr() || pending.isErr()) return "a journal that does not answer";
  const names = [...unfinished.value.sagaIds, ...pending.value.map(({ id }) => `event ${id}`)];
  return names.length === 0 ? undefined : names.join(", ");
}
