/** What is asked of one run, read off the command line. */
import { parseArgs } from "node:util";
import { ENTRANTS, entrantNamed } from "./contenders.ts";

export interface Plan {
  readonly contenders: readonly string[];
  readonly rounds: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
  readonly concurrencies: readonly number[];
  /** Where results, chart and tables are written; `undefined`: nowhere. */
  readonly folder: string | undefined;
}

export const USAGE = `npm run bench -- [options]
  --contenders a,b    ${ENTRANTS.map(({ name }) => name).join(", ")}
  --rounds 5          how often everybody has their turn
  --seconds 5         how long each figure is measured
  --warm-up 2         seconds before each
  --concurrency 1,64,512
  --out results       folder for results.json, chart.svg and table.md; "-" writes none`;

const DEFAULTS = { rounds: "5", seconds: "5", "warm-up": "2", concurrency: "1,64,512", out: "results" } as const;

/** @throws when an option is unknown or makes no sense. */
export function planOf(words: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...words],
    options: {
      contenders: { type: "string", default: ENTRANTS.map(({ name }) => name).join(",") },
      rounds: { type: "string", default: DEFAULTS.rounds },
      seconds: { type: "string", default: DEFAULTS.seconds },
      "warm-up": { type: "string", default: DEFAULTS["warm-up"] },
      concurrency: { type: "string", default: DEFAULTS.concurrency },
      out: { type: "string", default: DEFAULTS.out },
    },
  });
  return {
    contenders: values.contenders.split(",").map((name) => entrantNamed(name).name),
    rounds: numberOf("rounds", values.rounds, 1),
    durationMs: numberOf("seconds", values.seconds, 0) * 1_000,
    warmUpMs: numberOf("warm-up", values["warm-up"], 0) * 1_000,
    concurrencies: values.concurrency.split(",").map((text) => numberOf("concurrency", text, 1)),
    folder: values.out === "-" ? undefined : values.out,
  };
}

function numberOf(option: string, text: string, least: number): number {
  const value = Number(text);
  if (text !== "" && Number.isFinite(value) && value >= least) return value;
  throw new Error(`--${option} is a number from ${least} on; found ${JSON.stringify(text)}`);
}
