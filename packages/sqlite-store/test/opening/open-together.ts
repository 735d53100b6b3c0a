/** A thread that opens each of the files at the same instant as the other threads, and tells what it met. */
import { parentPort, workerData } from "node:worker_threads";
import { createSqliteStore } from "../../src/index.ts";

export interface OpenTogether {
  readonly paths: readonly string[];
  readonly threads: number;
  /** One counter per file: how many threads have arrived. */
  readonly arrived: SharedArrayBuffer;
}

const { paths, threads, arrived } = workerData as OpenTogether;
const counters = new Int32Array(arrived);

for (const [round, path] of paths.entries()) {
  Atomics.add(counters, round, 1);
  while (Atomics.load(counters, round) < threads) {
    // Waits for the others without giving up the thread, so that all go on at once.
  }
  try {
    await createSqliteStore({ path, synchronous: "NORMAL", busyTimeoutMs: 20_000 }).close();
    parentPort?.postMessage("opened");
  } catch (error) {
    parentPort?.postMessage(String(error));
  }
}
