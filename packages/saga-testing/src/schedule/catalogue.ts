/**
 * The failure schedules by their names, FS-01 to FS-62, as far as they concern one saga: which of them a schedule that was run is an instance of. Of the others `ELSEWHERE`
 * says who sees to them.
 */
import type { Place, Point } from "./choices.ts";
import type { Deviation } from "./schedule.ts";

/** What took place, and where. */
export interface Struck {
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
/** After which the operation is tried again. */
const DOUBT = ["lose-request", "lose-answer", "in-progress", "garble", "take-over-in-flight", "die-in-flight"];
const ENDED = new Set(["completed", "compensated", "abandoned"]);

/** Told by the text, for few records are ever asked about. */
function holds({ record }: AppendPlace, tag: string): boolean {
  return record.includes(`"_tag":"${tag}"`);
}

export const NAMED_SCHEDULES: readonly NamedSchedule[] = [
  { id: "FS-01", says: "a request is lost before its action", matches: call(["lose-request", "refuse-connection"], action) },
  { id: "FS-02", says: "an action is applied, and its answer lost", matches: call("lose-answer", action) },
  { id: "FS-03", says: "an action is repeated and answered from the record", matches: call(["lose-answer", "repeat-late"], action) },
  { id: "FS-04", says: "an action arrives twice at once", matches: call("repeat-now", action) },
  { id: "FS-05", says: "an action arrives again when its saga is over", matches: call("repeat-late", action) },
  {
    id: "FS-08",
    says: "an attempt in doubt, then a definite no",
    matches: (struck) =>
      struck.some(
        ({ choice, place }) =>
          choice === "refuse-for-good" &&
          place._tag === "Call" &&
          struck.some((other) => other.place._tag === "Call" && other.place.path === place.path && DOUBT.includes(other.choice)),
      ),
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
  { id: "FS-21", says: "an undo fails for good, and its saga parks", matches: call("refuse-for-good", undo) },
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
    matches: call(LOST.concat("refuse-for-good"), ({ parallel }) => parallel),
  },
  { id: "FS-48", says: "a cancellation, at any time", matches: append("cancel") },
  { id: "FS-49", says: "a deadline passes with a step in flight", matches: append("pass-deadline") },
  { id: "FS-50", says: "a pivot in doubt", matches: call(LOST, ({ kind }) => kind === "pivot") },
  { id: "FS-51", says: "what comes after the pivot fails for good", matches: call("refuse-for-good", ({ kind }) => kind === "retriable") },
];

/** Who sees to the rest. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  "FS-06": "retention that is shorter than a retry: refused at start-up (`horizons`, `callerHorizonMs`)",
  "FS-07": "a key with another payload: the fence's own tests",
  "FS-13": "commands and events out of order: random schedules, whose messages overtake each other",
  "FS-19": "an effect outside of the participant's transaction: intent mode, in the fence's own tests",
  "FS-22": "an undo that has become impossible: the author's participants, and the laws over them",
  "FS-23": "an undo that is possible in part: as FS-22",
  "FS-32": "a lost or torn record: the stores' own tests",
  "FS-33": "a deadlock in a store: the stores' own tests",
  "FS-34": "a fence without its store: the fence's own tests",
  "FS-40": "a shutdown in the middle of a step: `close`, in the engine's own tests",
  "FS-41": "two sagas on one thing: `inputs`",
  "FS-42": "the last unit for two: `inputs`",
  "FS-43": "a saga reads what another one takes back: `inputs`, and the laws over participants",
  "FS-44": "locks in opposite orders: `inputs`",
  "FS-45": "a value that changes between reading and writing: `inputs`",
  "FS-46": "the owner of a lock is parked: `inputs`",
  "FS-52": "a record that cannot be read: the engine's own tests",
  "FS-53": "another definition in the middle of a saga: `examineSagas`",
  "FS-54": "a body that is not deterministic: the law of replay, in every schedule",
  "FS-55": "a child saga in doubt: its steps are the parent's, as all others",
  "FS-56": "a death between commit and publication: the relay's own tests",
  "FS-57": "an event that is sent twice: `onEvent` gets each twice",
  "FS-58": "events of one subject reordered: the relay's own tests",
  "FS-59": "an event of a saga that goes back: the law of events, in every schedule",
  "FS-60": "a consumer that keeps failing: the relay's own tests",
  "FS-61": "thousands retry at once: retry policies, in the engine's own tests",
  "FS-62": "recovery of very many: the engine's own tests",
};

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
