/**
 * What a saga waits for: times, signals, or whichever comes first. Owns who is waiting and which signals have come and gone to nobody yet; what a body does with what it
 * gets is the interpreter's. Signals of one name are handed out in order of arrival, to those who wait in order of waiting.
 */
import type { SignalReceived } from "../journal/entry.ts";
import { canonicalJson, type Json } from "../primitives/json.ts";

export type WaitEnd =
  | { readonly _tag: "Due" }
  | { readonly _tag: "Signalled"; readonly payload: Json | undefined }
  /** The group around it failed, or the saga goes back. */
  | { readonly _tag: "Halted" };

export interface Wait {
  readonly path: string;
  readonly signal?: string | undefined;
  /** Epoch milliseconds. */
  readonly dueAt?: number | undefined;
  readonly ended: (end: WaitEnd) => void;
}

type Queued = Pick<SignalReceived, "key" | "payload">;

/** What became of a signal's key before: nothing, the same signal, or another one under the same key. */
export type KeyUse = "fresh" | "repeated" | "reused";

export class Waits {
  /** In order of their begin. */
  readonly #waiting = new Map<string, Wait>();
  readonly #queued = new Map<string, Queued[]>();
  /** Key to signal and payload. */
  readonly #keys = new Map<string, string>();

  get size(): number {
    return this.#waiting.size;
  }

  get forSignals(): boolean {
    return [...this.#waiting.values()].some(({ signal }) => signal !== undefined);
  }

  /** Signals that nobody has taken. */
  get queued(): number {
    return [...this.#queued.values()].reduce((sum, { length }) => sum + length, 0);
  }

  begin(wait: Wait): void {
    this.#waiting.set(wait.path, wait);
  }

  keyUse({ signal, key, payload }: Pick<SignalReceived, "signal" | "key" | "payload">): KeyUse {
    const known = this.#keys.get(key);
    if (known === undefined) return "fresh";
    return known === contentOf(signal, payload) ? "repeated" : "reused";
  }

  /** Keeps a signal for whoever takes it. */
  receive({ signal, key, payload }: SignalReceived): void {
    this.#keys.set(key, contentOf(signal, payload));
    this.#queued.set(signal, [...(this.#queued.get(signal) ?? []), { key, payload }]);
  }

  /** Takes the oldest signal of a name. */
  take(signal: string): Queued | undefined {
    return this.#queued.get(signal)?.shift();
  }

  /** The one that has waited longest for a signal. */
  waiterOf(signal: string): Wait | undefined {
    return [...this.#waiting.values()].find((wait) => wait.signal === signal);
  }

  /** Ends a wait; `undefined` when there is none. */
  end(path: string): Wait | undefined {
    const wait = this.#waiting.get(path);
    this.#waiting.delete(path);
    return wait;
  }

  below(path: string): readonly Wait[] {
    return [...this.#waiting.values()].filter((wait) => wait.path.startsWith(path));
  }

  /** Those whose time has come, the longest over first. */
  dueAt(now: number): readonly string[] {
    const due = [...this.#waiting.values()].filter(({ dueAt }) => dueAt !== undefined && dueAt <= now);
    return due.sort((left, right) => (left.dueAt ?? 0) - (right.dueAt ?? 0)).map(({ path }) => path);
  }

  nextDueAt(): number | undefined {
    let next: number | undefined;
    for (const { dueAt } of this.#waiting.values()) if (dueAt !== undefined && (next === undefined || dueAt < next)) next = dueAt;
    return next;
  }
}

function contentOf(signal: string, payload: Json | undefined): string {
  return `${signal} ${canonicalJson(payload)}`;
}
