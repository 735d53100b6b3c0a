/** Options of a search, checked before anything runs: one that does not fit would prove nothing, and say that it did. */
import type { ExploreOptions } from "./explore-options.ts";

type Checked = Pick<
  ExploreOptions<unknown, never>,
  "input" | "inputs" | "faults" | "decisions" | "random" | "schedulesMax" | "tookMsMax" | "state" | "outside"
>;

/** @throws {TypeError} that names the option, what it may be, and what it is. */
export function checkOptions({ input, inputs, faults, decisions, random, schedulesMax, tookMsMax, state, outside }: Checked): void {
  if (inputs !== undefined && inputs.length === 0) throw new TypeError("inputs: one saga is started for each; found none");
  if (inputs !== undefined && input !== undefined) throw new TypeError("input starts one saga, inputs several; found both");
  if (state !== undefined && outside !== undefined) {
    throw new TypeError("state leaves out times, and outside acts in time: give one of them");
  }
  assertCount("faults", faults, 0);
  assertCount("decisions", decisions, 0);
  assertCount("random.schedules", random?.schedules, 1);
  assertCount("random.faults", random?.faults, 1);
  assertCount("random.seed", random?.seed, 0, 2 ** 31 - 1);
  assertCount("schedulesMax", schedulesMax, 1);
  assertCount("tookMsMax", tookMsMax, 1);
}

function assertCount(option: string, value: number | undefined, min: number, max = Number.MAX_SAFE_INTEGER): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= min && value <= max)) return;
  throw new TypeError(`${option}: a whole number from ${min}${max === Number.MAX_SAFE_INTEGER ? "" : ` to ${max}`}; found ${value}`);
}
