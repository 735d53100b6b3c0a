/** Rows of many sagas that gather while a commit is on its way. */
import type { CeilingRow } from "./ceiling-saga.ts";

interface Waiting {
  readonly row: CeilingRow;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Group commit with a number of writers: a free one takes all rows that wait.
 *
 * @param commit - Makes rows durable, as writer number `writer`.
 */
export function createGroup(writers: number, commit: (rows: readonly CeilingRow[], writer: number) => Promise<void> | void) {
  let waiting: Waiting[] = [];
  const free = Array.from({ length: writers }, (_, writer) => writer);
  let scheduled = false;

  function wake(): void {
    if (scheduled || waiting.length === 0 || free.length === 0) return;
    scheduled = true;
    // After the callbacks of this turn: rows that become due together are written together.
    setImmediate(() => {
      scheduled = false;
      const writer = free.pop();
      if (writer === undefined) return;
      const batch = waiting;
      waiting = [];
      void write(batch, writer);
    });
  }

  async function write(batch: readonly Waiting[], writer: number): Promise<void> {
    try {
      const rows = batch.map(({ row }) => row);
      await commit(rows, writer);
      for (const { done } of batch) done();
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
    free.push(writer);
    wake();
  }

  return (row: CeilingRow): Promise<void> =>
    new Promise((done, failed) => {
      waiting.push({ row, done, failed });
      wake();
    });
}
