/** I6: the journal leads a fresh engine to the same place. Judged from every prefix of it, or, where time is dear, along the whole of it once. */
import type { SagaDefinition, SagaStatus } from "@backstep/saga-core";
import { createMachine, type Entry, encodeRecord, type Fact, type SagaMachine, statusOf, viewOf } from "@backstep/saga-core/engine";
import type { Committed, History } from "./history.ts";
import type { Law } from "./law.ts";
import { storyOf } from "./story.ts";

/**
 * I6: a fresh machine that is told the facts of the journal, one after the other, makes of each the very record that was written and has its status; and whoever reads
 * the whole of it without the definition sees the same in the end. Costs a part of what the saga itself did.
 */
export function replayEqualsLive(history: History, definition: SagaDefinition): readonly string[] {
  const { records, entries } = storyOf(history);
  const last = records.at(-1);
  if (last === undefined) return [];
  const machine = createMachine(definition, history.sagaId);
  const violations: string[] = [];
  for (const [index, record] of records.entries()) {
    try {
      violations.push(...recordFollows(machine, record, index));
    } catch (thrown) {
      return [...violations, `record ${index} cannot be replayed: ${String(thrown)}`];
    }
  }
  const all = entries.map(({ item }) => item);
  return [...violations, ...readersSee(all, last.status, records.length - 1, machine)];
}

/**
 * As `replayEqualsLive`, and a machine that is fed with any prefix of the journal, wherever a process may die, decides nothing that is not written. Quadratic in the length
 * of the journal.
 */
export const REPLAY_FROM_EVERY_PREFIX: Law = {
  name: "replay",
  says: "I6: replay equals live, from every prefix of the journal",
  violations: (history, definition) => {
    const { records } = storyOf(history);
    return records.flatMap((record, index) => {
      const before = records.slice(0, index).flatMap((earlier) => earlier.entries);
      const machine = createMachine(definition, history.sagaId);
      try {
        const replayed = machine.replay(before);
        return [
          ...(replayed.entries.length > 0 ? [`the journal up to record ${index} makes a fresh machine decide something new`] : []),
          ...(index > 0 && replayed.status !== records[index - 1]?.status ? [`up to record ${index} a replay is ${replayed.status}`] : []),
          ...recordFollows(machine, record, index),
          ...readersSee([...before, ...record.entries], record.status, index, machine),
        ];
      } catch (thrown) {
        return [`record ${index} cannot be replayed: ${String(thrown)}`];
      }
    });
  },
};

function recordFollows(machine: SagaMachine, { record, entries, status }: Committed, index: number): readonly string[] {
  const step = machine.apply(entries[0] as Fact);
  return [
    ...(encodeRecord(step.entries)._unsafeUnwrap() === record
      ? []
      : [`record ${index} is ${record}; a replay decides ${JSON.stringify(step.entries)}`]),
    ...(step.status === status ? [] : [`after record ${index} a replay is ${step.status}, live it was ${status}`]),
  ];
}

/**
 * A reader takes for stuck what a replay knows to be undone instead; so it may say `parked` too early. What only the definition knows, that it cannot go on, it does not
 * see. It says nothing else too early or too late.
 */
function readersSee(entries: readonly Entry[], status: SagaStatus, index: number, machine: SagaMachine): readonly string[] {
  const seen = statusOf(viewOf(entries));
  const fits = seen === status || (seen === "parked" && status === "running") || machine.quarantine() !== undefined;
  return fits ? [] : [`after record ${index} a reader sees ${seen}, the record says ${status}`];
}
