/**
 * What a step costs, at the beginning of a long saga and at its end: `npm run steps`, or with another number of steps behind `--`. A step should cost the same however many
 * went before it. Prints figures; ends with 0 when the saga came to its end, whatever the figures are.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine, saga, step } from "@backstep/saga-core";
import { createMemoryStore, type JournalStore } from "@backstep/saga-core/journal";
import { createSqliteStore } from "@backstep/sqlite-store";
import { ok } from "neverthrow";
import { z } from "zod";
import { machine, table } from "./table.ts";

const STEPS_DEFAULT = 10_000;
/** The saga runs so often before it is measured, that the language's own warming up is not taken for the first steps' cost. */
const WARM_UPS = 1;
const ROUNDS = 5;

interface Round {
  readonly firstUs: number;
  readonly lastUs: number;
  /** From the last step on until the saga's answer is read: once per saga, and by the length of its journal. */
  readonly answerMs: number;
}

async function run(store: JournalStore, id: string, stepCount: number): Promise<Round> {
  const times: number[] = [];
  const count = step({
    name: "count",
    run: (place: number) => {
      times.push(performance.now());
      return ok(place + 1);
    },
    compensate: () => ok(undefined),
  });
  const counting = saga({
    name: "counting",
    input: z.number(),
    *run(steps) {
      let place = 0;
      while (place < steps) place = yield* count(place);
      return place;
    },
  });
  const engine = createEngine({ sagas: [counting], store });
  const ran = await engine.run(counting, stepCount, { id });
  const answered = performance.now();
  await engine.close();
  if (ran.isErr() || ran.value !== stepCount) throw new Error(`the saga did not count to its end: ${JSON.stringify(ran)}`);
  const part = Math.max(1, Math.floor(stepCount / 10));
  const last = stepCount - 1;
  return {
    firstUs: perStepUs(times, 0, part),
    lastUs: perStepUs(times, last - part, last),
    answerMs: answered - (times[last] ?? answered),
  };
}

function perStepUs(times: readonly number[], from: number, to: number): number {
  return (((times[to] ?? 0) - (times[from] ?? 0)) * 1_000) / (to - from);
}

/** The round in the middle. */
async function measure(name: string, store: JournalStore, stepCount: number): Promise<readonly string[]> {
  for (let round = 0; round < WARM_UPS; round++) await run(store, `warm-up-${round}`, stepCount);
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await run(store, `round-${round}`, stepCount));
  const median = rounds.toSorted((left, right) => ratio(left) - ratio(right))[Math.floor(ROUNDS / 2)] ?? {
    firstUs: 0,
    lastUs: 0,
    answerMs: 0,
  };
  return [name, median.firstUs.toFixed(1), median.lastUs.toFixed(1), ratio(median).toFixed(2), `${median.answerMs.toFixed(0)} ms`];
}

function ratio({ firstUs, lastUs }: Round): number {
  return lastUs / firstUs;
}

const stepCount = Number(process.argv[2] ?? STEPS_DEFAULT);
if (!Number.isSafeInteger(stepCount) || stepCount < 10) {
  console.error("usage: npm run steps -- [steps, 10 or more]");
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "backstep-steps-"));
try {
  const tenth = Math.floor(stepCount / 10);
  console.log(`${machine()}\n${stepCount} steps in sequence; microseconds per step over the first and the last ${tenth}\n`);
  const rows = [["store", "first", "last", "ratio", "answer read"]];
  const memory = createMemoryStore();
  rows.push([...(await measure("memory", memory, stepCount))]);
  // Without the disk's sync, which would hide what is measured here behind what the disk takes.
  const sqlite = createSqliteStore({ path: join(folder, "journal.db"), synchronous: "NORMAL" });
  rows.push([...(await measure("SQLite, synchronous NORMAL", sqlite, stepCount))]);
  await sqlite.close();
  console.log(table(rows));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
