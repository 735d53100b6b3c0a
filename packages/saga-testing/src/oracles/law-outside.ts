/**
 * What comes to a saga from outside its calls: time, signals, locks, cancellations. Judged from the journal, the store's clock, and what those outside were answered.
 */
import { canonicalJson } from "@backstep/saga-core/adapter";
import type { Entry } from "@backstep/saga-core/engine";
import type { History } from "./history.ts";
import { isPivotIntent, isPointOfNoReturn } from "./point-of-no-return.ts";
import { type Placed, type Story, storyOf } from "./story.ts";

type EntryOf<Tag extends Entry["_tag"]> = Extract<Entry, { readonly _tag: Tag }>;
type Began = EntryOf<"WaitBegan"> | EntryOf<"LockWanted">;

function ofTag<Tag extends Entry["_tag"]>({ entries }: Story, tag: Tag): readonly EntryOf<Tag>[] {
  return entries.flatMap(({ item }) => (item._tag === tag ? [item as EntryOf<Tag>] : []));
}

/** I13, FS-37, FS-38: nothing is told before its time, or by a time that the store's clock has not reached; every wait ends once, by what it waits for. */
export function timeIsNeverEarly(history: History): readonly string[] {
  const violations: string[] = [];
  const begun = new Map<string, Began>();
  const over = new Set<string>();
  let deadlineAt: number | undefined;
  for (const { entries, at: committedAt } of storyOf(history).records) {
    for (const entry of entries) {
      if (entry._tag === "SagaStarted") deadlineAt = entry.deadlineAt;
      if (entry._tag === "WaitBegan" || entry._tag === "LockWanted") begun.set(entry.path, entry);
      if (entry._tag === "TimerFired" && entry.at > committedAt)
        violations.push(`${entry.path} was told to be over at ${entry.at}, and committed at ${committedAt}`);
      if (isDeadline(entry)) {
        if (deadlineAt === undefined || deadlineAt > entry.at)
          violations.push(`the deadline ${deadlineAt} was told to have passed at ${entry.at}`);
        deadlineAt = undefined;
      } else if (endsWait(entry)) {
        violations.push(...flawsOfEnd(entry, begun.get(entry.path), over));
        over.add(entry.path);
      }
    }
  }
  return violations;
}

type EndOfWait = EntryOf<"TimerFired" | "SignalTaken" | "LockGranted" | "LockRefused" | "WaitLeft">;

function isDeadline(entry: Entry): boolean {
  return entry._tag === "TimerFired" && entry.path === "deadline";
}

const ENDS: ReadonlySet<Entry["_tag"]> = new Set(["TimerFired", "SignalTaken", "LockGranted", "LockRefused", "WaitLeft"]);

function endsWait(entry: Entry): entry is EndOfWait {
  return ENDS.has(entry._tag);
}

function flawsOfEnd(end: EndOfWait, wait: Began | undefined, over: ReadonlySet<string>): readonly string[] {
  const { path } = end;
  if (wait === undefined) return [`the wait at ${path} ended, and never began`];
  return [
    ...(over.has(path) ? [`the wait at ${path} ended twice`] : []),
    ...(fits(end, wait) ? [] : [`the wait at ${path} ended by what it does not wait for`]),
  ];
}

function fits(end: EndOfWait, wait: Began): boolean {
  if (end._tag === "WaitLeft") return true;
  if (end._tag === "LockGranted" || end._tag === "LockRefused") return wait._tag === "LockWanted";
  if (wait._tag === "LockWanted") return false;
  return end._tag === "SignalTaken" ? wait.signal !== undefined : wait.dueAt !== undefined && wait.dueAt <= end.at;
}

