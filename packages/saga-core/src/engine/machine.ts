/**
 * The engine: one saga's state, facts in, decisions and commands out. Pure and synchronous: no promise, clock or random in it. All branching on what a saga
 * does next is here and in the files it calls; the runtime performs commands and appends entries, and decides nothing.
 *
 * Live and replay are one code path; `recorder.ts` tells them apart.
 */

import { match } from "ts-pattern";
import { type Cause, causeTag, type FaultedCause } from "../definition/outcome.ts";
import type { SagaDefinition } from "../definition/saga-definition.ts";
import type { StepDefinition } from "../definition/step-definition.ts";
import type { Quarantine } from "../errors/parked.ts";
import type {
  Decision,
  Entry,
  EventEmitted,
  Fact,
  OperationParked,
  OperatorSettled,
  SagaStarted,
  SettledOutcome,
  SignalReceived,
  UndoneSaga,
} from "../journal/entry.ts";
import type { LockPlaces, SagaStatus } from "../journal/journal-store.ts";
import type { Slot } from "../primitives/idempotency-key.ts";
import { freezeJson, type Json, toJson } from "../primitives/json.ts";
import { messageOf } from "../primitives/thrown.ts";
import type { Command } from "./command.ts";
import { type Compensate, undoAll } from "./compensation.ts";
import { type CallStep, type Machine, runBody, scopeFault } from "./interpreter.ts";
import { freshJoin, interruptedJoin, type Join, NOTHING_KNOWN, waitsToGoOn } from "./join-attempts.ts";
import { Locks, type WantedLock } from "./locks.ts";
import { type Operation, operationId, rulesOf, runCommand } from "./operation.ts";
import { Recorder } from "./recorder.ts";
import { createScope, type Group, haltCause, type Scope } from "./scope.ts";
import { type KeyUse, type Wait, Waits } from "./waits.ts";

/** What applying facts came to. Nothing of it has happened yet: `entries` are appended first, then the rest is done. */
export interface Step {
  readonly entries: readonly Entry[];
  readonly commands: readonly Command[];
  readonly status: SagaStatus;
  /** When time moves the saga next, epoch milliseconds; absent when only an answer, a signal or an operator can. */
  readonly wakeAt: number | undefined;
  /** What the saga holds and stands in line for; absent when that is nothing, and was nothing before. */
  readonly locks: LockPlaces | undefined;
  /** Whether others may come to hold a lock by it. */
  readonly letsGo: boolean;
}

/** Where a saga is on its way: until the pivot's intent it may go back. */
export type Phase = "run" | "pivot" | "complete" | "back";

/** The path of the fact that the saga's deadline passed. */
export const DEADLINE_PATH = "deadline";

export interface SagaMachine {
  /** Applies one fact. The machine is ahead of the journal until `entries` are durable, and must be dropped if they never are. */
  apply(fact: Fact): Step;
  /**
   * Feeds a whole journal to a fresh machine. The step's commands take up every open operation; its entries are what the definition decides beyond the
   * journal, usually none.
   *
   * @throws {ReplayDiverged} (`replay-diverged.ts`) when the definition decides otherwise than it did. The machine must be dropped.
   */
  replay(entries: readonly Entry[]): Step;
  /** Why the saga cannot be driven further by this definition. */
  quarantine(): Quarantine | undefined;
  operation(path: string, slot: Slot): Readonly<Operation> | undefined;
  /** How long the lock that is asked for at this path may be waited for, epoch milliseconds; `undefined` when it is wanted no longer. */
  lockWaitsUntil(path: string): number | undefined;
  /** The saga in whose name calls are made: the original, for one that takes back another. */
  callsAs(): string;
  phase(): Phase;
  ended(): boolean;
  /** Whether a cancellation or a deadline has been taken, and the saga goes back as soon as what is in flight has settled. */
  halted(): boolean;
  /** Paths whose time has come, the longest over first; each is to be told with a `TimerFired`. The end of waiting for a lock is none of them: whether it is one, the store decides. */
  due(now: number): readonly string[];
  /** When `due` has something next. */
  nextDueAt(): number | undefined;
  /** When time moves the saga next: something is due, or a lock may be waited for no longer. */
  wakeAt(): number | undefined;
  /** Whether it waits for what may come at any time, a signal or a lock. */
  awaitsOthers(): boolean;
  signalUse(signal: Pick<SignalReceived, "signal" | "key" | "payload">): KeyUse;
  /** Signals that nobody has taken yet. */
  signalsQueued(): number;
}

