/** Holds a run against all laws: those of every saga, those of sagas beside each other, and those that its author adds about participants. */
import type { ParticipantLaw } from "./oracles/conserve.ts";
import type { Law, Violation } from "./oracles/law.ts";
import { judge, LAWS } from "./oracles/laws.ts";
import { judgeTogether } from "./oracles/run-laws.ts";
import type { Cast, Judged, Run } from "./simulation/simulation.ts";

/** The law of replay decides anew with the engine of this version, and says nothing about another build. */
const WITHOUT_REPLAY = LAWS.filter(({ name }) => name !== "replay");

export function judging<Participants>(
  laws: readonly ParticipantLaw<Participants>[],
  { anotherBuild = false }: { readonly anotherBuild?: boolean } = {},
) {
  const always: readonly Law[] = anotherBuild ? WITHOUT_REPLAY : LAWS;
  return async ({
    participants,
    saga,
  }: Cast<Participants>): Promise<(run: Run<Participants>) => Promise<Judged<Participants>["violations"]>> => {
    const begun = await Promise.all(laws.map(async (law) => law.begin(participants)));
    return async ({ parked, histories, commits }) => {
      const definition = saga["~saga"];
      const violations: Violation[] = [...parked, ...histories].flatMap((history) => judge(history, definition, always));
      violations.push(...judgeTogether({ histories, commits }));
      for (const end of begun) violations.push(...(await end({ participants, histories, answers: histories.map(({ answer }) => answer) })));
      return violations;
    };
  };
}