/** I14: each signal is received once per key and taken at most once, by a wait for it, in the order of its name; what was acknowledged is in the journal. */
export function signalsAreTakenOnce(history: History): readonly string[] {
  const story = storyOf(history);
  const received = ofTag(story, "SignalReceived");
  const taken = ofTag(story, "SignalTaken");
  if (received.length === 0 && taken.length === 0 && story.signalAnswers.length === 0) return [];
  const begun = new Map(ofTag(story, "WaitBegan").map((wait) => [wait.path, wait]));
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
    ...story.signalAnswers.flatMap(({ at, item: { answer, key, payload } }) => {
      if (answer !== "taken") return [];
      const there = durableBy(story, at, (entry) => isSignal(entry, key, payload));
      return there ? [] : [`signal ${key} was acknowledged, and is not in the journal`];
    }),
  ];
}

function isSignal(entry: Entry, key: string, payload: EntryOf<"SignalReceived">["payload"]): boolean {
  return entry._tag === "SignalReceived" && entry.key === key && canonicalJson(entry.payload) === canonicalJson(payload);
}

function repeats(keys: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return keys.filter((key) => seen.size === seen.add(key).size);
}

function durableBy({ entries }: Story, before: number, fits: (entry: Entry) => boolean): boolean {
  return entries.some(({ at, item }) => at < before && fits(item));
}

/** I15, FS-48, FS-49: before the point of no return what stops a saga is honoured, and nothing new begins; behind it nothing stops it, and nobody is told that it will. */
export function stopsAreHonoured(history: History): readonly string[] {
  const story = storyOf(history);
  const { entries } = story;
  const stopAt = entries.findIndex(({ item }) => isStop(item));
  if (stopAt === -1) return cancelAnswers(story);
  const committedAt = entries.findIndex(({ item }) => isPivotIntent(item) || isPointOfNoReturn(item));
  const backAt = entries.findIndex(({ item }) => item._tag === "WentBack" && item.path === "run");
  const cancels = ofTag(story, "CancelRequested").length;
  return [
    ...(cancels > 1 ? [`cancelled ${cancels} times`] : []),
    ...(backAt !== -1 && backAt < stopAt ? ["stopped while it went back already"] : []),
    ...(committedAt !== -1 && committedAt < stopAt ? stoppedBehind(story, entries[stopAt]) : stoppedBefore(story, stopAt)),
    ...cancelAnswers(story),
  ];
}

function isStop(entry: Entry): boolean {
  return entry._tag === "CancelRequested" || isDeadline(entry);
}

function stoppedBehind(story: Story, stop: Placed<Entry> | undefined): readonly string[] {
  const wrong = stop?.item._tag === "CancelRequested" ? ["cancelled behind the point of no return"] : [];
  const back = ofTag(story, "WentBack").some(({ cause }) => cause._tag === "DeadlineCause" || cause._tag === "CancelledCause");
  return back ? [...wrong, "went back for a stop behind the point of no return"] : wrong;
}

const BEGINS: ReadonlySet<Entry["_tag"]> = new Set(["OperationIntended", "WaitBegan", "LockWanted"]);

function stoppedBefore(story: Story, stopAt: number): readonly string[] {
  const { entries, records } = story;
  const expected = entries[stopAt]?.item._tag === "CancelRequested" ? "CancelledCause" : "DeadlineCause";
  const begun = entries.slice(stopAt + 1).filter(({ item }) => BEGINS.has(item._tag));
  const [ending] = ofTag(story, "SagaCompensated");
  return [
    ...begun.map(({ item }) => `${item._tag} ${"path" in item ? item.path : ""} after the saga was stopped`),
    ...(records.at(-1)?.status === "completed" ? ["completed, though it was stopped before its point of no return"] : []),
    ...(ending !== undefined && ending.cause._tag !== expected ? [`stopped, and went back for ${ending.cause._tag}`] : []),
  ];
}

function cancelAnswers(story: Story): readonly string[] {
  const completed = story.records.at(-1)?.status === "completed";
  return story.cancelAnswers.flatMap(({ at, item: { answer } }) => {
    if (answer === "taken") return completed ? ["its cancellation was acknowledged, and it completed"] : [];
    if (answer !== "pastPivot") return [];
    const committed = durableBy(story, at, (entry) => isPivotIntent(entry) || isPointOfNoReturn(entry));
    return committed ? [] : ["refused a cancellation before the point of no return was durable"];
  });
}
