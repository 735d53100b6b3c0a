/** Holds a run against all laws: those of every saga, those of sagas beside each other, and those that its author adds about participants. */
import type { ParticipantLaw } from "./oracles/conserve.ts";
import type { Violation } from "./oracles/law.ts";
import { judge } from "./oracles/laws.ts";
import { judgeTogether } from "./oracles/run-laws.ts";
import type { Run } from "./simulation/simulation.ts";

/** The author's laws, since before the run. */
export type Watch<Participants> = (run: Run<Participants>) => readonly Violation[];

export function watch<Participants>(laws: readonly ParticipantLaw<Participants>[], participants: Participants): Watch<Participants> {
  const begun = laws.map((law) => law.begin(participants));
  return ({ histories }) => begun.flatMap((end) => end({ participants, histories }));
}

export function judgeRun<Participants>(run: Run<Participants>, watched: Watch<Participants>): readonly Violation[] {
  const definition = run.saga["~saga"];
  const { parked, histories, commits } = run;
  return [
    ...parked.flatMap((history) => judge(history, definition)),
    ...histories.flatMap((history) => judge(history, definition)),
    ...judgeTogether({ histories, commits }),
    ...watched(run),
  ];
}
