/** Holds scenarios against the laws. Each is lived through once, however many laws ask; of those that keep them all, nothing but that is kept. */
import type { SagaDefinition } from "../../src/definition/saga-definition.ts";
import { type History, tell } from "./history.ts";
import { LAW_NAMES, LAWS, type LawName } from "./laws.ts";
import { liveThrough } from "./life.ts";
import { plannedSaga } from "./planned-saga.ts";
import type { Participants } from "./planned-steps.ts";
import type { SagaPlan } from "./saga-plan.ts";
import type { Scenario } from "./scenario.ts";

/** Laws replay journals, and a replay calls nobody. */
const nobody = {} as Participants;

export function definitionOf(plan: SagaPlan): SagaDefinition {
  return plannedSaga(plan, nobody)["~saga"];
}

export function judge(history: History, definition: SagaDefinition): ReadonlyMap<LawName, readonly string[]> {
  return new Map(
    LAW_NAMES.flatMap((law) => {
      const violations = LAWS[law].violations(history, definition);
      return violations.length === 0 ? [] : [[law, violations] as const];
    }),
  );
}

interface Judged {
  readonly broken: ReadonlyMap<LawName, readonly string[]>;
  readonly timeline: string;
}

const INNOCENT: Judged = { broken: new Map(), timeline: "" };
const judged = new Map<string, Judged>();

/** Throws, with the timeline, when what becomes of a scenario breaks a law. */
export async function expectLaw(law: LawName, scenario: Scenario): Promise<void> {
  const { broken, timeline } = await judgedOnce(scenario);
  const violations = broken.get(law);
  if (violations !== undefined) throw new Error(`${violations.join("\n")}\n${timeline}`);
}

async function judgedOnce(scenario: Scenario): Promise<Judged> {
  const id = JSON.stringify(scenario);
  const known = judged.get(id);
  if (known !== undefined) return known;
  const history = await liveThrough(scenario);
  const broken = judge(history, definitionOf(scenario.plan));
  const found = broken.size === 0 ? INNOCENT : { broken, timeline: tell(history) };
  judged.set(id, found);
  return found;
}
