// Goal: processes of one service may start at once on a file that is not there yet. Method: threads that open fresh files at the same instant.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import type { OpenTogether } from "./opening/open-together.ts";

const THREADS = 6;
const ROUNDS = 200;

function open(workerData: OpenTogether): Promise<readonly unknown[]> {
  const met: unknown[] = [];
  const worker = new Worker(new URL("./opening/open-together.ts", import.meta.url), { workerData, execArgv: ["--conditions=source"] });
  worker.on("message", (message) => met.push(message));
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", () => resolve(met));
  });
}

test("databases that are opened at one instant on a new file all open, and all can be written to", async () => {
  const folder = await mkdtemp(join(tmpdir(), "backstep-together-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const paths = Array.from({ length: ROUNDS }, (_, round) => join(folder, `service-${round}.db`));
  const workerData: OpenTogether = { paths, threads: THREADS, arrived: new SharedArrayBuffer(ROUNDS * 4) };
  const met = await Promise.all(Array.from({ length: THREADS }, () => open(workerData)));
  expect(met.flat()).toEqual(Array.from({ length: THREADS * ROUNDS }, () => "opened"));
});
