/** What only planned sagas can be held to: their output tells what their bodies count as done, so the participants' books and the outbox must tell the same. */
import { type History, type Law, standing, storyOf } from "@backstep/saga-testing/laws";
import type { Done } from "./planned-saga.ts";

export const COUNTED = {
  name: "counted",
  says: "I9, I10: what the body counts as done is what stands, and what it counts as told is what is told",
  violations: (history) => {
    if (history.answer._tag !== "Completed") return [];
    const { acted, emitted } = history.answer.output as unknown as Done;
    return [...differences("effects", withPivot(history, acted), standingIn(history)), ...differences("events", emitted, toldBy(history))];
  },
} as const satisfies Law;

/** A body without `complete` ends before the pivot, and cannot count it. */
function withPivot(history: History, acted: readonly string[]): readonly string[] {
  return [...new Set([...acted, ...storyOf(history).operations.flatMap(({ kind, place }) => (kind === "pivot" ? [place] : []))])];
}

function standingIn(history: History): readonly string[] {
  return storyOf(history).operations.flatMap((operation) => (standing(operation) > 0 ? [operation.place] : []));
}

function toldBy(history: History): readonly string[] {
  return storyOf(history).records.flatMap(({ outbox }) => outbox.map(({ data }) => (JSON.parse(data) as { readonly place: string }).place));
}

function differences(what: string, said: readonly string[], found: readonly string[]): readonly string[] {
  const [left, right] = [said, found].map((places) => places.toSorted().join(", "));
  return left === right ? [] : [`${what}: counted are [${left}], found are [${right}]`];
}
