// Goal: the memory store keeps every rule of the journal port. Method: the port's own suite.
import { describe, test } from "vitest";
import { journalStoreConformance } from "../../src/conformance.ts";
import { createMemoryDisk, createMemoryStore } from "../../src/journal.ts";

for (const shared of [false, true]) {
  const cases = journalStoreConformance({
    workers: shared,
    createStorage() {
      const disk = createMemoryDisk();
      return Promise.resolve({ disk, open: () => Promise.resolve(createMemoryStore({ disk, shared })) });
    },
    corrupt({ disk }, sagaId) {
      disk.corrupt.add(sagaId);
      return Promise.resolve();
    },
  });

  describe(shared ? "shared by workers" : "alone", () => {
    for (const { name, run } of cases) test(name, run);
  });
}
