/** What a saga costs as the number in flight grows: `npm run in-flight`. A saga should cost no more because ten thousand others are under way. */
import { parseArgs } from "node:util";
import { entrantNamed } from "../contenders.ts";
import type { Load } from "../drive.ts";
import { grouped, table } from "../report/tables.ts";
import type { Cell } from "../results.ts";
import { runJob } from "../run-job.ts";
import { closeServer, openServer } from "../server.ts";
import { spreadOf } from "../statistics.ts";
import { hasPostgresStore } from "./stores.ts";
import { writeReport } from "./write-report.ts";

const IN_FLIGHT = [1, 10, 100, 1_000, 10_000] as const;
const WARM_UP_MS = 1_000;
const CONTENDERS = ["backstep-memory", "ceiling-sqlite", "backstep-sqlite", ...(hasPostgresStore() ? ["backstep-postgres"] : [])];

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "3" },
    contenders: { type: "string", default: CONTENDERS.join(",") },
    out: { type: "string", default: "results" },
  },
});
const contenders = values.contenders.split(",").map((name) => entrantNamed(name));
const loads = IN_FLIGHT.map(
  (concurrency): Load => ({ way: "happy", concurrency, durationMs: Number(values.seconds) * 1_000, sagasMin: concurrency * 2 }),
);

async function measure(): Promise<readonly Cell[]> {
  const cells: Cell[] = [];
  const server = contenders.some(({ needsPostgres }) => needsPostgres) ? await openServer() : undefined;
  try {
    for (let round = 1; round <= Number(values.rounds); round++) {
      for (const { name } of contenders) {
        const end = await runJob({ contender: name, loads, warmUpMs: WARM_UP_MS, postgresUrl: server?.url() }, (load, driven) => {
          cells.push({ contender: name, round, way: load.way, concurrency: load.concurrency, ...driven });
        });
        if (end._tag !== "Done") throw new Error(`${name}: ${end.message}`);
      }
      console.log(`round ${round} done`);
    }
    return cells;
  } finally {
    await closeServer(server);
  }
}

function report(cells: readonly Cell[]): string {
  const rows = contenders.flatMap(({ name, label }) => {
    const median = (concurrency: number, figure: (cell: Cell) => number) =>
      spreadOf(cells.filter((cell) => cell.contender === name && cell.concurrency === concurrency).map(figure)).median;
    const row = (what: string, figure: (cell: Cell) => number) => [
      `${label}: ${what}`,
      ...IN_FLIGHT.map((concurrency) => grouped(median(concurrency, figure))),
    ];
    return [
      row("µs per saga", ({ sagasPerSecond }) => 1_000_000 / sagasPerSecond),
      row("µs of processor per saga", ({ processorUsPerSaga }) => processorUsPerSaga),
      row("MiB", ({ residentBytes }) => residentBytes / 2 ** 20),
    ];
  });
  return `**What a saga costs as the number in flight grows** (seven steps succeed; medians of ${values.rounds})\n\n${table(["in flight", ...IN_FLIGHT.map(grouped)], rows)}`;
}

const cells = await measure();
writeReport(values.out, "in-flight", report(cells), { cells });
