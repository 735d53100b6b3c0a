// Goal: the suite can fail. Method: it is run on stores that break one rule each, and must say so in the case that is about the rule.
import { expect, test } from "vitest";
import { ConformanceFailure, journalStoreConformance } from "../../src/conformance.ts";
import { createMemoryDisk, createMemoryStore } from "../../src/journal.ts";
import type { BrokenStore } from "./broken-store.ts";
import { brokenStores } from "./broken-stores.ts";

/** Of these cases all need workers. */
const WORKERS = /^workers:|^reopen: leases/;

/** Runs the suite and tells which cases failed, and how. Whole sagas are driven through a store only if that must notice something: some of them would wait long for their end. */
async function failuresOf({
  open,
  corrupt,
  noticedBy = [],
}: Partial<BrokenStore> & Pick<BrokenStore, "open">): Promise<ReadonlyMap<string, unknown>> {
  const cases = journalStoreConformance({
    workers: noticedBy.some((name) => WORKERS.test(name)),
    createStorage() {
      const disk = createMemoryDisk();
      let opened = 0;
      return Promise.resolve({ disk, open: () => Promise.resolve(open(disk, opened++)) });
    },
    corrupt({ disk }, sagaId) {
      if (corrupt === undefined) disk.corrupt.add(sagaId);
      else corrupt(disk, sagaId);
      return Promise.resolve();
    },
  });
  const failures = new Map<string, unknown>();
  for (const { name, run } of cases) {
    if (name.startsWith("crash") && !noticedBy.includes(name)) continue;
    try {
      await run();
    } catch (error) {
      failures.set(name, error);
    }
  }
  return failures;
}

for (const broken of brokenStores) {
  test(`a store that ${broken.rule} is noticed`, async () => {
    const failures = await failuresOf(broken);
    expect([...failures.keys()]).toEqual(expect.arrayContaining([...broken.noticedBy]));
  });
}

test("every case fails on at least one of these stores", () => {
  const noticed = new Set(brokenStores.flatMap(({ noticedBy }) => noticedBy));
  const cases = journalStoreConformance({
    createStorage: () => Promise.reject(new Error("not run")),
    corrupt: () => Promise.resolve(),
    workers: true,
  });
  expect(cases.length).toBeGreaterThan(95);
  expect(cases.map(({ name }) => name).filter((name) => !noticed.has(name))).toEqual([]);
});

test("a failure shows the rule and both values", async () => {
  const failures = await failuresOf({ open: (disk) => ({ ...createMemoryStore({ disk }), now: () => -5 }) });
  const failure = failures.get("now: the store's clock tells epoch milliseconds");
  expect(failure).toBeInstanceOf(ConformanceFailure);
  expect((failure as ConformanceFailure).message).toBe(
    'now() is a time in epoch milliseconds\n  expected: "a number from 0"\n  found:    -5',
  );
});

test("cases on damage are left out where the harness cannot do damage", () => {
  const cases = journalStoreConformance({ createStorage: () => Promise.reject(new Error("not run")) });
  expect(cases.filter(({ name }) => name.startsWith("damage"))).toEqual([]);
});

test("cases on workers are left out where the stores have none", () => {
  const cases = journalStoreConformance({ createStorage: () => Promise.reject(new Error("not run")) });
  expect(cases.filter(({ name }) => WORKERS.test(name))).toEqual([]);
});
