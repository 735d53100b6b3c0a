/** Lengths of time, as people write them: a number of milliseconds, or named parts that are added up. */
import { err, ok, type Result } from "neverthrow";

export type Duration =
  | number
  | {
      readonly days?: number | undefined;
      readonly hours?: number | undefined;
      readonly minutes?: number | undefined;
      readonly seconds?: number | undefined;
      readonly ms?: number | undefined;
    };

const PART_MS = { days: 86_400_000, hours: 3_600_000, minutes: 60_000, seconds: 1_000, ms: 1 } as const;

/** A hundred years: longer ones are a mistake in the unit. */
export const DURATION_MS_MAX = 36_525 * PART_MS.days;

/** Whole milliseconds from 0 to `DURATION_MS_MAX`; or what is wrong, as the end of a sentence. */
export function durationMs(duration: Duration): Result<number, string> {
  const ms = typeof duration === "number" ? duration : sumOf(duration);
  const fits = Number.isSafeInteger(ms) && ms >= 0 && ms <= DURATION_MS_MAX;
  return fits ? ok(ms) : err(`must be whole milliseconds from 0 to a hundred years; found ${shown(duration)}`);
}

/** Not a number for anything but named parts that are numbers: it may come from callers that no compiler has seen. */
function sumOf(parts: unknown): number {
  if (typeof parts !== "object" || parts === null || Array.isArray(parts)) return Number.NaN;
  let ms = 0;
  for (const [part, count] of Object.entries(parts as Readonly<Record<string, unknown>>)) {
    if (count === undefined) continue;
    if (!Object.hasOwn(PART_MS, part) || typeof count !== "number") return Number.NaN;
    ms += count * PART_MS[part as keyof typeof PART_MS];
  }
  return ms;
}

function shown(duration: unknown): string {
  return typeof duration === "object" || typeof duration === "string" ? JSON.stringify(duration) : `${duration as number}`;
}
