/**
 * Turns: as many bodies at a time as there are places, in the order of the calls. One place is the simplest way to keep transactions
 * serialisable on one connection. A body that asks for a turn of its own while it has one would wait for itself for ever, if all places are
 * taken by such; it is told so instead.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { DatabaseMisused, DatabaseUnavailable } from "./database-errors.ts";

export interface Turns {
  /** Runs the body when there is a place for it. */
  take<Value>(body: () => Promise<Value>): Promise<Value>;
  /** Refuses new bodies and resolves when the last one has ended. Repeating it is harmless; asking for it from inside a turn is refused. */
  close(): Promise<void>;
  assertOpen(): void;
}

/** A turn, and the one that its body was called in: of other turns, as bodies may use several databases. */
interface Turn {
  readonly of: symbol;
  readonly outer: Turn | undefined;
  open: boolean;
}

/** One for all: a storage that was used is remembered by the host for ever, and some hosts look at every one with every promise. */
const inside = new AsyncLocalStorage<Turn>();

/** The innermost turn that goes on. One that is over says nothing any more, and is let go. */
function openTurn(): Turn | undefined {
  let turn = inside.getStore();
  while (turn?.open === false) turn = turn.outer;
  return turn;
}

export function createTurns(places = 1): Turns {
  const mine = Symbol("turns");
  const going = new Set<Promise<unknown>>();
  const waiting: (() => void)[] = [];
  let free = places;
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new DatabaseUnavailable("the database is closed");
  }

  function assertOutside(problem: string): void {
    for (let turn = openTurn(); turn !== undefined; turn = turn.outer) {
      if (turn.open && turn.of === mine) throw new DatabaseMisused(problem);
    }
  }

  async function place(): Promise<void> {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  }

  /** To whoever waits longest: nobody who comes later gets ahead of it. */
  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }

  async function run<Value>(turn: Turn, body: () => Promise<Value>): Promise<Value> {
    await place();
    try {
      return await inside.run(turn, body);
    } finally {
      turn.open = false;
      leave();
    }
  }

  async function take<Value>(body: () => Promise<Value>): Promise<Value> {
    assertOpen();
    assertOutside("a transaction was started inside another one, which would wait for itself; use the one that is open");
    const running = run({ of: mine, outer: openTurn(), open: true }, body);
    going.add(running);
    try {
      return await running;
    } finally {
      going.delete(running);
    }
  }

  return {
    take,
    assertOpen,
    async close() {
      assertOutside("the database was closed inside a transaction, whose end the closing would wait for");
      closed = true;
      await Promise.allSettled(going);
    },
  };
}
