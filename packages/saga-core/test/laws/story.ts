/** A history read by operation: what the journal says of each, who called, what took effect. The common ground of the laws. */
import type { StepKind } from "../../src/definition/step-definition.ts";
import type { Entry, SettledOutcome } from "../../src/journal/entry.ts";
import { idempotencyKey, type Slot } from "../../src/primitives/idempotency-key.ts";
import type { Called, Committed, History, Told } from "./history.ts";

/** One step call as the journal and the participants know it. Numbers are places in `happenings`. */
export interface OperationStory {
  readonly path: string;
  readonly kind: StepKind;
  readonly place: string;
  readonly intendedAt: number;
  settledAt: number | undefined;
  outcome: SettledOutcome | undefined;
  undoIntendedAt: number | undefined;
  undoSettledAt: number | undefined;
  parked: Slot | undefined;
  readonly calls: Called[];
  readonly undoCalls: Called[];
  appliedAt: readonly number[];
  takenBackAt: readonly number[];
}

export interface Story {
  readonly operations: readonly OperationStory[];
  readonly records: readonly Committed[];
  /** Paths of the scopes that went back. */
  readonly wentBack: readonly string[];
  readonly told: ReadonlyMap<number, { readonly at: number; readonly told: Told }>;
}

/** How often an operator may have an operation issued anew, at most. */
const GENERATIONS = 10;

export function keysOf(sagaId: string, path: string, slot: Slot): readonly string[] {
  return Array.from({ length: GENERATIONS }, (_, generation) => idempotencyKey({ sagaId, path, slot, generation }));
}

export function storyOf({ sagaId, happenings }: History): Story {
  const operations = new Map<string, OperationStory>();
  const byKey = new Map<string, { readonly operation: OperationStory; readonly slot: Slot }>();
  const told = new Map<number, { readonly at: number; readonly told: Told }>();
  const wentBack: string[] = [];
  for (const [at, happening] of happenings.entries()) {
    if (happening._tag === "Committed") {
      for (const entry of happening.entries) {
        if (entry._tag === "WentBack") wentBack.push(entry.path);
        readEntry(operations, entry, at);
        if (entry._tag === "OperationIntended" || entry._tag === "CompensationIntended") enterKeys(sagaId, operations, entry.path, byKey);
      }
    }
    if (happening._tag === "Answered") told.set(happening.call, { at, told: happening.told });
    if (happening._tag === "Called") {
      const found = byKey.get(happening.key);
      if (found?.slot === "action") found.operation.calls.push(happening);
      else found?.operation.undoCalls.push(happening);
    }
    if (happening._tag === "Applied") {
      const found = byKey.get(happening.key);
      if (found !== undefined) found.operation.appliedAt = [...found.operation.appliedAt, at];
    }
    if (happening._tag === "TakenBack") {
      const found = byKey.get(happening.key);
      if (found !== undefined) found.operation.takenBackAt = [...found.operation.takenBackAt, at];
    }
  }
  const records = happenings.filter((happening): happening is Committed => happening._tag === "Committed");
  return { operations: [...operations.values()], records, wentBack, told };
}

function enterKeys(
  sagaId: string,
  operations: ReadonlyMap<string, OperationStory>,
  path: string,
  byKey: Map<string, { readonly operation: OperationStory; readonly slot: Slot }>,
): void {
  const operation = operations.get(path);
  if (operation === undefined) return;
  for (const slot of ["action", "compensation"] as const) for (const key of keysOf(sagaId, path, slot)) byKey.set(key, { operation, slot });
}

function readEntry(operations: Map<string, OperationStory>, entry: Entry, at: number): void {
  if (entry._tag === "OperationIntended") {
    const { path, kind, input } = entry;
    operations.set(path, {
      path,
      kind,
      place: (input as { readonly place: string }).place,
      intendedAt: at,
      settledAt: undefined,
      outcome: undefined,
      undoIntendedAt: undefined,
      undoSettledAt: undefined,
      parked: undefined,
      calls: [],
      undoCalls: [],
      appliedAt: [],
      takenBackAt: [],
    });
    return;
  }
  if (!("path" in entry)) return;
  const operation = operations.get(entry.path);
  if (operation === undefined) return;
  if (entry._tag === "CompensationIntended") operation.undoIntendedAt = at;
  if (entry._tag === "OperationParked") operation.parked = entry.slot;
  if (entry._tag === "OperatorRetried") operation.parked = undefined;
  if (entry._tag === "OperationSettled") settle(operation, entry.slot, entry.outcome, at);
  if (entry._tag === "OperatorSettled") {
    operation.parked = undefined;
    const { verdict } = entry;
    const cause = { _tag: "FaultedCause", path: entry.path, fault: { _tag: "Sealed", message: "" } } as const;
    if (verdict._tag === "SettledApplied") settle(operation, entry.slot, { _tag: "Succeeded", output: verdict.output }, at);
    else if (verdict.next === "goOn") settle(operation, entry.slot, { _tag: "NoEffect", cause }, at);
    else if (verdict.next === "undo") settle(operation, entry.slot, { _tag: "InDoubt", known: "nothing", cause }, at);
  }
}

function settle(operation: OperationStory, slot: Slot, outcome: SettledOutcome, at: number): void {
  operation.parked = undefined;
  if (slot === "compensation") operation.undoSettledAt = at;
  else {
    operation.settledAt = at;
    operation.outcome = outcome;
  }
}

/** Whether the scope of an operation went back. */
export function goesBack({ wentBack }: Story, { path }: OperationStory): boolean {
  return wentBack.some((scope) => path.startsWith(`${scope}/`));
}

export function standing({ appliedAt, takenBackAt }: OperationStory): number {
  return appliedAt.length - takenBackAt.length;
}
