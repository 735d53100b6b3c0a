/**
 * Everybody on the same workload, one after the other, round after round: `npm run bench`. Prints figures as they come, tables at the end, and writes results.json,
 * chart.svg and table.md. Ends with 1 when a contender failed; one that is not installed is only named.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { WAYS } from "./contender.ts";
import { entrantNamed } from "./contenders.ts";
import type { Load } from "./drive.ts";
import { machineOf } from "./machine.ts";
import { type Plan, planOf, USAGE } from "./plan.ts";
import { chartOf } from "./report/chart.ts";
import { tablesOf } from "./report/tables.ts";
import type { Cell, Results } from "./results.ts";
import { runJob } from "./run-job.ts";
import { closeServer, openServer } from "./server.ts";

/** Several rounds of those in flight, so that the first ones do not make the figure. */
const SAGAS_PER_SLOT_MIN = 2;

async function measure(plan: Plan): Promise<{ readonly results: Results; readonly failures: readonly string[] }> {
  const server = plan.contenders.some((name) => entrantNamed(name).needsPostgres) ? await openServer() : undefined;
  try {
    return await measureOn(plan, server?.url());
  } finally {
    await closeServer(server);
  }
}

async function measureOn(plan: Plan, postgresUrl: string | undefined) {
  const cells: Cell[] = [];
  const absent: Record<string, string> = {};
  const failures: string[] = [];
  const loads = WAYS.flatMap((way) =>
    plan.concurrencies.map(
      (concurrency): Load => ({ way, concurrency, durationMs: plan.durationMs, sagasMin: concurrency * SAGAS_PER_SLOT_MIN }),
    ),
  );
  for (let round = 1; round <= plan.rounds; round++) {
    for (const contender of turned(plan.contenders, round - 1)) {
      if (contender in absent) continue;
      const end = await runJob({ contender, postgresUrl, loads, warmUpMs: plan.warmUpMs }, ({ way, concurrency }, driven) => {
        cells.push({ contender, round, way, concurrency, ...driven });
        console.log(lineOf(round, contender, way, concurrency, driven.sagasPerSecond));
      });
      if (end._tag === "Done") continue;
      absent[contender] = end._tag === "Missing" ? "not installed" : "failed";
      console.log(`${contender}: ${end._tag === "Missing" ? end.message.split("\n", 1)[0] : end.message}`);
      if (end._tag === "Failed") failures.push(contender);
    }
  }
  const results: Results = {
    measuredAt: new Date().toISOString(),
    machine: machineOf(plan.contenders, await postgresVersionOf(cells, postgresUrl)),
    rounds: plan.rounds,
    durationMs: plan.durationMs,
    concurrencies: plan.concurrencies,
    contenders: plan.contenders,
    absent,
    cells,
  };
  return { results, failures };
}

/** Each round begins with another one, so that nobody always comes after the same. */
function turned(names: readonly string[], by: number): readonly string[] {
  const from = by % names.length;
  return [...names.slice(from), ...names.slice(0, from)];
}

/** Asked for only when somebody could use the server, and so its client is there. */
async function postgresVersionOf(cells: readonly Cell[], url: string | undefined): Promise<string | undefined> {
  if (url === undefined || !cells.some(({ contender }) => entrantNamed(contender).needsPostgres)) return undefined;
  const { postgresVersion } = await import("./postgres/database.ts");
  return postgresVersion(url);
}

function lineOf(round: number, contender: string, way: string, concurrency: number, sagasPerSecond: number): string {
  const words = [`round ${round}`, contender.padEnd(22), way.padEnd(8), `${concurrency} at a time`.padEnd(14)];
  return `${words.join("  ")}${sagasPerSecond.toFixed(0).padStart(8)} sagas/s`;
}

function write(folder: string, results: Results): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "results.json"), `${JSON.stringify(results, undefined, 1)}\n`);
  writeFileSync(join(folder, "chart.svg"), chartOf(results));
  writeFileSync(join(folder, "table.md"), `${tablesOf(results)}\n`);
  console.log(`\nwritten to ${folder}`);
}

function planned(): Plan {
  try {
    return planOf(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

const plan = planned();
const { results, failures } = await measure(plan);
console.log(`\n${tablesOf(results)}`);
if (plan.folder !== undefined) write(resolve(plan.folder), results);
if (failures.length > 0) {
  console.error(`failed: ${failures.join(", ")}`);
  process.exitCode = 1;
}
