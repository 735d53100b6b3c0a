/** How fast SQLite itself makes the rows durable: one connection, one prepared insert, and group commit. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { StartContender } from "../contender.ts";
import { ownBytesWritten } from "../disk.ts";
import { runCeilingSaga } from "./ceiling-saga.ts";
import { createGroup } from "./group.ts";

export const start: StartContender = async ({ folder }) => {
  const database = new DatabaseSync(join(folder, "ceiling.db"));
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  database.exec(
    "CREATE TABLE rows (saga TEXT NOT NULL, sequence INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (saga, sequence)) STRICT",
  );
  const insert = database.prepare("INSERT INTO rows (saga, sequence, record) VALUES (?, ?, ?)");
  const append = createGroup(1, (rows) => {
    database.exec("BEGIN IMMEDIATE");
    for (const { saga, sequence, record } of rows) insert.run(saga, sequence, record);
    database.exec("COMMIT");
  });
  return {
    runSaga: (saga, way) => runCeilingSaga(saga, way, append),
    bytesWritten: ownBytesWritten,
    async stop() {
      database.close();
    },
  };
};
