// Goal: the memory store keeps every rule of the journal port. Method: the port's own suite.
import { test } from "vitest";
import { journalStoreConformance } from "../../src/conformance.ts";
import { createMemoryDisk, createMemoryStore } from "../../src/journal.ts";

const cases = journalStoreConformance({
  createStorage() {
    const disk = createMemoryDisk();
    return Promise.resolve({ disk, open: () => Promise.resolve(createMemoryStore({ disk })) });
  },
  corrupt({ disk }, sagaId) {
    disk.corrupt.add(sagaId);
    return Promise.resolve();
  },
});

for (const { name, run } of cases) test(name, run);
