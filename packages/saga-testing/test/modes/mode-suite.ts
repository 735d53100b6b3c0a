/** Which test files that make an engine run in which mode, and why the others do not. A file that is new has to be entered here: `mode-suite.test.ts` says so. */
import { MODES, type Mode } from "./mode.ts";

/** Why a file does not run in a mode. A mode that is not named is one in which it runs. */
type Exceptions = Readonly<Partial<Record<Mode, string>>>;

const CRASH = "crash-after-append";
const DUPLICATE = "duplicate-commands";
const LOSE = "lose-first-answers";
const OVERTAKE = "undo-overtakes";

const CALLS = "its participants keep no fence, and every call that they get is asserted";
const SCRIPT = "its participants answer by the number of the call, so that one more is another story";
const LASTS = "its calls last for a time that passes exactly, and one that is made again lasts longer";
const UNDECIDED = "a rejection that is not decided for the key leaves doubt after a death, and is undone";
const INSIDE = "it is about appends, claims, notices or moments between two of them, and a death adds to all of these";
const ONCE = "its steps are attempted once, and an answer that is lost uses that up";
const FORWARD = "nothing in it is undone";
const ELSEWHERE = "its engines are in processes of their own, which no mode reaches";
const FAULTS = "it brings faults of its own, on virtual time, and searches all of them";

const everywhere = (why: string): Exceptions => Object.fromEntries(MODES.map((mode) => [mode, why]));
/** For participants that remember calls: a process that dies between two of them adds none, where they are made one after the other. */
const onlyCrashes: Exceptions = { [DUPLICATE]: CALLS, [LOSE]: CALLS, [OVERTAKE]: CALLS };

/** By file, or by folder, which ends with a slash. */
export const ENGINE_TESTS: Readonly<Record<string, Exceptions>> = {
  "examples/member-to-payment/test/card-checkout.test.ts": {
    [LOSE]: "its steps are given up after 30 ms, in which a busy machine may not come to the second attempt",
  },
  "examples/member-to-payment/test/card-checkout.crash.test.ts": {
    [CRASH]: "its processes die by a plan, and are counted",
    [DUPLICATE]: "it plays a checkout for each of some 150 deaths, which one mode is enough for: undo-overtakes",
    [LOSE]: ONCE,
  },
  "examples/member-to-payment/test/conservation.property.test.ts": {},
  "examples/member-to-payment/test/payment-service.test.ts": {},
  "examples/member-to-payment/test/seed.test.ts": everywhere("it seeds, and runs no saga"),

  "packages/http-adapter/test/cause.test.ts": {},
  "packages/http-adapter/test/readme.test.ts": {},
  "packages/http-adapter/test/step-of.saga.test.ts": everywhere(SCRIPT),
  "packages/http-adapter/test/server/bad-input.property.test.ts": everywhere(
    "it is about requests, and what becomes of a saga is no matter to it",
  ),
  "packages/http-adapter/test/server/operator-routes.test.ts": { [DUPLICATE]: SCRIPT, [LOSE]: ONCE },
  "packages/http-adapter/test/server/open-api.test.ts": everywhere("it reads a document, and runs no saga"),
  "packages/http-adapter/test/server/saga-overload.test.ts": everywhere(INSIDE),
  "packages/http-adapter/test/server/saga-routes.test.ts": { [DUPLICATE]: CALLS, [LOSE]: ONCE },

  "packages/saga-core/test/readme.test.ts": everywhere("its shop keeps no fence, as the README's reader sees"),
  "packages/saga-core/test/definition/saga.test.ts": everywhere("it looks at definitions, and runs no saga"),
  "packages/saga-core/test/definition/smallest-saga.test.ts": {},
  "packages/saga-core/test/laws/": everywhere(FAULTS),

  "packages/saga-core/test/runtime/cancel.test.ts": everywhere(LASTS),
  "packages/saga-core/test/runtime/changed.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/close.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/compensate.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/compensate-refused.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/damaged-journal.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/deadline.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/engine-recovery.test.ts": everywhere(INSIDE),
  "packages/saga-core/test/runtime/engine-run.test.ts": everywhere(INSIDE),
  "packages/saga-core/test/runtime/engine-start.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/eviction.test.ts": everywhere(INSIDE),
  "packages/saga-core/test/runtime/forget.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/horizons.test.ts": everywhere(
    "it looks at what creation and starts refuse, and runs no saga to its end",
  ),
  "packages/saga-core/test/runtime/lock.test.ts": everywhere(INSIDE),
  "packages/saga-core/test/runtime/lock-order.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/lock-line.test.ts": everywhere(INSIDE),
  "packages/saga-core/test/runtime/lock-eviction.test.ts": everywhere(INSIDE),
  "packages/saga-core/test/runtime/nesting.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/observer.test.ts": everywhere(INSIDE),
  "packages/saga-core/test/runtime/operator-crash.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/operator-output.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/operator-refusals.test.ts": everywhere(
    "it races operators, and whoever loses an answer cannot tell that it won",
  ),
  "packages/saga-core/test/runtime/operator-table.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/operator-verbs.test.ts": everywhere(SCRIPT),
  "packages/saga-core/test/runtime/parallel.test.ts": everywhere(CALLS),
  "packages/saga-core/test/runtime/parked.test.ts": everywhere(INSIDE),
  "packages/saga-core/test/runtime/parked-deaths.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/policies.test.ts": everywhere(
    "it is about attempts and what they leave known, and a death counts as one",
  ),
  "packages/saga-core/test/runtime/signals.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/slow-append.test.ts": everywhere(INSIDE),
  "packages/saga-core/test/runtime/step-deadline.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/time.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/try-step.test.ts": everywhere(
    "it attempts single steps, and compares them with an engine's first attempt",
  ),
  "packages/saga-core/test/runtime/versions.test.ts": onlyCrashes,
  "packages/saga-core/test/runtime/workers.test.ts": everywhere(INSIDE),
  "packages/saga-core/test/runtime/worker-races.test.ts": everywhere(INSIDE),

  "packages/saga-testing/test/": everywhere(FAULTS),
  "packages/saga-testing/test/modes/in-force.test.ts": {},

  "packages/postgres-store/test/readme.test.ts": { [DUPLICATE]: CALLS, [LOSE]: CALLS, [OVERTAKE]: FORWARD },
  "packages/postgres-store/test/whole-engine.crash.test.ts": everywhere(ELSEWHERE),
  "packages/sqlite-store/test/readme.test.ts": { [DUPLICATE]: CALLS, [LOSE]: CALLS, [OVERTAKE]: FORWARD },
  "packages/sqlite-store/test/whole-engine.test.ts": onlyCrashes,
  "packages/sqlite-store/test/whole-engine-definitions.test.ts": onlyCrashes,
  "packages/sqlite-store/test/whole-engine.crash.test.ts": everywhere(ELSEWHERE),
  "packages/sqlite-store/test/schema/version-1.test.ts": onlyCrashes,
  "packages/sqlite-store/test/schema/version-2.test.ts": onlyCrashes,
};

