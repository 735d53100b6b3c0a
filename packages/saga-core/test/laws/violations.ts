/** Holds scenarios against the laws. Each is lived through once, however many laws ask; of those that keep them all, nothing but that is kept. */
import type { SagaDefinition } from "@backstep/saga-core";
import { type History, judge as judgeBy, timelineOf, type Violation } from "@backstep/saga-testing/laws";
import { LAWS } from "./laws.ts";
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

export function judge(history: History, definition: SagaDefinition): readonly Violation[] {
  return judgeBy(history, definition, LAWS);
}

interface Judged {
  readonly broken: readonly Violation[];
  readonly timeline: string;
}

const INNOCENT: Judged = { broken: [], timeline: "" };
const judged = new Map<string, Judged>();

/** Throws, with the timeline, when what becomes of a scenario breaks a law. */
export async function expectLaw(law: string, scenario: Scenario): Promise<void> {
  const { broken, timeline } = await judgedOnce(scenario);
  const violations = broken.filter((one) => one.law === law);
  if (violations.length > 0) throw new Error(`${violations.map(({ message }) => message).join("\n")}\n${timeline}`);
}

async function judgedOnce(scenario: Scenario): Promise<Judged> {
  const id = JSON.stringify(scenario);
  const known = judged.get(id);
  if (known !== undefined) return known;
  const history = await liveThrough(scenario);
  const broken = judge(history, definitionOf(scenario.plan));
  const found = broken.length === 0 ? INNOCENT : { broken, timeline: timelineOf(history.log, broken) };
  judged.set(id, found);
  return found;
}
