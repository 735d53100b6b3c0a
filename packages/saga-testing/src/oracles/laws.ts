/** The laws: what each says, and how it is judged. */
import type { SagaDefinition } from "@backstep/saga-core";
import { answersAreStable } from "./answer-stability.ts";
import type { History } from "./history.ts";
import type { Law, Violation } from "./law.ts";
import { compensatedExactlyWhenNeeded, doubtIsSticky } from "./law-doubt.ts";
import { effectsAtMostOnce, everySagaGetsSomewhere } from "./law-effects.ts";
import { intendedBeforeCalled, oneKeyPerOperation, onlyOwnersWrite } from "./law-journal.ts";
import { nothingElseIsUndone, undoneInReverse } from "./law-order.ts";
import { signalsAreTakenOnce, stopsAreHonoured, timeIsNeverEarly } from "./law-outside.ts";
import { replayEqualsLive } from "./law-replay.ts";
import { answersAreTrue, eventsOnlyWhenCertain } from "./law-truth.ts";

/** What every saga keeps, whatever befalls the processes that drive it and the participants that it calls. */
export const LAWS = [
  { name: "doubt", says: "I1: doubt is sticky, and what is taken for absent never takes effect", violations: doubtIsSticky },
  {
    name: "compensation",
    says: "I2: a step is compensated exactly when not every attempt definitely had no effect",
    violations: compensatedExactlyWhenNeeded,
  },
  {
    name: "order",
    says: "I3: steps are undone in reverse order of completion, members of one all side by side, and a failed all starts nothing more",
    violations: undoneInReverse,
  },
  { name: "scope", says: "I3: nothing is undone unless a scope around it failed", violations: nothingElseIsUndone },
  { name: "intent", says: "I4: no participant is called before the intent is durable", violations: intendedBeforeCalled },
  {
    name: "key",
    says: "I5: a key is equal over attempts, crashes and workers, and distinct for every operation",
    violations: oneKeyPerOperation,
  },
  { name: "replay", says: "I6: replay equals live", violations: replayEqualsLive },
  {
    name: "owner",
    says: "I7: from the moment that a process takes a saga over, no other one writes",
    violations: onlyOwnersWrite,
  },
  {
    name: "event",
    says: "I9: an event is committed if, and only if, its saga can no longer go back, once and under one id",
    violations: eventsOnlyWhenCertain,
  },
  { name: "truth", says: "I10: a saga says truthfully how it ended, what stands, and what is stuck", violations: answersAreTrue },
  { name: "effect", says: "I11: an effect is applied at most once, and never after its undo", violations: effectsAtMostOnce },
  { name: "time", says: "nothing is told before its time, and every wait ends once, by what it waits for", violations: timeIsNeverEarly },
  {
    name: "signal",
    says: "a signal that was acknowledged is kept, and taken at most once, in the order of its coming",
    violations: signalsAreTakenOnce,
  },
  {
    name: "stop",
    says: "a cancellation or a deadline is honoured before the point of no return, and behind it neither stops anything",
    violations: stopsAreHonoured,
  },
  {
    name: "answer",
    says: "a participant's decision for a key is told the same whenever it is asked, and what is sealed never succeeds",
    violations: answersAreStable,
  },
  { name: "progress", says: "when trouble stops, every saga ends or waits parked", violations: everySagaGetsSomewhere },
] as const satisfies readonly Law[];

export type LawName = (typeof LAWS)[number]["name"];

/** What in a history breaks which law, in the order of the laws; empty when it keeps them all. */
export function judge(history: History, definition: SagaDefinition, laws: readonly Law[] = LAWS): readonly Violation[] {
  const { sagaId } = history;
  return laws.flatMap(({ name, says, violations }) =>
    violations(history, definition).map((message) => ({ law: name, says, message, sagaId })),
  );
}
