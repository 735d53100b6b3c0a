/**
 * A saga in memory: its machine, its place in the journal, and the operations it has under way. Appends first and acts afterwards (I4: no durable intent, no
 * effect). An instance whose append failed is dropped: its generator is ahead of the truth.
 */
import { err, ok, type Result } from "neverthrow";
import { match } from "ts-pattern";
import type { Command, RunOperation, StopOperation } from "../engine/command.ts";
import { judgeStopped, withKnowledge } from "../engine/join-attempts.ts";
import type { SagaMachine, Step } from "../engine/machine.ts";
import { operationId } from "../engine/operation.ts";
import type { Quarantine } from "../errors/parked.ts";
import type { Entry, Fact } from "../journal/entry.ts";
import { encodeRecord } from "../journal/entry-codec.ts";
import type { AppendError, AppendRequest, JournalStore, SagaStatus } from "../journal/journal-store.ts";
import type { OutboxEvent } from "../journal/outbox.ts";
import type { Slot } from "../primitives/idempotency-key.ts";
import { type OperationResult, type RunnerPorts, type RunningOperation, runOperation } from "./operation-runner.ts";

export interface InstancePorts extends RunnerPorts {
  readonly store: JournalStore;
  /** Events were committed. */
  readonly onEvents: () => void;
}

export interface InstancePlace {
  readonly sagaId: string;
  readonly saga: { readonly name: string; readonly version: number };
  readonly epoch: number;
  /** The next record's. */
  readonly sequence: number;
}

/**
 * Why an instance is gone from memory. `Rested`: its status is durable. `Lost`: the journal is ahead of it, or unreachable; it may be adopted anew.
 * `Closed`: its engine closes; what it had under way has come home.
 */
export type InstanceEnd =
  | { readonly _tag: "Rested"; readonly status: Exclude<SagaStatus, "running">; readonly quarantine: Quarantine | undefined }
  | { readonly _tag: "Lost"; readonly error: AppendError | Quarantine }
  | { readonly _tag: "Closed" };

/** The instance is no longer in charge; whoever wants to apply a fact adopts the saga first. */
export interface InstanceGone {
  readonly _tag: "InstanceGone";
}

export class SagaInstance {
  readonly ended: Promise<InstanceEnd>;
  readonly #ports: InstancePorts;
  readonly #machine: SagaMachine;
  readonly #place: InstancePlace;
  readonly #running = new Map<string, RunningOperation>();
  /** Operations whose stop is on its way to the journal. */
  readonly #stopping = new Set<string>();
  #sequence: number;
  #gone = false;
  #closing = false;
  #holds = 0;
  #rest: Exclude<SagaStatus, "running"> | undefined;
  /** Appends under way. */
  readonly #appends = new Set<Promise<unknown>>();
  #resolveEnded: (end: InstanceEnd) => void = () => undefined;
  #onEnd: (end: InstanceEnd) => void = () => undefined;

