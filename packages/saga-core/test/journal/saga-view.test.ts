// Goal: a saga's state can be told from its entries alone, by those who have no definition. Method: short journals, entry by entry.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Cause } from "../../src/definition/outcome.ts";
import type { StepKind } from "../../src/definition/step-definition.ts";
import type { Entry, Knowledge, OperatorSettled, SettledOutcome } from "../../src/journal/entry.ts";
import { type SagaView, standingEffects, statusOf, viewOf } from "../../src/journal/saga-view.ts";
import type { Slot } from "../../src/primitives/idempotency-key.ts";
import { entry } from "./entries.ts";

const cause: Cause = { _tag: "RejectedCause", error: { _tag: "Refused" } };
const lost: Cause = { _tag: "FaultedCause", path: "run/a", step: "a", fault: { _tag: "Unknown", message: "reset" } };
const operator = { by: "ada", reason: "called them" };

const started: Entry = { _tag: "SagaStarted", at: 10, seed: "s", input: { order: 1 } };
const intended = (path: string, kind: StepKind = "compensatable"): Entry => ({
  _tag: "OperationIntended",
  at: 11,
  path,
  step: path.slice(path.lastIndexOf("/") + 1),
  kind,
  input: path,
});
const settled = (path: string, outcome: SettledOutcome, slot: Slot = "action"): Entry => ({
  _tag: "OperationSettled",
  at: 12,
  path,
  slot,
  outcome,
  attempts: 2,
});
const done = (path: string, slot: Slot = "action"): Entry => settled(path, { _tag: "Succeeded", output: 1 }, slot);
const parked = (path: string, knowledge: Knowledge, slot: Slot = "action"): Entry => ({
  _tag: "OperationParked",
  at: 13,
  path,
  slot,
  cause: { _tag: "DoubtRemains", fault: { _tag: "Unknown", message: "reset" } },
  knowledge,
  attempts: 5,
});
const undoing = (path: string): Entry => ({ _tag: "CompensationIntended", at: 14, path });
const verdict = (path: string, given: OperatorSettled["verdict"], slot: Slot = "action"): Entry => ({
  _tag: "OperatorSettled",
  at: 15,
  path,
  slot,
  ...operator,
  evidence: "statement 7",
  verdict: given,
});
const back: Entry = { _tag: "WentBack", at: 14, path: "run", cause };

const doubt: Knowledge = { doubt: true, applied: false };
const operation = (view: SagaView, path: string) => view.operations.get(path);

describe("the fold", () => {
  test("a saga that was started has its input and its times, and runs", () => {
    const view = viewOf([started]);
    expect(view).toMatchObject({ input: { order: 1 }, startedAt: 10, updatedAt: 10 });
    expect([view.operations.size, view.waits.size, view.ending, view.cause]).toEqual([0, 0, undefined, undefined]);
    expect([view.deadlineAt, view.deadlinePassedAt, view.cancelledAt]).toEqual([undefined, undefined, undefined]);
    expect(statusOf(view)).toBe("running");
  });

  test("operations stand in order of intent, each with the input of its intent", () => {
    const view = viewOf([started, intended("run/a"), intended("run/b"), done("run/b"), done("run/a"), intended("run/a~2")]);
    expect([...view.operations.values()].map(({ path, input, action }) => [path, input, action.state])).toEqual([
      ["run/a", "run/a", "settled"],
      ["run/b", "run/b", "settled"],
      ["run/a~2", "run/a~2", "open"],
    ]);
    expect(view.updatedAt).toBe(11);
  });

  test("an action goes from open to settled and keeps when, how often and what", () => {
    expect(operation(viewOf([started, intended("run/a")]), "run/a")?.action).toEqual({ state: "open", attempts: 0, intendedAt: 11 });
    expect(operation(viewOf([started, intended("run/a"), done("run/a")]), "run/a")?.action).toEqual({
      state: "settled",
      outcome: { _tag: "Succeeded", output: 1 },
      attempts: 2,
      intendedAt: 11,
      settledAt: 12,
    });
  });

  test("a parked slot says why and what is known, and an operator's retry opens it again", () => {
    const journal = [started, intended("run/a"), parked("run/a", doubt)];
    expect(operation(viewOf(journal), "run/a")?.action).toEqual({
      state: "parked",
      parked: { cause: { _tag: "DoubtRemains", fault: { _tag: "Unknown", message: "reset" } }, knowledge: doubt },
      attempts: 5,
      intendedAt: 11,
    });
    const again: Entry = { _tag: "OperatorRetried", at: 16, path: "run/a", slot: "action", ...operator };
    expect(operation(viewOf([...journal, again]), "run/a")?.action).toEqual({ state: "open", attempts: 0, intendedAt: 11 });
  });

  test.each<[OperatorSettled["verdict"], object]>([
    [
      { _tag: "SettledApplied", output: 7 },
      { state: "settled", outcome: { _tag: "Succeeded", output: 7 } },
    ],
    [
      { _tag: "SettledNotApplied", next: "goOn" },
      { state: "settled", outcome: { _tag: "NoEffect" } },
    ],
    [
      { _tag: "SettledNotApplied", next: "undo" },
      { state: "settled", outcome: { _tag: "InDoubt", known: "nothing" } },
    ],
    [
      { _tag: "SettledNotApplied", next: "reissue" },
      { state: "open", attempts: 0 },
    ],
  ])("an operator's %j leads where it says", (given, expected) => {
    const view = viewOf([started, intended("run/a"), parked("run/a", doubt), verdict("run/a", given)]);
    expect(operation(view, "run/a")?.action).toMatchObject(expected);
  });

  test("a compensation has a slot of its own from its intent on", () => {
    const journal = [started, intended("run/a"), done("run/a"), back, undoing("run/a")];
    expect(operation(viewOf(journal), "run/a")).toMatchObject({
      action: { state: "settled" },
      compensation: { state: "open", intendedAt: 14 },
    });
    expect(operation(viewOf([...journal, done("run/a", "compensation")]), "run/a")?.compensation?.state).toBe("settled");
  });

  test("the cause is that of the whole saga's going back, not of a savepoint's", () => {
    const savepoint: Entry = { _tag: "WentBack", at: 14, path: "run/savepoint", cause: lost };
    expect(viewOf([started, savepoint]).cause).toBe(undefined);
    expect(viewOf([started, savepoint, back]).cause).toBe(cause);
  });

  test("entries about operations that were never intended change nothing", () => {
    const strays = [done("run/x"), undoing("run/x"), parked("run/x", doubt), done("run/a", "compensation")];
    expect(viewOf([started, intended("run/a"), ...strays]).operations).toEqual(viewOf([started, intended("run/a")]).operations);
  });
});

