// Goal: sagas that sleep, wait for a signal, hold a lock, wait for it or are being taken back go on where they were when their process is killed. Method: kill -9 a
// real process while they do, and at instants nobody chose, then end them in another one on the same schema of a real server; participants keep a ledger of every call.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine } from "@backstep/saga-core";
import { err, ok } from "neverthrow";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openLater } from "./crash/open-later.ts";
import { runSagas } from "./crash/run-sagas.ts";
import { createSagas, endSagas, readLedger } from "./crash/sagas.ts";
import { type Postgres, startServer } from "./server.ts";

const DAY = 24 * 3_600_000;
let postgres: Postgres;
beforeAll(async () => {
  postgres = await startServer();
});
afterAll(() => postgres.close());

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
  const folder = mkdtempSync(join(tmpdir(), "backstep-postgres-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return { connectionString: postgres.url(), schema: postgres.newSchema(), ledger: join(folder, "ledger") };
}

type Place = ReturnType<typeof setUp>;

async function endHere({ ledger, ...options }: Place, laterMs: number) {
  const sagas = createSagas(ledger);
  const store = await openLater(options, laterMs);
  const engine = createEngine({
    leaseMs: 1_500,
    sagas: Object.values(sagas),
    store,
    evictAfterMs: 0,
  });
  try {
    await engine.recovered;
    return await endSagas(engine, sagas);
  } finally {
    await engine.close();
    await store.close();
  }
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
  const place = setUp();
  const { ledger } = place;
  const untilThen = [...["sleeper", "listener", "holder"].map((id) => `${id}/run/before/action`), ...ORDER, UNDO_LAST];
  // The second process finds all of them on the same day, and none of them has anything to do but the call that was not answered.
  for (const repeated of [[], [UNDO_LAST]]) {
    const killWhen = (lines: readonly string[]) => lines.includes("at rest");
    const run = await runSagas({ ...place, laterMs: 0, hangsAt: UNDO_LAST, killWhen });
    expect([run.signal, run.complaints]).toEqual(["SIGKILL", ""]);
    expect(readLedger(ledger).toSorted()).toEqual([...untilThen, ...repeated].toSorted());
  }
  expect(await endHere(place, DAY)).toEqual(ENDS);
  expectInOrder(ledger);
  expect(readLedger(ledger).toSorted()).toEqual([...EVERY_CALL, UNDO_LAST, UNDO_LAST].toSorted());
});

test("killed again and again at any instant, and begun again each time, sagas end as they would have, and no life makes a call twice", async () => {
  const place = setUp();
  const { ledger } = place;
  let ended = false;
  for (let life = 0; !ended; life++) {
    const before = readLedger(ledger).length;
    // Each life may do a little more than the one before, so that one of them comes to the end.
    const linesMax = 1 + Math.floor(Math.random() * 10) + life * 8;
    const run = await runSagas({ ...place, laterMs: life * DAY, killWhen: (lines) => lines.length >= linesMax });
    expect(run.complaints).toBe("");
    ended = run.exitCode === 0;
    expect(ended || run.signal === "SIGKILL").toBe(true);
    const calls = readLedger(ledger).slice(before);
    expect(calls.toSorted()).toEqual([...new Set(calls)].toSorted());
  }
  expect(await endHere(place, 0)).toEqual(ENDS);
  expectInOrder(ledger);
});
