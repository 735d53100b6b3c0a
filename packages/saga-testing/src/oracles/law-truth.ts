/** I9 and I10: what a saga tells the world, by its events and by its answer, is true at the participants. */
import type { Json, SagaAbandoned, SagaParked } from "@backstep/saga-core";
import { canonicalJson } from "@backstep/saga-core/adapter";
import type { Entry } from "@backstep/saga-core/engine";
import type { Answer, Committed, History } from "./history.ts";
import { mayStand } from "./law-doubt.ts";
import { isPointOfNoReturn } from "./point-of-no-return.ts";
import { goesBack, type OperationStory, type Story, standing, storyOf } from "./story.ts";

const MOVED_BY_TIME: ReadonlySet<Entry["_tag"]> = new Set(["WaitBegan", "SignalReceived", "CancelRequested"]);

/** I9: events are committed when, and only when, the saga can no longer go back: each once, under one id, with the entry that says so. */
export function eventsOnlyWhenCertain(history: History): readonly string[] {
  const { records } = storyOf(history);
  const violations: string[] = [];
  const ids = new Set<string>();
  let certain = false;
  for (const record of records) {
    certain ||= record.entries.some(isPointOfNoReturn);
    for (const { id } of record.outbox) {
      if (!certain) violations.push(`event ${id} was committed while the saga could still go back`);
      if (ids.has(id)) violations.push(`event ${id} was committed twice`);
      if (!id.startsWith(`${history.sagaId}/`)) violations.push(`event ${id} does not name its saga`);
      ids.add(id);
    }
    violations.push(...outboxIsJournaled(record));
  }
  return violations;
}

function outboxIsJournaled({ entries, outbox }: Committed): readonly string[] {
  const said = entries.flatMap((entry) => (entry._tag === "EventEmitted" ? [`${entry.type} ${canonicalJson(entry.data ?? null)}`] : []));
  if (said.length === 0 && outbox.length === 0) return [];
  return differences(
    "events",
    said,
    outbox.map(({ type, data }) => `${type} ${canonicalJson(JSON.parse(data) as Json)}`),
  );
}

/** I10: the answer, the journal's status and the participants' books agree, and whoever asks later hears the same. */
export function answersAreTrue(history: History): readonly string[] {
  const { answer, answerLater } = history;
  if (answer._tag === "Stuck") return [];
  const story = storyOf(history);
  const [first, later] = [answer, answerLater].map((one) => JSON.stringify(one));
  if (first === later) return answerIsTrue(story, answer);
  // Parked is no end: time goes on beside it, and may move the saga without its operator.
  if (isParked(answer) && timeMoves(story)) return answerIsTrue(story, answerLater);
  return [...answerIsTrue(story, answer), `the answer was ${first}, and later ${later}`];
}

function isParked(answer: Answer): boolean {
  return answer._tag === "Failed" && answer.error._tag === "SagaParked";
}

function timeMoves({ entries }: Story): boolean {
  return entries.some(({ item }) => MOVED_BY_TIME.has(item._tag) || "deadlineAt" in item);
}

function answerIsTrue(story: Story, answer: Answer): readonly string[] {
  if (answer._tag === "Stuck") return [];
  if (answer._tag === "Completed") return [...statusIs(story, "completed"), ...outputIs(story, answer.output), ...allDone(story)];
  const { error } = answer;
  if (error._tag === "SagaParked") return [...statusIs(story, "parked"), ...parkedTruly(story, error as unknown as SagaParked)];
  if (error._tag === "SagaAbandoned") return [...statusIs(story, "abandoned"), ...standsTruly(story, error as unknown as SagaAbandoned)];
  return [
    ...statusIs(story, "compensated"),
    ...story.operations
      .filter((operation) => standing(operation) !== 0)
      .map(({ path }) => `${path} stands, though all is said to be taken back`),
  ];
}

function statusIs({ records }: Story, status: Committed["status"]): readonly string[] {
  const found = records.at(-1)?.status;
  return found === status ? [] : [`the journal says ${found}, the answer means ${status}`];
}

function outputIs({ entries }: Story, output: Json | undefined): readonly string[] {
  const ending = entries.findLast(({ item }) => item._tag === "SagaCompleted")?.item;
  if (ending?._tag !== "SagaCompleted") return [];
  const [journaled, answered] = [canonicalJson(ending.output), canonicalJson(output)];
  return journaled === answered ? [] : [`the journal's output is ${journaled}, the answer's ${answered}`];
}

/** Of a saga that completed every step stands exactly once, but for those of its parts that went back: of these nothing does. */
function allDone(story: Story): readonly string[] {
  return story.operations.flatMap((operation) => {
    const { path, kind, outcome } = operation;
    if (kind === "readOnly") return [];
    const found = standing(operation);
    if (goesBack(story, operation)) return found === 0 ? [] : [`${path} stands, though its scope went back`];
    if (outcome?._tag !== "Succeeded") return [`completed, though ${path} is ${outcome?._tag ?? "open"}`];
    return found === 1 ? [] : [`${path} succeeded, and stands ${found} times`];
  });
}

function parkedTruly(story: Story, { operations, quarantine }: SagaParked): readonly string[] {
  const stuck = story.operations.flatMap(({ path, parked }) => (parked === undefined ? [] : [`${path} ${parked}`]));
  return [
    ...(quarantine === undefined ? [] : [`quarantined: ${quarantine._tag} ${quarantine.message}`]),
    ...(operations.length === 0 ? ["parked, and nothing is stuck"] : []),
    ...differences(
      "parked operations",
      operations.map(({ path, slot }) => `${path} ${slot}`),
      stuck,
    ),
  ];
}

function standsTruly(story: Story, { stands }: SagaAbandoned): readonly string[] {
  const listed = new Map(stands.map(({ path, known }) => [path, known]));
  return story.operations.flatMap((operation) => {
    const known = listed.get(operation.path);
    if (known === undefined) return standing(operation) > 0 ? [`${operation.path} stands, and is not listed`] : [];
    return [
      ...(couldStand(story, operation) ? [] : [`${operation.path} is listed, and never had an effect`]),
      ...(known === "succeeded" && operation.appliedAt.length === 0
        ? [`${operation.path} is listed as succeeded, and never took effect`]
        : []),
    ];
  });
}

function couldStand(story: Story, operation: OperationStory): boolean {
  return operation.settledAt === undefined || operation.outcome?._tag !== "NoEffect" || mayStand(story, operation);
}

function differences(what: string, said: readonly string[], found: readonly string[]): readonly string[] {
  const [left, right] = [said, found].map((places) => places.toSorted().join(", "));
  return left === right ? [] : [`${what}: said are [${left}], found are [${right}]`];
}
