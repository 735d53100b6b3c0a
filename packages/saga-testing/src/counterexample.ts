/** A schedule that breaks a law, as a report shows it. */
import type { Violation } from "./oracles/law.ts";
import { mermaidOf } from "./report/mermaid.ts";
import { timelineOf } from "./report/timeline.ts";
import { formatSchedule, type Schedule } from "./schedule/schedule.ts";
import type { Run } from "./simulation/simulation.ts";

export interface Counterexample<Participants> {
  /** The text to paste into `replay`. */
  readonly schedule: string;
  readonly violations: readonly Violation[];
  /** What happened, line by line, and what is wrong with it. */
  readonly timeline: string;
  /** The same as a Mermaid sequence diagram. */
  readonly mermaid: string;
  readonly run: Run<Participants>;
}

export function counterexampleOf<Participants>(
  run: Run<Participants>,
  violations: readonly Violation[],
  schedule: Schedule,
): Counterexample<Participants> {
  return {
    schedule: formatSchedule(schedule),
    violations,
    timeline: timelineOf(run.log, violations),
    mermaid: mermaidOf(run.log, violations),
    run,
  };
}