export function createMachine(definition: SagaDefinition, sagaId: string): SagaMachine {
  return new Engine(definition, sagaId);
}

type Ended = "completed" | "compensated" | "abandoned";

class Engine implements SagaMachine, Machine {
  readonly sagaId: string;
  readonly #definition: SagaDefinition;
  readonly #operations = new Map<string, Operation>();
  readonly #open = new Set<Operation>();
  readonly #parked = new Set<Operation>();
  #at = 0;
  #seed = "";
  readonly #recorder = new Recorder();
  #commands: Command[] = [];
  #ended: Ended | undefined;
  #quarantine: Quarantine | undefined;
  #phase: Phase = "run";
  /** `run` as a whole, for what stops it from outside. */
  readonly #root: Group = { path: "run", failed: undefined };
  readonly #waits = new Waits();
  readonly #locks = new Locks();
  #run: Scope | undefined;
  /** The saga that participants know the calls by. */
  #callsAs: string;
  /** Which way each change was taken. */
  readonly #changes = new Map<string, boolean>();
  /** Until it passes, or no longer matters. */
  #deadlineAt: number | undefined;

  constructor(definition: SagaDefinition, sagaId: string) {
    this.#definition = definition;
    this.sagaId = sagaId;
    this.#callsAs = sagaId;
  }

  apply(fact: Fact): Step {
    this.#recorder.begin(fact);
    this.#commands = [];
    this.#take(fact);
    return this.#step();
  }

