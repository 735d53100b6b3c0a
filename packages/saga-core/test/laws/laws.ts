/** The laws: what each says, and how it is judged. A judge takes a history and tells what in it breaks the law. */
import type { SagaDefinition } from "../../src/definition/saga-definition.ts";
import type { History } from "./history.ts";
import { compensatedExactlyWhenNeeded, doubtIsSticky } from "./law-doubt.ts";
import { effectsAtMostOnce, everySagaGetsSomewhere } from "./law-effects.ts";
import { intendedBeforeCalled, oneKeyPerOperation, onlyOwnersWrite, replayEqualsLive } from "./law-journal.ts";
import { nothingElseIsUndone, undoneInReverse } from "./law-order.ts";
import { signalsAreTakenOnce, stopsAreHonoured, timeIsNeverEarly } from "./law-outside.ts";
import { answersAreTrue, eventsOnlyWhenCertain } from "./law-truth.ts";

interface Law {
  readonly says: string;
  readonly violations: (history: History, definition: SagaDefinition) => readonly string[];
}

export const LAWS = {
  doubt: { says: "I1: doubt is sticky, and what is taken for absent never takes effect", violations: doubtIsSticky },
  compensation: {
    says: "I2: a step is compensated exactly when not every attempt definitely had no effect",
    violations: compensatedExactlyWhenNeeded,
  },
  order: {
    says: "I3: steps are undone in reverse order of completion, members of one all side by side, and a failed all starts nothing more",
    violations: undoneInReverse,
  },
  scope: { says: "I3: nothing is undone unless a scope around it failed", violations: nothingElseIsUndone },
  intent: { says: "I4: no participant is called before the intent is durable", violations: intendedBeforeCalled },
  key: { says: "I5: a key is equal over attempts, crashes and workers, and distinct for every operation", violations: oneKeyPerOperation },
  replay: { says: "I6: replay equals live, from every prefix of the journal", violations: replayEqualsLive },
  owner: { says: "I7: from the moment that a process takes a saga over, no other one writes", violations: onlyOwnersWrite },
  event: {
    says: "I9: an event is committed if, and only if, its saga can no longer go back, once and under one id",
    violations: eventsOnlyWhenCertain,
  },
  truth: { says: "I10: a saga says truthfully how it ended, what stands, and what is stuck", violations: answersAreTrue },
  effect: { says: "I11: an effect is applied at most once, and never after its undo", violations: effectsAtMostOnce },
  time: { says: "nothing is told before its time, and every wait ends once, by what it waits for", violations: timeIsNeverEarly },
  signal: {
    says: "a signal that was acknowledged is kept, and taken at most once, in the order of its coming",
    violations: signalsAreTakenOnce,
  },
  stop: {
    says: "a cancellation or a deadline is honoured before the point of no return, and behind it neither stops anything",
    violations: stopsAreHonoured,
  },
  progress: { says: "when trouble stops, every saga ends or waits parked", violations: everySagaGetsSomewhere },
} as const satisfies Readonly<Record<string, Law>>;

export type LawName = keyof typeof LAWS;
export const LAW_NAMES = Object.keys(LAWS) as readonly LawName[];
