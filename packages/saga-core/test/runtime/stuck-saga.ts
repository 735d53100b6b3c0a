/**
 * One saga per place where an operation can get stuck, each with a step before it, which tells going back, and one behind it, which tells going on. The step
 * under test is always `a`, with input 2; it answers as it is told until `mend` is called, and succeeds with 20 from then on.
 */
import { err, ok } from "neverthrow";
import { type Call, type FaultTag, fault, type OperatorVerb, type Saga, saga } from "../../src/index.ts";
import type { OperatorOrder } from "../../src/runtime/operator-verbs.ts";
import { type Answer, type Behaviour, createBench, createParticipants, numberInput, type OpenOptions, type Refused } from "./workbench.ts";

export type Place = "action" | "pivot" | "retriable" | "readOnly" | "compensation";
export const PLACES: readonly Place[] = ["action", "pivot", "retriable", "readOnly", "compensation"];

type AnySagaOfNumber = Saga<string, number, unknown, Refused>;

const ADDRESS: Readonly<Record<Place, Pick<OperatorOrder, "path" | "slot">>> = {
  action: { path: "run/a", slot: "action" },
  pivot: { path: "pivot/a", slot: "action" },
  retriable: { path: "complete/a", slot: "action" },
  readOnly: { path: "complete/a", slot: "action" },
  compensation: { path: "run/a", slot: "compensation" },
};

export interface Stuck {
  /** What `a` answers until it is mended, by number of the call. */
  readonly answer: (nth: number) => Answer;
  readonly behaviour?: Behaviour | undefined;
  readonly open?: OpenOptions | undefined;
}

export const faulted = (tag: FaultTag, message = "as told") => err(fault(tag, message));

export function createStuckSaga(place: Place, { answer, behaviour = {}, open }: Stuck) {
  const bench = createBench();
  const participants = createParticipants();
  const stuck = { answer, mended: false };
  const act = (_input: number, nth: number): Answer => (stuck.mended ? ok(20) : stuck.answer(nth));
  const options: Behaviour =
    place === "compensation"
      ? { ...behaviour, run: () => ok(20), compensate: (input, nth) => act(input, nth) as never }
      : { ...behaviour, run: act };
  const one = declare(place, participants, options);
  const address = ADDRESS[place];
  const opened = bench.open([one], open);
  return {
    bench,
    participants,
    one,
    address,
    ...opened,
    /** Names the parked operation, and who does what to it. */
    order: { ...address, by: "ada", reason: "ticket 7" } as const,
    run: () => opened.engine.run(one, 1, { id: "s" }),
    mend: () => {
      stuck.mended = true;
    },
    answer: (next: (nth: number) => Answer) => {
      stuck.answer = next;
    },
    /** The calls of the stuck operation, in order. */
    calls: (): readonly Call[] => participants.of("a", address.slot).map(({ call }) => call),
  };
}

function declare(place: Place, participants: ReturnType<typeof createParticipants>, behaviour: Behaviour): AnySagaOfNumber {
  const before = participants.compensatable("before");
  const base = { name: "stuck", input: numberInput } as const;
  if (place === "action" || place === "compensation") {
    const a = participants.compensatable("a", behaviour);
    const after = participants.compensatable("after", place === "action" ? {} : { run: () => err({ _tag: "Refused" }) });
    return saga({
      ...base,
      *run() {
        yield* before(1);
        const output = yield* a(2);
        yield* after(3);
        return output;
      },
    });
  }
  const after = participants.retriable("after");
  function* run() {
    return yield* before(1);
  }
  if (place === "pivot") {
    const a = participants.pivot("a", behaviour);
    return saga({
      ...base,
      run,
      pivot: () => a(2),
      *complete(_value, pivoted) {
        yield* after(3);
        return pivoted;
      },
    });
  }
  const retriable = participants.retriable("a", behaviour);
  const readOnly = participants.readOnly("a", behaviour) as unknown as typeof retriable;
  const a = place === "retriable" ? retriable : readOnly;
  return saga({
    ...base,
    run,
    *complete() {
      const output = yield* a(2);
      yield* after(3);
      return output;
    },
  });
}

/** What was called before anything got stuck. */
export const CALLED: Readonly<Record<Place, readonly string[]>> = {
  action: ["before 1", "a 2"],
  pivot: ["before 1", "a 2"],
  retriable: ["before 1", "a 2"],
  readOnly: ["before 1", "a 2"],
  compensation: ["before 1", "a 2", "after 3", "undo a 2"],
};

/** What an operator may do with what is stuck, where its step has no deciding query. */
export function verbsOf(place: Place, by: FaultTag): readonly OperatorVerb[] {
  const notApplied = place === "action" || by === "Sealed";
  return ["retry", "settleApplied", ...(notApplied ? ["settleNotApplied" as const] : []), "abandon"];
}

interface Way {
  readonly cause: "DoubtRemains" | "OutputLost" | "KeyReused" | "EvidenceLost" | "CannotGoOn";
  /** The attempt's ending that leads to it, with one attempt allowed. */
  readonly by: FaultTag;
  readonly knowledge: { readonly doubt: boolean; readonly applied: boolean };
}

const doubt = { doubt: true, applied: false } as const;
const applied = { doubt: false, applied: true } as const;
const nothing = { doubt: false, applied: false } as const;

const DISORDER: readonly Way[] = [
  { cause: "KeyReused", by: "KeyReused", knowledge: doubt },
  { cause: "EvidenceLost", by: "EvidenceLost", knowledge: doubt },
];
const UNDECIDED: readonly Way[] = [
  { cause: "DoubtRemains", by: "Unknown", knowledge: doubt },
  { cause: "OutputLost", by: "Unreadable", knowledge: applied },
  ...DISORDER,
];
const NO_OTHER_WAY: readonly Way[] = [
  { cause: "CannotGoOn", by: "Unknown", knowledge: doubt },
  { cause: "CannotGoOn", by: "Unreadable", knowledge: applied },
  { cause: "CannotGoOn", by: "Faulted", knowledge: nothing },
  { cause: "CannotGoOn", by: "Sealed", knowledge: nothing },
  ...DISORDER,
];

/** Every way in which an operation at a place gets stuck. */
export const WAYS: Readonly<Record<Place, readonly Way[]>> = {
  action: UNDECIDED,
  pivot: UNDECIDED,
  retriable: NO_OTHER_WAY,
  readOnly: NO_OTHER_WAY,
  compensation: NO_OTHER_WAY,
};

/** One row per place and way. */
export const EVERY_WAY = PLACES.flatMap((place) => WAYS[place].map((way) => ({ place, ...way })));

/** Attempts and policies under which one bad answer is enough to park. */
export const AT_ONCE: Behaviour = {
  inDoubt: "park",
  retry: { attempts: 1 },
  compensationRetry: { attempts: 1 },
};
