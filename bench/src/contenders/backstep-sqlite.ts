/** Backstep on SQLite, as a user gets it: every option at its default. */
import { join } from "node:path";
import { createSqliteStore } from "@backstep/sqlite-store";
import type { StartContender } from "../contender.ts";
import { ownBytesWritten } from "../disk.ts";
import { engineOn, runSevenSteps } from "./backstep-saga.ts";

export const start: StartContender = async ({ folder }) => {
  const store = createSqliteStore({ path: join(folder, "journal.db") });
  const engine = engineOn(store);
  return {
    runSaga: (saga, way) => runSevenSteps(engine, saga, way),
    bytesWritten: ownBytesWritten,
    async stop() {
      await engine.close();
      await store.close();
    },
  };
};
