/** The two lives of the recovery measurement. The first brings sagas half way and waits to be killed; the second takes them up and brings them to their end. */
import type { Observer } from "@backstep/saga-core";
import { haltingEngineOn } from "./halting-saga.ts";
import { openStore, type StorePlace } from "./stores.ts";

export interface RecoveryJob {
  readonly life: "first" | "second";
  readonly place: StorePlace;
  readonly sagas: number;
}

export type RecoveryAnswer =
  | { readonly _tag: "HalfWay"; readonly durationMs: number; readonly residentBytes: number }
  | {
      readonly _tag: "Recovered";
      /** Until the store was open. */
      readonly openMs: number;
      /** From then on, until every saga had been taken up. */
      readonly takenUpMs: number;
      readonly adopted: number;
      /** From then on, until every saga had ended; some do so while others are still being taken up. */
      readonly endedMs: number;
      readonly residentBytes: number;
    };

/** More at once make the first life no faster. */
const IN_FLIGHT = 1_000;

process.once("disconnect", () => process.exit(1));
process.once("message", (message) => void live(message as RecoveryJob));

async function live(job: RecoveryJob): Promise<void> {
  const answer = await (job.life === "first" ? bringHalfWay(job) : takeUp(job));
  process.send?.(answer);
}

async function bringHalfWay({ place, sagas }: RecoveryJob): Promise<RecoveryAnswer> {
  const startedAt = performance.now();
  const { bringHalfWay: bring } = haltingEngineOn(await openStore(place), { halts: sagas });
  let next = 1;
  const loop = async (): Promise<void> => {
    while (next <= sagas) await bring(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
  return { _tag: "HalfWay", durationMs: performance.now() - startedAt, residentBytes: process.memoryUsage.rss() };
}

async function takeUp({ place, sagas }: RecoveryJob): Promise<RecoveryAnswer> {
  const startedAt = performance.now();
  const store = await openStore(place);
  const openedAt = performance.now();
  let residentBytes = 0;
  const looking = setInterval(() => {
    residentBytes = Math.max(residentBytes, process.memoryUsage.rss());
  }, 100);
  const ended = Promise.withResolvers<void>();
  let endedCount = 0;
  const observer: Observer = (notice) => {
    if (notice._tag !== "SagaLeft" || notice.status !== "completed") return;
    endedCount += 1;
    if (endedCount === sagas) ended.resolve();
  };
  const { engine } = haltingEngineOn(store, { halts: 0, observer });
  const { adopted } = await engine.recovered;
  const takenUpAt = performance.now();
  await ended.promise;
  clearInterval(looking);
  return {
    _tag: "Recovered",
    openMs: openedAt - startedAt,
    takenUpMs: takenUpAt - openedAt,
    adopted,
    endedMs: performance.now() - openedAt,
    residentBytes,
  };
}
