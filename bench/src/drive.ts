/** Keeps a number of sagas in flight for a while, and counts: the closed loop that every figure comes from. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningContender, Way } from "./contender.ts";
import { residentBytesOf } from "./disk.ts";
import { quantile } from "./statistics.ts";

export interface Load {
  readonly way: Way;
  /** How many are in flight at a time. */
  readonly concurrency: number;
  /** None is started after it; those in flight are waited for, and count, with the time they take. */
  readonly durationMs: number;
  /** At least so many sagas, however long it takes. */
  readonly sagasMin: number;
}

export interface Latency {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export interface Driven {
  readonly sagas: number;
  readonly durationMs: number;
  readonly sagasPerSecond: number;
  readonly latency: Latency;
  /** Of the process with the engine in it, in microseconds of processor per saga. */
  readonly processorUsPerSaga: number;
  /** Of the same process, the largest seen. */
  readonly residentBytes: number;
  /** Of the server that works for this contender alone. */
  readonly serverResidentBytes: number | undefined;
  readonly bytesPerSaga: number | undefined;
}

const SAMPLE_MS = 100;

/** Numbers of sagas, never given twice in a process. */
let sagaNext = 1;

export async function drive(running: RunningContender, { way, concurrency, durationMs, sagasMin }: Load): Promise<Driven> {
  const latencies: number[] = [];
  const memory = watchMemory(running.serverPid);
  const bytesBefore = await running.bytesWritten?.();
  const processor = process.cpuUsage();
  const startedAt = performance.now();
  const deadline = startedAt + durationMs;
  let started = 0;
  let failed = false;
  const loop = async (): Promise<void> => {
    while (!failed && (started < sagasMin || performance.now() < deadline)) {
      started += 1;
      const from = performance.now();
      try {
        await running.runSaga(sagaNext++, way);
      } catch (error) {
        failed = true;
        throw error;
      }
      latencies.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
  const elapsedMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(processor);
  const bytesAfter = await running.bytesWritten?.();
  const { residentBytes, serverResidentBytes } = await memory.stop();
  const sorted = Float64Array.from(latencies).sort();
  return {
    sagas: sorted.length,
    durationMs: elapsedMs,
    sagasPerSecond: sorted.length / (elapsedMs / 1_000),
    latency: { p50Ms: quantile(sorted, 0.5), p95Ms: quantile(sorted, 0.95), p99Ms: quantile(sorted, 0.99) },
    processorUsPerSaga: (user + system) / sorted.length,
    residentBytes,
    serverResidentBytes,
    bytesPerSaga: bytesBefore === undefined || bytesAfter === undefined ? undefined : (bytesAfter - bytesBefore) / sorted.length,
  };
}

/** Looks every now and then how much memory is held, until it is stopped. */
function watchMemory(serverPid: number | undefined) {
  let residentBytes = process.memoryUsage.rss();
  let serverResidentBytes: number | undefined;
  let watching = true;
  const look = async (): Promise<void> => {
    residentBytes = Math.max(residentBytes, process.memoryUsage.rss());
    const server = serverPid === undefined ? undefined : await residentBytesOf(serverPid);
    if (server !== undefined) serverResidentBytes = Math.max(serverResidentBytes ?? 0, server);
  };
  const watch = async (): Promise<void> => {
    while (watching) {
      await look();
      await sleep(SAMPLE_MS);
    }
  };
  const watched = watch();
  return {
    async stop() {
      watching = false;
      await watched;
      await look();
      return { residentBytes, serverResidentBytes };
    },
  };
}
