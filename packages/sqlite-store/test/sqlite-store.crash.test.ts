// Goal: what a process was told is durable is there after it was killed, whole and once. Method: kill -9 a real process, at chosen commits and at
// instants nobody chose, then read the file it left.
import { expect, test } from "vitest";
import { checkJournals, missing } from "./crash/check-journals.ts";
import { runAppendLoop } from "./crash/run-append-loop.ts";
import { temporaryFile } from "./temporary-folder.ts";

const SAGAS = 4;

function sagaIdsOf(prefix: string): readonly string[] {
  return Array.from({ length: SAGAS }, (_, index) => `${prefix}-${index}`);
}

test("killed again and again, a process finds every append that it was told of", async () => {
  const path = temporaryFile();
  const accepted: string[] = [];
  for (let round = 0; round < 5; round++) {
    const killAfter = 1 + Math.floor(Math.random() * 120);
    const run = await runAppendLoop({ path, prefix: "a", sagaCount: SAGAS, recordCount: 1_000_000, killAfter });
    expect([run.signal, run.complaints]).toEqual(["SIGKILL", ""]);
    accepted.push(...run.accepted);
    expect(missing(accepted, await checkJournals(path, sagaIdsOf("a")))).toEqual([]);
  }
  expect(accepted.length).toBeGreaterThan(5);
});

test.each([
  // The first COMMIT holds the four claims, each later one a record per saga.
  { when: "before", commit: 2, records: 0 },
  { when: "after", commit: 2, records: 1 },
  { when: "before", commit: 4, records: 2 },
  { when: "after", commit: 4, records: 3 },
] as const)("killed $when COMMIT $commit, a process leaves $records records per saga", async ({ when, commit, records }) => {
  const path = temporaryFile();
  const run = await runAppendLoop({ path, prefix: "a", sagaCount: SAGAS, recordCount: 10, at: { when, commit } });
  expect([run.signal, run.complaints]).toEqual(["SIGKILL", ""]);
  const counts = await checkJournals(path, sagaIdsOf("a"));
  expect([...counts.values()]).toEqual(Array.from({ length: SAGAS }, () => records));
  expect(missing(run.accepted, counts)).toEqual([]);
});

test("processes that share a file wait for each other and lose nothing", async () => {
  const path = temporaryFile();
  const prefixes = ["a", "b", "c"];
  // They start on a file that is not there yet: one creates it, the others find it.
  const runs = await Promise.all(prefixes.map((prefix) => runAppendLoop({ path, prefix, sagaCount: SAGAS, recordCount: 30 })));
  for (const run of runs) {
    expect([run.exitCode, run.complaints]).toEqual([0, ""]);
    expect(run.accepted.length).toBe(SAGAS * 30);
  }
  const counts = await checkJournals(path, prefixes.flatMap(sagaIdsOf));
  expect(new Set(counts.values())).toEqual(new Set([30]));
});
