/** A history read by operation: what the journal says of each, who called, what took effect. The common ground of the laws, read once per history. */
import type { StepKind } from "@backstep/saga-core";
import { idempotencyKey, type Slot } from "@backstep/saga-core/adapter";
import type { Entry, OperationIntended, SettledOutcome } from "@backstep/saga-core/engine";
import type { Called, CancelAnswered, Committed, Delivered, History, SignalAnswered, Told } from "./history.ts";

/** Something, and where it stands in `happenings`. */
export interface Placed<Item> {
  readonly at: number;
  readonly item: Item;
}

/** One step call as the journal and the participants know it. Numbers are places in `happenings`. */
export interface OperationStory {
  readonly path: string;
  readonly step: string;
  readonly kind: StepKind;
  readonly place: string;
  readonly intendedAt: number;
  readonly settledAt: number | undefined;
  readonly outcome: SettledOutcome | undefined;
  readonly undoIntendedAt: number | undefined;
  readonly undoSettledAt: number | undefined;
  readonly parked: Slot | undefined;
  readonly retriedAt: readonly number[];
  /** Whether an operator had its action, or its undo, issued anew under another key. */
  readonly reissued: boolean;
  readonly calls: readonly Placed<Called>[];
  readonly undoCalls: readonly Placed<Called>[];
  readonly appliedAt: readonly number[];
  readonly takenBackAt: readonly number[];
}

export interface Story {
  /** In order of intent. */
  readonly operations: readonly OperationStory[];
  readonly records: readonly Committed[];
  /** All entries of all records, in order. */
  readonly entries: readonly Placed<Entry>[];
  /** Paths of the scopes that went back. */
  readonly wentBack: ReadonlySet<string>;
  readonly calls: readonly Placed<Called>[];
  /** Calls of which no record had spoken when they came. */
  readonly unannounced: readonly Called[];
  readonly told: ReadonlyMap<number, { readonly at: number; readonly told: Told }>;
  readonly deliveries: readonly Placed<Delivered>[];
  /** What each key names. */
  readonly keys: ReadonlyMap<string, { readonly operation: OperationStory; readonly slot: Slot }>;
  readonly adoptions: readonly { readonly at: number; readonly life: number }[];
  /** Where a record was heard of first, by the place of its commit. */
  readonly heardAt: ReadonlyMap<number, number>;
  readonly signalAnswers: readonly Placed<SignalAnswered>[];
  readonly cancelAnswers: readonly Placed<CancelAnswered>[];
}

const stories = new WeakMap<History, Story>();

/** Reads a history, once, however many laws ask for it. */
export function storyOf(history: History): Story {
  const known = stories.get(history);
  if (known !== undefined) return known;
  const story = new Reader(history).read();
  stories.set(history, story);
  return story;
}

type Growing<Item> = { -readonly [Key in keyof Item]: Item[Key] extends readonly (infer Member)[] ? Member[] : Item[Key] };
type GrowingOperation = Growing<OperationStory>;

interface KeyStory {
  readonly operation: GrowingOperation;
  readonly slot: Slot;
  announced: boolean;
}

class Reader {
  readonly #history: History;
  readonly #operations = new Map<string, GrowingOperation>();
  readonly #keys = new Map<string, KeyStory>();
  readonly #generations = new Map<string, number>();
  readonly #entries: Placed<Entry>[] = [];
  readonly #wentBack = new Set<string>();

  constructor(history: History) {
    this.#history = history;
  }

