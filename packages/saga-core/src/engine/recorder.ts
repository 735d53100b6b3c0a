/**
 * Where decisions go: live, into the record of the fact that they follow from; on replay, against what was recorded (I6). Live and replay are one code path, and this is
 * the one place that tells them apart.
 */
import { match, P } from "ts-pattern";
import type { Decision, Entry, Fact } from "../journal/entry.ts";
import { canonicalJson } from "../primitives/json.ts";
import { ReplayDiverged } from "./replay-diverged.ts";

const FACTS: Readonly<Record<Fact["_tag"], true>> = {
  SagaStarted: true,
  OperationSettled: true,
  OperationParked: true,
  TimerFired: true,
  SignalReceived: true,
  LockGranted: true,
  LockRefused: true,
  CancelRequested: true,
  OperatorRetried: true,
  OperatorSettled: true,
  OperatorAbandoned: true,
};

export class Recorder {
  #entries: Entry[] = [];
  /** Entries still to be met, while replaying. */
  #recorded: readonly Entry[] = [];
  #cursor = 0;

  /** What the definition decided and the journal does not have yet, facts among it. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** A fact from outside, which begins a record. */
  begin(fact: Fact): void {
    this.#entries = [fact];
  }

  /** Hands out the facts of a journal, one after the other; the decisions between them must have been met by then. */
  *replay(entries: readonly Entry[]): Generator<Fact, void, undefined> {
    this.#entries = [];
    this.#recorded = entries;
    this.#cursor = 0;
    while (this.#cursor < entries.length) {
      const entry = entries[this.#cursor] as Entry;
      if (!isFact(entry)) throw this.diverged("nothing more");
      this.#cursor += 1;
      yield entry;
    }
    this.#recorded = [];
  }

  /** The decision as the journal has it, or has it from now on. */
  decide<Decided extends Decision>(decision: Decided): Decided {
    const recorded = this.#recorded[this.#cursor];
    if (recorded === undefined) {
      this.#entries.push(decision);
      return decision;
    }
    if (fingerprint(decision) !== fingerprint(recorded)) throw this.diverged(fingerprint(decision));
    this.#cursor += 1;
    return recorded as Decided;
  }

  /** Whether a body takes the new way of a change: live it does, on replay it does what it did. */
  takesChange(id: string, at: number): boolean {
    const recorded = this.#recorded[this.#cursor];
    const taken = recorded === undefined || (recorded._tag === "ChangeTaken" && recorded.id === id);
    if (taken) this.decide({ _tag: "ChangeTaken", id, at });
    return taken;
  }

  /** The journal has something else than `decided` here: at the fact that was handed out last, or behind it. */
  diverged(decided: string, { atFact = false }: { readonly atFact?: boolean } = {}): ReplayDiverged {
    const entry = atFact ? this.#cursor - 1 : this.#cursor;
    const recorded = this.#recorded[entry] ?? this.#entries[0];
    return new ReplayDiverged({ entry: Math.max(entry, 0), recorded: recorded === undefined ? "nothing" : fingerprint(recorded), decided });
  }
}

function isFact(entry: Entry): entry is Fact {
  return Object.hasOwn(FACTS, entry._tag);
}

/** What must be equal on replay: kind, place and data. Not the time, and not the wording of a fault. */
function fingerprint(entry: Entry): string {
  return match(entry)
    .with({ _tag: "OperationIntended" }, ({ _tag, path, step, input }) => `${_tag} ${path} (${step}) with ${canonicalJson(input)}`)
    .with({ _tag: "EventEmitted" }, ({ _tag, path, type, data }) => `${_tag} ${path} (${type}) with ${canonicalJson(data)}`)
    .with({ _tag: "SagaCompleted" }, ({ _tag, output }) => `${_tag} with ${canonicalJson(output)}`)
    .with(
      { _tag: "WaitBegan" },
      ({ _tag, path, signal, dueAt }) =>
        `${_tag} ${path}${signal === undefined ? "" : ` for ${signal}`}${dueAt === undefined ? "" : ", up to a time"}`,
    )
    .with({ _tag: "SignalTaken" }, ({ _tag, path, key }) => `${_tag} ${path} with ${key}`)
    .with({ _tag: "LockWanted" }, ({ _tag, path, name }) => `${_tag} ${path} for ${name}`)
    .with({ _tag: "ChangeTaken" }, ({ _tag, id }) => `${_tag} ${id}`)
    .with(
      { _tag: P.union("OperationSettled", "OperationParked", "OperatorRetried", "OperatorSettled") },
      ({ _tag, path, slot }) => `${_tag} of the ${slot} ${path}`,
    )
    .with(
      { _tag: P.union("CompensationIntended", "WentBack", "WaitLeft", "TimerFired", "LockGranted", "LockRefused") },
      ({ _tag, path }) => `${_tag} ${path}`,
    )
    .otherwise(({ _tag }) => _tag);
}
