// Goal: however much of the log a loss of power takes or spoils, whole commits remain, from the first on. Method: cut or flip bytes of a real log.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
  const store = createSqliteStore({ path, synchronous: "NORMAL" });
  for (let sequence = 0; sequence < COMMITS; sequence++)
    await Promise.all(sagaIds.map((sagaId) => store.append(request(sagaId, sequence))));
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
      for (const count of counts) seen.add(count);
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

function spoilt(log: Buffer, place: number): Buffer {
  const copy = Buffer.from(log);
  const byte = copy[place];
  if (byte !== undefined) copy[place] = byte ^ 0xff;
  return copy;
}
