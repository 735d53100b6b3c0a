/**
 * The engine: one saga's state, facts in, decisions and commands out. Pure and synchronous: no promise, clock or random in it. All branching on what a saga
 * does next is here and in the files it calls; the runtime performs commands and appends entries, and decides nothing.
 *
 * Live and replay are one code path. A fact is applied and the definition decides; live, the decisions are new entries; on replay each is compared with the
 * recorded one, and a mismatch stops the saga before any effect (I6).
 */
import { match, P } from "ts-pattern";
import type { Cause } from "../definition/outcome.ts";
import type { SagaDefinition } from "../definition/saga-definition.ts";
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
} from "../journal/entry.ts";
import type { SagaStatus } from "../journal/journal-store.ts";
import type { Slot } from "../primitives/idempotency-key.ts";
import { canonicalJson, freezeJson, type Json, toJson } from "../primitives/json.ts";
import type { Command } from "./command.ts";
import { type Compensate, undoAll } from "./compensation.ts";
import { type CallStep, type Machine, messageOf, runBody, scopeFault } from "./interpreter.ts";
import { freshJoin, interruptedJoin, type Join, NOTHING_KNOWN, waitsToGoOn } from "./join-attempts.ts";
import { type Operation, operationId, rulesOf, runCommand } from "./operation.ts";
import { ReplayDiverged } from "./replay-diverged.ts";
import { createScope, haltCause, type Scope } from "./scope.ts";

/** What applying facts came to. Nothing of it has happened yet: `entries` are appended first, then the rest is done. */
export interface Step {
  readonly entries: readonly Entry[];
  readonly commands: readonly Command[];
  readonly status: SagaStatus;
}

export interface SagaMachine {
  /** Applies one fact. The machine is ahead of the journal until `entries` are durable, and must be dropped if they never are. */
  apply(fact: Fact): Step;
  /**
   * Feeds a whole journal to a fresh machine. The step's commands take up every open operation; its entries are what the definition decides beyond the
   * journal, usually none.
   *
   * @throws {ReplayDiverged} when the definition decides otherwise than it did. The machine must be dropped.
   */
  replay(entries: readonly Entry[]): Step;
  /** Why the saga cannot be driven further by this definition. */
  quarantine(): Quarantine | undefined;
  operation(path: string, slot: Slot): Readonly<Operation> | undefined;
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
  #parked = 0;
  #at = 0;
  #seed = "";
  #entries: Entry[] = [];
  #commands: Command[] = [];
  /** Recorded decisions still to be met, while replaying. */
  #recorded: readonly Entry[] = [];
  #cursor = 0;
  #ended: Ended | undefined;
  #quarantine: Quarantine | undefined;

  constructor(definition: SagaDefinition, sagaId: string) {
    this.#definition = definition;
    this.sagaId = sagaId;
  }

  apply(fact: Fact): Step {
    this.#entries = [fact];
    this.#commands = [];
    this.#take(fact);
    return this.#step();
  }

  replay(entries: readonly Entry[]): Step {
    this.#recorded = entries;
    this.#cursor = 0;
    this.#entries = [];
    while (this.#cursor < entries.length) {
      const entry = entries[this.#cursor] as Entry;
      this.#cursor += 1;
      this.#take(asFact(entry));
    }
    this.#recorded = [];
    this.#commands = [...this.#open].map((operation) => this.#takeUp(operation));
    return this.#step();
  }

  #step(): Step {
    const commands = this.#quarantine === undefined ? this.#commands : [];
    return { entries: this.#entries, commands, status: this.#status() };
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
    return this.#open.size === 0 && this.#parked > 0 ? "parked" : "running";
  }

  #take(fact: Fact): void {
    this.#at = fact.at;
    match(fact)
      .with({ _tag: "SagaStarted" }, (started) => this.#start(started))
      .with({ _tag: "OperationSettled" }, ({ path, slot, outcome }) => this.#settle(this.#expect(path, slot, "open"), outcome))
      .with({ _tag: "OperationParked" }, (parked) => this.#park(parked))
      .with({ _tag: "OperatorRetried" }, ({ path, slot }) => this.#reopen(this.#expect(path, slot, "parked")))
      .with({ _tag: "OperatorSettled" }, (settled) => this.#settleByOperator(settled))
      .with({ _tag: "OperatorAbandoned" }, () => {
        this.#ended = "abandoned";
      })
      .exhaustive();
  }

  // Phases: run, then the pivot, then complete; or back.

  #start({ input, seed }: SagaStarted): void {
    this.#seed = seed;
    const scope = createScope({ path: "run", parent: undefined });
    runBody(
      this,
      scope,
      () => this.#definition.run(freezeJson(input)),
      (settled) => {
        if (settled._tag === "Failed") this.#goBack(scope, settled.cause);
        else this.#runReturned(scope, settled.value);
      },
    );
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
    this.#decide({ _tag: "RunReturned", at: this.#at });
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
    const message = cause._tag === "FaultedCause" ? cause.fault.message : `complete failed with ${cause.error._tag}`;
    this.#quarantine = { _tag: "BodyFailed", message };
  }

  #goBack(scope: Scope, cause: Cause): void {
    this.wentBack("run", cause);
    undoAll(scope.undo, cause, this.compensate, () => this.#end("compensated", { _tag: "SagaCompensated", cause, at: this.#at }));
  }

  #end(ended: Ended, decision: Decision): void {
    this.#decide(decision);
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

  // What the interpreter asks for.

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
    this.#decide({ _tag: "OperationIntended", path, step: step.name, kind: step.kind, input, at: this.#at });
    this.#begin(operation);
    return operation;
  }

  compensate: Compensate = (action, cause, done) => {
    const { path, step, input } = action;
    this.#decide({ _tag: "CompensationIntended", path, at: this.#at });
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
    this.#commands.push(runCommand(this.sagaId, operation, freshJoin(NOTHING_KNOWN)));
  }

  stopActions(path: string): void {
    for (const operation of this.#operations.values()) {
      if (operation.slot === "action" && operation.path.startsWith(path) && waitsToGoOn(operation.parkCause)) this.#unpark(operation);
    }
    for (const operation of this.#open) {
      if (operation.slot === "action" && operation.path.startsWith(path)) this.#stop(operation);
    }
  }

  /** One that was ordered by this very step was never sent: its order is taken back, and there is no doubt about it. */
  #stop(operation: Operation): void {
    const unsent = this.#commands.findIndex(
      ({ _tag, rules }) => _tag === "RunOperation" && rules.slot === "action" && rules.path === operation.path,
    );
    if (unsent === -1) this.#commands.push(stopCommand(operation, interruptedJoin(operation.knowledge)));
    else this.#commands.splice(unsent, 1, stopCommand(operation, freshJoin(operation.knowledge)));
  }

  wentBack(path: string, cause: Cause): void {
    this.#decide({ _tag: "WentBack", path, cause, at: this.#at });
  }

  emitNow(path: string, { type, subject, data }: Pick<EventEmitted, "type" | "subject" | "data">): void {
    this.#decide({ _tag: "EventEmitted", path, type, subject, data, at: this.#at });
  }

  /** Events of `run` become publishable once the saga can no longer go back (I9). */
  #release(scope: Scope): void {
    for (const event of scope.events) this.#decide({ ...event, at: this.#at });
  }

