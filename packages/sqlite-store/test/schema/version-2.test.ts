// Goal: locks of a file of the second schema are held on, and those who waited for them come to have them. Method: a file that today's engine wrote, taken back to the second schema by SQL, with
// the statuses and times that were written then.
import { DatabaseSync } from "node:sqlite";
import { createEngine, lock, saga, signal, waitFor } from "@backstep/saga-core";
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { createSqliteStore } from "../../src/index.ts";
import { migrations } from "../../src/schema/migrate.ts";
import { temporaryFile } from "../temporary-folder.ts";

const go = signal({ name: "go", payload: z.number() });
const holder = saga({
  name: "holder",
  input: z.number(),
  *run() {
    yield* lock("order:42");
    yield* lock("order:43");
    return yield* waitFor(go);
  },
});
const user = saga({
  name: "user",
  input: z.number(),
  *run(waitMs) {
    yield* lock("order:42", { wait: waitMs });
    return waitMs;
  },
});
const sagas = [holder, user];

/** Records as they stood up to version 4: found by an index of their own. Their checksums stay those of today, which tell themselves from the ones written then. */
const RECORDS_OF_VERSION_4 = `
  ALTER TABLE records RENAME TO chained;
  CREATE TABLE records (position INTEGER PRIMARY KEY, saga INTEGER NOT NULL, sequence INTEGER NOT NULL, epoch INTEGER NOT NULL, writer INTEGER NOT NULL, checksum INTEGER NOT NULL,
    record TEXT NOT NULL, UNIQUE (saga, sequence)) STRICT;
  INSERT INTO records SELECT position, saga, sequence, epoch, writer, checksum, record FROM chained;
  DROP TABLE chained;
  DROP INDEX sagas_waiting;
  ALTER TABLE sagas DROP COLUMN last_record;
  CREATE INDEX sagas_unfinished ON sagas (position) WHERE status NOT IN ('completed', 'compensated', 'abandoned');
`;

/** As version 2 left it: one row per lock that is held, and sagas that wait for one counted as running. */
function takeBack(path: string): void {
  const database = new DatabaseSync(path);
  database.exec(RECORDS_OF_VERSION_4);
  database.exec(`
    CREATE TABLE locks (name TEXT PRIMARY KEY, saga INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO locks SELECT name, saga FROM lock_places GROUP BY name HAVING position = min(position);
    DROP TABLE lock_places;
    DROP TABLE workers;
    DROP INDEX sagas_wanted;
    ALTER TABLE sagas DROP COLUMN driver;
    ALTER TABLE sagas DROP COLUMN wanted;
    CREATE INDEX locks_of_saga ON locks (saga);
    UPDATE sagas SET status = 'running', wake_at = NULL WHERE name = 'user';
    PRAGMA user_version = 2;
  `);
  database.close();
}

async function oldFile(waitMs: number): Promise<string> {
  const path = temporaryFile();
  const store = createSqliteStore({ path, synchronous: "NORMAL", thread: false });
  const engine = createEngine({ sagas, store });
  (await engine.start(holder, 0, { id: "h" }))._unsafeUnwrap();
  await expect.poll(async () => (await engine.inspect("h"))._unsafeUnwrap().view.waits.get("run/go")?.state).toBe("waiting");
  (await engine.start(user, waitMs, { id: "u" }))._unsafeUnwrap();
  await engine.close();
  await store.close();
  takeBack(path);
  return path;
}

describe("a file of version 2", () => {
  test("is brought to the newest version, with its locks where they were", async () => {
    const path = await oldFile(60_000);
    const store = createSqliteStore({ path, synchronous: "NORMAL", thread: false });
    for (const name of ["order:42", "order:43"]) expect((await store.lockHolder(name))._unsafeUnwrap()).toBe("h");
    await store.close();
    const database = new DatabaseSync(path);
    expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: migrations.length });
    expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    expect(database.prepare("SELECT count(*) AS count FROM lock_places").get()).toEqual({ count: 2 });
    database.close();
  });

  test("refuses those who wait no longer, and hands over to new ones", async () => {
    const path = await oldFile(1);
    const store = createSqliteStore({ path, synchronous: "NORMAL", thread: false });
    const engine = createEngine({ sagas, store });
    expect(await engine.result(user, "u")).toEqual(err({ _tag: "Locked", name: "order:42", lockedBy: "h" }));
    (await engine.start(user, 60_000, { id: "v" }))._unsafeUnwrap();
    (await engine.signal("h", go, 7, { key: "k" }))._unsafeUnwrap();
    expect([await engine.result(holder, "h"), await engine.result(user, "v")]).toEqual([ok(7), ok(60_000)]);
    await engine.close();
    await store.close();
  });

  test("gives what has become free to one that waited for it, at the end of its wait if not before", async () => {
    const path = await oldFile(1_000);
    const store = createSqliteStore({ path, synchronous: "NORMAL", thread: false });
    const engine = createEngine({ sagas, store });
    (await engine.signal("h", go, 7, { key: "k" }))._unsafeUnwrap();
    expect([await engine.result(holder, "h"), await engine.result(user, "u")]).toEqual([ok(7), ok(1_000)]);
    await engine.close();
    await store.close();
  });
});
