/** I1 and I2: what participants told decides what is in doubt, and doubt decides what is undone. Judged from what was told, not from what the engine made of it. */
import type { Called, History, Told } from "./history.ts";
import { goesBack, type OperationStory, type Placed, type Story, storyOf } from "./story.ts";

const EFFECT: ReadonlySet<Told> = new Set(["Succeeded", "Garbled"]);
/** Told for the key: nothing under it takes effect any more. */
const NEVER: ReadonlySet<Told> = new Set(["Refused", "Sealed"]);

/** A call that nobody answered, or not in time, tells as much as one whose answer says nothing. */
function toldBefore({ told }: Story, { item }: Placed<Called>, at: number): Told {
  const answer = told.get(item.call);
  return answer === undefined || answer.at > at ? "Doubt" : answer.told;
}

/** Whether an effect has to be reckoned with, from all that any process was told. */
export function mayStand(story: Story, { calls }: OperationStory): boolean {
  const told = calls.map((call) => toldBefore(story, call, Number.POSITIVE_INFINITY));
  if (told.some((one) => EFFECT.has(one))) return true;
  return !told.some((one) => NEVER.has(one)) && told.includes("Doubt");
}

/**
 * Whether the process that settled an operation may believe in an effect. It knows what it was told itself; whoever finds an operation open must count with a
 * request that the owner before it had sent.
 */
function mayBelieve(history: History, story: Story, { calls, intendedAt, settledAt = Number.POSITIVE_INFINITY }: OperationStory): boolean {
  const settling = history.happenings[settledAt];
  const life = settling?._tag === "Committed" ? settling.life : 0;
  const adoption = story.adoptions.findLast((one) => one.at > intendedAt && one.at < settledAt && one.life === life);
  const since = adoption?.at ?? intendedAt;
  let belief = adoption !== undefined;
  for (const call of calls) {
    if (call.item.life !== life || call.at < since || call.at > settledAt) continue;
    const told = toldBefore(story, call, settledAt);
    if (EFFECT.has(told)) return true;
    if (NEVER.has(told)) belief = false;
    if (told === "Doubt") belief = true;
  }
  return belief;
}

/** I1: doubt is cleared by nothing but success and what is told for the key; an operation taken for absent never has an effect. */
export function doubtIsSticky(history: History): readonly string[] {
  const story = storyOf(history);
  return story.operations
    .filter(({ outcome, kind }) => outcome?._tag === "NoEffect" && kind !== "readOnly")
    .flatMap((operation) => [
      ...(mayStand(story, operation) ? [`${operation.path} was taken for absent in spite of doubt`] : []),
      ...(operation.appliedAt.length > 0 ? [`${operation.path} was taken for absent, and took effect`] : []),
    ]);
}

/** I2: of what goes back, exactly that is compensated of which not every attempt definitely had no effect. */
export function compensatedExactlyWhenNeeded(history: History): readonly string[] {
  const story = storyOf(history);
  const ended = story.records.at(-1)?.status;
  return story.operations.flatMap((operation) => {
    const { path, kind, undoIntendedAt, undoCalls, settledAt } = operation;
    const undone = undoIntendedAt !== undefined || undoCalls.length > 0;
    if (!undone) {
      const due = kind === "compensatable" && goesBack(story, operation) && (ended === "compensated" || ended === "completed");
      return due && mayStand(story, operation) ? [`${path} may have had its effect, and was not compensated`] : [];
    }
    const violations: string[] = [];
    if (kind !== "compensatable") violations.push(`${path} is ${kind}, and was compensated`);
    if (!goesBack(story, operation)) violations.push(`${path} was compensated, though its scope did not go back`);
    if (settledAt === undefined) violations.push(`${path} was compensated before it was settled`);
    if (operation.outcome?._tag !== "Succeeded" && !mayBelieve(history, story, operation))
      violations.push(`${path} was compensated, though every attempt definitely had no effect`);
    return violations;
  });
}
