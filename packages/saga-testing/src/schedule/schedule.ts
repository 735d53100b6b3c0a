/**
 * A schedule: which fault strikes at which point of a run, and how participants decide where they may decide either way. Points are numbered as the run comes to them, so
 * a schedule means the same run for as long as saga, input and participants are the same. Written as text, it is what a report prints and `replay` takes.
 */
import { err, ok, type Result } from "neverthrow";
import { FAULT_NAMES, type FaultName } from "./fault.ts";

/** One way in which a run differs from the undisturbed one. */
export interface Deviation {
  /** From 1. */
  readonly point: number;
  /** A fault's name, or, at a point where a participant decides, its decision. */
  readonly choice: string;
  /** A participant's decision, and no fault. */
  readonly decides?: boolean | undefined;
}

export interface Schedule {
  /** In order of their points. */
  readonly deviations: readonly Deviation[];
  /** Given, calls take random times on their way, derived from it; otherwise none. */
  readonly seed?: number | undefined;
}

/** Not a schedule. `message` says where. */
export interface ScheduleInvalid {
  readonly _tag: "ScheduleInvalid";
  readonly message: string;
}

const FAULTS: ReadonlySet<string> = new Set(FAULT_NAMES);

function isFaultName(choice: string): choice is FaultName {
  return FAULTS.has(choice);
}

/** What a participant may decide, so that it can be written into a schedule. */
export const DECISION = /^[\w.-]{1,100}$/;

/** `seed=7 3:die-after 9:lose-answer 12=OutOfStock`; `calm` for the undisturbed run. A colon marks a fault, an equals sign a decision. */
export function formatSchedule({ deviations, seed }: Schedule): string {
  const words = deviations.map(({ point, choice, decides }) => `${point}${decides === true ? "=" : ":"}${choice}`);
  if (seed !== undefined) words.unshift(`seed=${seed}`);
  return words.length === 0 ? "calm" : words.join(" ");
}

export function parseSchedule(text: string): Result<Schedule, ScheduleInvalid> {
  const invalid = (message: string) => err<Schedule, ScheduleInvalid>({ _tag: "ScheduleInvalid", message });
  const deviations: Deviation[] = [];
  let seed: number | undefined;
  for (const word of text.trim().split(/\s+/)) {
    if (word === "" || word === "calm") continue;
    const parsed = /^(?:seed=(?<seed>\d{1,10})|(?<point>\d{1,6})(?<mark>[:=])(?<choice>[\w.-]+))$/.exec(word)?.groups;
    if (parsed === undefined) return invalid(`${JSON.stringify(word)} is neither seed=<number>, <point>:<fault> nor <point>=<decision>`);
    if (parsed["seed"] !== undefined) {
      seed = Number(parsed["seed"]);
      continue;
    }
    const [point, choice] = [Number(parsed["point"]), parsed["choice"] ?? ""];
    if (parsed["mark"] === ":" && !isFaultName(choice)) return invalid(`${choice} is no fault; there are ${FAULT_NAMES.join(", ")}`);
    if (point <= (deviations.at(-1)?.point ?? 0)) return invalid(`points ascend from 1; ${point} does not`);
    deviations.push(parsed["mark"] === "=" ? { point, choice, decides: true } : { point, choice });
  }
  return ok({ deviations, seed });
}
