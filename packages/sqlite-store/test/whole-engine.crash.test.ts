// Goal: sagas that sleep, wait for a signal, hold a lock, wait for it or are being taken back go on where they were when their process is killed. Method: kill -9 a
// real process while they do, and at instants nobody chose, then end them in another one on the same file; participants keep a ledger of every call, beside the file.
import { join } from "node:path";
import { err, ok } from "neverthrow";
import { expect, test } from "vitest";
import { runSagas } from "./crash/run-sagas.ts";
import { createSagas, endSagas, readLedger } from "./crash/sagas.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { DAY, live } from "./whole-engine/lives.ts";

const UNDO_LAST = "order/run/last/compensation";
const ENDS = {
  sleeper: ok(1),
  listener: ok(7),
  holder: ok(8),
  "user-1": ok(1),
  "user-2": ok(1),
  order: ok(1),
  "order~undo": err({ _tag: "SagaCancelled", sagaId: "order~undo", reason: "returned" }),
};
const FORTH = ["sleeper", "listener", "holder", "user-1", "user-2", "order"].flatMap((id) => [
  `${id}/run/before/action`,
  `${id}/run/after/action`,
]);
const ORDER = ["order/run/before/action", "order/run/after/action", "order/run/last/action"];
const BACK = [UNDO_LAST, "order/run/after/compensation", "order/run/before/compensation"];
const EVERY_CALL = [...new Set([...FORTH, ...ORDER, ...BACK])].toSorted();

function setUp() {
  const folder = temporaryFolder();
  return { path: join(folder, "journal.db"), ledger: join(folder, "ledger") };
}

function endHere(path: string, ledger: string, laterMs: number) {
  const sagas = createSagas(ledger);
  return live({ path, sagas: Object.values(sagas), laterMs, evictAfterMs: 0 }, ({ engine }) => endSagas(engine, sagas));
}

/** The order of a participant's table: a call that is repeated under its key changes nothing. */
function expectInOrder(ledger: string): void {
  const calls = [...new Set(readLedger(ledger))];
  expect(calls.toSorted()).toEqual(EVERY_CALL);
  expect(calls.filter((key) => key.startsWith("order/"))).toEqual([...ORDER, ...BACK]);
  const locked = calls.filter((key) => /^(?:holder|user)/.test(key)).map((key) => key.split("/")[0]);
  expect(locked).toEqual(["holder", "holder", "user-1", "user-1", "user-2", "user-2"]);
}

test("killed while sagas sleep, wait for a signal, hold a lock, wait for it and are being taken back, a process leaves each to go on from there", async () => {
  const { path, ledger } = setUp();
  const untilThen = [...["sleeper", "listener", "holder"].map((id) => `${id}/run/before/action`), ...ORDER, UNDO_LAST];
  // The second process finds all of them on the same day, and none of them has anything to do but the call that was not answered.
  for (const repeated of [[], [UNDO_LAST]]) {
    const killWhen = (lines: readonly string[]) => lines.includes("at rest");
    const run = await runSagas({ path, ledger, laterMs: 0, hangsAt: UNDO_LAST, killWhen });
    expect([run.signal, run.complaints]).toEqual(["SIGKILL", ""]);
    expect(readLedger(ledger).toSorted()).toEqual([...untilThen, ...repeated].toSorted());
  }
  expect(await endHere(path, ledger, DAY)).toEqual(ENDS);
  expectInOrder(ledger);
  expect(readLedger(ledger).toSorted()).toEqual([...EVERY_CALL, UNDO_LAST, UNDO_LAST].toSorted());
});

test("killed again and again at any instant, and begun again each time, sagas end as they would have, and no life makes a call twice", async () => {
  const { path, ledger } = setUp();
  let ended = false;
  for (let life = 0; !ended; life++) {
    const before = readLedger(ledger).length;
    // Each life may do a little more than the one before, so that one of them comes to the end.
    const linesMax = 1 + Math.floor(Math.random() * 10) + life * 8;
    const run = await runSagas({ path, ledger, laterMs: life * DAY, killWhen: (lines) => lines.length >= linesMax });
    expect(run.complaints).toBe("");
    ended = run.exitCode === 0;
    expect(ended || run.signal === "SIGKILL").toBe(true);
    const calls = readLedger(ledger).slice(before);
    expect(calls.toSorted()).toEqual([...new Set(calls)].toSorted());
  }
  expect(await endHere(path, ledger, 0)).toEqual(ENDS);
  expectInOrder(ledger);
});
