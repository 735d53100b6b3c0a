/** What a run leaves in a file for the next reader: how many passed, and which ones did not, in the words they failed with. */
import { readFileSync, writeFileSync } from "node:fs";

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

/** Of one failure; it stands in full where it happened. */
const WORDS_MAX = 2_000;

/** Prints the line, and leaves the count where the environment asks for it. */
export function reportCount(count: Count): void {
  console.log(`\n${countLine(count)}`);
  const file = process.env["BACKSTEP_COUNTS_FILE"];
  if (file !== undefined)
    writeFileSync(file, JSON.stringify({ ...count, failures: count.failures.map((words) => words.slice(0, WORDS_MAX)) }));
}

/** A file that is missing, or was not written to its end, is a run that never came to its own: one failure. */
export function readCount(file: string): Count {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Count;
  } catch (error) {
    return { passed: 0, failed: 1, skipped: 0, failures: [`a run that did not come to its end: ${String(error)}`] };
  }
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
