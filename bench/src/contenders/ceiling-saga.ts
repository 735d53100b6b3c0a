/**
 * What any durable engine has to write for the workload, and nothing more: a row at the start, one per outcome, one at the end, each waited for before the next. No intents, no
 * leases, no claims, no checks, no code that runs.
 */
import type { Way } from "../contender.ts";
import { act, STEPS, sagaId, settle, UNDOABLE_STEPS, undo } from "../workload.ts";

export interface CeilingRow {
  readonly saga: string;
  readonly sequence: number;
  readonly record: string;
}

/** As much as Backstep's journal holds per append of this workload, on average: bytes cost the same whoever writes them. */
const RECORD = "x".repeat(256);

/** Start, outcomes, end. */
export function appendsOf(way: Way): number {
  return way === "happy" ? 1 + STEPS + 1 : 1 + STEPS + UNDOABLE_STEPS + 1;
}

export async function runCeilingSaga(saga: number, way: Way, append: (row: CeilingRow) => Promise<void>): Promise<void> {
  const id = sagaId(saga);
  for (let sequence = 0; sequence < appendsOf(way); sequence++) {
    await append({ saga: id, sequence, record: RECORD });
    if (sequence >= 1 && sequence <= STEPS) act(saga);
    else if (sequence > STEPS && sequence <= STEPS + UNDOABLE_STEPS && way === "failing") undo(saga);
  }
  settle(saga, way);
}
