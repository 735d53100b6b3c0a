/** I4, I5 and I6: the journal is ahead of every call, names operations for good, and leads a fresh engine to the same place. */

import type { SagaDefinition } from "../../src/definition/saga-definition.ts";
import { createMachine } from "../../src/engine/machine.ts";
import type { Entry, Fact } from "../../src/journal/entry.ts";
import { encodeRecord } from "../../src/journal/entry-codec.ts";
import type { SagaStatus } from "../../src/journal/journal-store.ts";
import { statusOf, viewOf } from "../../src/journal/saga-view.ts";
import type { Called, History } from "./history.ts";
import { keysOf, storyOf } from "./story.ts";

/** I4: when a participant is called, the intent of that very operation is on the disk. */
export function intendedBeforeCalled({ sagaId, happenings }: History): readonly string[] {
  const intended = new Set<string>();
  return happenings.flatMap((happening) => {
    if (happening._tag === "Committed") {
      for (const entry of happening.entries) for (const key of keysIntendedBy(sagaId, entry)) intended.add(key);
    }
    if (happening._tag !== "Called" || intended.has(happening.key)) return [];
    return [`call ${happening.call} came under ${happening.key}, which no record had announced`];
  });
}

function keysIntendedBy(sagaId: string, entry: Entry): readonly string[] {
  if (entry._tag === "OperationIntended") return keysOf(sagaId, entry.path, "action").slice(0, 1);
  if (entry._tag === "CompensationIntended") return keysOf(sagaId, entry.path, "compensation").slice(0, 1);
  // An operator may have an operation issued anew, under the next generation of its key.
  return entry._tag === "OperatorSettled" ? keysOf(sagaId, entry.path, entry.slot) : [];
}

/** I7: from the moment that a process takes a saga over, nobody else writes, whatever the ones before it believe. */
export function onlyOwnersWrite({ happenings }: History): readonly string[] {
  let owner: number | undefined;
  return happenings.flatMap((happening, at) => {
    if (happening._tag === "Adopted") owner = happening.life;
    if (happening._tag !== "Committed") return [];
    owner ??= happening.life;
    return happening.life === owner ? [] : [`process ${happening.life} wrote at ${at}, though ${owner} had taken the saga over`];
  });
}

/** I5: one operation, one key, one payload, one time of issue, whoever calls and however often; and no key for two operations. */
export function oneKeyPerOperation(history: History): readonly string[] {
  const calls = history.happenings.filter((happening): happening is Called => happening._tag === "Called");
  const reissued = reissues(history);
  const asked = calls.map((call) => ({ ...call, operation: `${call.slot === "compensation" ? "undo of " : ""}${call.place}` }));
  return [
    ...differing(
      asked,
      ({ key }) => key,
      ({ operation }) => operation,
      "is the key of",
    ),
    ...differing(
      asked,
      ({ key }) => key,
      ({ input }) => input,
      "came with the inputs",
    ),
    ...differing(
      asked,
      ({ key }) => key,
      ({ issuedAt }) => String(issuedAt),
      "was issued at",
    ),
    ...differing(
      asked.filter(({ place }) => !reissued.has(place)),
      ({ operation }) => operation,
      ({ key }) => key,
      "has the keys",
    ),
    ...calls.filter(({ undoes, key }) => undoes?.key === key).map(({ key }) => `${key} names an action and its undo`),
  ];
}

/** A reader takes for stuck what a replay knows to be undone instead; so it may say `parked` too early, and nothing else too early. */
function readersSee(seen: SagaStatus, status: SagaStatus, index: number): readonly string[] {
  const fits = seen === status || (seen === "parked" && status === "running");
  return fits ? [] : [`after record ${index} a reader sees ${seen}, the record says ${status}`];
}

function reissues(history: History): ReadonlySet<string> {
  const again = new Set(
    storyOf(history).records.flatMap(({ entries }) =>
      entries.flatMap((entry) =>
        entry._tag === "OperatorSettled" && entry.verdict._tag === "SettledNotApplied" && entry.verdict.next === "reissue"
          ? [entry.path]
          : [],
      ),
    ),
  );
  return new Set(storyOf(history).operations.flatMap(({ path, place }) => (again.has(path) ? [place] : [])));
}

function differing<Item>(
  items: readonly Item[],
  groupOf: (item: Item) => string,
  valueOf: (item: Item) => string,
  words: string,
): readonly string[] {
  return [...Map.groupBy(items, groupOf)].flatMap(([group, members]) => {
    const values = new Set(members.map(valueOf));
    return values.size > 1 ? [`${group} ${words} ${[...values].join(" and ")}`] : [];
  });
}

/**
 * I6: from every prefix of the journal a fresh machine gets exactly there, decides nothing that is not written, and makes of the next fact the very record that
 * was written; and whoever reads without the definition sees the same status.
 */
export function replayEqualsLive(history: History, definition: SagaDefinition): readonly string[] {
  const { records } = storyOf(history);
  return records.flatMap(({ record, entries, status }, index) => {
    const before = records.slice(0, index).flatMap((earlier) => earlier.entries);
    const machine = createMachine(definition, history.sagaId);
    try {
      const replayed = machine.replay(before);
      const step = machine.apply(entries[0] as Fact);
      return [
        ...(replayed.entries.length > 0 ? [`the journal up to record ${index} makes a fresh machine decide something new`] : []),
        ...(index > 0 && replayed.status !== records[index - 1]?.status ? [`up to record ${index} a replay is ${replayed.status}`] : []),
        ...(encodeRecord(step.entries)._unsafeUnwrap() === record
          ? []
          : [`record ${index} is ${record}; a replay decides ${JSON.stringify(step.entries)}`]),
        ...(step.status === status ? [] : [`after record ${index} a replay is ${step.status}, live it was ${status}`]),
        ...readersSee(statusOf(viewOf([...before, ...entries])), status, index),
      ];
    } catch (thrown) {
      return [`record ${index} cannot be replayed: ${String(thrown)}`];
    }
  });
}