  replay(entries: readonly Entry[]): Step {
    for (const fact of this.#recorder.replay(entries)) this.#take(fact);
    this.#commands = [...[...this.#open].map((operation) => this.#takeUp(operation)), ...this.#locks.orders()];
    return this.#step();
  }

  #step(): Step {
    const commands = this.#quarantine === undefined ? this.#commands : [];
    const news = this.#locks.tell({ ended: this.#ended !== undefined });
    return { entries: this.#recorder.entries, commands, status: this.#status(), wakeAt: this.wakeAt(), ...news };
  }

  lockWaitsUntil(path: string): number | undefined {
    return this.#locks.waitsUntil(path);
  }

  callsAs(): string {
    return this.#callsAs;
  }

  phase(): Phase {
    return this.#phase;
  }

  ended(): boolean {
    return this.#ended !== undefined;
  }

  halted(): boolean {
    return this.#root.failed !== undefined;
  }

  due(now: number): readonly string[] {
    if (this.#ended !== undefined || this.#quarantine !== undefined) return [];
    const waits = this.#waits.dueAt(now);
    return this.#deadlineAt !== undefined && this.#deadlineAt <= now ? [DEADLINE_PATH, ...waits] : waits;
  }

  nextDueAt(): number | undefined {
    if (this.#ended !== undefined || this.#quarantine !== undefined) return undefined;
    return earliest(this.#waits.nextDueAt(), this.#deadlineAt);
  }

  wakeAt(): number | undefined {
    if (this.#ended !== undefined || this.#quarantine !== undefined) return undefined;
    return earliest(this.nextDueAt(), this.#locks.nextUntil());
  }

  awaitsOthers(): boolean {
    return this.#locks.wanted > 0 || this.#waits.forSignals;
  }

  signalUse(signal: Pick<SignalReceived, "signal" | "key" | "payload">): KeyUse {
    return this.#waits.keyUse(signal);
  }

  signalsQueued(): number {
    return this.#waits.queued;
  }

  quarantine(): Quarantine | undefined {
    return this.#quarantine;
  }

  operation(path: string, slot: Slot): Readonly<Operation> | undefined {
    return this.#operations.get(operationId(path, slot));
  }

  now(): number {
    return this.#at;
  }

  seed(): string {
    return this.#seed;
  }

  #status(): SagaStatus {
    if (this.#ended !== undefined) return this.#ended;
    if (this.#quarantine !== undefined) return "parked";
    if (this.#open.size > 0) return "running";
    if (this.#parked.size > 0) return "parked";
    return this.#waits.size > 0 || this.#locks.wanted > 0 ? "waiting" : "running";
  }

  #take(fact: Fact): void {
    this.#at = fact.at;
    // A switch and no pattern: it runs for every fact of every saga, live and on replay.
    switch (fact._tag) {
      case "SagaStarted":
        return this.#start(fact);
      case "OperationSettled":
        return this.#settle(this.#expect(fact.path, fact.slot, "open"), fact.outcome);
      case "OperationParked":
        return this.#park(fact);
      case "TimerFired":
        return this.#fire(fact.path);
      case "SignalReceived":
        return this.#receive(fact);
      case "LockGranted":
        return this.#grantLock(fact.path);
      case "LockRefused":
        return this.#wantedLock(fact.path).ended({ _tag: "Refused", lockedBy: fact.lockedBy });
      case "CancelRequested":
        return this.#halt({ _tag: "CancelledCause", by: fact.by, reason: fact.reason });
      case "OperatorRetried":
        return this.#reopen(this.#expect(fact.path, fact.slot, "parked"));
      case "OperatorSettled":
        return this.#settleByOperator(fact);
      case "OperatorAbandoned":
        this.#ended = "abandoned";
        return;
      default:
        fact satisfies never;
    }
  }

  // Phases: run, then the pivot, then complete; or back.

  #start({ input, seed, deadlineAt, undoes }: SagaStarted): void {
    this.#seed = seed;
    if (undoes !== undefined) {
      this.#takeBack(undoes);
      return;
    }
    this.#deadlineAt = deadlineAt;
    const scope = createScope({ path: "run", parent: undefined, group: this.#root });
    this.#run = scope;
    runBody(
      this,
      scope,
      () => this.#definition.run(freezeJson(input)),
      (settled) => {
        // What stopped the saga from outside came first, whatever its body made of being left.
        if (settled._tag === "Failed") this.#goBack(scope, this.#root.failed ?? settled.cause);
        else this.#runReturned(scope, settled.value);
      },
    );
  }

  /** What the original did is found by replaying it. Calls are made in its name, under the keys that it would have used: participants know it by no other. */
  #takeBack({ sagaId, entries, by, reason }: UndoneSaga): void {
    const original = new Engine(this.#definition, sagaId);
    original.replay(entries);
    this.#callsAs = sagaId;
    const scope = original.#run ?? createScope({ path: "run", parent: undefined });
    this.#goBack(scope, { _tag: "CancelledCause", by, reason });
  }

  #runReturned(scope: Scope, value: unknown): void {
    const { pivot, complete } = this.#definition;
    if (pivot !== undefined) {
      this.#startPivot(scope, value);
      return;
    }
    if (complete === undefined) {
      this.#completeWithRun(scope, value);
      return;
    }
    this.#phase = "complete";
    this.#recorder.decide({ _tag: "RunReturned", at: this.#at });
    this.#release(scope);
    this.#complete(value, undefined);
  }

  #completeWithRun(scope: Scope, value: unknown): void {
    const output = this.#output(value);
    if (output._tag === "Failed") {
      this.#goBack(scope, output.cause);
      return;
    }
    this.#release(scope);
    this.#end("completed", { _tag: "SagaCompleted", output: output.value, at: this.#at });
  }

  #startPivot(runScope: Scope, value: unknown): void {
    const scope = createScope({ path: "pivot", parent: undefined });
    const called = this.#callPivot(value);
    if (called._tag === "Failed") {
      this.#goBack(runScope, called.cause);
      return;
    }
    const { step, input } = called;
    this.#phase = "pivot";
    this.startAction(scope, `pivot/${step.name}`, { _tag: "CallStep", step, input }, input, (outcome) => {
      if (outcome._tag !== "Succeeded") this.#goBack(runScope, outcome.cause);
      else {
        this.#release(runScope);
        this.#complete(value, outcome.output);
      }
    });
  }

  #callPivot(value: unknown) {
    try {
      const call = this.#definition.pivot?.(value)["~pivot"];
      if (call === undefined) return { _tag: "Failed", cause: scopeFault("pivot", "pivot must return the call of a pivot step") } as const;
      const input = this.#output(call.input);
      if (input._tag === "Failed") return input;
      // Without `complete`, what `run` returned is the saga's output: find out that it is no JSON while going back is still possible.
      const output = this.#definition.complete === undefined ? this.#output(value) : undefined;
      return output?._tag === "Failed" ? output : ({ _tag: "Called", step: call.step, input: input.value } as const);
    } catch (thrown) {
      return { _tag: "Failed", cause: scopeFault("pivot", `pivot threw: ${messageOf(thrown)}`) } as const;
    }
  }

  #complete(value: unknown, pivoted: unknown): void {
    this.#phase = "complete";
    const { complete } = this.#definition;
    if (complete === undefined) {
      const output = this.#output(value);
      this.#end("completed", { _tag: "SagaCompleted", output: output._tag === "Fits" ? output.value : undefined, at: this.#at });
      return;
    }
    const scope = createScope({ path: "complete", parent: undefined, forwardOnly: true });
    runBody(
      this,
      scope,
      () => complete.call(this.#definition, value, pivoted),
      (settled) => {
        const output = settled._tag === "Failed" ? settled : this.#output(settled.value);
        if (output._tag === "Failed") this.bodyFailed(output.cause);
        else this.#end("completed", { _tag: "SagaCompleted", output: output.value, at: this.#at });
      },
    );
  }

  /**
   * After the point of no return nothing goes back: the saga waits for a definition whose `complete` can be run. The journal ends here, so that such a one
   * finds no entry that does not follow from what it decides.
   */
  bodyFailed(cause: Cause): void {
    const message = cause._tag === "FaultedCause" ? cause.fault.message : `complete failed with ${causeTag(cause)}`;
    this.#quarantine = { _tag: "BodyFailed", message };
  }

  #goBack(scope: Scope, cause: Cause): void {
    this.#phase = "back";
    this.#deadlineAt = undefined;
    this.wentBack("run", cause);
    undoAll(scope.undo, cause, this.compensate, () => this.#end("compensated", { _tag: "SagaCompensated", cause, at: this.#at }));
  }

  #end(ended: Ended, decision: Decision): void {
    this.#recorder.decide(decision);
    this.#ended = ended;
  }

  #output(
    value: unknown,
  ): { readonly _tag: "Fits"; readonly value: Json | undefined } | { readonly _tag: "Failed"; readonly cause: Cause } {
    if (value === undefined) return { _tag: "Fits", value: undefined };
    return toJson(value).match(
      (json) => ({ _tag: "Fits", value: json }) as const,
      ({ path, found }) =>
        ({ _tag: "Failed", cause: scopeFault("run", `the saga's value is no JSON: ${path === "" ? "it" : path} is ${found}`) }) as const,
    );
  }

  // What comes from outside and answers no operation.

  /** Stops `run` as the failure of a group does: nothing new starts, waits end, what is in flight settles, and then everything is taken back. */
  #halt(cause: Cause): void {
    if (this.#phase !== "run") throw this.#recorder.diverged(`the saga in ${this.#phase}`, { atFact: true });
    this.#root.failed ??= cause;
    this.stopActions("run/");
  }

  #fire(path: string): void {
    if (path === DEADLINE_PATH) this.#passDeadline();
    else this.#endWait(path).ended({ _tag: "Due" });
  }

  /** After the point of no return it is told, and changes nothing. */
  #passDeadline(): void {
    const deadlineAt = this.#deadlineAt;
    if (deadlineAt === undefined) throw this.#recorder.diverged("no deadline", { atFact: true });
    this.#deadlineAt = undefined;
    if (this.#phase === "run") this.#halt({ _tag: "DeadlineCause", deadlineAt });
  }

  #grantLock(path: string): void {
    const lock = this.#wantedLock(path);
    this.#locks.hold(lock.name);
    lock.ended({ _tag: "Granted" });
  }

  #wantedLock(path: string): WantedLock {
    const lock = this.#locks.end(path);
    if (lock === undefined) throw this.#recorder.diverged("no lock wanted there", { atFact: true });
    return lock;
  }

