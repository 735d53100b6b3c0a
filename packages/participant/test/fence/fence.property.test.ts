// Goal: whatever is called in whatever batches, whoever dies, effects are applied and undone at most once, and answers stay.
// Method: random lives of a few keys on memory, on files and on a server, counted by ledgers that know nothing of the fence; broken fences must be caught.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFence, createMemoryDatabase, type Database } from "@backstep/participant";
import { createPostgresDatabase } from "@backstep/participant/postgres";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { brokenFences } from "../conformance/broken-fences.ts";
import { freshSchema, sharedServer } from "../postgres-harness.ts";
import { type Batch, batches, FenceModel } from "./fence-model.ts";

const RUNS_IN_MEMORY = 800;
const RUNS_ON_FILES = 30;
const RUNS_ON_A_SERVER = 20;
/** A server answers when it does; only a call that never ends takes this long. */
const TURNS_ON_A_SERVER = 1_000_000;
const RUNS_UNTIL_CAUGHT = 2_000;

async function live(open: (now: () => number) => Database, life: readonly Batch[], create = createFence, turnsMax?: number): Promise<void> {
  const clock = { time: 1_000_000 };
  const database = open(() => clock.time);
  try {
    const model = new FenceModel(database, clock, create, turnsMax);
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
      { numRuns: RUNS_IN_MEMORY },
    );
  });

  test("I11: effects are applied and undone at most once, seals hold, and answers stay, on files", async () => {
    const directory = await mkdtemp(join(tmpdir(), "backstep-fence-"));
    let run = 0;
    await fc.assert(
      fc.asyncProperty(batches, (life) => live((now) => createSqliteDatabase({ path: join(directory, `${run++}.db`), now }), life)),
      { numRuns: RUNS_ON_FILES },
    );
    await rm(directory, { recursive: true });
  });

  test("I11: effects are applied and undone at most once, seals hold, and answers stay, on a server", async () => {
    const connection = (await sharedServer()).url();
    await fc.assert(
      fc.asyncProperty(batches, (life) => {
        const onServer = (now: () => number) => createPostgresDatabase({ connection, schema: freshSchema(), now });
        return live(onServer, life, createFence, TURNS_ON_A_SERVER);
      }),
      { numRuns: RUNS_ON_A_SERVER },
    );
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
    expect((await fc.check(property, { numRuns: RUNS_UNTIL_CAUGHT, endOnFailure: true })).failed).toBe(true);
  });
});
