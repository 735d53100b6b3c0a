/**
 * A saga's state as a fold of its entries: what an operator, a status page and a waiting caller need, without the definition and without running a
 * body. The engine's own state, which can go on, is `engine/machine.ts`; both fold the same facts.
 */
import { match } from "ts-pattern";
import type { Cause, FaultedCause } from "../definition/outcome.ts";
import type { StepKind } from "../definition/step-definition.ts";
import type { ParkCause } from "../errors/parked.ts";
import type { StandingEffect } from "../errors/saga-error.ts";
import type { Json } from "../primitives/json.ts";
import type {
  Entry,
  Knowledge,
  OperationIntended,
  OperationParked,
  OperationSettled,
  OperatorRetried,
  OperatorSettled,
  SagaStarted,
  SettledOutcome,
} from "./entry.ts";
import type { SagaStatus } from "./journal-store.ts";

export interface SlotView {
  readonly state: "open" | "parked" | "settled";
  /** Present once settled. */
  readonly outcome?: SettledOutcome | undefined;
  /** Present while parked. */
  readonly parked?: { readonly cause: ParkCause; readonly knowledge: Knowledge } | undefined;
  /** Made under the last owner. */
  readonly attempts: number;
  readonly intendedAt: number;
  readonly settledAt?: number | undefined;
}

export interface OperationView {
  readonly path: string;
  readonly step: string;
  readonly kind: StepKind;
  readonly resolvable: boolean;
  readonly input: Json | undefined;
  readonly action: SlotView;
  readonly compensation?: SlotView | undefined;
}

/** A sleep, a wait for a signal, or a wait for a lock. */
export interface WaitView {
  readonly path: string;
  readonly signal?: string | undefined;
  /** The name of a lock. */
  readonly lock?: string | undefined;
  /** Epoch milliseconds. */
  readonly dueAt?: number | undefined;
  readonly since: number;
  readonly state: "waiting" | "due" | "signalled" | "granted" | "refused" | "left";
}

export type Ending =
  | { readonly _tag: "Completed"; readonly output: Json | undefined }
  | { readonly _tag: "Compensated"; readonly cause: Cause }
  | { readonly _tag: "Abandoned"; readonly by: string; readonly reason: string; readonly stands: readonly StandingEffect[] };

export interface SagaView {
  readonly input: Json | undefined;
  readonly startedAt: number;
  readonly updatedAt: number;
  /** Why the whole saga goes, or went, back: the first error. */
  readonly cause?: Cause | undefined;
  /** By path, in order of intent. */
  readonly operations: ReadonlyMap<string, OperationView>;
  /** By path, in order of their begin. */
  readonly waits: ReadonlyMap<string, WaitView>;
  /** The saga that this one takes back; its operations stand among this one's. */
  readonly undoes?: string | undefined;
  readonly deadlineAt?: number | undefined;
  /** When the deadline was noticed to have passed: before the point of no return it took the saga back, after it it changed nothing. */
  readonly deadlinePassedAt?: number | undefined;
  /** When a cancellation was taken. */
  readonly cancelledAt?: number | undefined;
  readonly ending?: Ending | undefined;
}

interface MutableView {
  input: Json | undefined;
  startedAt: number;
  updatedAt: number;
  cause?: Cause | undefined;
  readonly operations: Map<string, OperationView>;
  readonly waits: Map<string, WaitView>;
  undoes?: string | undefined;
  deadlineAt?: number | undefined;
  deadlinePassedAt?: number | undefined;
  cancelledAt?: number | undefined;
  ending?: Ending | undefined;
}

export function viewOf(entries: Iterable<Entry>): SagaView {
  const view: MutableView = { input: undefined, startedAt: 0, updatedAt: 0, operations: new Map(), waits: new Map() };
  for (const entry of entries) fold(view, entry);
  return view;
}

/** A plain switch: it runs for every entry whenever a saga is looked at, and a pattern costs several times what the case does. */
function fold(view: MutableView, entry: Entry): void {
  view.updatedAt = entry.at;
  switch (entry._tag) {
    case "SagaStarted":
      begin(view, entry);
      return;
    case "OperationIntended":
      view.operations.set(entry.path, intended(entry));
      return;
    case "CompensationIntended": {
      const operation = view.operations.get(entry.path);
      if (operation !== undefined) view.operations.set(entry.path, { ...operation, compensation: openSlot(entry.at) });
      return;
    }
    case "OperationSettled":
    case "OperationParked":
    case "OperatorRetried":
    case "OperatorSettled": {
      const operation = view.operations.get(entry.path);
      const slot = entry.slot === "action" ? operation?.action : operation?.compensation;
      if (operation !== undefined && slot !== undefined) {
        view.operations.set(entry.path, { ...operation, [entry.slot]: moveSlot(slot, entry) });
      }
      return;
    }
    case "WaitBegan":
      view.waits.set(entry.path, { path: entry.path, signal: entry.signal, dueAt: entry.dueAt, since: entry.at, state: "waiting" });
      return;
    case "LockWanted":
      view.waits.set(entry.path, { path: entry.path, lock: entry.name, dueAt: entry.until, since: entry.at, state: "waiting" });
      return;
    case "TimerFired":
      if (entry.path === "deadline") view.deadlinePassedAt = entry.at;
      else endWait(view, entry.path, "due");
      return;
    case "SignalTaken":
      endWait(view, entry.path, "signalled");
      return;
    case "LockGranted":
      endWait(view, entry.path, "granted");
      return;
    case "LockRefused":
      endWait(view, entry.path, "refused");
      return;
    case "WaitLeft":
      endWait(view, entry.path, "left");
      return;
    case "CancelRequested":
      view.cancelledAt = entry.at;
      return;
    case "WentBack":
      if (entry.path === "run") view.cause = entry.cause;
      return;
    case "SagaCompleted":
      view.ending = { _tag: "Completed", output: entry.output };
      return;
    case "SagaCompensated":
      view.ending = { _tag: "Compensated", cause: entry.cause };
      return;
    case "OperatorAbandoned":
      view.ending = { _tag: "Abandoned", by: entry.by, reason: entry.reason, stands: entry.stands };
      return;
    case "RunReturned":
    case "EventEmitted":
    case "SignalReceived":
    case "ChangeTaken":
      return;
    default:
      entry satisfies never;
  }
}

