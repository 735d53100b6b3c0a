/**
 * The workload: seven steps that do nothing, four of which can be undone. Owns its shape, the names, and the tally that every step and undo of every contender reports to:
 * a saga counts only when it did what it should, as often as it should.
 */
import type { Way } from "./contender.ts";

export const STEPS = 7;
/** Steps 1 to 4 can be undone; 5 and 6 change nothing; 7 says yes or no. */
export const UNDOABLE_STEPS = 4;

/** What a saga is started with. Small, so that engines are compared and not their parsers. */
export interface SagaInput {
  readonly saga: number;
  readonly way: Way;
}

export function sagaId(saga: number): string {
  return `saga-${String(saga).padStart(9, "0")}`;
}

export function stepName(step: number): string {
  return `step-${step}`;
}

export function undoName(step: number): string {
  return `undo-${step}`;
}

/** More sagas than this are never in flight at once. */
const SLOTS = 2 ** 17;

const acted = new Uint8Array(SLOTS);
const undone = new Uint8Array(SLOTS);

/** One step of a saga did its nothing. */
export function act(saga: number): void {
  acted[saga % SLOTS] = (acted[saga % SLOTS] ?? 0) + 1;
}

/** One step of a saga was undone. */
export function undo(saga: number): void {
  undone[saga % SLOTS] = (undone[saga % SLOTS] ?? 0) + 1;
}

/**
 * Closes a saga's account.
 *
 * @throws when a step or an undo is missing, or happened twice: nobody crashed, so nothing had to be repeated.
 */
export function settle(saga: number, way: Way): void {
  const slot = saga % SLOTS;
  const wanted = way === "happy" ? 0 : UNDOABLE_STEPS;
  if (acted[slot] !== STEPS || undone[slot] !== wanted) {
    throw new Error(`saga ${saga}, ${way}: ${acted[slot]} steps and ${undone[slot]} undos instead of ${STEPS} and ${wanted}`);
  }
  acted[slot] = 0;
  undone[slot] = 0;
}
