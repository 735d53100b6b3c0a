/** The saga that sleeps, and the plan who of many sleeps for how long: the same in every process that is given the same numbers. */
import { type AnySaga, type Saga, saga, sleep, step } from "@backstep/saga-core";
import { ok } from "neverthrow";
import { z } from "zod";

export const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;
const EARLY_MS = 180 * DAY_MS;
/** After this jump the early ones are over, and the others have most of their sleep before them. */
export const JUMP_MS = 200 * DAY_MS;
const EARLY_COUNT_MAX = 10_000;

export interface SleepersPlan {
  readonly sagaCount: number;
  readonly seed: number;
}

export interface Sleeper {
  readonly sleeper: Saga<"sleeper", { readonly sleepMs: number }, string, never> & AnySaga;
  /** How often each saga went on after its sleep, by id. */
  readonly risen: ReadonlyMap<string, number>;
}

export function createSleeper(): Sleeper {
  const risen = new Map<string, number>();
  const rise = step({
    name: "rise",
    run: (sleptMs: number, { call }) => {
      risen.set(call.sagaId, (risen.get(call.sagaId) ?? 0) + 1);
      return ok(`after ${sleptMs} ms`);
    },
    compensate: () => ok(undefined),
  });
  const sleeper = saga({
    name: "sleeper",
    input: z.object({ sleepMs: z.number() }),
    *run({ sleepMs }) {
      yield* sleep(sleepMs);
      return yield* rise(sleepMs);
    },
  });
  return { sleeper, risen };
}

export function sagaIdOf(index: number): string {
  return `sleeper:${index}`;
}

export function sleepMsOf(index: number, early: ReadonlySet<number>): number {
  return early.has(index) ? EARLY_MS : YEAR_MS;
}

/** The places of those that sleep shorter: random ones, at most half of all. */
export function earlyOnes({ sagaCount, seed }: SleepersPlan): ReadonlySet<number> {
  const random = seededRandom(seed);
  const chosen = new Set<number>();
  const wanted = Math.min(EARLY_COUNT_MAX, Math.floor(sagaCount / 2));
  while (chosen.size < wanted) chosen.add(Math.floor(random() * sagaCount));
  return chosen;
}

/** Mulberry32: small, and the same everywhere. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
