/** The suite of the journal port: composes the groups, and gives every case a storage of its own that is cleaned up behind it. */
import type { JournalStore } from "../journal/journal-store.ts";
import { appendCases } from "./append-cases.ts";
import { claimCases } from "./claim-cases.ts";
import { concurrencyCases } from "./concurrency-cases.ts";
import type { CaseBody, CaseGroup, ConformanceCase, JournalStorage, JournalStoreHarness } from "./conformance-case.ts";
import { crashCases } from "./crash-cases.ts";
import { damageCases } from "./damage-cases.ts";
import { dueCases } from "./due-cases.ts";
import { durabilityCases } from "./durability-cases.ts";
import { guardCases } from "./guard-cases.ts";
import { lockCases } from "./lock-cases.ts";
import { outboxCases } from "./outbox-cases.ts";
import { retentionCases } from "./retention-cases.ts";
import { unfinishedCases } from "./unfinished-cases.ts";
import { workerCases } from "./worker-cases.ts";

const groups: readonly CaseGroup[] = [
  appendCases,
  guardCases,
  concurrencyCases,
  claimCases,
  unfinishedCases,
  dueCases,
  lockCases,
  retentionCases,
  outboxCases,
  durabilityCases,
  crashCases,
];

/**
 * What every journal store must do, as cases for any test runner: `for (const { name, run } of journalStoreConformance(harness)) test(name, run)`.
 *
 * Cases are independent of each other. They need no clock but one that goes on. Those named `crash` drive real sagas, and let go of stores as a dead process does: the
 * next one is opened while they still are. They do not kill processes or cut power: a durable store needs crash tests of its own, too.
 *
 * @param harness - Makes storages; each case uses one, opens up to two stores on it, and closes them; the `crash` ones open many, and up to a dozen at a time.
 */
export function journalStoreConformance<Storage extends JournalStorage>(harness: JournalStoreHarness<Storage>): readonly ConformanceCase[] {
  const damage = harness.corrupt === undefined ? [] : [damageCases];
  const workers = harness.workers === true ? [workerCases] : [];
  return [...groups, ...damage, ...workers]
    .flatMap((group) => Object.entries(group))
    .map(([name, body]) => ({ name, run: () => runCase(harness, body) }));
}

async function runCase<Storage extends JournalStorage>(harness: JournalStoreHarness<Storage>, body: CaseBody): Promise<void> {
  const storage = await harness.createStorage();
  const opened: JournalStore[] = [];
  try {
    await body({
      async open() {
        const store = await storage.open();
        opened.push(store);
        return store;
      },
      corrupt: async (sagaId) => harness.corrupt?.(storage, sagaId),
    });
  } finally {
    for (const store of opened) await store.close();
    await storage.dispose?.();
  }
}