interface LeftOut {
  readonly mode: Mode;
  readonly file: string;
  /** Parts of the names of tests. */
  readonly tests: readonly string[];
  readonly why: string;
}

/** Single tests of files that run in a mode. */
const LEFT_OUT: readonly LeftOut[] = [
  {
    mode: OVERTAKE,
    file: "examples/member-to-payment/test/card-checkout.crash.test.ts",
    tests: ["a checkout that the issuer grants", "a checkout whose gateway takes the money", "an answer that was lost is found by asking"],
    why: FORWARD,
  },
  {
    mode: CRASH,
    file: "packages/http-adapter/test/server/saga-routes.test.ts",
    tests: ["tells every step of a saga that is compensated, and nobody's data"],
    why: UNDECIDED,
  },
  {
    mode: CRASH,
    file: "packages/saga-core/test/runtime/changed.test.ts",
    tests: ["in a member of an all that had nothing more to do is taken there, and stays taken"],
    why: SCRIPT,
  },
  {
    mode: CRASH,
    file: "packages/saga-core/test/runtime/deadline.test.ts",
    tests: [
      "while a step is in flight waits for it; its late answer is absorbed",
      "in the pivot, and nowhere else",
      "a pivot that is refused later is why the saga goes back",
    ],
    why: LASTS,
  },
  {
    mode: CRASH,
    file: "packages/saga-core/test/runtime/nesting.test.ts",
    tests: [
      "end the same when the process dies before or after any append",
      "are mended by the next process, end the same wherever that one dies",
    ],
    why: "a death at every append of each of its own deaths takes minutes",
  },
  {
    mode: CRASH,
    file: "packages/saga-core/test/runtime/nesting.test.ts",
    tests: ["while a savepoint goes back lets it end its own undo"],
    why: "the append of its cancellation ends the process beside an undo under way, which is then made again",
  },
  {
    mode: CRASH,
    file: "packages/saga-core/test/runtime/engine-start.test.ts",
    tests: ["is the same saga: nothing is done twice, and the answer is the same for ever"],
    why: UNDECIDED,
  },
  {
    mode: CRASH,
    file: "packages/saga-core/test/runtime/operator-crash.test.ts",
    tests: [
      "before retry of compensation",
      "before settle as applied of compensation",
      "before settle as not applied of compensation",
      "before abandon of compensation",
    ],
    why: UNDECIDED,
  },
  {
    mode: CRASH,
    file: "packages/saga-core/test/runtime/signals.test.ts",
    tests: [
      "that comes before anybody waits is kept for the first who does",
      "is frozen, and the same on replay as it was live",
      "yields to what the journal has first when both come in one instant",
      "in a member of all holds up no other member, and ends when one fails",
      "in a savepoint that fails afterwards is over",
    ],
    why: "it counts calls that are made again when a signal's append ends the process beside them, or bodies that are run again",
  },
  {
    mode: CRASH,
    file: "packages/sqlite-store/test/whole-engine-definitions.test.ts",
    tests: ["observers of all lives together are told every entry of the journal once, in order"],
    why: "an observer dies with its process, before it is told of the last entry",
  },
];

/** The files that run in a mode. */
export function filesIn(mode: Mode): readonly string[] {
  return Object.entries(ENGINE_TESTS).flatMap(([file, exceptions]) => (exceptions[mode] === undefined ? [file] : []));
}

/** Parts of the names of tests that a file runs without in a mode. */
export function leftOut(mode: Mode, file: string): readonly string[] {
  return LEFT_OUT.flatMap((left) => (left.mode === mode && left.file === file ? left.tests : []));
}

/** The entry that decides about a file: its own, or the one of the nearest folder. */
export function entryOf(file: string): string | undefined {
  return Object.keys(ENGINE_TESTS)
    .filter((entry) => entry === file || (entry.endsWith("/") && file.startsWith(entry)))
    .toSorted((one, other) => other.length - one.length)[0];
}
