/**
 * Runs many simulations beside each other: a turn of the event loop drains the microtasks of all of them at once, and then time passes in each. Simulations share nothing,
 * so what becomes of one does not depend on its neighbours; the turn is what costs, and it is paid once for all.
 */
import { setImmediate as turn } from "node:timers/promises";
import type { Simulation } from "./simulation.ts";

/** More share a turn, fewer fit the processor's caches. */
const WIDTH = 64;

/** Runs until `next` has no more; `next` may depend on what was seen so far. */
export async function inLockstep<Participants>(next: () => Simulation<Participants> | undefined, width = WIDTH): Promise<void> {
  const running = new Set<Simulation<Participants>>();
  const fill = (): void => {
    while (running.size < width) {
      const simulation = next();
      if (simulation === undefined) return;
      running.add(simulation);
    }
  };
  for (fill(); running.size > 0; fill()) {
    await turn();
    for (const simulation of running) {
      if (simulation.done) running.delete(simulation);
      else simulation.advance();
    }
  }
}