  constructor(ports: InstancePorts, machine: SagaMachine, place: InstancePlace) {
    this.#ports = ports;
    this.#machine = machine;
    this.#place = place;
    this.#sequence = place.sequence;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  /** Called at the moment the instance is gone, before anyone who waits for `ended` learns of it. */
  onEnd(listener: (end: InstanceEnd) => void): void {
    this.#onEnd = listener;
  }

  /** No longer in charge of the saga. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Keeps the instance in memory though the saga rests, until as many `release` calls have come. */
  hold(): void {
    this.#holds += 1;
  }

  release(): void {
    this.#holds -= 1;
    this.#leaveIfAtRest();
  }

  operation(path: string, slot: Slot): ReturnType<SagaMachine["operation"]> {
    return this.#gone ? undefined : this.#machine.operation(path, slot);
  }

  /** Applies a fact, makes it durable, and does what follows. */
  async apply(fact: Fact): Promise<Result<void, AppendError | InstanceGone | Quarantine>> {
    if (this.#gone || this.#machine.quarantine() !== undefined) return err({ _tag: "InstanceGone" });
    let step: Step;
    try {
      step = this.#machine.apply(fact);
    } catch (thrown) {
      return this.#lose({ _tag: "BodyFailed", message: `the engine could not apply ${fact._tag}: ${String(thrown)}` });
    }
    return this.#commit(step);
  }

  /** Takes up a saga after its journal was replayed: what the replay decided beyond the journal is appended before anything is done. */
  async takeUp(step: Step): Promise<void> {
    if (step.entries.length > 0) await this.#commit(step);
    else this.#act(step);
  }

  /** Starts nothing more; what is in flight may still bring its outcome home. Resolves when it has. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const operation of this.#running.values()) operation.drop();
    await Promise.all([...this.#running.values()].map(({ result }) => result));
    await Promise.all(this.#appends);
    this.#leave({ _tag: "Closed" });
  }

  async #commit(step: Step): Promise<Result<void, AppendError | Quarantine>> {
    const { sagaId, saga, epoch } = this.#place;
    const record = encodeRecord(step.entries);
    if (record.isErr()) {
      return this.#lose({ _tag: "BodyFailed", message: `a record of ${record.error.characters} characters does not fit the journal` });
    }
    for (const { _tag, rules } of step.commands) if (_tag === "StopOperation") this.#stopping.add(operationId(rules.path, rules.slot));
    const sequence = this.#sequence;
    this.#sequence += 1;
    const outbox = outboxOf(sagaId, saga.name, step.entries);
    const appending = appendSafely(this.#ports.store, {
      sagaId,
      sequence,
      epoch,
      saga,
      status: step.status,
      record: record.value,
      outbox,
    });
    this.#appends.add(appending);
    const appended = await appending;
    this.#appends.delete(appending);
    if (this.#gone) return err({ _tag: "StoreUnavailable", message: "an earlier append of this saga failed" });
    if (appended.isErr()) return this.#lose(appended.error);
    if (outbox.length > 0) this.#ports.onEvents();
    this.#act(step);
    return ok(undefined);
  }

  #lose<Why extends AppendError | Quarantine>(error: Why): Result<never, Why> {
    this.#leave({ _tag: "Lost", error });
    return err(error);
  }

  #leave(end: InstanceEnd): void {
    if (this.#gone) return;
    this.#gone = true;
    for (const operation of this.#running.values()) operation.drop();
    this.#onEnd(end);
    this.#resolveEnded(end);
  }

  #act({ commands, status }: Step): void {
    if (!this.#closing) for (const command of commands) this.#perform(command);
    this.#rest = status === "running" ? undefined : status;
    this.#leaveIfAtRest();
  }

  #leaveIfAtRest(): void {
    if (this.#rest === undefined || this.#holds > 0) return;
    this.#leave({ _tag: "Rested", status: this.#rest, quarantine: this.#machine.quarantine() });
  }

  #perform(command: Command): void {
    match(command)
      .with({ _tag: "RunOperation" }, (order) => this.#run(order))
      .with({ _tag: "StopOperation" }, (order) => this.#stop(order))
      .exhaustive();
  }

  #run(order: RunOperation): void {
    const { path, slot } = order.rules;
    const id = operationId(path, slot);
    if (this.#stopping.has(id)) {
      // It was ordered before what stops it, and its turn came after: nothing was sent, so there is no doubt but what was known before.
      this.#report(path, slot, { _tag: "Settled", outcome: judgeStopped(order.rules, order.join), attempts: 0 });
      return;
    }
    const running = runOperation(order, this.#ports);
    this.#running.set(id, running);
    void running.result.then((result) => {
      this.#running.delete(id);
      this.#report(path, slot, result);
    });
  }

  #stop({ rules, join }: StopOperation): void {
    const { path, slot } = rules;
    const id = operationId(path, slot);
    this.#stopping.delete(id);
    const running = this.#running.get(id);
    if (running !== undefined) running.stop();
    else {
      // While the record that stops it was on its way to the journal, it may have come to its own end, or may have learnt more.
      const operation = this.#machine.operation(path, slot);
      if (operation?.state !== "open") return;
      const outcome = judgeStopped(rules, withKnowledge(join, operation.knowledge));
      this.#report(path, slot, { _tag: "Settled", outcome, attempts: 0 });
    }
  }

  #report(path: string, slot: Slot, result: OperationResult): void {
    if (result._tag === "Dropped") return;
    const at = this.#ports.now();
    const { _tag, ...found } = result;
    const fact = { _tag: _tag === "Settled" ? "OperationSettled" : "OperationParked", path, slot, ...found, at } as Fact;
    void this.apply(fact);
  }
}

/** A store that throws breaks its port; the saga is dropped and read anew, so that what did become of the append decides. */
async function appendSafely(store: JournalStore, request: AppendRequest): Promise<Result<void, AppendError>> {
  try {
    return await store.append(request);
  } catch (thrown) {
    return err({ _tag: "StoreUnavailable", message: `the store threw: ${thrown instanceof Error ? thrown.message : String(thrown)}` });
  }
}

/** Ids are fixed here, by the saga and the place of the yield: every delivery of an event carries the same one. */
function outboxOf(sagaId: string, sagaName: string, entries: readonly Entry[]): readonly OutboxEvent[] {
  return entries.flatMap((entry) =>
    entry._tag === "EventEmitted"
      ? [
          {
            id: `${sagaId}/${entry.path}`,
            type: entry.type,
            source: `/sagas/${sagaName}`,
            subject: entry.subject,
            time: new Date(entry.at).toISOString(),
            sagaId,
            data: JSON.stringify(entry.data ?? null),
          },
        ]
      : [],
  );
}
