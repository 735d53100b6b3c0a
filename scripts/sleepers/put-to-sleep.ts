/** First process: starts the sagas, many at a time, and ends when all of them sleep. */
import { createEngine } from "@backstep/saga-core";
import { createSqliteStore } from "@backstep/sqlite-store";
import { createSleeper, earlyOnes, type SleepersPlan, sagaIdOf, sleepMsOf } from "./sleeper.ts";

export interface PutToSleep {
  readonly startsMs: number;
  readonly commits: number;
  /** Of those just started, how many went on: none should. */
  readonly risen: number;
  readonly residentBytes: number;
}

/** As many as a commit of the store holds. */
const STARTS_IN_FLIGHT = 1_000;

export async function putToSleep(path: string, plan: SleepersPlan): Promise<PutToSleep> {
  const store = createSqliteStore({ path });
  const { sleeper, risen } = createSleeper();
  const engine = createEngine({ sagas: [sleeper], store });
  const early = earlyOnes(plan);
  let next = 0;
  async function startSome(): Promise<void> {
    for (let index = next++; index < plan.sagaCount; index = next++) {
      const started = await engine.start(sleeper, { sleepMs: sleepMsOf(index, early) }, { id: sagaIdOf(index) });
      if (started.isErr()) throw new Error(`saga ${index} was not started: ${JSON.stringify(started.error)}`);
    }
  }
  const begun = performance.now();
  await Promise.all(Array.from({ length: STARTS_IN_FLIGHT }, startSome));
  const startsMs = performance.now() - begun;
  const { commits } = store.statistics();
  const residentBytes = process.memoryUsage().rss;
  await engine.close();
  await store.close();
  return { startsMs, commits, risen: risen.size, residentBytes };
}
