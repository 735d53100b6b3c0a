/**
 * What comes to a saga from outside its calls: time, signals, cancellations. Judged from the journal, the store's clock, and what those outside were answered.
 */
import type { Entry } from "../../src/journal/entry.ts";
import type { Committed, History } from "./history.ts";
import { isPointOfNoReturn } from "./law-truth.ts";
import { storyOf } from "./story.ts";

type EntryOf<Tag extends Entry["_tag"]> = Extract<Entry, { readonly _tag: Tag }>;

function entriesIn(history: History): readonly Entry[] {
  return storyOf(history).records.flatMap(({ entries }) => entries);
}

function ofTag<Tag extends Entry["_tag"]>(entries: readonly Entry[], tag: Tag): readonly EntryOf<Tag>[] {
  return entries.filter((entry): entry is EntryOf<Tag> => entry._tag === tag);
}

/** I13, FS-37, FS-38: nothing is told before its time, or by a time that the store's clock has not reached; every wait ends once, by what it waits for. */
export function timeIsNeverEarly(history: History): readonly string[] {
  const { records } = storyOf(history);
  const begun = new Map<string, EntryOf<"WaitBegan">>();
  const over = new Set<string>();
  let deadlineAt: number | undefined;
  const end = (path: string, fits: (wait: EntryOf<"WaitBegan">) => boolean): readonly string[] => {
    const wait = begun.get(path);
    const twice = over.has(path);
    over.add(path);
    if (wait === undefined) return [`the wait at ${path} ended, and never began`];
    return [
      ...(twice ? [`the wait at ${path} ended twice`] : []),
      ...(fits(wait) ? [] : [`the wait at ${path} ended by what it does not wait for`]),
    ];
  };
  return records.flatMap(({ entries, at: committedAt }) =>
    entries.flatMap((entry) => {
      if (entry._tag === "SagaStarted") deadlineAt = entry.deadlineAt;
      if (entry._tag === "WaitBegan") begun.set(entry.path, entry);
      if (entry._tag === "SignalTaken") return end(entry.path, ({ signal }) => signal !== undefined);
      if (entry._tag === "WaitLeft") return end(entry.path, () => true);
      if (entry._tag !== "TimerFired") return [];
      const { path, at } = entry;
      const future = at > committedAt ? [`${path} was told to be over at ${at}, and committed at ${committedAt}`] : [];
      if (path !== "deadline") return [...future, ...end(path, ({ dueAt = Number.POSITIVE_INFINITY }) => dueAt <= at)];
      const passes = deadlineAt !== undefined && deadlineAt <= at ? [] : [`the deadline ${deadlineAt} was told to have passed at ${at}`];
      deadlineAt = undefined;
      return [...future, ...passes];
    }),
  );
}

/** I14: each signal is received once per key and taken at most once, by a wait for it, in the order of its name; what was acknowledged is in the journal. */
export function signalsAreTakenOnce(history: History): readonly string[] {
  const entries = entriesIn(history);
  const received = ofTag(entries, "SignalReceived");
  const taken = ofTag(entries, "SignalTaken");
  const begun = new Map(ofTag(entries, "WaitBegan").map((wait) => [wait.path, wait]));
  const keys = received.map(({ key }) => key);
  const names = new Map(received.map(({ key, signal }) => [key, signal]));
  const outOfOrder = [...new Set(names.values())].filter((name) => {
    const came = keys.filter((key) => names.get(key) === name);
    const went = taken.filter(({ key }) => names.get(key) === name).map(({ key }) => key);
    return JSON.stringify(came.slice(0, went.length)) !== JSON.stringify(went);
  });
  return [
    ...repeats(keys).map((key) => `signal ${key} was received twice`),
    ...repeats(taken.map(({ key }) => key)).map((key) => `signal ${key} was taken twice`),
    ...taken.filter(({ key }) => !names.has(key)).map(({ key }) => `signal ${key} was taken, and never received`),
    ...taken
      .filter(({ key, path }) => names.has(key) && begun.get(path)?.signal !== names.get(key))
      .map(({ key, path }) => `signal ${key} went to ${path}, which does not wait for it`),
    ...outOfOrder.map((name) => `the signals ${name} were not taken in the order in which they came`),
    ...history.happenings.flatMap((happening, at) => {
      if (happening._tag !== "SignalAnswered" || happening.answer !== "taken") return [];
      const { key, payload } = happening;
      const there = durableBy(history, at).some(
        (entry) => entry._tag === "SignalReceived" && entry.key === key && entry.payload === payload,
      );
      return there ? [] : [`signal ${key} was acknowledged, and is not in the journal`];
    }),
  ];
}