  // What facts do to operations.

  #settle(operation: Operation, outcome: SettledOutcome): void {
    if (operation.state === "parked") this.#parked -= 1;
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
    this.#parked += 1;
  }

  #unpark(operation: Operation): void {
    operation.state = "open";
    operation.parkCause = undefined;
    this.#parked -= 1;
    this.#open.add(operation);
  }

  /** An operator's `retry` restarts both budgets and forgets nothing that is known. */
  #reopen(operation: Operation): void {
    this.#unpark(operation);
    operation.startedAt = this.#at;
    this.#commands.push(runCommand(this.sagaId, operation, freshJoin(operation.knowledge)));
  }

  #settleByOperator({ path, slot, verdict }: OperatorSettled): void {
    const operation = this.#expect(path, slot, "parked");
    const cause: Cause = {
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
    return operation.halted() ? stopCommand(operation, join) : runCommand(this.sagaId, operation, join);
  }

  #expect(path: string, slot: Slot, state: Operation["state"]): Operation {
    const operation = this.#operations.get(operationId(path, slot));
    if (operation?.state === state) return operation;
    throw new ReplayDiverged(
      `the journal has an outcome for ${slot} ${path}, which this definition has ${operation?.state ?? "not reached"} there`,
    );
  }

  #decide(decision: Decision): void {
    const recorded = this.#recorded[this.#cursor];
    if (recorded === undefined) {
      this.#entries.push(decision);
      return;
    }
    if (fingerprint(decision) !== fingerprint(recorded)) {
      throw new ReplayDiverged(`the definition decides ${fingerprint(decision)}, where the journal has ${fingerprint(recorded)}`);
    }
    this.#cursor += 1;
  }
}

function stopCommand(operation: Operation, join: Join): Command {
  return { _tag: "StopOperation", rules: rulesOf(operation), join };
}

function freezeOutcome(outcome: SettledOutcome): SettledOutcome {
  return outcome._tag === "Succeeded" ? { ...outcome, output: freezeJson(outcome.output) } : outcome;
}

function asFact(entry: Entry): Fact {
  return match(entry)
    .with(
      { _tag: P.union("SagaStarted", "OperationSettled", "OperationParked", "OperatorRetried", "OperatorSettled", "OperatorAbandoned") },
      (fact) => fact,
    )
    .otherwise((decision) => {
      throw new ReplayDiverged(`the journal has ${fingerprint(decision)}, where this definition decides nothing more`);
    });
}

/** What must be equal on replay: kind, place and data. Not the time, and not the wording of a fault. */
function fingerprint(entry: Entry): string {
  return match(entry)
    .with({ _tag: "OperationIntended" }, ({ _tag, path, step, input }) => `${_tag} ${path} (${step}) with ${canonicalJson(input)}`)
    .with({ _tag: "EventEmitted" }, ({ _tag, path, type, data }) => `${_tag} ${path} (${type}) with ${canonicalJson(data)}`)
    .with({ _tag: "SagaCompleted" }, ({ _tag, output }) => `${_tag} with ${canonicalJson(output)}`)
    .with({ _tag: P.union("CompensationIntended", "WentBack") }, ({ _tag, path }) => `${_tag} ${path}`)
    .otherwise(({ _tag }) => _tag);
}
