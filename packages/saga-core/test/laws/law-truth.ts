/** I9 and I10: what a saga tells the world, by its events and by its answer, is true at the participants. */
import type { SagaAbandoned, SagaParked } from "../../src/index.ts";
import type { Entry } from "../../src/journal/entry.ts";
import type { Committed, Done, History } from "./history.ts";
import { mayStand } from "./law-doubt.ts";
import { type OperationStory, type Story, standing, storyOf } from "./story.ts";

const MOVED_BY_TIME: ReadonlySet<Entry["_tag"]> = new Set(["WaitBegan", "SignalReceived", "CancelRequested"]);

export function isPointOfNoReturn(entry: Entry): boolean {
  if (entry._tag === "RunReturned" || entry._tag === "SagaCompleted") return true;
  if (entry._tag === "OperationSettled") return entry.path.startsWith("pivot/") && entry.outcome._tag === "Succeeded";
  return entry._tag === "OperatorSettled" && entry.path.startsWith("pivot/") && entry.verdict._tag === "SettledApplied";
}

/** I9: events are committed when, and only when, the saga can no longer go back: each once, under one id. */
export function eventsOnlyWhenCertain(history: History): readonly string[] {
  const { records } = storyOf(history);
  const certainFrom = records.findIndex(({ entries }) => entries.some(isPointOfNoReturn));
  const early = records.slice(0, certainFrom === -1 ? records.length : certainFrom).flatMap(({ outbox }) => outbox);
  const events = records.flatMap(({ outbox }) => outbox);
  const ids = events.map(({ id }) => id);
  return [
    ...early.map(({ id }) => `event ${id} was committed while the saga could still go back`),
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `event ${id} was committed twice`),
    ...ids.filter((id) => !id.startsWith(`${history.sagaId}/`)).map((id) => `event ${id} does not name its saga`),
    ...(history.answer._tag === "Completed"
      ? differences(
          "events",
          history.answer.done.emitted,
          events.map(({ data }) => placeIn(data)),
        )
      : []),
  ];
}

function placeIn(data: string): string {
  return (JSON.parse(data) as { readonly place: string }).place;
}

/** I10: the answer, the journal's status and the participants' books agree, and whoever asks later hears the same. */
export function answersAreTrue(history: History): readonly string[] {
  const { answer, answerLater } = history;
  if (answer._tag === "Stuck") return [];
  const [first, later] = [answer, answerLater].map((one) => JSON.stringify(one));
  if (first === later) return answerIsTrue(history);
  // Parked is no end: time goes on beside it, and may move the saga without its operator.
  if (isParked(answer) && timeMoves(history)) return answerIsTrue({ ...history, answer: answerLater });
  return [...answerIsTrue(history), `the answer was ${first}, and later ${later}`];
}

function isParked(answer: History["answer"]): boolean {
  return answer._tag === "Failed" && answer.error._tag === "SagaParked";
}

function timeMoves(history: History): boolean {
  return storyOf(history).records.some(({ entries }) => entries.some((entry) => MOVED_BY_TIME.has(entry._tag) || "deadlineAt" in entry));
}

function answerIsTrue(history: History): readonly string[] {
  const story = storyOf(history);
  const { answer } = history;
  if (answer._tag === "Stuck") return [];
  if (answer._tag === "Completed") return [...statusIs(story, "completed"), ...allDone(story, answer.done)];
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

function allDone({ operations }: Story, { acted }: Done): readonly string[] {
  const stands = operations.flatMap((operation) => (standing(operation) > 0 ? [operation.place] : []));
  // A body without `complete` ends before the pivot, and cannot count it.
  const counted = new Set([...acted, ...operations.flatMap(({ kind, place }) => (kind === "pivot" ? [place] : []))]);
  return differences("effects", [...counted], stands);
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