function repeats(keys: readonly string[]): readonly string[] {
  return keys.filter((key, index) => keys.indexOf(key) !== index);
}

function durableBy({ happenings }: History, at: number): readonly Entry[] {
  return happenings.slice(0, at).flatMap((happening) => (happening._tag === "Committed" ? happening.entries : []));
}

/** I15, FS-48, FS-49: before the point of no return what stops a saga is honoured, and nothing new begins; behind it nothing stops it, and nobody is told that it will. */
export function stopsAreHonoured(history: History): readonly string[] {
  const entries = entriesIn(history);
  const stopAt = entries.findIndex(
    (entry) => entry._tag === "CancelRequested" || (entry._tag === "TimerFired" && entry.path === "deadline"),
  );
  const committedAt = entries.findIndex((entry) => isPivotIntent(entry) || isPointOfNoReturn(entry));
  const backAt = entries.findIndex((entry) => entry._tag === "WentBack" && entry.path === "run");
  const cancels = ofTag(entries, "CancelRequested").length;
  return [
    ...(cancels > 1 ? [`cancelled ${cancels} times`] : []),
    ...(stopAt !== -1 && backAt !== -1 && backAt < stopAt ? ["stopped while it went back already"] : []),
    ...stoppedBefore(history, entries, stopAt, committedAt),
    ...cancelAnswers(history),
  ];
}

function isPivotIntent(entry: Entry): boolean {
  return entry._tag === "OperationIntended" && entry.path.startsWith("pivot/");
}

function stoppedBefore({ happenings }: History, entries: readonly Entry[], stopAt: number, committedAt: number): readonly string[] {
  const stop = entries[stopAt];
  if (stop === undefined) return [];
  if (committedAt !== -1 && committedAt < stopAt) {
    const wrong = stop._tag === "CancelRequested" ? ["cancelled behind the point of no return"] : [];
    const back = ofTag(entries, "WentBack").some(({ cause }) => cause._tag === "DeadlineCause" || cause._tag === "CancelledCause");
    return back ? [...wrong, "went back for a stop behind the point of no return"] : wrong;
  }
  const begun = entries.slice(stopAt + 1).filter((entry) => entry._tag === "OperationIntended" || entry._tag === "WaitBegan");
  const expected = stop._tag === "CancelRequested" ? "CancelledCause" : "DeadlineCause";
  const ending = entries.find((entry) => entry._tag === "SagaCompensated");
  const last = happenings.findLast((happening): happening is Committed => happening._tag === "Committed");
  return [
    ...begun.map((entry) => `${entry._tag} ${"path" in entry ? entry.path : ""} after the saga was stopped`),
    ...(last?.status === "completed" ? ["completed, though it was stopped before its point of no return"] : []),
    ...(ending !== undefined && ending.cause._tag !== expected ? [`stopped, and went back for ${ending.cause._tag}`] : []),
  ];
}

function cancelAnswers(history: History): readonly string[] {
  const { happenings } = history;
  const last = happenings.findLast((happening): happening is Committed => happening._tag === "Committed");
  return happenings.flatMap((happening, at) => {
    if (happening._tag !== "CancelAnswered") return [];
    const known = durableBy(history, at);
    if (happening.answer === "taken") return last?.status === "completed" ? ["its cancellation was acknowledged, and it completed"] : [];
    const committed = known.some((entry) => isPivotIntent(entry) || isPointOfNoReturn(entry));
    return happening.answer === "pastPivot" && !committed ? ["refused a cancellation before the point of no return was durable"] : [];
  });
}
