/** A real SQLite connection whose COMMITs can be made to fail, before or after they took effect. */
import type { SqliteDatabase } from "../src/driver.ts";

/** Called in place of each COMMIT of a batch; `commit` is the real one. `count` begins at 1. */
export type OnCommit = (commit: () => void, count: number) => void;

export class CommitFailed extends Error {
  // SQLite's "disk I/O error".
  readonly errcode = 10;
}

export function faultyDatabase(database: SqliteDatabase, onCommit: OnCommit): SqliteDatabase {
  let count = 0;
  return {
    exec: (sql) => database.exec(sql),
    close: () => database.close(),
    get isTransaction() {
      return database.isTransaction;
    },
    prepare(sql) {
      const statement = database.prepare(sql);
      if (sql !== "COMMIT") return statement;
      return {
        ...statement,
        run() {
          onCommit(() => void statement.run(), ++count);
          return { changes: 0, lastInsertRowid: 0 };
        },
      };
    },
  };
}
