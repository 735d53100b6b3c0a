/** The tables of a run, as Markdown. Durable figures and others are never in one table. */
import { WAYS, type Way } from "../contender.ts";
import { ENTRANTS, type Entrant } from "../contenders.ts";
import { type Cell, figureOf, partOf, type Results, rateOf } from "../results.ts";
import type { Spread } from "../statistics.ts";

const TITLES: Readonly<Record<Way, string>> = {
  happy: "seven steps succeed",
  failing: "the seventh step is rejected, four undos",
};

export function tablesOf(results: Results): string {
  const durable = entrantsOf(results).filter((entrant) => entrant.durable !== undefined);
  const volatile = entrantsOf(results).filter((entrant) => entrant.durable === undefined);
  return [
    ...WAYS.map((way) => `**Sagas per second, ${TITLES[way]}** (durable)\n\n${rates(results, durable, way)}`),
    ...WAYS.map((way) => `**Latency of a saga, ms, ${TITLES[way]}** (durable; p50 / p95 / p99)\n\n${latencies(results, durable, way)}`),
    `**What a saga costs** (durable, ${results.concurrencies.at(-1)} at a time)\n\n${costs(results, durable)}`,
    ...(volatile.length === 0 ? [] : [`**Sagas per second, nothing durable**\n\n${volatileRates(results, volatile)}`]),
    `**What is durable, and when**\n\n${promises(results)}`,
    machineLine(results),
    ...absences(results),
  ].join("\n\n");
}

function entrantsOf({ contenders, absent }: Results): readonly Entrant[] {
  return ENTRANTS.filter(({ name }) => contenders.includes(name) && !(name in absent));
}

function rates(results: Results, entrants: readonly Entrant[], way: Way): string {
  const rows = entrants.map((entrant) => [
    entrant.label,
    ...results.concurrencies.map((concurrency) => {
      const place = { contender: entrant.name, way, concurrency };
      const rate = rateOf(results, place);
      const part = entrant.ceiling === undefined ? undefined : partOf(results, place, entrant.ceiling);
      return rate === undefined ? "–" : `${spread(rate)}${part === undefined ? "" : `, ${percent(part.median)}`}`;
    }),
  ]);
  const note = "Median, spread over the rounds, and which part of its ceiling of the same round that is, in the median.";
  return `${table(["", ...atATime(results)], rows)}\n\n${note}`;
}

function latencies(results: Results, entrants: readonly Entrant[], way: Way): string {
  const rows = entrants.map(({ name, label }) => [
    label,
    ...results.concurrencies.map((concurrency) => {
      const of = (figure: (cell: Cell) => number) => shortMs(figureOf(results, { contender: name, way, concurrency }, figure));
      return `${of(({ latency }) => latency.p50Ms)} / ${of(({ latency }) => latency.p95Ms)} / ${of(({ latency }) => latency.p99Ms)}`;
    }),
  ]);
  return table(["", ...atATime(results)], rows);
}

function costs(results: Results, entrants: readonly Entrant[]): string {
  const concurrency = results.concurrencies.at(-1) ?? 1;
  const rows = entrants.map(({ name, label }) => {
    const of = (way: Way, figure: (cell: Cell) => number | undefined) =>
      figureOf(results, { contender: name, way, concurrency }, figure)?.median;
    return [
      label,
      grouped(of("happy", ({ processorUsPerSaga }) => processorUsPerSaga)),
      grouped(of("failing", ({ processorUsPerSaga }) => processorUsPerSaga)),
      grouped(of("happy", ({ bytesPerSaga }) => bytesPerSaga)),
      grouped(of("failing", ({ bytesPerSaga }) => bytesPerSaga)),
      mebibytes(of("failing", ({ residentBytes }) => residentBytes)),
      mebibytes(of("failing", ({ serverResidentBytes }) => serverResidentBytes)),
    ];
  });
  const heads = ["", "processor, µs", "… failing", "bytes written", "… failing", "memory", "own server's memory"];
  const note =
    "Processor and memory are of the Node process alone. Bytes: of SQLite what the process handed to the disk, checkpoints included; of Postgres what its log grew by; of Restate what its server handed to the disk.";
  return `${table(heads, rows)}\n\n${note}`;
}

function volatileRates(results: Results, entrants: readonly Entrant[]): string {
  const rows = entrants.flatMap(({ name, label }) =>
    WAYS.map((way) => [
      `${label}, ${way}`,
      ...results.concurrencies.map((concurrency) => {
        const rate = rateOf(results, { contender: name, way, concurrency });
        return rate === undefined ? "–" : spread(rate);
      }),
    ]),
  );
  return table(["", ...atATime(results)], rows);
}

function promises(results: Results): string {
  return table(
    ["", "durable"],
    entrantsOf(results).map(({ label, durable }) => [label, durable ?? "nothing"]),
    false,
  );
}

function machineLine({ machine, measuredAt, rounds, durationMs }: Results): string {
  const { processors, processor, memoryGib, system, versions } = machine;
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${processors} × ${processor}, ${memoryGib} GiB, ${system}; ${packages.join(", ")}. ${rounds} rounds, ${durationMs / 1_000} s per figure, ${measuredAt.slice(0, 10)}.`;
}

function absences({ absent }: Results): readonly string[] {
  const words = Object.entries(absent).map(([name, why]) => `${name}: ${why}`);
  return words.length === 0 ? [] : [`Not measured: ${words.join("; ")}.`];
}

function atATime({ concurrencies }: Results): readonly string[] {
  return concurrencies.map((concurrency) => `${grouped(concurrency)} at a time`);
}

function spread({ median, min, max }: Spread): string {
  return min === max ? `**${grouped(median)}**` : `**${grouped(median)}** (${grouped(min)}–${grouped(max)})`;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(part >= 0.1 ? 0 : 1)} %`;
}

function shortMs(spread: Spread | undefined): string {
  if (spread === undefined) return "–";
  return spread.median >= 10 ? grouped(spread.median) : spread.median.toFixed(1);
}

function mebibytes(bytes: number | undefined): string {
  return bytes === undefined ? "–" : `${Math.round(bytes / 2 ** 20)} MiB`;
}

export function grouped(value: number | undefined): string {
  return value === undefined ? "–" : Math.round(value).toLocaleString("en-US");
}

/** Figures stand to the right, words to the left. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[], figures = true): string {
  const lines = [heads, heads.map((_, column) => (column === 0 || !figures ? "---" : "---:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
