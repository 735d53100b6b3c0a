/**
 * Proves the checkout, on all cores: `npm run prove -- <random schedules> <seed>`. Prints what was run, and ends with 1 and a counterexample when a law is broken. Each
 * proof runs in a process of its own, which is this file again.
 */
import { fork } from "node:child_process";
import { availableParallelism, cpus } from "node:os";
import { describeNamed, describeSummary, explore, SagaRefuted } from "@backstep/saga-testing";
import { proofsOf } from "./proofs.ts";
import { checkoutOf } from "./shop.ts";

/** Of these, three quarters come to all three faults: some 100,000. */
const RANDOM_SCHEDULES_DEFAULT = 132_000;

interface Report {
  readonly text: string;
  readonly schedules: number;
  readonly refuted: boolean;
}

const [randomText = String(RANDOM_SCHEDULES_DEFAULT), seedText = "1", indexText] = process.argv.slice(2);
const [randomSchedules, seed] = [Number(randomText), Number(seedText)];
if (![randomSchedules, seed].every((number) => Number.isSafeInteger(number) && number >= 0)) {
  console.error(`npm run prove -- <random schedules> <seed>: whole numbers from 0; found ${randomText} ${seedText}`);
  process.exit(2);
}
const proofs = proofsOf(randomSchedules, seed);

await (indexText === undefined ? proveAll() : proveOne(Number(indexText)));

async function proveAll(): Promise<void> {
  const begunAt = performance.now();
  console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "unknown"}; random schedules from seed ${seed}`);
  let schedules = 0;
  const waiting = proofs.map((_, index) => index);
  const worker = async (): Promise<void> => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      const report = await proveInProcess(index);
      schedules += report.schedules;
      if (report.refuted) process.exitCode = 1;
      console.log(`\n${report.text}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const verdict = process.exitCode === 1 ? "a law is broken" : "every law was kept";
  console.log(`\n${schedules} schedules in ${Math.round((performance.now() - begunAt) / 1_000)} s; ${verdict}`);
}

function proveInProcess(index: number): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, [randomText, seedText, String(index)]);
    child.once("message", (report) => resolve(report as Report));
    child.once("exit", (code) => reject(new Error(`proof ${index} ended with ${code} and said nothing`)));
  });
}

async function proveOne(index: number): Promise<void> {
  const proof = proofs[index];
  if (proof === undefined) throw new RangeError(`there is no proof ${index}`);
  const explored = await explore(checkoutOf, proof.options);
  const { exhaustive, random } = explored.summary;
  const lines = [proof.what, describeSummary(explored.summary)];
  if (explored._tag === "Refuted") lines.push(new SagaRefuted(explored.counterexample, explored.summary).message);
  else if (index === 0) lines.push(describeNamed(explored.summary));
  const report: Report = {
    text: lines.join("\n"),
    schedules: [...exhaustive, ...random].reduce((sum, count) => sum + count, 0),
    refuted: explored._tag === "Refuted",
  };
  process.send?.(report);
}
