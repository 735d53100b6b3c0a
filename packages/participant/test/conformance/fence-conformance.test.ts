// Goal: the suite of the fence finds what it is for. Method: fences and databases that break one rule each, and the case that must notice.
import { fenceConformance } from "@backstep/participant/conformance";
import { describe, expect, test } from "vitest";
import { memoryHarness } from "../harnesses.ts";
import { brokenDatabases } from "./broken-databases.ts";
import { brokenFences } from "./broken-fences.ts";
import { failingCases } from "./failing-cases.ts";

describe("the suite of the fence", () => {
  test.each(Object.entries(brokenFences))("notices a fence %s", async (_, { create, caughtBy }) => {
    const failed = await failingCases(fenceConformance({ ...memoryHarness, createFence: create }));
    expect(failed).toContain(caughtBy);
  });

  test.each([
    ["without transactions", "throw: leaves nothing, not even the key"],
    ["without rollback", "throw: leaves nothing, not even the key"],
    ["whose parts are never undone", "rejection: is recorded, while what the business wrote is undone"],
    ["that inserts over what is there", "action: a repeat is answered from the record, byte for byte, and not run"],
  ])("notices a database %s", async (name, caughtBy) => {
    const cases = fenceConformance({
      survivesClose: false,
      async createStorage(now) {
        const database = brokenDatabases[name]?.create(now);
        if (database === undefined) throw new TypeError(`there is no broken database called ${name}`);
        return { open: async () => database };
      },
    });
    expect(await failingCases(cases)).toContain(caughtBy);
  });

  test("has a name of its own for every case", () => {
    const names = fenceConformance(memoryHarness).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
