// Goal: every way an attempt can end leads, through a running engine, where the rules of outcomes say, a pivot in doubt too (FS-50). Method:
// scripted participants; what was called, when, and how it ended.
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { decided, type FaultTag, fault, saga } from "../../src/index.ts";
import { VIRTUAL_START_MS } from "../virtual-timer.ts";
import { createStuckSaga, faulted, type Place } from "./stuck-saga.ts";
import { type Answer, type Behaviour, createBench, createParticipants, numberInput } from "./workbench.ts";

const refused: Answer = err({ _tag: "Refused" });
const decidedNo: Answer = err(decided({ _tag: "Refused" }));
const later = (tag: "Throttled" | "Running", retryAfterMs: number): Answer => err(fault(tag, "as told", { retryAfterMs }));

/** Answers in turn, the last one for ever. */
const script =
  (...answers: readonly Answer[]) =>
  (nth: number): Answer =>
    answers[Math.min(nth, answers.length) - 1] ?? refused;

/** Runs a compensatable step between two others, and says how the saga ended, how often the step was called and what its undo was told. */
async function attempts(answer: (nth: number) => Answer, behaviour: Behaviour = {}, place: Place = "action") {
  const stuck = createStuckSaga(place, { answer, behaviour });
  const result = await stuck.run();
  const ended = result.match(
    (output) => `completed with ${String(output)}`,
    (error) => {
      if (error._tag === "SagaFaulted") return `faulted: ${error.fault._tag}`;
      return error._tag === "SagaParked" ? `parked: ${error.operations.map(({ cause }) => cause._tag).join()}` : error._tag;
    },
  );
  const undo = stuck.participants.of("a", "compensation")[0]?.outcome;
  return {
    ended,
    calls: stuck.calls().length,
    undo: undo === undefined ? "none" : undo._tag === "Succeeded" ? `of ${undo.output}` : `in doubt, known: ${undo.known}`,
    wentBack: stuck.participants.told().includes("undo before 1"),
    slept: stuck.bench.timer.slept,
    elapsedMs: stuck.bench.timer.now() - VIRTUAL_START_MS,
    stuck,
  };
}

describe("an action that only ever ends", () => {
  const short = { attempts: 3, horizonMs: 10_000 };

  test.each<[what: string, answer: Answer, ended: string, calls: "one" | "budget" | "horizon", undo: string]>([
    ["with its output", ok(7), "completed with 7", "one", "none"],
    ["rejected", refused, "Refused", "one", "none"],
    ["rejected for its key", decidedNo, "Refused", "one", "none"],
    ["faulted", faulted("Faulted"), "faulted: Faulted", "one", "none"],
    ["not sent", faulted("NotSent"), "faulted: NotSent", "horizon", "none"],
    ["throttled", faulted("Throttled"), "faulted: Throttled", "horizon", "none"],
    ["being executed", faulted("Running"), "faulted: Running", "horizon", "in doubt, known: nothing"],
    ["sealed", faulted("Sealed"), "faulted: Sealed", "one", "none"],
    ["unknown", faulted("Unknown"), "faulted: Unknown", "budget", "in doubt, known: nothing"],
    ["unreadable", faulted("Unreadable"), "parked: OutputLost", "budget", "none"],
    ["with its key reused", faulted("KeyReused"), "parked: KeyReused", "one", "none"],
    ["with evidence lost", faulted("EvidenceLost"), "parked: EvidenceLost", "one", "none"],
  ])("%s", async (_what, answer, ended, calls, undo) => {
    const found = await attempts(() => answer, { retry: short });
    expect([found.ended, found.undo]).toEqual([ended, undo]);
    if (calls === "horizon") expect(found.calls).toBeGreaterThan(short.attempts);
    else expect(found.calls).toBe(calls === "one" ? 1 : short.attempts);
    expect(found.elapsedMs).toBeLessThanOrEqual(short.horizonMs);
    expect(found.wentBack).toBe(!ended.startsWith("completed") && !ended.startsWith("parked"));
    expect(new Set(found.stuck.calls().map(({ key }) => key)).size).toBe(1);
  });
});

