/** Bytes on their way to the disk, as Linux counts them per process; elsewhere nobody counts. */
import { readFile } from "node:fs/promises";

/** What this process has handed to the disk: for an embedded store its log and its file, checkpoints included. */
export function ownBytesWritten(): Promise<number | undefined> {
  return bytesWrittenBy(process.pid);
}

export async function bytesWrittenBy(pid: number): Promise<number | undefined> {
  return numberIn(`/proc/${pid}/io`, /^write_bytes: (\d+)$/m, 1);
}

/** Memory that another process holds at the moment. */
export async function residentBytesOf(pid: number): Promise<number | undefined> {
  return numberIn(`/proc/${pid}/status`, /^VmRSS:\s+(\d+) kB$/m, 1024);
}

async function numberIn(path: string, pattern: RegExp, unit: number): Promise<number | undefined> {
  try {
    const [, digits] = pattern.exec(await readFile(path, "utf8")) ?? [];
    return digits === undefined ? undefined : Number(digits) * unit;
  } catch {
    return undefined;
  }
}
