/** Second process: an engine on the file that the first one left. Measures its start, lets time jump, and counts who went on, over the whole store. */
import { createEngine } from "@backstep/saga-core";
import type { JournalStore, StoredJournal } from "@backstep/saga-core/journal";
import { createSqliteStore } from "@backstep/sqlite-store";
import { createSettableClock } from "./settable-clock.ts";
import { createSleeper, earlyOnes, JUMP_MS, type SleepersPlan, sagaIdOf } from "./sleeper.ts";

export interface WakeUp {
  readonly early: number;
  readonly openMs: number;
  readonly recoveredMs: number;
  /** With no saga in memory. */
  readonly residentBytes: number;
  readonly wakeMs: number;
  /** What was found in the end: each of these by its own evidence. */
  readonly counts: WakeUpCounts;
}

export interface WakeUpCounts {
  readonly adoptedAtStart: number;
  /** Sagas whose step after the sleep was called, and those for which it was called more than once. */
  readonly risen: number;
  readonly risenTwice: number;
  readonly risenUnasked: number;
  /** Early ones that are completed, and were taken over once. */
  readonly completed: number;
  /** Others that wait as they were left: of their first owner, with one record. */
  readonly asleep: number;
}

const LOOK_MS = 20;
/** Without one more saga ended within this time, the rest is given up: the counts then say so. */
const STALLED_MS = 60_000;
const PAGE_SAGAS = 5_000;

export async function wakeUp(path: string, plan: SleepersPlan): Promise<WakeUp> {
  const clock = createSettableClock();
  const opening = performance.now();
  const store = createSqliteStore({ path, now: clock.now });
  const opened = performance.now();
  const { sleeper, risen } = createSleeper();
  const engine = createEngine({ sagas: [sleeper], store, timer: clock.timer });
  const { adopted, quarantined } = await engine.recovered;
  const recoveredMs = performance.now() - opened;
  globalThis.gc?.();
  const residentBytes = process.memoryUsage().rss;

  const early = new Set([...earlyOnes(plan)].map(sagaIdOf));
  const jumped = performance.now();
  clock.jump(JUMP_MS);
  await ended(store, risen, early.size);
  const wakeMs = performance.now() - jumped;

  await engine.close();
  const counts: WakeUpCounts = {
    adoptedAtStart: adopted + quarantined,
    risen: risen.size,
    risenTwice: [...risen.values()].filter((times) => times > 1).length,
    risenUnasked: [...risen.keys()].filter((sagaId) => !early.has(sagaId)).length,
    completed: await countOf(early, store, ({ status, epoch }) => status === "completed" && epoch === 2),
    asleep: await countAsleep(store, early),
  };
  await store.close();
  return { early: early.size, openMs: opened - opening, recoveredMs, residentBytes, wakeMs, counts };
}

/** Resolves when so many have risen and ended, or no more of them do. The store is asked last: that takes longer than looking who has risen. */
async function ended(store: JournalStore, risen: ReadonlyMap<string, number>, wanted: number): Promise<void> {
  const countEnded = async (): Promise<number> => {
    if (risen.size < wanted) return 0;
    return (await store.ended({ before: Number.MAX_SAFE_INTEGER, limit: wanted }))._unsafeUnwrap().sagaIds.length;
  };
  let seen = 0;
  for (let since = performance.now(); performance.now() - since < STALLED_MS; ) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const endedCount = await countEnded();
    if (endedCount === wanted) return;
    if (risen.size + endedCount > seen) since = performance.now();
    seen = risen.size + endedCount;
  }
}

async function countAsleep(store: JournalStore, early: ReadonlySet<string>): Promise<number> {
  let count = 0;
  for (let after: string | undefined, more = true; more; ) {
    const page = (await store.unfinished({ limit: PAGE_SAGAS, after, waiting: true }))._unsafeUnwrap();
    const others = page.sagaIds.filter((sagaId) => !early.has(sagaId));
    count += await countOf(others, store, ({ status, epoch, records }) => status === "waiting" && epoch === 1 && records.length === 1);
    after = page.next;
    more = after !== undefined;
  }
  return count;
}

async function countOf(sagaIds: Iterable<string>, store: JournalStore, holds: (journal: StoredJournal) => boolean): Promise<number> {
  let count = 0;
  for (const sagaId of sagaIds) {
    const journal = (await store.load(sagaId))._unsafeUnwrap();
    if (journal !== undefined && holds(journal)) count += 1;
  }
  return count;
}
