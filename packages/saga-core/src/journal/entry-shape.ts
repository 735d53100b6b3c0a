/**
 * What an entry must look like before anything folds it: for each tag the fields without which it means nothing, checked as deep as the folds look. Values that
 * only the saga's author can judge (inputs, outputs, details) are any JSON. `entry-codec.ts` asks; the words are those of `entry.ts`.
 */
import type { FaultTag } from "../errors/fault.ts";
import type { Entry } from "./entry.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What a field must be, for the reader of a refusal, and the test of it. */
interface Shape {
  readonly name: string;
  readonly fits: (value: unknown) => boolean;
}

type ShapesOf<Tag extends Entry["_tag"]> = Readonly<Partial<Record<Exclude<keyof Extract<Entry, { _tag: Tag }>, "_tag" | "at">, Shape>>>;

const text: Shape = { name: "a text", fits: (value) => typeof value === "string" };
const count: Shape = { name: "a number", fits: (value) => typeof value === "number" };
const truth: Shape = { name: "true or false", fits: (value) => typeof value === "boolean" };
const slot = oneOf("action", "compensation");
const known = oneOf("succeeded", "inDoubt");

const FAULT_TAGS: Readonly<Record<FaultTag, true>> = {
  Faulted: true,
  NotSent: true,
  Throttled: true,
  Running: true,
  Sealed: true,
  Unknown: true,
  Unreadable: true,
  KeyReused: true,
  EvidenceLost: true,
};
const fault = members("a fault", { _tag: oneOf(...Object.keys(FAULT_TAGS)), message: text });
const rejection = members("an error with a _tag", { _tag: text });
const operationCauses = { RejectedCause: { error: rejection }, FaultedCause: { path: text, fault } };
const operationCause = tagged("a cause", operationCauses);
const cause = tagged("a cause", {
  ...operationCauses,
  CancelledCause: { reason: text },
  DeadlineCause: { deadlineAt: count },
});
const outcome = tagged("an outcome", {
  Succeeded: {},
  NoEffect: { cause: operationCause },
  InDoubt: { known: oneOf("succeeded", "nothing"), cause: operationCause },
});
const verdict = tagged("a verdict", { SettledApplied: {}, SettledNotApplied: { next: oneOf("goOn", "undo", "reissue") } });
const parkCause = members("a cause to park", {
  _tag: oneOf("DoubtRemains", "OutputLost", "KeyReused", "EvidenceLost", "CannotGoOn"),
  fault,
});
const knowledge = members("what is known", { doubt: truth, applied: truth });
const standing = members("a standing effect", { path: text, step: text, known });
const standings: Shape = { name: "a list of standing effects", fits: (value) => Array.isArray(value) && value.every(standing.fits) };
const operator = { by: text, reason: text };

const undone = members("a saga that is taken back", {
  sagaId: text,
  reason: text,
  entries: { name: "its entries", fits: (value) => Array.isArray(value) && value.every((entry) => flawOf(entry) === undefined) },
});

const SHAPES: { readonly [Tag in Entry["_tag"]]: ShapesOf<Tag> } = {
  SagaStarted: { seed: text, deadlineAt: optional(count), undoes: optional(undone) },
  OperationSettled: { path: text, slot, outcome, attempts: count },
  TimerFired: { path: text },
  SignalReceived: { signal: text, key: text },
  LockGranted: { path: text },
  LockRefused: { path: text, lockedBy: text },
  CancelRequested: { by: optional(text), reason: text },
  OperationParked: { path: text, slot, cause: parkCause, knowledge, attempts: count },
  OperatorRetried: { path: text, slot, ...operator },
  OperatorSettled: { path: text, slot, verdict, evidence: text, ...operator },
  OperatorAbandoned: { stands: standings, ...operator },
  OperationIntended: { path: text, step: text, kind: oneOf("compensatable", "readOnly", "pivot", "retriable") },
  CompensationIntended: { path: text },
  WaitBegan: { path: text, signal: optional(text), dueAt: optional(count) },
  SignalTaken: { path: text, key: text },
  LockWanted: { path: text, name: text, until: count },
  WaitLeft: { path: text },
  ChangeTaken: { id: text },
  WentBack: { path: text, cause },
  RunReturned: {},
  EventEmitted: { path: text, type: text },
  SagaCompleted: {},
  SagaCompensated: { cause },
};

/** What is wrong with a parsed entry, or `undefined`. */
export function flawOf(entry: unknown): string | undefined {
  if (!isObject(entry)) return "an entry is no object";
  const tag = entry["_tag"];
  if (typeof tag !== "string" || !Object.hasOwn(SHAPES, tag)) return `an entry has the unknown tag ${JSON.stringify(tag)}`;
  if (typeof entry["at"] !== "number") return `${tag} has no time`;
  for (const [field, shape] of Object.entries<Shape>(SHAPES[tag as Entry["_tag"]])) {
    if (!shape.fits(entry[field])) return `${tag}: ${field} must be ${shape.name}`;
  }
  return undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function optional({ name, fits }: Shape): Shape {
  return { name: `${name}, or absent`, fits: (value) => value === undefined || fits(value) };
}

function oneOf(...words: readonly string[]): Shape {
  return { name: `one of ${words.join(", ")}`, fits: (value) => typeof value === "string" && words.includes(value) };
}

function members(name: string, shapes: Readonly<Record<string, Shape>>): Shape {
  return { name, fits: (value) => isObject(value) && Object.entries(shapes).every(([field, shape]) => shape.fits(value[field])) };
}

function tagged(name: string, variants: Readonly<Record<string, Readonly<Record<string, Shape>>>>): Shape {
  const checks = new Map(Object.entries(variants).map(([tag, shapes]) => [tag, members(name, shapes)]));
  return { name, fits: (value) => isObject(value) && checks.get(String(value["_tag"]))?.fits(value) === true };
}
