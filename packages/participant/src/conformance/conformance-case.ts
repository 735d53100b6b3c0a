/** What a suite is made of. It imports no test runner: a case is a name and a function, and every runner can take those. */
import type { Database } from "../database.ts";

export interface ConformanceCase {
  /** A sentence: the behaviour that the case proves. */
  readonly name: string;
  /** Resolves when the rule is kept, rejects with a `ConformanceFailure` that shows both values when it is not. */
  readonly run: () => Promise<void>;
}

/** One place where tables lie: a file, a schema, a map. */
export interface DatabaseStorage {
  /** Opens it. Called again while another one is open (a second process), and, where it survives, after `close` (a restart). */
  open(): Promise<Database>;
  /** Called after each case, when everything that the case opened is closed. */
  dispose?(): Promise<void>;
}

export interface DatabaseHarness {
  /**
   * Makes a storage that is empty and shared with nobody. Called once per case, so cases may run in any order and side by side.
   *
   * @param now - The clock that its databases tell the time by. Cases move it.
   */
  createStorage(now: () => number): Promise<DatabaseStorage>;
  /** Whether what was committed is there after `close`. Where not, the cases on restarts are left out. */
  readonly survivesClose: boolean;
}

/** A clock that stands still until it is moved. */
interface CaseClock {
  now(): number;
  advance(byMs: number): void;
}

export interface CaseContext {
  readonly clock: CaseClock;
  open(): Promise<Database>;
}

/** Cases of one behaviour, by name. */
export type CaseGroup<Context> = Readonly<Record<string, (context: Context) => Promise<void>>>;

const START = Date.UTC(2030, 0, 1);

/** Gives every case a storage and a clock of its own, and cleans up behind it. */
export function casesOf<Context>(
  harness: DatabaseHarness,
  groups: readonly CaseGroup<Context>[],
  contextOf: (context: CaseContext) => Promise<Context>,
): readonly ConformanceCase[] {
  const bodies = groups.flatMap((group) => Object.entries(group));
  return bodies.map(([name, body]) => ({ name, run: () => runCase(harness, async (context) => body(await contextOf(context))) }));
}

async function runCase(harness: DatabaseHarness, body: (context: CaseContext) => Promise<void>): Promise<void> {
  let time = START;
  const clock: CaseClock = {
    now: () => time,
    advance(byMs) {
      time += byMs;
    },
  };
  const storage = await harness.createStorage(clock.now);
  const opened: Database[] = [];
  try {
    await body({
      clock,
      async open() {
        const database = await storage.open();
        opened.push(database);
        return database;
      },
    });
  } finally {
    for (const database of opened) await database.close();
    await storage.dispose?.();
  }
}
