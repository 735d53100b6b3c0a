/** What a run leaves in a file for the next reader: how many passed, and which ones did not, in the words they failed with. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";

export interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** One for each that failed. A log is long, and where it is cut, what counts stands at its end. */
  readonly failures: readonly string[];
}

export function countLine({ passed, failed, skipped }: Count): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** Prints the line, and leaves the count where the environment asks for it. */
export function reportCount(count: Count): void {
  console.log(`\n${countLine(count)}`);
  const file = process.env["BACKSTEP_COUNTS_FILE"];
  if (file !== undefined) writeFileSync(file, JSON.stringify(count));
}

/** A file that is missing is a run that never came to its end: one failure. */
export function readCount(file: string): Count {
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Count;
  return { passed: 0, failed: 1, skipped: 0, failures: [`${file}: never written, so its run did not come to an end`] };
}

export function addCounts(counts: readonly Count[]): Count {
  const sum = (of: (count: Count) => number) => counts.reduce((total, count) => total + of(count), 0);
  return {
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    skipped: sum(({ skipped }) => skipped),
    failures: counts.flatMap(({ failures }) => failures),
  };
}