  read(): Story {
    const { happenings } = this.#history;
    const records: Committed[] = [];
    const committedAt: number[] = [];
    const calls: Placed<Called>[] = [];
    const unannounced: Called[] = [];
    const told = new Map<number, { readonly at: number; readonly told: Told }>();
    const deliveries: Placed<Delivered>[] = [];
    const adoptions: { readonly at: number; readonly life: number }[] = [];
    const heardAt = new Map<number, number>();
    const signalAnswers: Placed<SignalAnswered>[] = [];
    const cancelAnswers: Placed<CancelAnswered>[] = [];
    const heard: Placed<number>[] = [];
    for (const [at, happening] of happenings.entries()) {
      switch (happening._tag) {
        case "Committed":
          records.push(happening);
          committedAt.push(at);
          for (const entry of happening.entries) this.#readEntry(entry, at);
          break;
        case "Called": {
          const call = { at, item: happening };
          calls.push(call);
          if (!this.#readCall(call)) unannounced.push(happening);
          break;
        }
        case "Answered":
          told.set(happening.call, { at, told: happening.told });
          break;
        case "Delivered":
          deliveries.push({ at, item: happening });
          break;
        case "Applied":
          this.#keys.get(happening.key)?.operation.appliedAt.push(at);
          break;
        case "TakenBack":
          this.#keys.get(happening.key)?.operation.takenBackAt.push(at);
          break;
        case "Acknowledged":
          heard.push({ at, item: happening.record });
          break;
        case "Adopted":
          adoptions.push({ at, life: happening.life });
          break;
        case "SignalAnswered":
          signalAnswers.push({ at, item: happening });
          break;
        case "CancelAnswered":
          cancelAnswers.push({ at, item: happening });
          break;
        case "Died":
          break;
      }
    }
    for (const { at, item } of heard) {
      const commit = committedAt[item];
      if (commit !== undefined && !heardAt.has(commit)) heardAt.set(commit, at);
    }
    return {
      operations: [...this.#operations.values()],
      records,
      entries: this.#entries,
      wentBack: this.#wentBack,
      calls,
      unannounced,
      told,
      deliveries,
      keys: this.#keys,
      adoptions,
      heardAt,
      signalAnswers,
      cancelAnswers,
    };
  }

  /** Whether it was announced. */
  #readCall(call: Placed<Called>): boolean {
    const found = this.#keys.get(call.item.key);
    if (found === undefined) return false;
    (found.slot === "action" ? found.operation.calls : found.operation.undoCalls).push(call);
    return found.announced;
  }

  #readEntry(entry: Entry, at: number): void {
    this.#entries.push({ at, item: entry });
    if (entry._tag === "OperationIntended") {
      this.#intend(entry, at);
      return;
    }
    if (entry._tag === "WentBack") this.#wentBack.add(entry.path);
    if (!("path" in entry)) return;
    const operation = this.#operations.get(entry.path);
    if (operation === undefined) return;
    if (entry._tag === "CompensationIntended") {
      operation.undoIntendedAt = at;
      this.#announce(operation, "compensation", 0);
    }
    if (entry._tag === "OperationParked") operation.parked = entry.slot;
    if (entry._tag === "OperatorRetried") {
      operation.parked = undefined;
      operation.retriedAt.push(at);
    }
    if (entry._tag === "OperationSettled") settle(operation, entry.slot, entry.outcome, at);
    if (entry._tag === "OperatorSettled") {
      operation.parked = undefined;
      const { verdict, slot } = entry;
      const cause = { _tag: "FaultedCause", path: entry.path, fault: { _tag: "Sealed", message: "" } } as const;
      if (verdict._tag === "SettledApplied") settle(operation, slot, { _tag: "Succeeded", output: verdict.output }, at);
      else if (verdict.next === "goOn") settle(operation, slot, { _tag: "NoEffect", cause }, at);
      else if (verdict.next === "undo") settle(operation, slot, { _tag: "InDoubt", known: "nothing", cause }, at);
      else this.#reissue(operation, slot);
    }
  }

  #intend(intent: OperationIntended, at: number): void {
    const { path, step, kind } = intent;
    const operation: GrowingOperation = {
      path,
      step,
      kind,
      place: this.#history.placeOf?.(intent) ?? path,
      intendedAt: at,
      settledAt: undefined,
      outcome: undefined,
      undoIntendedAt: undefined,
      undoSettledAt: undefined,
      parked: undefined,
      retriedAt: [],
      reissued: false,
      calls: [],
      undoCalls: [],
      appliedAt: [],
      takenBackAt: [],
    };
    this.#operations.set(path, operation);
    this.#announce(operation, "action", 0);
    // Known from here on, so that an undo which no record announces is still told for what it is.
    const undo = this.#keyOf(path, "compensation", 0);
    this.#keys.set(undo, { operation, slot: "compensation", announced: false });
  }

  /** An operator has it issued anew, under the next generation of its key. */
  #reissue(operation: GrowingOperation, slot: Slot): void {
    operation.reissued = true;
    const name = `${slot} ${operation.path}`;
    const generation = (this.#generations.get(name) ?? 0) + 1;
    this.#generations.set(name, generation);
    this.#announce(operation, slot, generation);
  }

  #announce(operation: GrowingOperation, slot: Slot, generation: number): void {
    this.#keys.set(this.#keyOf(operation.path, slot, generation), { operation, slot, announced: true });
  }

  #keyOf(path: string, slot: Slot, generation: number): string {
    return idempotencyKey({ sagaId: this.#history.sagaId, path, slot, generation });
  }
}

function settle(operation: GrowingOperation, slot: Slot, outcome: SettledOutcome, at: number): void {
  operation.parked = undefined;
  if (slot === "compensation") operation.undoSettledAt = at;
  else {
    operation.settledAt = at;
    operation.outcome = outcome;
  }
}

/** Whether the scope of an operation went back. */
export function goesBack({ wentBack }: Story, { path }: OperationStory): boolean {
  if (wentBack.size === 0) return false;
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
    if (wentBack.has(path.slice(0, end))) return true;
  }
  return false;
}

export function standing({ appliedAt, takenBackAt }: OperationStory): number {
  return appliedAt.length - takenBackAt.length;
}
