/**
 * Turns: one body at a time, in the order of the calls, which is the simplest way to keep transactions serialisable on one connection.
 * A body that asks for a turn of its own while it has one would wait for itself for ever; it is told so instead.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { DatabaseMisused, DatabaseUnavailable } from "./database-errors.ts";

export interface Turns {
  /** Runs the body when all earlier ones have ended. */
  take<Value>(body: () => Promise<Value>): Promise<Value>;
  /** Refuses new bodies and resolves when the last one has ended. Repeating it is harmless; asking for it from inside a turn is refused. */
  close(): Promise<void>;
  assertOpen(): void;
}

export function createTurns(): Turns {
  const inside = new AsyncLocalStorage<{ open: boolean }>();
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new DatabaseUnavailable("the database is closed");
  }

  function assertOutside(problem: string): void {
    if (inside.getStore()?.open === true) throw new DatabaseMisused(problem);
  }

  async function take<Value>(body: () => Promise<Value>): Promise<Value> {
    assertOpen();
    assertOutside("a transaction was started inside another one, which would wait for itself; use the one that is open");
    const turn = { open: true };
    const before = last;
    const mine = before.then(() => inside.run(turn, body));
    last = mine.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await mine;
    } finally {
      turn.open = false;
    }
  }

  return {
    take,
    assertOpen,
    async close() {
      assertOutside("the database was closed inside a transaction, whose end the closing would wait for");
      closed = true;
      await last;
    },
  };
}
