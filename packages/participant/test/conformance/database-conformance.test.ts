// Goal: the suite for authors of databases finds what it is for. Method: databases that break one rule each, and the case that must notice.
import { createMemoryDatabase } from "@backstep/participant";
import { ConformanceFailure, databaseConformance } from "@backstep/participant/conformance";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import { describe, expect, test } from "vitest";
import { memoryHarness } from "../harnesses.ts";
import { brokenDatabases } from "./broken-databases.ts";
import { failingCases } from "./failing-cases.ts";

describe("the suite of the transaction port", () => {
  test.each(Object.entries(brokenDatabases))("notices a database %s", async (_, { create, caughtBy }) => {
    const cases = databaseConformance({
      survivesClose: false,
      async createStorage(now) {
        const database = create(now);
        return { open: async () => database };
      },
    });
    expect(await failingCases(cases)).toContain(caughtBy);
  });

  test("notices a database that forgets when it is closed", async () => {
    const cases = databaseConformance({
      survivesClose: true,
      createStorage: async (now) => ({ open: async () => createSqliteDatabase({ path: ":memory:", now }) }),
    });
    expect(await failingCases(cases)).toContain("restart: what was committed is there, what was not is not");
  });

  test("leaves the cases on restarts out where nothing survives one", () => {
    const names = databaseConformance(memoryHarness).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith("restart"))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  test("tells the rule and both values, and cleans up behind a failure", async () => {
    let disposed = 0;
    const [first] = databaseConformance({
      survivesClose: false,
      async createStorage(now) {
        const database = createMemoryDatabase({ now });
        const broken = { ...database, transaction: async () => "nonsense" as never };
        return { open: async () => broken, dispose: async () => void disposed++ };
      },
    });
    const failure: unknown = await first?.run().catch((cause: unknown) => cause);
    expect(failure).toBeInstanceOf(ConformanceFailure);
    expect(String(failure)).toContain('found:    ["nonsense","nonsense"]');
    expect(disposed).toBe(1);
  });
});
