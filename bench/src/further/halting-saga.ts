/** The workload's saga, stopped in the middle: three steps are done, the fourth has been called and does not answer until it is allowed to. */
import { createEngine, type Engine, type Observer, saga, step } from "@backstep/saga-core";
import type { JournalStore } from "@backstep/saga-core/journal";
import { ok } from "neverthrow";
import { z } from "zod";
import { STEPS, sagaId, stepName } from "../workload.ts";

const STOP_AT = 4;
const NOT_IN_THIS_TEST_MS = 24 * 60 * 60 * 1_000;

export interface HaltingEngine {
  readonly engine: Engine;
  /** Starts one saga, and resolves once its fourth step has been called: what came before is durable then, and so is that it would be called. */
  readonly bringHalfWay: (saga: number) => Promise<void>;
}

/** Of a store that workers share: nobody takes up what a process has left behind before its lease is over. */
export const LEASE_MS = 5_000;

export interface HaltingOptions {
  /** So many fourth steps are left without an answer, and stay in memory. */
  readonly halts: number;
  readonly observer?: Observer;
}

const IN_MEMORY_MAX = 10_000;

export function haltingEngineOn(store: JournalStore, { halts, observer }: HaltingOptions): HaltingEngine {
  const called = new Map<number, () => void>();
  const steps = Array.from({ length: STEPS }, (_, index) =>
    step({
      name: stepName(index + 1),
      retry: { timeoutMs: NOT_IN_THIS_TEST_MS, horizonMs: NOT_IN_THIS_TEST_MS, delayMs: 1 },
      run: async ({ saga }: { readonly saga: number }) => {
        if (index + 1 === STOP_AT && halts > 0) {
          called.get(saga)?.();
          await new Promise(() => undefined);
        }
        return ok(index + 1);
      },
      compensate: async () => ok(undefined),
    }),
  );
  const halting = saga({
    name: "halting",
    input: z.object({ saga: z.number() }),
    *run(input) {
      for (const each of steps) yield* each(input);
      return input;
    },
  });
  const engine = createEngine({ sagas: [halting], store, observer, leaseMs: LEASE_MS, inMemoryMax: Math.max(IN_MEMORY_MAX, halts + 1) });
  return {
    engine,
    async bringHalfWay(number) {
      const halfWay = new Promise<void>((resolve) => called.set(number, resolve));
      const started = await engine.start(halting, { saga: number }, { id: sagaId(number) });
      if (started.isErr()) throw new Error(`saga ${number} did not start: ${JSON.stringify(started.error)}`);
      await halfWay;
      called.delete(number);
    },
  };
}
