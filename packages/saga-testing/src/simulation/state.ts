/**
 * Tells states of a run apart, so that equal futures are run once. Times are left out: two states that differ only in when it is, and in how much is left of a budget, count
 * as equal. That a deadline passes is a fault of its own, so no schedule is lost by it. What the author says of the participants is taken word for word.
 */
import { hash } from "node:crypto";
import { decodeRecord } from "@backstep/saga-core/engine";
import { START_MS } from "./virtual-clock.ts";

/** Of an entry itself; what it carries may have members of the same names, and they count. */
const TIMES: ReadonlySet<string> = new Set(["at", "seed", "attempts", "until", "dueAt", "deadlineAt"]);
/** Virtual time never gets so far; what lies between is taken for a time. */
const YEARS_MS = 10 * 365 * 86_400_000;

/** @param own - What the author says of the participants, as JSON text. */
export function stateOf(parts: unknown, own: string): string {
  return digestOf([JSON.stringify(parts, timeless), own].join("\n"));
}

/** The journals of all sagas so far. */
export class JournalDigests {
  readonly #digests = new Map<string, string>();

  add(sagaId: string, record: string): void {
    this.#digests.set(sagaId, digestOf(`${this.#digests.get(sagaId) ?? ""} ${JSON.stringify(timelessEntries(record), timeless)}`));
  }

  digest(): readonly (readonly [string, string])[] {
    return [...this.#digests].sort(([left], [right]) => (left < right ? -1 : 1));
  }
}

export function timelessEntries(record: string): unknown {
  return decodeRecord(record)
    .unwrapOr([])
    .map((entry) => Object.fromEntries(Object.entries(entry).filter(([name]) => !TIMES.has(name))));
}

function digestOf(text: string): string {
  return hash("sha1", text);
}

function timeless(_name: string, value: unknown): unknown {
  return typeof value === "number" && value >= START_MS && value < START_MS + YEARS_MS ? "time" : value;
}
