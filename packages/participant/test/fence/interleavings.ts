/**
 * Runs a few callers in every order in which their steps can be put. A caller stops at gates; one gate is opened at a time, when nobody can
 * go on without one; which one is a choice, and all choices are tried, one run each. A caller may also die at a gate, never to go on.
 */

/** Stops the caller until it is its turn. */
type Gate = () => Promise<void>;

export interface Caller {
  readonly name: string;
  /** Does its work, through gates. */
  readonly run: (gate: Gate) => Promise<void>;
}

export interface World {
  readonly callers: readonly Caller[];
  /** Called when every caller has ended or died. */
  check(): Promise<void>;
}

interface Choice {
  readonly taken: number;
  readonly among: number;
}

interface Waiting {
  readonly name: string;
  readonly open: () => void;
}

/**
 * @param create - A fresh world for each run.
 * @param deathsMax - How many callers may die in one run.
 * @returns How many orders there are.
 */
export async function everyInterleaving(create: () => World, deathsMax: number): Promise<number> {
  let planned: readonly number[] = [];
  for (let runs = 1; ; runs++) {
    const choices = await runOnce(create(), planned, deathsMax);
    const last = choices.findLastIndex(({ taken, among }) => taken + 1 < among);
    if (last === -1) return runs;
    planned = choices.slice(0, last + 1).map(({ taken }, index) => (index === last ? taken + 1 : taken));
  }
}

async function runOnce({ callers, check }: World, planned: readonly number[], deathsMax: number): Promise<readonly Choice[]> {
  const waiting: Waiting[] = [];
  const failures: unknown[] = [];
  const choices: Choice[] = [];
  const told: string[] = [];
  let deathsLeft = deathsMax;
  for (const { name, run } of callers) {
    const gate: Gate = () => new Promise((resolve) => waiting.push({ name, open: resolve }));
    void run(gate).catch((cause: unknown) => failures.push(cause));
  }
  await quiet();
  while (waiting.length > 0 && failures.length === 0) {
    // Behind those who may go on stand the same ones, as those who may die.
    const among = deathsLeft > 0 ? 2 * waiting.length : waiting.length;
    const taken = planned[choices.length] ?? 0;
    choices.push({ taken, among });
    const dies = taken >= waiting.length;
    const [next] = waiting.splice(taken % waiting.length, 1);
    told.push(`${next?.name}${dies ? " dies" : ""}`);
    if (dies) deathsLeft -= 1;
    else next?.open();
    await quiet();
  }
  try {
    if (failures.length > 0) throw failures[0];
    await check();
  } catch (cause) {
    throw new Error(`in this order: ${told.join(", ")}`, { cause });
  }
  return choices;
}

/** Memory and SQLite answer within the turn, so after one all that can go on has gone on. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