describe("an action that is in doubt and then ends", () => {
  test.each<[what: string, answer: Answer, compensate: string, resolve: string, park: string]>([
    ["with its output", ok(7), "completed with 7", "completed with 7", "completed with 7"],
    ["rejected for its key", decidedNo, "Refused", "Refused", "Refused"],
    ["sealed", faulted("Sealed"), "faulted: Sealed", "faulted: Sealed", "faulted: Sealed"],
    ["rejected", refused, "Refused, undone in doubt", "asked", "parked: DoubtRemains"],
    ["faulted", faulted("Faulted"), "faulted: Faulted, undone in doubt", "asked", "parked: DoubtRemains"],
    ["unknown", faulted("Unknown"), "faulted: Unknown, undone in doubt", "asked", "parked: DoubtRemains"],
    ["not sent", faulted("NotSent"), "faulted: NotSent, undone in doubt", "asked", "parked: DoubtRemains"],
    ["throttled", faulted("Throttled"), "faulted: Throttled, undone in doubt", "asked", "parked: DoubtRemains"],
    ["being executed", faulted("Running"), "faulted: Running, undone in doubt", "asked", "parked: DoubtRemains"],
    ["unreadable", faulted("Unreadable"), "parked: OutputLost", "parked: OutputLost", "parked: OutputLost"],
    ["with its key reused", faulted("KeyReused"), "parked: KeyReused", "parked: KeyReused", "parked: KeyReused"],
    ["with evidence lost", faulted("EvidenceLost"), "parked: EvidenceLost", "parked: EvidenceLost", "parked: EvidenceLost"],
  ])("%s, under each policy", async (_what, answer, ...expected) => {
    for (const [index, inDoubt] of (["compensate", "resolve", "park"] as const).entries()) {
      const { ended, undo, stuck } = await attempts(script(faulted("Unknown"), answer), {
        inDoubt,
        retry: { attempts: 3, horizonMs: 5_000 },
        resolve: () => ok({ _tag: "Applied", output: 9 }),
      });
      const asked = stuck.participants.of("a", "resolve").length > 0;
      if (asked) expect(ended).toBe("completed with 9");
      expect(asked ? "asked" : undo === "in doubt, known: nothing" ? `${ended}, undone in doubt` : ended).toBe(expected[index]);
    }
  });
});

describe("FS-50: a deciding query, for a step in doubt whose policy is to ask,", () => {
  const asking = (found: (nth: number) => object | "fails", place: Place = "action") =>
    attempts(
      () => faulted("Unknown"),
      {
        inDoubt: "resolve",
        retry: { attempts: 2, horizonMs: 20_000 },
        resolve: (_input, nth) => {
          const answer = found(nth);
          return answer === "fails" ? faulted("Unknown") : ok(answer);
        },
      },
      place,
    );

  test.each<Place>(["action", "pivot"])("that finds %s applied: the saga goes forward with the answer it found", async (place) => {
    const { ended, calls, stuck } = await asking(() => ({ _tag: "Applied", output: 9 }), place);
    expect([ended, calls]).toEqual(["completed with 9", 2]);
    expect(stuck.participants.told().slice(-2)).toEqual(["resolve a 2", "after 3"]);
  });

  test.each<Place>(["action", "pivot"])(
    "that finds %s rejected: the saga goes back for that rejection, and does not undo it",
    async (place) => {
      const { ended, undo, wentBack } = await asking(() => ({ _tag: "NotApplied", error: { _tag: "Refused", why: "on record" } }), place);
      expect([ended, undo, wentBack]).toEqual(["Refused", "none", true]);
    },
  );

  test.each<Place>(["action", "pivot"])(
    "that plants a seal for %s: the saga goes back for the fault that brought the doubt",
    async (place) => {
      const { ended, undo, wentBack } = await asking(() => ({ _tag: "SealedForGood" }), place);
      expect([ended, undo, wentBack]).toEqual(["faulted: Unknown", "none", true]);
    },
  );

  test.each<Place>(["action", "pivot"])(
    "that never decides about %s is made until the horizon; then an operator is asked, and nothing is guessed",
    async (place) => {
      const { ended, undo, wentBack, elapsedMs, stuck } = await asking(
        (nth) => (nth % 2 === 0 ? { _tag: "StillUnknown" } : "fails"),
        place,
      );
      expect([ended, undo, wentBack]).toEqual(["parked: DoubtRemains", "none", false]);
      expect(stuck.participants.of("a", "resolve").length).toBeGreaterThan(3);
      expect(elapsedMs).toBeGreaterThan(10_000);
      expect(elapsedMs).toBeLessThanOrEqual(20_000);
    },
  );

  test("that decides only after a while is believed then", async () => {
    const { ended, stuck } = await asking((nth) => (nth < 5 ? { _tag: "StillUnknown" } : { _tag: "Applied", output: 9 }));
    expect(ended).toBe("completed with 9");
    expect(stuck.participants.of("a", "resolve").map(({ call }) => call.attempt)).toEqual([1, 2, 3, 4, 5]);
    expect(new Set(stuck.participants.of("a", "resolve").map(({ call }) => call.key))).toEqual(new Set(["s/run/a/action"]));
  });
});