  #receive(received: SignalReceived): void {
    this.#waits.receive(received);
    const waiter = this.#waits.waiterOf(received.signal);
    if (waiter !== undefined) this.#handSignal(waiter);
  }

  /** Hands a queued signal to a wait for it, if there is one. */
  #handSignal(wait: Wait): boolean {
    const signal = wait.signal === undefined ? undefined : this.#waits.take(wait.signal);
    if (signal === undefined) return false;
    this.#waits.end(wait.path);
    this.#recorder.decide({ _tag: "SignalTaken", path: wait.path, key: signal.key, at: this.#at });
    wait.ended({ _tag: "Signalled", payload: signal.payload });
    return true;
  }

  #endWait(path: string): Wait {
    const wait = this.#waits.end(path);
    if (wait === undefined) throw this.#recorder.diverged("no wait there", { atFact: true });
    return wait;
  }

  // What the interpreter asks for.

  changed(id: string): boolean {
    const known = this.#changes.get(id) ?? this.#recorder.takesChange(id, this.#at);
    this.#changes.set(id, known);
    return known;
  }

  wantLock(lock: WantedLock): void {
    if (this.#locks.holds(lock.name)) {
      lock.ended({ _tag: "Granted" });
      return;
    }
    const { path, name, until } = lock;
    const wanted = this.#recorder.decide({ _tag: "LockWanted", path, name, until, at: this.#at });
    this.#commands.push(this.#locks.want({ ...lock, until: wanted.until }));
  }

  beginWait(wait: Wait): void {
    const { path, signal, dueAt } = wait;
    const begun = this.#recorder.decide({ _tag: "WaitBegan", path, signal, dueAt, at: this.#at });
    // The store wakes it when the journal says: a definition that changed since changes no wait that has begun.
    if (!this.#handSignal(wait)) this.#waits.begin({ ...wait, dueAt: begun.dueAt });
  }

  startAction(
    scope: Scope,
    path: string,
    { step }: CallStep,
    input: Json | undefined,
    settled: (outcome: SettledOutcome) => void,
  ): Operation {
    const operation: Operation = {
      path,
      slot: "action",
      step,
      input,
      forwardOnly: scope.forwardOnly,
      halted: () => haltCause(scope) !== undefined,
      settled,
      issuedAt: this.#at,
      startedAt: this.#at,
      generation: 0,
      knowledge: NOTHING_KNOWN,
      state: "open",
    };
    this.#recorder.decide({
      _tag: "OperationIntended",
      path,
      step: step.name,
      kind: step.kind,
      ...resolvability(step),
      input,
      at: this.#at,
    });
    this.#begin(operation);
    return operation;
  }

  compensate: Compensate = (action, cause, done) => {
    const { path, step, input } = action;
    this.#recorder.decide({ _tag: "CompensationIntended", path, at: this.#at });
    this.#begin({
      path,
      slot: "compensation",
      step,
      input,
      forwardOnly: false,
      halted: () => false,
      settled: done,
      undo: { action, cause },
      issuedAt: this.#at,
      startedAt: this.#at,
      generation: 0,
      knowledge: NOTHING_KNOWN,
      state: "open",
    });
  };

  #begin(operation: Operation): void {
    this.#operations.set(operationId(operation.path, operation.slot), operation);
    this.#open.add(operation);
    this.#commands.push(runCommand(this.#callsAs, operation, freshJoin(NOTHING_KNOWN)));
  }

  stopActions(path: string): void {
    for (const operation of this.#parked) {
      if (operation.slot === "action" && operation.path.startsWith(path) && waitsToGoOn(operation.parkCause)) this.#unpark(operation);
    }
    for (const operation of this.#open) {
      if (operation.slot === "action" && operation.path.startsWith(path)) this.#stop(operation);
    }
    for (const wait of [...this.#waits.below(path), ...this.#locks.below(path)]) this.#leaveWait(wait.path);
  }

  #leaveWait(path: string): void {
    const wait = this.#waits.end(path) ?? this.#locks.end(path);
    // One that was left already, by what leaving another one led to.
    if (wait === undefined) return;
    this.#recorder.decide({ _tag: "WaitLeft", path, at: this.#at });
    wait.ended({ _tag: "Halted" });
  }

  /** One that was ordered by this very step was never sent: its order is taken back, and there is no doubt about it. */
  #stop(operation: Operation): void {
    const unsent = this.#commands.findIndex(
      (command) => command._tag === "RunOperation" && command.rules.slot === "action" && command.rules.path === operation.path,
    );
    if (unsent === -1) this.#commands.push(stopCommand(operation, interruptedJoin(operation.knowledge)));
    else this.#commands.splice(unsent, 1, stopCommand(operation, freshJoin(operation.knowledge)));
  }

  wentBack(path: string, cause: Cause): void {
    this.#recorder.decide({ _tag: "WentBack", path, cause, at: this.#at });
  }

  emitNow(path: string, { type, subject, data }: Pick<EventEmitted, "type" | "subject" | "data">): void {
    this.#recorder.decide({ _tag: "EventEmitted", path, type, subject, data, at: this.#at });
  }

  /** Events of `run` become publishable once the saga can no longer go back (I9). */
  #release(scope: Scope): void {
    for (const event of scope.events) this.#recorder.decide({ ...event, at: this.#at });
  }

  // What facts do to operations.

  #settle(operation: Operation, outcome: SettledOutcome): void {
    this.#parked.delete(operation);
    operation.state = "settled";
    operation.parkCause = undefined;
    operation.outcome = freezeOutcome(outcome);
    this.#open.delete(operation);
    operation.settled(operation.outcome);
  }

  #park({ path, slot, cause, knowledge }: OperationParked): void {
    const operation = this.#expect(path, slot, "open");
    operation.knowledge = knowledge;
    if (waitsToGoOn(cause) && operation.halted()) {
      // Its group failed while this outcome was on its way: it is undone with what is known, and nobody is asked.
      this.#commands.push(stopCommand(operation, freshJoin(knowledge)));
      return;
    }
    operation.state = "parked";
    operation.parkCause = cause;
    this.#open.delete(operation);
    this.#parked.add(operation);
  }

  #unpark(operation: Operation): void {
    operation.state = "open";
    operation.parkCause = undefined;
    this.#parked.delete(operation);
    this.#open.add(operation);
  }

  /** An operator's `retry` restarts both budgets and forgets nothing that is known. */
  #reopen(operation: Operation): void {
    this.#unpark(operation);
    operation.startedAt = this.#at;
    this.#commands.push(runCommand(this.#callsAs, operation, freshJoin(operation.knowledge)));
  }

  #settleByOperator({ path, slot, verdict }: OperatorSettled): void {
    const operation = this.#expect(path, slot, "parked");
    const cause: FaultedCause = {
      _tag: "FaultedCause",
      path,
      step: operation.step.name,
      fault: { _tag: "Sealed", message: "settled by an operator as not applied" },
    };
    match(verdict)
      .with({ _tag: "SettledApplied" }, ({ output }) => this.#settle(operation, { _tag: "Succeeded", output }))
      .with({ next: "goOn" }, () => this.#settle(operation, { _tag: "NoEffect", cause }))
      .with({ next: "undo" }, () => {
        // No seal stands, so an operator's word takes nothing back of what the participant itself has said.
        this.#settle(operation, { _tag: "InDoubt", known: operation.knowledge.applied ? "succeeded" : "nothing", cause });
      })
      .with({ next: "reissue" }, () => {
        operation.generation += 1;
        operation.issuedAt = this.#at;
        operation.knowledge = NOTHING_KNOWN;
        this.#reopen(operation);
      })
      .exhaustive();
  }

  /** After a replay: whoever drove this operation before may have sent it. */
  #takeUp(operation: Operation): Command {
    const join = interruptedJoin(operation.knowledge);
    return operation.halted() ? stopCommand(operation, join) : runCommand(this.#callsAs, operation, join);
  }

  #expect(path: string, slot: Slot, state: Operation["state"]): Operation {
    const operation = this.#operations.get(operationId(path, slot));
    if (operation?.state === state) return operation;
    throw this.#recorder.diverged(`the ${slot} ${path} ${operation?.state ?? "not reached"}`, { atFact: true });
  }
}

/** Left out where there is none, as in most records. */
function resolvability({ resolve }: StepDefinition): { readonly resolvable?: true } {
  return resolve === undefined ? {} : { resolvable: true };
}

function earliest(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined || right === undefined ? (left ?? right) : Math.min(left, right);
}

function stopCommand(operation: Operation, join: Join): Command {
  return { _tag: "StopOperation", rules: rulesOf(operation), join };
}

function freezeOutcome(outcome: SettledOutcome): SettledOutcome {
  return outcome._tag === "Succeeded" ? { ...outcome, output: freezeJson(outcome.output) } : outcome;
}
