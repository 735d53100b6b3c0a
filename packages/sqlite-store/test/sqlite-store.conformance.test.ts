// Goal: the SQLite store keeps every rule of the journal port. Method: the port's own suite, on a file per case; damage is done by SQL.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { journalStoreConformance } from "@backstep/saga-core/conformance";
import { describe, expect, test } from "vitest";
import { createSqliteStore, type SqliteStore } from "../src/index.ts";
import { openThroughTheThread } from "./through-the-thread.ts";

const damages = {
  "a changed record": "UPDATE records SET record = record || ' ' WHERE sequence = 1 AND saga =",
  "a missing record": "DELETE FROM records WHERE sequence = 1 AND saga =",
  "a missing last record": "DELETE FROM records WHERE sequence = 2 AND saga =",
  "a record under another epoch": "UPDATE records SET epoch = 7 WHERE sequence = 1 AND saga =",
  "a record with the text and checksum of another":
    "UPDATE records SET (record, checksum) = (SELECT record, checksum FROM records AS other WHERE other.saga = records.saga AND other.sequence = 2) WHERE sequence = 1 AND saga =",
  "a number beyond exact integers": "UPDATE records SET checksum = 9223372036854775807 WHERE sequence = 1 AND saga =",
  "another name of the saga": "UPDATE sagas SET name = 'refund' WHERE position =",
  "a status that is none": "PRAGMA ignore_check_constraints = ON; UPDATE sagas SET status = 'lost' WHERE position =",
};

interface Opening {
  readonly shared?: boolean;
  readonly open?: (path: string) => SqliteStore;
}

function harness(
  damage: string,
  { shared = false, open = (path: string) => createSqliteStore({ path, synchronous: "NORMAL", shared, thread: false }) }: Opening = {},
): Parameters<typeof journalStoreConformance<{ path: string; open: () => Promise<ReturnType<typeof createSqliteStore>> }>>[0] {
  return {
    workers: shared,
    createStorage() {
      const folder = mkdtempSync(join(tmpdir(), "backstep-sqlite-store-"));
      const path = join(folder, "journal.db");
      return Promise.resolve({
        path,
        open: () => Promise.resolve(open(path)),
        dispose() {
          rmSync(folder, { recursive: true });
          return Promise.resolve();
        },
      });
    },
    corrupt({ path }, sagaId) {
      const database = new DatabaseSync(path);
      const row = database.prepare("SELECT position FROM sagas WHERE saga_id = ?").get(sagaId);
      database.exec(`${damage} ${String(row?.["position"])}`);
      database.close();
      return Promise.resolve();
    },
  };
}

describe.each([false, true])("on the caller's thread, shared by workers: %s", (shared) => {
  for (const { name, run } of journalStoreConformance(harness(damages["a changed record"], { shared }))) test(name, run);
});

describe.each([
  ["in a thread", (path: string) => openThroughTheThread({ path, shared: true })],
  ["in a thread, and past it", (path: string) => createSqliteStore({ path, synchronous: "NORMAL", shared: true })],
])("%s, shared by workers", (_name, open) => {
  // A process that dies takes its thread along, which cannot be shown within one: that is what the crash tests are for, which kill processes.
  const cases = journalStoreConformance(harness(damages["a changed record"], { shared: true, open }));
  for (const { name, run } of cases) if (!name.startsWith("crash")) test(name, run);
});

describe.each(Object.entries(damages))("%s", (_damage, sql) => {
  const cases = journalStoreConformance(harness(sql)).filter(({ name }) => name.startsWith("damage"));
  test.each(cases)("$name", ({ run }) => run());
  test("is tried at all", () => {
    expect(cases.length).toBeGreaterThan(0);
  });
});
