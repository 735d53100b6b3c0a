import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFence, createMemoryDatabase, type Database } from "@backstep/participant";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { brokenFences } from "../conformance/broken-fences.ts";
import { type Batch, batches, FenceModel } from "./fence-model.ts";

async function live(open: (now: () => number) => Database, life: readonly Batch[], create = createFence): Promise<void> {
  const clock = { time: 1_000_000 };
  const database = open(() => clock.time);
  try {
    const model = new FenceModel(database, clock, create);
    for (const batch of life) await model.run(batch);
    await model.end();
  } finally {
    await database.close();
  }
}

const inMemory = (now: () => number): Database => createMemoryDatabase({ now });

describe("whatever is called, in whatever order, whoever dies", () => {
  test("I11: effects are applied and undone at most once, seals hold, and answers stay, in memory", async () => {
    await fc.assert(
      fc.asyncProperty(batches, (life) => live(inMemory, life)),
      { numRuns: 800 },
    );
  });

  test("I11: effects are applied and undone at most once, seals hold, and answers stay, on files", async () => {
    const directory = await mkdtemp(join(tmpdir(), "backstep-fence-"));
    let run = 0;
    await fc.assert(
      fc.asyncProperty(batches, (life) => live((now) => createSqliteDatabase({ path: join(directory, `${run++}.db`), now }), life)),
      { numRuns: 30 },
    );
    await rm(directory, { recursive: true });
  });

  test.each([
    "whose undo plants no tombstone",
    "whose rejection is rolled back with the business",
    "that ignores the fingerprint",
    "that deletes a tombstone on contact",
    "that runs an undo again",
    "that says sealed without sealing",
    "that forgets an intent whose effect threw",
  ])("a fence %s does not get through", async (name) => {
    const property = fc.asyncProperty(batches, (life) => live(inMemory, life, brokenFences[name]?.create));
    expect((await fc.check(property, { numRuns: 2_000, endOnFailure: true })).failed).toBe(true);
  });
});