describe("time, signals and cancellation in the fold", () => {
  const sleeping: Entry = { _tag: "WaitBegan", at: 20, path: "run/sleep", dueAt: 90 };
  const hoping: Entry = { _tag: "WaitBegan", at: 21, path: "run/approved", signal: "approved", dueAt: 80 };
  const fired = (path: string): Entry => ({ _tag: "TimerFired", at: 95, path });
  const taken: Entry = { _tag: "SignalTaken", at: 30, path: "run/approved", key: "k" };
  const left = (path: string): Entry => ({ _tag: "WaitLeft", at: 31, path });
  const received: Entry = { _tag: "SignalReceived", at: 30, signal: "approved", key: "k", payload: 1 };

  test("waits stand in order of their begin, with what they wait for and since when", () => {
    const view = viewOf([started, sleeping, hoping]);
    expect([...view.waits.values()]).toEqual([
      { path: "run/sleep", signal: undefined, dueAt: 90, since: 20, state: "waiting" },
      { path: "run/approved", signal: "approved", dueAt: 80, since: 21, state: "waiting" },
    ]);
    expect(view.updatedAt).toBe(21);
  });

  test.each<[end: Entry, state: string]>([
    [fired("run/approved"), "due"],
    [taken, "signalled"],
    [left("run/approved"), "left"],
  ])("a wait ends with %j, and no other does", (end, state) => {
    const view = viewOf([started, sleeping, hoping, end]);
    expect([view.waits.get("run/approved")?.state, view.waits.get("run/sleep")?.state]).toEqual([state, "waiting"]);
    expect(statusOf(view)).toBe("waiting");
  });

  test("a signal that nobody has taken ends no wait", () => {
    expect(viewOf([started, sleeping, hoping, received]).waits).toEqual(viewOf([started, sleeping, hoping]).waits);
  });

  test("ends of waits that never began change nothing", () => {
    expect(viewOf([started, fired("run/nap"), left("run/nap"), taken]).waits.size).toBe(0);
  });

  test("a deadline is known from the start on, and that it passed from when it was noticed; it ends no wait", () => {
    const bound: Entry = { _tag: "SagaStarted", at: 10, seed: "s", deadlineAt: 70 };
    expect(viewOf([bound, sleeping]).deadlineAt).toBe(70);
    expect(viewOf([bound, sleeping]).deadlinePassedAt).toBe(undefined);
    const view = viewOf([bound, sleeping, fired("deadline")]);
    expect(view).toMatchObject({ deadlineAt: 70, deadlinePassedAt: 95 });
    expect(view.waits.get("run/sleep")?.state).toBe("waiting");
  });

  test("a cancellation has its time, and becomes the cause once the saga goes back", () => {
    const cancelled: Entry = { _tag: "CancelRequested", at: 25, by: "ada", reason: "changed my mind" };
    const why: Cause = { _tag: "CancelledCause", by: "ada", reason: "changed my mind" };
    expect(viewOf([started, sleeping, cancelled]).cancelledAt).toBe(25);
    expect(viewOf([started, sleeping, cancelled]).cause).toBe(undefined);
    expect(viewOf([started, sleeping, cancelled, { _tag: "WentBack", at: 25, path: "run", cause: why }]).cause).toBe(why);
  });

  test.each<[name: string, entries: readonly Entry[], status: string]>([
    ["waits while nothing else of it can move", [sleeping], "waiting"],
    ["runs while a call is under way beside a wait", [sleeping, intended("run/a")], "running"],
    ["waits again once that call has settled", [sleeping, intended("run/a"), done("run/a")], "waiting"],
    ["is parked when an operator is needed, though it waits too", [sleeping, intended("run/a"), parked("run/a", doubt)], "parked"],
    ["runs when its only wait is over", [sleeping, fired("run/sleep")], "running"],
    ["runs while it goes back", [sleeping, intended("run/a"), done("run/a"), left("run/sleep"), back, undoing("run/a")], "running"],
    ["has ended, whatever it waited for", [sleeping, { _tag: "SagaCompensated", at: 40, cause }], "compensated"],
  ])("a saga %s", (_name, entries, status) => {
    expect(statusOf(viewOf([started, ...entries]))).toBe(status);
  });
});

