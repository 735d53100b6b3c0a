/** The storages that every suite runs on: the memory database, real files, and a real server. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryDatabase } from "@backstep/participant";
import type { DatabaseHarness } from "@backstep/participant/conformance";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import { postgresHarness } from "./postgres-harness.ts";

export const memoryHarness: DatabaseHarness = {
  survivesClose: false,
  async createStorage(now) {
    const database = createMemoryDatabase({ now });
    return { open: async () => database };
  },
};

const sqliteHarness: DatabaseHarness = {
  survivesClose: true,
  async createStorage(now) {
    const directory = await mkdtemp(join(tmpdir(), "backstep-participant-"));
    return {
      open: async () => createSqliteDatabase({ path: join(directory, "test.db"), now }),
      dispose: () => rm(directory, { recursive: true }),
    };
  },
};

export const harnesses = { memory: memoryHarness, sqlite: sqliteHarness, postgres: postgresHarness } as const;
