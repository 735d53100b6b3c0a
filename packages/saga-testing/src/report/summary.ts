/** What was run, in a few lines, and what was not. */
import type { Summary } from "../explore.ts";
import { NAMED_SCHEDULES } from "../schedule/catalogue.ts";
import { formatSchedule } from "../schedule/schedule.ts";

const FAULTS = ["no fault", "one fault", "two faults", "three faults"];

export function describeSummary(summary: Summary): string {
  const { exhaustive, random, seed, points, merged, coverage, tookMs, leftOut } = summary;
  const schedules = exhaustive.reduce((sum, count) => sum + count, 0) + random;
  const counts = exhaustive.map((count, faults) => `${count} with ${FAULTS[faults] ?? `${faults} faults`}`);
  if (random > 0) counts.push(`${random} at random (seed ${seed})`);
  const perSecond = Math.round((schedules / Math.max(tookMs, 1)) * 1_000);
  return [
    `${schedules} schedules: ${counts.join(", ")}; ${points} points in the undisturbed run; ${(tookMs / 1_000).toFixed(1)} s, ${perSecond} a second`,
    ...(merged === 0 ? [] : [`${merged} were not continued: all that could follow had been tried`]),
    `faults: ${Object.entries(coverage)
      .map(([fault, count]) => `${fault} ${count}`)
      .join(", ")}`,
    `named schedules: ${[...summary.named.keys()].join(" ")}`,
    ...(leftOut === undefined ? [] : [`left out: ${leftOut}`]),
  ].join("\n");
}

/** Each named schedule that was met, with one to replay it by. */
export function describeNamed({ named }: Summary): string {
  return NAMED_SCHEDULES.flatMap(({ id, says }) => {
    const met = named.get(id);
    if (met === undefined) return [`${id}  not met   ${says}`];
    return [`${id}  ${String(met.schedules).padStart(7)}   ${says}: ${formatSchedule({ deviations: met.first })}`];
  }).join("\n");
}