describe("waits", () => {
  test.each<Place>(["action", "pivot", "retriable", "readOnly", "compensation"])(
    "of %s last at least as long as the participant asks",
    async (place) => {
      const { slept, elapsedMs } = await attempts(
        script(later("Throttled", 1_500), later("Running", 2_500), later("Throttled", 1), ok(7)),
        {},
        place,
      );
      expect(slept).toEqual([1_500, 2_500, 200]);
      expect(elapsedMs).toBe(4_200);
    },
  );

  test("that the participant asks for beyond the horizon are not begun: the operation is spent", async () => {
    const { ended, calls, elapsedMs } = await attempts(() => later("Throttled", 60_000));
    expect([ended, calls, elapsedMs]).toEqual(["faulted: Throttled", 1, 0]);
  });
});

describe("budgets", () => {
  test("count what is unknown and what is unreadable, and nothing else", async () => {
    const uncounted = [faulted("NotSent"), faulted("Throttled"), faulted("Running")];
    const all = [...uncounted, faulted("Unknown"), ...uncounted, faulted("Unknown"), ...uncounted, faulted("Unknown")];
    const { calls, ended } = await attempts(script(...all), { retry: { attempts: 3, horizonMs: 3_600_000 } });
    expect([calls, ended]).toEqual([all.length, "faulted: Unknown"]);
    const mixed = [faulted("Unreadable"), ...uncounted, faulted("Unknown"), faulted("Unreadable")];
    const lost = await attempts(script(...mixed), { retry: { attempts: 3, horizonMs: 3_600_000 } });
    expect([lost.calls, lost.ended]).toEqual([mixed.length, "parked: OutputLost"]);
  });

  test("of an answer that could not be read are spent on fetching the recorded one", async () => {
    const { ended, calls, undo } = await attempts(script(faulted("Unreadable"), faulted("Unreadable"), ok(7)));
    expect([ended, calls, undo]).toEqual(["completed with 7", 3, "none"]);
  });

  test("of what was never sent do not apply: only the horizon ends it", async () => {
    const { ended, calls, elapsedMs } = await attempts(() => faulted("NotSent"), {
      retry: { attempts: 1, horizonMs: 60_000, delayMsMax: 1_000 },
    });
    expect(ended).toBe("faulted: NotSent");
    expect(calls).toBeGreaterThan(60);
    expect(elapsedMs).toBeGreaterThan(58_000);
    expect(elapsedMs).toBeLessThan(60_000);
  });

  test.each<Place>(["retriable", "readOnly", "compensation"])(
    "of %s last a day by default, however often it fails without an answer",
    async (place) => {
      const { ended, calls } = await attempts(script(...Array.from({ length: 300 }, () => faulted("Unknown")), ok(7)), {}, place);
      expect([ended, calls]).toEqual([place === "compensation" ? "Refused" : "completed with 7", 301]);
    },
  );
});

