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
  // The last to arrive wakes the others, so that all go on at once.
  let there = Atomics.add(counters, round, 1) + 1;
  if (there === threads) Atomics.notify(counters, round);
  for (; there < threads; there = Atomics.load(counters, round)) Atomics.wait(counters, round, there);
  try {
    await createSqliteStore({ path, synchronous: "NORMAL", busyTimeoutMs: 20_000, thread: false }).close();
    parentPort?.postMessage("opened");
  } catch (error) {
    parentPort?.postMessage(String(error));
  }
}
