/**
 * Whether memory stays flat: `npm run long-run -- --minutes 10`. Backstep on SQLite, 64 sagas in flight without a pause, failing and happy by turns, and what ended a minute
 * ago is forgotten, as a service would. Prints a line per minute, what is on the heap after a collection, and ends with 1 when that has grown.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createSqliteStore } from "@backstep/sqlite-store";
import { engineOn, runSevenSteps } from "../contenders/backstep-saga.ts";
import { grouped, table } from "../report/tables.ts";
import { writeReport } from "./write-report.ts";

interface Minute {
  readonly minute: number;
  readonly sagas: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly fileBytes: number;
}

/** The heap of the last minute may be so much larger than that of the second, the first after everything was loaded and compiled. */
const GROWTH_MAX = 1.2;
const FORGET_AFTER_MS = 60_000;
const FORGET_EVERY_MS = 5_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    "in-flight": { type: "string", default: "64" },
    /** For trying it out. */
    "minute-seconds": { type: "string", default: "60" },
    out: { type: "string", default: "results" },
  },
});
const minuteMs = Number(values["minute-seconds"]) * 1_000;
const folder = mkdtempSync(join(tmpdir(), "backstep-long-run-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const path = join(folder, "journal.db");
const store = createSqliteStore({ path });
const engine = engineOn(store);
let running = true;
let sagas = 0;

async function loop(): Promise<void> {
  while (running) {
    sagas += 1;
    await runSevenSteps(engine, sagas, sagas % 2 === 0 ? "happy" : "failing");
  }
}

async function forget(): Promise<void> {
  while (running) {
    await sleep(FORGET_EVERY_MS);
    const forgotten = await engine.forget({ endedBefore: store.now() - FORGET_AFTER_MS });
    if (forgotten.isErr()) throw new Error(JSON.stringify(forgotten.error));
  }
}

async function watch(): Promise<readonly Minute[]> {
  const minutes: Minute[] = [];
  for (let minute = 1, before = 0; minute <= Number(values.minutes); minute++) {
    await sleep(minuteMs);
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    const seen = { minute, sagas: sagas - before, heapBytes: heapUsed, residentBytes: rss, fileBytes: statSync(path).size };
    before = sagas;
    minutes.push(seen);
    console.log(rowOf(seen).join("  "));
  }
  running = false;
  return minutes;
}

function rowOf({ minute, sagas: count, heapBytes, residentBytes, fileBytes }: Minute): readonly string[] {
  return [String(minute), grouped(count), mebibytes(heapBytes), mebibytes(residentBytes), mebibytes(fileBytes)];
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

const [minutes] = await Promise.all([watch(), forget(), ...Array.from({ length: Number(values["in-flight"]) }, loop)]);
await engine.close();
await store.close();
const heads = ["minute", "sagas", "heap after a collection", "resident", "file"];
const early = minutes[1]?.heapBytes ?? minutes[0]?.heapBytes ?? 0;
const late = minutes.at(-1)?.heapBytes ?? 0;
const flat = late <= early * GROWTH_MAX;
const verdict = flat ? "The heap stays flat." : `The heap grew from ${mebibytes(early)} to ${mebibytes(late)}.`;
const title = `**Memory over a long run** (SQLite, ${values["in-flight"]} in flight, happy and failing by turns)`;
writeReport(values.out, "long-run", `${title}\n\n${table(heads, minutes.map(rowOf))}\n\n${verdict}`, { minutes });
process.exitCode = flat ? 0 : 1;
