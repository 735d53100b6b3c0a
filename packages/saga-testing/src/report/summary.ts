/** What was run, in a few lines, and what was not. */
import type { Summary } from "../explore.ts";
import { ELSEWHERE, NAMED_SCHEDULES } from "../schedule/catalogue.ts";
import { formatSchedule } from "../schedule/schedule.ts";

export function describeSummary(summary: Summary): string {
  const { exhaustive, random, replayed, seed, points, merged, coverage, tookMs, leftOut } = summary;
  if (replayed) return "one schedule, replayed";
  const [inFull, atRandom] = [exhaustive, random].map((counts) => counts.reduce((sum, count) => sum + count, 0));
  const schedules = (inFull ?? 0) + (atRandom ?? 0);
  const perSecond = Math.round((schedules / Math.max(tookMs, 1)) * 1_000);
  return [
    `${schedules} schedules in ${(tookMs / 1_000).toFixed(1)} s, ${perSecond} a second; ${points} points in the undisturbed run`,
    `in full: ${byFaults(exhaustive)}`,
    ...(atRandom === 0 ? [] : [`at random, seed ${seed}: ${byFaults(random)}`]),
    ...(merged === 0 ? [] : [`${merged} were not continued: all that could follow had been tried`]),
    `faults: ${Object.entries(coverage)
      .map(([fault, count]) => `${fault} ${count}`)
      .join(", ")}`,
    `named schedules: ${summary.named.size} of ${NAMED_SCHEDULES.length}, ${[...summary.named.keys()].join(" ")}`,
    ...(leftOut === undefined ? [] : [`left out: ${leftOut}`]),
  ].join("\n");
}

const WORDS = ["none", "one", "two", "three"];

function byFaults(counts: readonly number[]): string {
  return counts.map((count, faults) => `${count} with ${WORDS[faults] ?? faults}`).join(", ");
}

/** Each failure schedule that has a name: how often it was met, and by which schedule first; or who sees to it instead. */
export function describeNamed({ named }: Summary): string {
  const met = NAMED_SCHEDULES.map(({ id, says }) => {
    const found = named.get(id);
    return [id, found === undefined ? "-" : String(found.schedules), says, found && formatSchedule({ deviations: found.first })] as const;
  });
  const elsewhere = Object.entries(ELSEWHERE).map(([id, why]) => [id, "", why, undefined] as const);
  return [...met, ...elsewhere]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([id, count, says, first]) => `${id} ${count.padStart(7)}  ${says}${first === undefined ? "" : `: ${first}`}`)
    .join("\n");
}
