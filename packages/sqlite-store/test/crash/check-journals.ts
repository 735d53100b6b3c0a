/** What must hold of a file after any crash: every journal is a gapless beginning of what was to be written, and events stand with their records. */
import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { createSqliteStore } from "../../src/index.ts";
import { eventIds, pendingIds, recordsOf, recordTexts } from "../requests.ts";

/** Checks the file and tells how many records each saga has. */
export async function checkJournals(path: string, sagaIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const store = createSqliteStore({ path, thread: false });
  const counts = new Map<string, number>();
  const events: string[] = [];
  for (const sagaId of sagaIds) {
    const records = await recordsOf(store, sagaId);
    expect(records).toEqual(recordTexts(sagaId, records.length));
    counts.set(sagaId, records.length);
    events.push(...[...records.keys()].flatMap((sequence) => eventIds(sagaId, sequence)));
  }
  expect((await pendingIds(store)).toSorted()).toEqual(events.toSorted());
  await store.close();
  const database = new DatabaseSync(path);
  expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  database.close();
  return counts;
}

/** The accepted appends that are not there. */
export function missing(accepted: readonly string[], counts: ReadonlyMap<string, number>): readonly string[] {
  return accepted.filter((line) => {
    const [sagaId = "", sequence = ""] = line.split(" ");
    return Number(sequence) >= (counts.get(sagaId) ?? 0);
  });
}
