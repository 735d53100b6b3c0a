/**
 * Which effects stand at the participants. Business code that runs behind the kit's fences tells it exactly; of other participants it knows what their answers say: the
 * first success under a key is an effect, the first success of its undo takes it back.
 */
import type { Happening } from "../oracles/history.ts";

type Effect = Extract<Happening, { readonly _tag: "Applied" | "TakenBack" }>;

export class Ledger {
  readonly #standing = new Map<string, number>();
  /** Keys whose effects are told by whoever has them. */
  readonly #exact = new Set<string>();
  readonly #record: (effect: Effect) => void;

  constructor(record: (effect: Effect) => void) {
    this.#record = record;
  }

  applied(key: string): void {
    this.#exact.add(key);
    this.#change(key, 1);
  }

  takenBack(key: string): void {
    this.#exact.add(key);
    this.#change(key, -1);
  }

  answeredApplied(key: string): void {
    if (!this.#exact.has(key) && !this.#standing.has(key)) this.#change(key, 1);
  }

  answeredUndone(key: string): void {
    if (!this.#exact.has(key) && (this.#standing.get(key) ?? 0) > 0) this.#change(key, -1);
  }

  #change(key: string, by: 1 | -1): void {
    this.#standing.set(key, (this.#standing.get(key) ?? 0) + by);
    this.#record({ _tag: by === 1 ? "Applied" : "TakenBack", key });
  }
}
