/**
 * Tells states of a run apart, so that equal futures are run once. Times are left out: two states that differ only in when it is, and in how much is left of a budget, count
 * as equal. That a deadline passes is a fault of its own, so no schedule is lost by it.
 */
import { hash } from "node:crypto";
import { START_MS } from "./virtual-clock.ts";

const TIMES: ReadonlySet<string> = new Set(["at", "seed", "attempts", "until", "dueAt", "deadlineAt"]);
/** Virtual time never gets so far; what lies between is taken for a time. */
const YEARS_MS = 10 * 365 * 86_400_000;

export function stateOf(parts: unknown): string {
  return hash("sha1", JSON.stringify(parts, timeless));
}

/** The journals of all sagas so far. */
export class JournalDigests {
  readonly #digests = new Map<string, string>();

  add(sagaId: string, record: string): void {
    this.#digests.set(sagaId, stateOf([this.#digests.get(sagaId), JSON.parse(record)]));
  }

  digest(): readonly (readonly [string, string])[] {
    return [...this.#digests].sort(([left], [right]) => (left < right ? -1 : 1));
  }
}

function timeless(key: string, value: unknown): unknown {
  if (TIMES.has(key)) return undefined;
  return typeof value === "number" && value >= START_MS && value < START_MS + YEARS_MS ? "time" : value;
}
