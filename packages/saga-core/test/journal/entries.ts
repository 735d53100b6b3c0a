/** Arbitrary entries of every kind, for laws about journals. Each is well-formed on its own; a list of them tells no story. */
import fc from "fast-check";
import type { Cause, OperationCause } from "../../src/definition/outcome.ts";
import type { FaultData } from "../../src/errors/fault.ts";
import type { Entry, SettledOutcome } from "../../src/journal/entry.ts";
import type { Json } from "../../src/primitives/json.ts";

type EntryOf<Tag extends Entry["_tag"]> = Extract<Entry, { readonly _tag: Tag }>;
type Arbitraries = { readonly [Tag in Entry["_tag"]]: fc.Arbitrary<EntryOf<Tag>> };

const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
const at = fc.nat();
const attempts = fc.nat({ max: 9 });
const path = fc.constantFrom("run/a", "run/b", "run/a~2", "run/all/0/a", "pivot/p", "complete/c");
const slot = fc.constantFrom("action", "compensation");
const operator = { by: fc.string({ minLength: 1 }), reason: fc.string({ minLength: 1 }) };
const knowledge = fc.record({ doubt: fc.boolean(), applied: fc.boolean() });

const faultData: fc.Arbitrary<FaultData> = fc.record(
  {
    _tag: fc.constantFrom("Faulted", "NotSent", "Throttled", "Running", "Sealed", "Unknown", "Unreadable", "KeyReused", "EvidenceLost"),
    message: fc.string(),
    details: json,
  },
  { requiredKeys: ["_tag", "message"] },
);

const operationCause: fc.Arbitrary<OperationCause> = fc.oneof(
  fc.record({ _tag: fc.constant("RejectedCause"), error: fc.record({ _tag: fc.constantFrom("OutOfStock", "Refused"), more: json }) }),
  fc.record(
    { _tag: fc.constant("FaultedCause"), path, step: fc.constant("a"), fault: faultData },
    { requiredKeys: ["_tag", "path", "fault"] },
  ),
);

const cause: fc.Arbitrary<Cause> = fc.oneof(
  operationCause,
  fc.record({ _tag: fc.constant("CancelledCause"), by: fc.string(), reason: fc.string() }, { requiredKeys: ["_tag", "reason"] }),
  fc.record({ _tag: fc.constant("DeadlineCause"), deadlineAt: at }),
);

export const settledOutcome: fc.Arbitrary<SettledOutcome> = fc.oneof(
  fc.record({ _tag: fc.constant("Succeeded"), output: json }),
  fc.constant({ _tag: "Succeeded" } as { readonly _tag: "Succeeded"; readonly output: undefined }),
  fc.record({ _tag: fc.constant("NoEffect"), cause: operationCause }),
  fc.record({ _tag: fc.constant("InDoubt"), known: fc.constantFrom("succeeded", "nothing"), cause: operationCause }),
);

const verdict: fc.Arbitrary<EntryOf<"OperatorSettled">["verdict"]> = fc.oneof(
  fc.record({ _tag: fc.constant("SettledApplied"), output: json }, { requiredKeys: ["_tag"] }),
  fc.record({ _tag: fc.constant("SettledNotApplied"), next: fc.constantFrom("goOn", "undo", "reissue") }),
);

const parkCause: fc.Arbitrary<EntryOf<"OperationParked">["cause"]> = fc.record({
  _tag: fc.constantFrom("DoubtRemains", "OutputLost", "KeyReused", "EvidenceLost", "CannotGoOn"),
  fault: faultData,
});

const stands = fc.array(fc.record({ path, step: fc.constant("a"), known: fc.constantFrom("succeeded", "inDoubt") }), { maxLength: 3 });