function begin(view: MutableView, { input, at, deadlineAt, undoes }: SagaStarted): void {
  view.undoes = undoes?.sagaId;
  for (const [path, operation] of viewOf(undoes?.entries ?? []).operations) view.operations.set(path, operation);
  view.input = input;
  view.startedAt = at;
  view.deadlineAt = deadlineAt;
}

function endWait(view: MutableView, path: string, state: WaitView["state"]): void {
  const wait = view.waits.get(path);
  if (wait !== undefined) view.waits.set(path, { ...wait, state });
}

function intended({ path, step, kind, resolvable = false, input, at }: OperationIntended): OperationView {
  return { path, step, kind, resolvable, input, action: openSlot(at) };
}

function openSlot(at: number): SlotView {
  return { state: "open", attempts: 0, intendedAt: at };
}

function moveSlot(slot: SlotView, fact: OperationSettled | OperationParked | OperatorRetried | OperatorSettled): SlotView {
  const { intendedAt } = slot;
  return match(fact)
    .with(
      { _tag: "OperationSettled" },
      ({ outcome, attempts, at }): SlotView => ({ state: "settled", outcome, attempts, intendedAt, settledAt: at }),
    )
    .with(
      { _tag: "OperationParked" },
      ({ cause, knowledge, attempts }): SlotView => ({ state: "parked", parked: { cause, knowledge }, attempts, intendedAt }),
    )
    .with({ _tag: "OperatorRetried" }, (): SlotView => ({ state: "open", attempts: 0, intendedAt }))
    .with({ _tag: "OperatorSettled" }, (settled): SlotView => settledByOperator(slot, settled))
    .exhaustive();
}

function settledByOperator(slot: SlotView, { verdict, path, at }: OperatorSettled): SlotView {
  const { attempts, intendedAt } = slot;
  if (verdict._tag === "SettledApplied") {
    return { state: "settled", outcome: { _tag: "Succeeded", output: verdict.output }, attempts, intendedAt, settledAt: at };
  }
  if (verdict.next === "reissue") return { state: "open", attempts: 0, intendedAt };
  const cause: FaultedCause = { _tag: "FaultedCause", path, fault: { _tag: "Sealed", message: "settled by an operator as not applied" } };
  return {
    state: "settled",
    outcome:
      verdict.next === "undo"
        ? { _tag: "InDoubt", known: slot.parked?.knowledge.applied === true ? "succeeded" : "nothing", cause }
        : { _tag: "NoEffect", cause },
    attempts,
    intendedAt,
    settledAt: at,
  };
}

/** Effects that are, or may be, there: what an abandoned saga leaves standing. In order of intent. */
export function standingEffects(view: SagaView): readonly StandingEffect[] {
  const standing: StandingEffect[] = [];
  for (const { path, step, kind, action, compensation } of view.operations.values()) {
    if (kind === "readOnly" || compensation?.state === "settled") continue;
    const known = standingOf(action);
    if (known !== undefined) standing.push({ path, step, known });
  }
  return standing;
}

function standingOf(action: SlotView): StandingEffect["known"] | undefined {
  if (action.state === "open") return "inDoubt";
  if (action.parked !== undefined) {
    if (action.parked.knowledge.applied) return "succeeded";
    return action.parked.knowledge.doubt ? "inDoubt" : undefined;
  }
  return match(action.outcome)
    .with({ _tag: "Succeeded" }, () => "succeeded" as const)
    .with({ _tag: "InDoubt" }, ({ known }) => (known === "succeeded" ? ("succeeded" as const) : ("inDoubt" as const)))
    .with({ _tag: "NoEffect" }, undefined, () => undefined)
    .exhaustive();
}

/** A saga is parked when something waits for an operator and nothing is under way; it is waiting when only time, a signal or a lock can move it. */
export function statusOf(view: SagaView): SagaStatus {
  if (view.ending !== undefined) {
    return match(view.ending)
      .with({ _tag: "Completed" }, () => "completed" as const)
      .with({ _tag: "Compensated" }, () => "compensated" as const)
      .with({ _tag: "Abandoned" }, () => "abandoned" as const)
      .exhaustive();
  }
  const slots = [...view.operations.values()].flatMap(({ action, compensation }) =>
    compensation === undefined ? [action] : [action, compensation],
  );
  const waits = [...view.waits.values()].filter(({ state }) => state === "waiting");
  if (slots.some(({ state }) => state === "open")) return "running";
  if (slots.some(({ state }) => state === "parked")) return "parked";
  return waits.length > 0 ? "waiting" : "running";
}
