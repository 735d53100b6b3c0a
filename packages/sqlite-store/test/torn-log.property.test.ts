// Goal: however much of the log a loss of power takes or spoils, whole commits remain, from the first on. Method: cut or flip bytes of a real log.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AppendRequest } from "@backstep/saga-core/journal";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { checkJournals } from "./crash/check-journals.ts";
import { request } from "./requests.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const sagaIds = ["a", "b", "c"];
const COMMITS = 8;
const RUNS = 60;

test("a cut or spoiled log leaves a gapless beginning, and no commit in part", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "journal.db");
  // Open until the end: closing would move the log into the file.
  const store = createSqliteStore({ path, synchronous: "NORMAL", thread: false });
  for (let sequence = 0; sequence < COMMITS; sequence++) {
    const changes = (sagaId: string): Partial<AppendRequest> =>
      sequence === COMMITS - 1
        ? { status: "completed" }
        : { status: "waiting", wakeAt: sequence + 1, locks: { held: [`lock ${sequence} of ${sagaId}`], wanted: [] } };
    await Promise.all(sagaIds.map((sagaId) => store.append(request(sagaId, sequence, changes(sagaId)))));
  }
  expect(store.statistics().commits).toBe(COMMITS);
  const log = readFileSync(`${path}-wal`);
  const seen = new Set<number>();
  let runs = 0;

  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: log.length }), fc.constantFrom("cut", "spoil"), async (place, how) => {
      const copy = join(folder, `copy-${runs++}.db`);
      copyFileSync(path, copy);
      writeFileSync(`${copy}-wal`, how === "cut" ? log.subarray(0, place) : spoilt(log, place));
      const counts = new Set((await checkJournals(copy, sagaIds)).values());
      // The three sagas were always committed together.
      expect(counts.size).toBe(1);
      for (const count of counts) {
        seen.add(count);
        await checkWaits(copy, count);
      }
    }),
    {
      numRuns: RUNS,
      examples: [
        [0, "cut"],
        [log.length, "cut"],
      ],
    },
  );
  expect(seen).toContain(0);
  expect(seen).toContain(COMMITS);
  await store.close();
});

/** What a saga waits for, holds, and how it ended stands with its last record: what the first `count` commits said, and nothing that came after. */
async function checkWaits(path: string, count: number): Promise<void> {
  const store = createSqliteStore({ path, synchronous: "NORMAL", thread: false });
  const waits = count > 0 && count < COMMITS;
  const ended = (await store.ended({ before: Number.MAX_SAFE_INTEGER, limit: 10 }))._unsafeUnwrap();
  expect(ended.sagaIds).toEqual(count === COMMITS ? sagaIds : []);
  expect((await store.due({ until: count, limit: 10 }))._unsafeUnwrap()).toEqual({ sagaIds: waits ? sagaIds : [] });
  expect((await store.due({ until: count - 1, limit: 10 }))._unsafeUnwrap()).toEqual({ sagaIds: [], ...(waits ? { next: count } : {}) });
  for (const sagaId of sagaIds) {
    for (let sequence = 0; sequence < COMMITS; sequence++) {
      const holder = (await store.lockHolder(`lock ${sequence} of ${sagaId}`))._unsafeUnwrap();
      expect(holder).toBe(waits && sequence === count - 1 ? sagaId : undefined);
    }
  }
  await store.close();
}

function spoilt(log: Buffer, place: number): Buffer {
  const copy = Buffer.from(log);
  const byte = copy[place];
  if (byte !== undefined) copy[place] = byte ^ 0xff;
  return copy;
}