describe("status and ending", () => {
  test.each<[Entry, string, object]>([
    [{ _tag: "SagaCompleted", at: 20, output: 5 }, "completed", { _tag: "Completed", output: 5 }],
    [{ _tag: "SagaCompensated", at: 20, cause }, "compensated", { _tag: "Compensated", cause }],
    [{ _tag: "OperatorAbandoned", at: 20, ...operator, stands: [] }, "abandoned", { _tag: "Abandoned", ...operator, stands: [] }],
  ])("%j ends it", (end, status, ending) => {
    const view = viewOf([started, intended("run/a"), parked("run/a", doubt), end]);
    expect([statusOf(view), view.ending]).toEqual([status, ending]);
  });

  test("a saga is parked only when nothing else of it can move", () => {
    const journal = [started, intended("run/a"), intended("run/b"), parked("run/a", doubt)];
    expect(statusOf(viewOf(journal))).toBe("running");
    expect(statusOf(viewOf([...journal, done("run/b")]))).toBe("parked");
    expect(statusOf(viewOf([...journal, done("run/b"), back, undoing("run/b")]))).toBe("running");
    expect(statusOf(viewOf([...journal, done("run/b"), back, undoing("run/b"), parked("run/b", doubt, "compensation")]))).toBe("parked");
  });
});

describe("standing effects", () => {
  const standing = (...entries: readonly Entry[]) =>
    standingEffects(viewOf([started, ...entries])).map(({ path, known }) => `${path} ${known}`);

  test.each<[name: string, entries: readonly Entry[], stands: readonly string[]]>([
    ["a success stands", [intended("run/a"), done("run/a")], ["run/a succeeded"]],
    ["a retriable's success stands", [intended("complete/a", "retriable"), done("complete/a")], ["complete/a succeeded"]],
    ["a pivot's success stands", [intended("pivot/p", "pivot"), done("pivot/p")], ["pivot/p succeeded"]],
    ["a read stands never", [intended("run/a", "readOnly"), done("run/a")], []],
    ["what may be under way may stand", [intended("run/a")], ["run/a inDoubt"]],
    ["no effect is no effect", [intended("run/a"), settled("run/a", { _tag: "NoEffect", cause })], []],
    ["doubt may stand", [intended("run/a"), settled("run/a", { _tag: "InDoubt", known: "nothing", cause: lost })], ["run/a inDoubt"]],
    [
      "an applied effect stands, though its output is lost",
      [intended("run/a"), settled("run/a", { _tag: "InDoubt", known: "succeeded", cause: lost })],
      ["run/a succeeded"],
    ],
    ["what is parked in doubt may stand", [intended("run/a"), parked("run/a", doubt)], ["run/a inDoubt"]],
    ["what is parked as applied stands", [intended("run/a"), parked("run/a", { doubt: false, applied: true })], ["run/a succeeded"]],
    ["what is parked without an effect does not", [intended("run/a"), parked("run/a", { doubt: false, applied: false })], []],
    ["what was taken back does not", [intended("run/a"), done("run/a"), back, undoing("run/a"), done("run/a", "compensation")], []],
    ["what is being taken back still does", [intended("run/a"), done("run/a"), back, undoing("run/a")], ["run/a succeeded"]],
    [
      "I10: what could not be taken back still does",
      [intended("run/a"), done("run/a"), back, undoing("run/a"), parked("run/a", doubt, "compensation")],
      ["run/a succeeded"],
    ],
    [
      "an undo that an operator found applied counts",
      [
        intended("run/a"),
        done("run/a"),
        back,
        undoing("run/a"),
        parked("run/a", doubt, "compensation"),
        verdict("run/a", { _tag: "SettledApplied" }, "compensation"),
      ],
      [],
    ],
    [
      "they are told in order of intent",
      [intended("run/b"), intended("run/a"), done("run/a"), done("run/b")],
      ["run/b succeeded", "run/a succeeded"],
    ],
  ])("%s", (_name, entries, stands) => {
    expect(standing(...entries)).toEqual(stands);
  });
});

test("any entries, in any order, fold to a view with a status, and to the same one again", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), (entries) => {
      const view = viewOf(entries);
      expect(viewOf(entries)).toEqual(view);
      expect(standingEffects(view).length).toBeLessThanOrEqual(view.operations.size);
      expect(["running", "parked", "waiting", "completed", "compensated", "abandoned"]).toContain(statusOf(view));
    }),
  );
});
