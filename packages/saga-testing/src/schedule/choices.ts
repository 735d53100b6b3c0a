/** The points of one run, and what happens at each: nothing, unless its schedule says otherwise. Remembers all it was asked, for whoever looks for the next schedule. */
import type { StepKind } from "@backstep/saga-core";
import type { Slot } from "@backstep/saga-core/adapter";
import type { SagaStatus } from "@backstep/saga-core/journal";
import type { Deviation } from "./schedule.ts";

export interface Point {
  /** For people, and for scenarios: `append s1 3`, `product.deduct-stock #2`, `undo of product.deduct-stock #1`, `product.deduct-stock decides`. */
  readonly label: string;
  readonly place: Place;
  /** What may happen here instead of nothing: faults, or the decisions of a participant other than its first. */
  readonly choices: readonly string[];
  /** A fault at this point counts against the bound on faults; a decision does not. */
  readonly decides: boolean;
  /** Equal numbers mean equal futures; absent where nothing tells. */
  readonly state?: string | undefined;
}

/** What a point is about, for whoever sorts schedules. */
export type Place =
  | {
      readonly _tag: "Append";
      readonly sagaId: string;
      /** What the saga is once the record counts. */
      readonly status: SagaStatus;
      readonly record: string;
    }
  | {
      readonly _tag: "Call";
      readonly sagaId: string;
      /** Of the operation. */
      readonly path: string;
      readonly kind: StepKind;
      readonly slot: Slot;
      readonly asks: boolean;
      readonly attempt: number;
      /** Whether it stands beside others in an `all`. */
      readonly parallel: boolean;
    }
  | { readonly _tag: "Decision" };

export class Choices {
  readonly points: Point[] = [];
  /** Deviations that took place. */
  readonly taken: Deviation[] = [];
  readonly #wanted: ReadonlyMap<number, Deviation | Picked>;
  readonly #named: Named[];
  readonly #size: number;
  #over = false;

  constructor(deviations: readonly (Deviation | Picked | Named)[]) {
    this.#size = deviations.length;
    this.#named = deviations.filter((deviation) => "label" in deviation);
    this.#wanted = new Map(deviations.flatMap((deviation) => ("label" in deviation ? [] : [[deviation.point, deviation]])));
  }

  /** From here on nothing goes wrong, and participants decide as they do undisturbed. */
  stop(): void {
    this.#over = true;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Whether all that the schedule says has taken place. */
  get spent(): boolean {
    return this.taken.length >= this.#size;
  }

  at(point: Point): string | undefined {
    if (this.#over) return undefined;
    this.points.push(point);
    const choice = this.#wantedAt(point);
    if (choice === undefined || !point.choices.includes(choice)) return undefined;
    this.taken.push(point.decides ? { point: this.points.length, choice, decides: true } : { point: this.points.length, choice });
    return choice;
  }

  #wantedAt(point: Point): string | undefined {
    const wanted = this.#wanted.get(this.points.length);
    if (wanted !== undefined) return "choice" in wanted ? wanted.choice : point.choices[wanted.pick % point.choices.length];
    const at = this.#named.findIndex(({ label, choice }) => label === point.label && point.choices.includes(choice));
    return at === -1 ? undefined : this.#named.splice(at, 1)[0]?.choice;
  }
}

/** A deviation at the first point of this label. */
export interface Named {
  readonly label: string;
  readonly choice: string;
}

/** A deviation that is found before it is known what may happen at its point: the n-th choice there, counted around. */
export interface Picked {
  readonly point: number;
  readonly pick: number;
}