describe("a read-only step in run holds no doubt", () => {
  const read = async (...answers: readonly Answer[]) => {
    const bench = createBench();
    const participants = createParticipants();
    const before = participants.compensatable("before");
    const a = participants.readOnly("a", { run: (_input, nth) => script(...answers)(nth), retry: { attempts: 2 } });
    const reading = saga({
      name: "reading",
      input: numberInput,
      *run() {
        yield* before(1);
        return yield* a(2);
      },
    });
    const result = await bench.open([reading]).engine.run(reading, 0, { id: "s" });
    return { result, told: participants.told() };
  };

  test.each<FaultTag>(["Faulted", "Sealed", "Unknown", "Unreadable", "KeyReused", "EvidenceLost", "Running", "NotSent", "Throttled"])(
    "so that %s is a fault for which the saga goes back, and never a reason to park",
    async (tag) => {
      const { result, told } = await read(faulted(tag));
      expect(result._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaFaulted", path: "run/a", fault: { _tag: tag } });
      expect(told.at(-1)).toBe("undo before 1");
    },
  );

  test("so that its last answer decides: a rejection after a lost answer is a rejection", async () => {
    for (const lost of ["Unknown", "Unreadable", "Running"] as const) {
      expect((await read(faulted(lost), refused)).result).toEqual(err({ _tag: "Refused" }));
      expect((await read(faulted(lost), ok(7))).result).toEqual(ok(7));
    }
  });
});

describe("each adoption", () => {
  const once = { attempts: 1, horizonMs: 1_000, timeoutMs: 3_600_000 };
  const behaviour: Behaviour = { inDoubt: "park", retry: once, compensationRetry: once };

  test.each<Place>(["action", "pivot", "retriable", "readOnly", "compensation"])(
    "gives %s an attempt of its own, though budget and horizon are long spent",
    async (place) => {
      const stuck = createStuckSaga(place, { answer: () => new Promise(() => undefined) as never, behaviour });
      const { bench, one, engine, kill, calls, mend, participants } = stuck;
      bench.timer.pause();
      await engine.start(one, 1, { id: "s" });
      await bench.timer.idle();
      kill();
      for (let owner = 2; owner <= 4; owner++) {
        await bench.timer.advance(86_400_000);
        const next = bench.open([one]);
        await next.engine.recovered;
        await bench.timer.idle();
        expect(calls().map(({ attempt }) => attempt)).toEqual(Array.from({ length: owner }, () => 1));
        next.kill();
      }
      mend();
      bench.timer.resume();
      const result = await bench.open([one]).engine.result(one, "s");
      expect(result).toEqual(place === "compensation" ? err({ _tag: "Refused" }) : ok(20));
      expect(new Set(calls().map(({ key, issuedAt }) => `${key} ${issuedAt}`)).size).toBe(1);
      expect(participants.of("before").length).toBe(1);
    },
  );

  test.each<[answer: string, given: Answer, cause: string]>([
    ["a rejection that decides nothing", refused, "DoubtRemains"],
    ["a fault", faulted("Faulted"), "DoubtRemains"],
    ["nothing sent", faulted("NotSent"), "DoubtRemains"],
  ])("counts as one attempt in doubt: %s does not clear it", async (_answer, given, cause) => {
    const stuck = createStuckSaga("action", { answer: () => new Promise(() => undefined) as never, behaviour });
    stuck.bench.timer.pause();
    await stuck.engine.start(stuck.one, 1, { id: "s" });
    await stuck.bench.timer.idle();
    stuck.kill();
    stuck.answer(() => given);
    stuck.bench.timer.resume();
    const result = await stuck.bench.open([stuck.one]).engine.result(stuck.one, "s");
    expect(result._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaParked", operations: [{ cause: { _tag: cause } }] });
  });
});
