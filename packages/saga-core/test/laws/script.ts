/** How a participant treats the calls of one operation: attempt by attempt, then for good. Travels in the step's input, so that every process reads the same one. */
import fc from "fast-check";

type Says = "yes" | "no";
/** The caller learns nothing: a broken connection, no answer at all, an exception of the client, something that is no Result. */
type Lost = "unknown" | "silence" | "exception" | "nonsense";

export type Behaviour =
  /** Arrives, is decided, and the caller is told: the answer, an answer it cannot read, or nothing. May be delivered again. */
  | {
      readonly _tag: "Answers";
      readonly says: Says;
      readonly afterMs: number;
      readonly told: "answer" | "garbled" | Lost;
      readonly againAfterMs?: number | undefined;
    }
  /** The caller gives up first; the request is under way, and is decided when it arrives. */
  | { readonly _tag: "Lags"; readonly says: Says; readonly afterMs: number; readonly told: "running" | Lost }
  /** Never arrives. */
  | { readonly _tag: "Loses"; readonly told: "running" | Lost }
  /** Refused at the door, without effect; the last two say that the key is in disorder. */
  | {
      readonly _tag: "TurnsAway";
      readonly told: "notSent" | "throttled" | "throttledForLong" | "faulted" | "sorry" | "keyReused" | "evidenceLost";
    };

export interface Script {
  readonly attempts: readonly Behaviour[];
  /** What the participant decides once it is well. */
  readonly then: Says;
  readonly undos: readonly Behaviour[];
  /** Deciding queries. */
  readonly asks: readonly Behaviour[];
}

const said: fc.Arbitrary<Says> = fc.constantFrom("yes", "yes", "yes", "yes", "yes", "no");
const lost = fc.constantFrom<Lost>("unknown", "silence", "exception", "nonsense");
const runningOrLost = fc.constantFrom<"running" | Lost>("running", "unknown", "silence", "exception");
/** Within one attempt's time. */
const soonMs = fc.constantFrom(0, 0, 1, 7, 30);
/** Before the next attempt, beyond an attempt's time, after the undo, after the saga. */
const laterMs = fc.constantFrom(1, 12, 150, 1_000, 5_000, 60_000);

function behaviours(says: fc.Arbitrary<Says>, refusals: readonly Extract<Behaviour, { _tag: "TurnsAway" }>["told"][]) {
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        _tag: fc.constant("Answers" as const),
        says,
        afterMs: soonMs,
        told: fc.oneof({ weight: 4, arbitrary: fc.constant("answer" as const) }, fc.constant("garbled" as const), {
          weight: 3,
          arbitrary: lost,
        }),
        againAfterMs: fc.option(laterMs, { nil: undefined, freq: 2 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Lags" as const), says, afterMs: laterMs, told: runningOrLost }) },
    { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Loses" as const), told: runningOrLost }) },
    { weight: 2, arbitrary: fc.record({ _tag: fc.constant("TurnsAway" as const), told: fc.constantFrom(...refusals) }) },
  );
}

const attempt = behaviours(said, ["notSent", "notSent", "throttled", "throttledForLong", "faulted", "sorry", "keyReused", "evidenceLost"]);
const repeat = behaviours(fc.constant("yes"), ["notSent", "throttled", "throttledForLong", "faulted", "keyReused"]);
const few = (behaviour: fc.Arbitrary<Behaviour>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 2, arbitrary: fc.array(behaviour, { minLength: 1, maxLength: 4 }) });

export const script: fc.Arbitrary<Script> = fc.record({
  attempts: few(attempt),
  then: fc.oneof({ weight: 14, arbitrary: fc.constant<Says>("yes") }, fc.constant<Says>("no")),
  undos: few(repeat),
  asks: few(repeat),
});

/** For what has no way back: it is never refused. */
export const forwardScript: fc.Arbitrary<Script> = fc.record({
  attempts: few(repeat),
  then: fc.constant("yes"),
  undos: fc.constant([]),
  asks: few(repeat),
});

/** Says yes or no at once, and the same whenever it is asked: what becomes of a saga of these depends on nothing else. */
export const calmScript: fc.Arbitrary<Script> = fc
  .tuple(fc.constantFrom<Says>("yes", "yes", "yes", "yes", "no"), fc.constantFrom(0, 0, 1, 7))
  .map(([says, afterMs]) => {
    const answers = { _tag: "Answers", says, afterMs, told: "answer" } as const;
    return { attempts: [answers], then: says, undos: [], asks: [] };
  });