export const entryArbitraries: Arbitraries = {
  SagaStarted: fc.record(
    { _tag: fc.constant("SagaStarted"), at, seed: fc.string(), input: json, deadlineAt: at },
    { requiredKeys: ["_tag", "at", "seed"] },
  ),
  OperationSettled: fc.record({ _tag: fc.constant("OperationSettled"), at, path, slot, outcome: settledOutcome, attempts }),
  OperationParked: fc.record({ _tag: fc.constant("OperationParked"), at, path, slot, cause: parkCause, knowledge, attempts }),
  TimerFired: fc.record({ _tag: fc.constant("TimerFired"), at, path: fc.constantFrom("deadline", "run/sleep", "run/approved") }),
  SignalReceived: fc.record(
    { _tag: fc.constant("SignalReceived"), at, signal: fc.constant("approved"), key: fc.string(), payload: json },
    { requiredKeys: ["_tag", "at", "signal", "key"] },
  ),
  LockGranted: fc.record({ _tag: fc.constant("LockGranted"), at, path: fc.constant("run/lock") }),
  LockRefused: fc.record({ _tag: fc.constant("LockRefused"), at, path: fc.constant("run/lock"), lockedBy: fc.string() }),
  CancelRequested: fc.record(
    { _tag: fc.constant("CancelRequested"), at, by: fc.string(), reason: fc.string() },
    { requiredKeys: ["_tag", "at", "reason"] },
  ),
  OperatorRetried: fc.record({ _tag: fc.constant("OperatorRetried"), at, path, slot, ...operator }),
  OperatorSettled: fc.record({ _tag: fc.constant("OperatorSettled"), at, path, slot, ...operator, verdict, evidence: fc.string() }),
  OperatorAbandoned: fc.record({ _tag: fc.constant("OperatorAbandoned"), at, ...operator, stands }),
  OperationIntended: fc.record(
    {
      _tag: fc.constant("OperationIntended"),
      at,
      path,
      step: fc.constantFrom("a", "b"),
      kind: fc.constantFrom("compensatable", "readOnly", "pivot", "retriable"),
      input: json,
    },
    { requiredKeys: ["_tag", "at", "path", "step", "kind"] },
  ),
  CompensationIntended: fc.record({ _tag: fc.constant("CompensationIntended"), at, path }),
  WaitBegan: fc.record(
    { _tag: fc.constant("WaitBegan"), at, path: fc.constantFrom("run/sleep", "run/approved"), signal: fc.constant("approved"), dueAt: at },
    { requiredKeys: ["_tag", "at", "path"] },
  ),
  SignalTaken: fc.record({ _tag: fc.constant("SignalTaken"), at, path: fc.constant("run/approved"), key: fc.string() }),
  LockWanted: fc.record({ _tag: fc.constant("LockWanted"), at, path: fc.constant("run/lock"), name: fc.string(), until: at }),
  ChangeTaken: fc.record({ _tag: fc.constant("ChangeTaken"), at, id: fc.constant("new-price") }),
  WaitLeft: fc.record({ _tag: fc.constant("WaitLeft"), at, path: fc.constantFrom("run/sleep", "run/approved") }),
  WentBack: fc.record({ _tag: fc.constant("WentBack"), at, path: fc.constantFrom("run", "run/savepoint"), cause }),
  RunReturned: fc.record({ _tag: fc.constant("RunReturned"), at }),
  EventEmitted: fc.record(
    { _tag: fc.constant("EventEmitted"), at, path, type: fc.string(), subject: fc.string(), data: json },
    { requiredKeys: ["_tag", "at", "path", "type"] },
  ),
  SagaCompleted: fc.record({ _tag: fc.constant("SagaCompleted"), at, output: json }, { requiredKeys: ["_tag", "at"] }),
  SagaCompensated: fc.record({ _tag: fc.constant("SagaCompensated"), at, cause }),
};

export const entry: fc.Arbitrary<Entry> = fc.oneof(...Object.values(entryArbitraries as Readonly<Record<string, fc.Arbitrary<Entry>>>));

/** One of each kind, for tables. */
export const samples: { readonly [Tag in Entry["_tag"]]: EntryOf<Tag> } = {
  SagaStarted: { _tag: "SagaStarted", at: 1, seed: "s", input: { a: 1 } },
  OperationSettled: {
    _tag: "OperationSettled",
    at: 1,
    path: "run/a",
    slot: "action",
    outcome: { _tag: "Succeeded", output: 1 },
    attempts: 1,
  },
  OperationParked: {
    _tag: "OperationParked",
    at: 1,
    path: "run/a",
    slot: "action",
    cause: { _tag: "DoubtRemains", fault: { _tag: "Unknown", message: "reset" } },
    knowledge: { doubt: true, applied: false },
    attempts: 5,
  },
  TimerFired: { _tag: "TimerFired", at: 1, path: "run/sleep" },
  SignalReceived: { _tag: "SignalReceived", at: 1, signal: "approved", key: "k", payload: 1 },
  LockGranted: { _tag: "LockGranted", at: 1, path: "run/lock" },
  LockRefused: { _tag: "LockRefused", at: 1, path: "run/lock", lockedBy: "t" },
  CancelRequested: { _tag: "CancelRequested", at: 1, by: "ada", reason: "changed my mind" },
  WaitBegan: { _tag: "WaitBegan", at: 1, path: "run/approved", signal: "approved", dueAt: 2 },
  LockWanted: { _tag: "LockWanted", at: 1, path: "run/lock", name: "order:42", until: 2 },
  ChangeTaken: { _tag: "ChangeTaken", at: 1, id: "free-shipping" },
  SignalTaken: { _tag: "SignalTaken", at: 1, path: "run/approved", key: "k" },
  WaitLeft: { _tag: "WaitLeft", at: 1, path: "run/approved" },
  OperatorRetried: { _tag: "OperatorRetried", at: 1, path: "run/a", slot: "action", by: "ada", reason: "it is up again" },
  OperatorSettled: {
    _tag: "OperatorSettled",
    at: 1,
    path: "run/a",
    slot: "action",
    by: "ada",
    reason: "asked the bank",
    evidence: "statement 7",
    verdict: { _tag: "SettledNotApplied", next: "goOn" },
  },
  OperatorAbandoned: {
    _tag: "OperatorAbandoned",
    at: 1,
    by: "ada",
    reason: "sold",
    stands: [{ path: "run/a", step: "a", known: "inDoubt" }],
  },
  OperationIntended: { _tag: "OperationIntended", at: 1, path: "run/a", step: "a", kind: "compensatable", input: 1 },
  CompensationIntended: { _tag: "CompensationIntended", at: 1, path: "run/a" },
  WentBack: { _tag: "WentBack", at: 1, path: "run", cause: { _tag: "RejectedCause", error: { _tag: "Refused" } } },
  RunReturned: { _tag: "RunReturned", at: 1 },
  EventEmitted: { _tag: "EventEmitted", at: 1, path: "complete/emit", type: "paid", data: {} },
  SagaCompleted: { _tag: "SagaCompleted", at: 1, output: 1 },
  SagaCompensated: {
    _tag: "SagaCompensated",
    at: 1,
    cause: { _tag: "FaultedCause", path: "run", fault: { _tag: "Faulted", message: "x" } },
  },
};
