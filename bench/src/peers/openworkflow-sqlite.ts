/** openworkflow on its SQLite backend: a write-ahead log, and SQLite's default, FULL. */
import { join } from "node:path";
import { BackendSqlite } from "openworkflow/sqlite";
import type { StartContender } from "../contender.ts";
import { ownBytesWritten } from "../disk.ts";
import { startOnBackend } from "./openworkflow.ts";

export const start: StartContender = async ({ folder }) => {
  const running = await startOnBackend(BackendSqlite.connect(join(folder, "openworkflow.db")));
  return { ...running, bytesWritten: ownBytesWritten };
};
