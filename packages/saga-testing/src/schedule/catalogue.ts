/**
 * The failure schedules by their names, FS-01 to FS-62, as far as they concern one saga: which of them a schedule that was run is an instance of. Those that are about
 * services, relays or fleets, and those that a saga's own text cannot meet, are said to be elsewhere, with the reason.
 */
import type { Place, Point } from "./choices.ts";
import type { Deviation } from "./schedule.ts";

interface Struck {
  readonly choice: string;
  readonly place: Place;
}

type Matches = (struck: readonly Struck[]) => boolean;
type CallPlace = Extract<Place, { readonly _tag: "Call" }>;
type AppendPlace = Extract<Place, { readonly _tag: "Append" }>;

export interface NamedSchedule {
  readonly id: string;
  readonly says: string;
  readonly matches: Matches;
}

function call(choices: string | readonly string[], where: (place: CallPlace) => boolean = () => true): Matches {
  return (struck) => struck.some(({ choice, place }) => choices.includes(choice) && place._tag === "Call" && where(place));
}

function append(choices: string | readonly string[], where: (place: AppendPlace) => boolean = () => true): Matches {
  return (struck) => struck.some(({ choice, place }) => choices.includes(choice) && place._tag === "Append" && where(place));
}

const action = ({ slot, asks }: CallPlace): boolean => slot === "action" && !asks;
const undo = ({ slot, asks }: CallPlace): boolean => slot === "compensation" && !asks;
const DEATHS = ["die-before", "die-after", "die-in-flight"];
const TAKE_OVERS = ["take-over", "take-over-in-flight"];
const LOST = ["lose-request", "lose-answer", "lose-every-answer", "arrive-late"];
const ENDED = new Set(["completed", "compensated", "abandoned"]);

/** Told by the text, for few records are ever asked about. */
function holds({ record }: AppendPlace, tag: string): boolean {
  return record.includes(`"_tag":"${tag}"`);
}

const both =
  (...all: readonly Matches[]): Matches =>
  (struck) =>
    all.every((matches) => matches(struck));

export const NAMED_SCHEDULES: readonly NamedSchedule[] = [
  { id: "FS-01", says: "a request is lost before its action", matches: call(["lose-request", "refuse-connection"], action) },
  { id: "FS-02", says: "an action is applied, and its answer lost", matches: call("lose-answer", action) },
  { id: "FS-03", says: "an action is repeated and answered from the record", matches: call(["lose-answer", "repeat-late"], action) },
  { id: "FS-04", says: "an action arrives twice at once", matches: call("repeat-now", action) },
  { id: "FS-05", says: "an action arrives again when its saga is over", matches: call("repeat-late", action) },
  {
    id: "FS-08",
    says: "an attempt in doubt, then a definite no",
    matches: both(call(LOST, action), (struck) => call(["fault"], action)(struck) || struck.some(({ place }) => place._tag === "Decision")),
  },
  { id: "FS-09", says: "a repeated action meets the guard that it changed itself", matches: call("lose-answer", action) },
  { id: "FS-10", says: "a success that cannot be read", matches: call("garble") },
  { id: "FS-11", says: "an action that is still at work", matches: call("in-progress") },
  { id: "FS-12", says: "an answer to an attempt that is over", matches: call(["in-progress", "die-in-flight", "take-over-in-flight"]) },
  { id: "FS-14", says: "an undo without its action ever arriving before it", matches: call("arrive-late", action) },
  { id: "FS-15", says: "an undo overtakes its action", matches: call("arrive-late", action) },
  { id: "FS-16", says: "an undo comes while its action is at work", matches: call(["in-progress", "die-in-flight"], action) },
  { id: "FS-17", says: "an undo arrives twice", matches: call(["repeat-now", "repeat-late"], undo) },
  { id: "FS-18", says: "an undo is done, and its answer lost", matches: call("lose-answer", undo) },
  { id: "FS-20", says: "an undo fails for a while", matches: call(["lose-request", "refuse-connection", "throttle"], undo) },
  { id: "FS-21", says: "an undo fails for good, and its saga parks", matches: call("fault", undo) },
  {
    id: "FS-24",
    says: "a death before an intent is durable",
    matches: append("die-before", (place) => holds(place, "OperationIntended")),
  },
  {
    id: "FS-25",
    says: "a death between an intent and its call",
    matches: append("die-after", (place) => holds(place, "OperationIntended")),
  },
  {
    id: "FS-26",
    says: "a death between an effect and its outcome",
    matches: append("die-before", (place) => holds(place, "OperationSettled")),
  },
  { id: "FS-27", says: "a death while going back", matches: append(DEATHS, (place) => holds(place, "CompensationIntended")) },
  { id: "FS-28", says: "a death after the last record", matches: append("die-after", ({ status }) => ENDED.has(status)) },
  {
    id: "FS-29",
    says: "a death, and another one during the recovery",
    matches: (struck) => struck.filter(({ choice }) => DEATHS.includes(choice)).length > 1,
  },
  { id: "FS-30", says: "a record is durable, and reported as lost", matches: append("lose-verdict") },
  { id: "FS-31", says: "the journal is away", matches: append("refuse") },
  {
    id: "FS-35",
    says: "an owner goes on that has been taken over from",
    matches: (struck) => struck.some(({ choice }) => TAKE_OVERS.includes(choice)),
  },
  { id: "FS-36", says: "two owners at once", matches: append("take-over") },
  { id: "FS-37", says: "the clock jumps", matches: append("pass-deadline") },
  { id: "FS-38", says: "a time that comes late", matches: append("pass-deadline") },
  { id: "FS-39", says: "an owner stands still in the middle of a step", matches: call("take-over-in-flight") },
  {
    id: "FS-47",
    says: "one of several side by side fails, or is in doubt",
    matches: call(LOST.concat("fault"), ({ parallel }) => parallel),
  },
  { id: "FS-48", says: "a cancellation, at any time", matches: append("cancel") },
  { id: "FS-49", says: "a deadline passes with a step in flight", matches: append("pass-deadline") },
  { id: "FS-50", says: "a pivot in doubt", matches: call(LOST, ({ kind }) => kind === "pivot") },
  { id: "FS-51", says: "what comes after the pivot fails for good", matches: call("fault", ({ kind }) => kind === "retriable") },
  {
    id: "FS-59",
    says: "an event of a saga that goes back",
    matches: (struck) => struck.some(({ place }) => place._tag === "Append" && place.status === "compensated"),
  },
];

/** How often each was met, and one schedule that meets it. */
export interface Met {
  readonly schedules: number;
  readonly first: readonly Deviation[];
}

export class CatalogueCount {
  readonly #met = new Map<string, { schedules: number; first: readonly Deviation[] }>();

  add(points: readonly Point[], taken: readonly Deviation[]): void {
    if (taken.length === 0) return;
    const struck = taken.flatMap(({ point, choice }) => {
      const place = points[point - 1]?.place;
      return place === undefined ? [] : [{ choice, place }];
    });
    for (const { id, matches } of NAMED_SCHEDULES) {
      if (!matches(struck)) continue;
      const met = this.#met.get(id);
      if (met === undefined) this.#met.set(id, { schedules: 1, first: taken });
      else met.schedules += 1;
    }
  }

  /** In the order of their names. */
  met(): ReadonlyMap<string, Met> {
    return new Map(
      NAMED_SCHEDULES.flatMap(({ id }) => {
        const met = this.#met.get(id);
        return met === undefined ? [] : [[id, met]];
      }),
    );
  }
}
