// Goal: workers of one fleet may start at once on a journal that is not there yet. Method: threads that open fresh files at the same instant.
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import type { OpenTogether } from "./opening/open-together.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const THREADS = 4;
const ROUNDS = 50;

function open(workerData: OpenTogether): Promise<readonly unknown[]> {
  const met: unknown[] = [];
  const worker = new Worker(new URL("./opening/open-together.ts", import.meta.url), { workerData, execArgv: ["--conditions=source"] });
  worker.on("message", (message) => met.push(message));
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", () => resolve(met));
  });
}

test("stores that are opened at one instant on a new file all open", async () => {
  const folder = temporaryFolder();
  const paths = Array.from({ length: ROUNDS }, (_, round) => join(folder, `journal-${round}.db`));
  const workerData: OpenTogether = { paths, threads: THREADS, arrived: new SharedArrayBuffer(ROUNDS * 4) };
  const met = await Promise.all(Array.from({ length: THREADS }, () => open(workerData)));
  expect(met.flat()).toEqual(Array.from({ length: THREADS * ROUNDS }, () => "opened"));
});
