/**
 * A million sagas asleep: `npm run sleepers`, or with another number behind `--`, and a seed behind that. One process puts them to sleep for a year in one SQLite file; a
 * second one opens an engine on the file and lets the store's clock jump, so that a random 10,000 of them, at most half, are over. Prints figures; ends with 0 when the
 * counts are right, whatever the figures are.
 */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type PutToSleep, putToSleep } from "./sleepers/put-to-sleep.ts";
import type { SleepersPlan } from "./sleepers/sleeper.ts";
import { type WakeUp, type WakeUpCounts, wakeUp } from "./sleepers/wake-up.ts";
import { grouped, machine, mebibytes, seconds, table } from "./table.ts";

const SAGAS_DEFAULT = 1_000_000;
/** Each in a process of its own: what the first one had in memory must not count for the second. */
const phases = { putToSleep, wakeUp };

/** Runs a phase in a new process and hands back what it found. */
function inNewProcess<Found>(phase: keyof typeof phases, path: string, { sagaCount, seed }: SleepersPlan): Promise<Found> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [String(sagaCount), String(seed), phase, path], {
      execArgv: ["--conditions=source", "--disable-warning=ExperimentalWarning", "--expose-gc"],
    });
    let found: Found | undefined;
    child.on("message", (message) => {
      found = message as Found;
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (found === undefined) reject(new Error(`${phase} ended with ${code ?? signal} and found nothing`));
      else resolve(found);
    });
  });
}

async function main(plan: SleepersPlan): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "backstep-sleepers-"));
  const path = join(folder, "journal.db");
  try {
    console.log(`${machine()}\n${grouped(plan.sagaCount)} sagas, seed ${plan.seed}\n`);
    const asleep = await inNewProcess<PutToSleep>("putToSleep", path, plan);
    const fileBytes = statSync(path).size;
    const woken = await inNewProcess<WakeUp>("wakeUp", path, plan);
    console.log(figures(plan, asleep, fileBytes, woken));
    const expected: Counts = {
      risenBefore: 0,
      adoptedAtStart: 0,
      risen: woken.early,
      risenTwice: 0,
      risenUnasked: 0,
      completed: woken.early,
      asleep: plan.sagaCount - woken.early,
    };
    return report(expected, { risenBefore: asleep.risen, ...woken.counts });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function figures({ sagaCount }: SleepersPlan, asleep: PutToSleep, fileBytes: number, woken: WakeUp): string {
  return table([
    ["put to sleep", seconds(asleep.startsMs), `${grouped(sagaCount / (asleep.startsMs / 1_000))} per second`],
    ["commits", grouped(asleep.commits), `${grouped(sagaCount / asleep.commits)} sagas each`],
    ["file", mebibytes(fileBytes), `${grouped(fileBytes / sagaCount)} bytes per saga`],
    ["memory of the process that did it", mebibytes(asleep.residentBytes), ""],
    ["file opened", seconds(woken.openMs), ""],
    ["new engine, until `recovered`", seconds(woken.recoveredMs), "aim: under 5 s"],
    ["its memory, with none of them in it", mebibytes(woken.residentBytes), "aim: under 300 MB"],
    [`${grouped(woken.early)} woken and ended`, seconds(woken.wakeMs), `${grouped(woken.early / (woken.wakeMs / 1_000))} per second`],
  ]);
}

type Counts = WakeUpCounts & {
  /** Went on in the process that put them to sleep. */
  readonly risenBefore: number;
};

/** One line per count, and whether all are as they should be. */
function report(expected: Counts, found: Counts): boolean {
  const rows = Object.entries(expected).map(([name, count]) => ({ name, count, foundCount: found[name as keyof Counts] }));
  console.log(
    `\n${table([["count", "expected", "found"], ...rows.map(({ name, count, foundCount }) => [name, String(count), String(foundCount)])])}`,
  );
  const right = rows.every(({ count, foundCount }) => count === foundCount);
  console.log(right ? "\nevery sleeper whose time came went on once, and no other did" : "\nWRONG");
  return right;
}

function planOf(sagaCountText: string, seedText: string): SleepersPlan {
  const plan = { sagaCount: Number(sagaCountText), seed: Number(seedText) };
  if (Number.isSafeInteger(plan.sagaCount) && plan.sagaCount >= 2 && Number.isSafeInteger(plan.seed)) return plan;
  console.error("usage: npm run sleepers -- [sagas, 2 or more] [seed]");
  process.exit(2);
}

const [sagaCountText = String(SAGAS_DEFAULT), seedText = String(Date.now() % 1_000_000), phase, path = ""] = process.argv.slice(2);
const plan = planOf(sagaCountText, seedText);
if (phase === undefined) process.exitCode = (await main(plan)) ? 0 : 1;
else {
  const found = await phases[phase as keyof typeof phases](path, plan);
  process.send?.(found);
}
