/** Postgres is away for a while, and nothing else is wrong: every process lives on and says so, and when it is back says that, too. */

import type { Violation } from "../src/conservation.ts";
import type { Faults } from "./faults.ts";
import type { Fleet } from "./fleet.ts";

/** Until everybody has noticed: who waits for an answer of it does not know at once. */
const NOTICED_MS = 25_000;
const LOOK_MS = 250;
const ANSWER_MS = 5_000;

export async function loseDatabase(fleet: Fleet, faults: Faults, awayMs: number): Promise<readonly Violation[]> {
  const crashed = (): number => fleet.seats.reduce((sum, { crashes }) => sum + crashes, 0);
  const before = crashed();
  faults.note("Postgres away, nothing else", "postgres", awayMs);
  const back = performance.now() + awayMs;
  await fleet.postgres.kill();
  const silent = await untilAll(fleet, 503, back);
  await sleep(back - performance.now());
  await fleet.postgres.start();
  const lost = await untilAll(fleet, 200, performance.now() + NOTICED_MS);
  const law = "a service tells by /healthz whether its database is there";
  return [
    ...silent.map((about) => ({ law, about, expected: 503, found: "something else, until it was back" })),
    ...lost.map((about) => ({ law, about, expected: 200, found: "something else, long after it was back" })),
    ...(crashed() === before
      ? []
      : [{ law: "nothing ends because the database is away", about: "processes", expected: before, found: crashed() }]),
  ];
}

/** The names of those that have not answered so until then. */
async function untilAll(fleet: Fleet, status: number, until: number): Promise<readonly string[]> {
  const waiting = new Map(fleet.healthUrls);
  while (waiting.size > 0 && performance.now() < until) {
    await Promise.all([...waiting].map(async ([name, url]) => ((await statusOf(url)) === status ? waiting.delete(name) : false)));
    await sleep(LOOK_MS);
  }
  return [...waiting.keys()];
}

async function statusOf(url: string): Promise<number | undefined> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) })).status;
  } catch {
    return undefined;
  }
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, delayMs)));
}
