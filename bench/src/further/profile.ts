/**
 * Where the time of a saga goes: `npm run profile -- backstep-sqlite happy 512`. Samples one contender that needs no server, and prints microseconds per saga: of each function
 * itself, of each file, and of each function with all it calls.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WAYS } from "../contender.ts";
import { entrantNamed, loadContender } from "../contenders.ts";
import { drive } from "../drive.ts";
import { tallyOf } from "./tally.ts";

const SAMPLE_US = 200;
const WARM_UP_MS = 3_000;
const LINES_MAX = 40;

const [name = "backstep-sqlite", wayText = "happy", concurrencyText = "512", secondsText = "5"] = process.argv.slice(2);
const way = WAYS.find((each) => each === wayText);
const concurrency = Number(concurrencyText);
if (way === undefined || !(concurrency >= 1)) {
  console.error("usage: npm run profile -- [contender] [happy | failing] [sagas in flight] [seconds]");
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "backstep-profile-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const start = await loadContender(entrantNamed(name));
const running = await start({
  folder,
  postgresUrl() {
    throw new Error(`${name} needs a server; a profile is taken of what runs in one process`);
  },
});
const load = { way, concurrency, durationMs: Number(secondsText) * 1_000, sagasMin: 0 };
await drive(running, { ...load, durationMs: WARM_UP_MS });
const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.setSamplingInterval", { interval: SAMPLE_US });
await session.post("Profiler.start");
const { sagas, sagasPerSecond, processorUsPerSaga } = await drive(running, load);
const { profile } = await session.post("Profiler.stop");
await running.stop();

const tally = tallyOf(profile);
console.log(
  `${name}, ${way}, ${concurrency} at a time: ${sagasPerSecond.toFixed(0)} sagas/s, ${processorUsPerSaga.toFixed(0)} µs of processor each`,
);
for (const [title, timesUs] of Object.entries(tally)) {
  console.log(`\nµs per saga, ${title}`);
  const largest = [...timesUs].sort(([, left], [, right]) => right - left).slice(0, LINES_MAX);
  for (const [where, timeUs] of largest) console.log(`${(timeUs / sagas).toFixed(1).padStart(8)}  ${where}`);
}
process.exit();
