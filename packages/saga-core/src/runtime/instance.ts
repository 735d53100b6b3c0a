/**
 * A saga in memory: its machine, its place in the journal, and the operations it has under way. Appends first and acts afterwards (I4: no durable intent, no
 * effect). An instance whose append failed is dropped: its generator is ahead of the truth.
 */

import { err, ok, type Result } from "neverthrow";
import type { Cause } from "../definition/outcome.ts";
import type { Command, RunOperation, StopOperation } from "../engine/command.ts";
import { judgeStopped, withKnowledge } from "../engine/join-attempts.ts";
import type { SagaMachine, Step } from "../engine/machine.ts";
import { operationId } from "../engine/operation.ts";
import type { Quarantine } from "../errors/parked.ts";
import type { Entry, Fact } from "../journal/entry.ts";
import { encodeRecord } from "../journal/entry-codec.ts";
import type { AppendError, JournalStore, SagaStatus } from "../journal/journal-store.ts";
import type { OutboxEvent } from "../journal/outbox.ts";
import type { Ending } from "../journal/saga-view.ts";
import type { Slot } from "../primitives/idempotency-key.ts";
import { freezeJson, type Json } from "../primitives/json.ts";
import { messageOf } from "../primitives/thrown.ts";
import { Alarm } from "./alarm.ts";
import { LockWatch } from "./lock-watch.ts";
import type { SagaNotice } from "./observer.ts";
import { type OperationResult, type RunnerPorts, type RunningOperation, runOperation } from "./operation-runner.ts";

export interface InstancePorts extends RunnerPorts {
  readonly store: JournalStore;
  readonly observe?: ((notice: SagaNotice) => void) | undefined;
  /** Events were committed. */
  readonly onEvents: () => void;
  /** A place in line for a lock was given up: others may have come to hold it. */
  readonly onLetGo: () => void;
  /** It came to rest in memory, or stirred again. */
  readonly onPace: (instance: SagaInstance) => void;
  /** A saga that only waits leaves memory: at once when only time moves it, and that is further away than this many milliseconds; else after so long at rest. */
  readonly evictAfterMs: number;
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
  | {
      readonly _tag: "Rested";
      readonly status: Exclude<SagaStatus, "running">;
      /** When time moves it next. */
      readonly wakeAt: number | undefined;
      readonly quarantine: Quarantine | undefined;
      /** How the saga ended, where its end was written here. */
      readonly ending: Ending | undefined;
      /** Its last record told the store that it leaves. */
      readonly leftByRecord: boolean;
    }
  | { readonly _tag: "Lost"; readonly error: AppendError | Quarantine }
  | { readonly _tag: "Closed" };

/** The instance is no longer in charge; whoever wants to apply a fact adopts the saga first. */
export interface InstanceGone {
  readonly _tag: "InstanceGone";
}

const NEVER = Number.POSITIVE_INFINITY;
/** Why sagas are dropped whose worker may drive them no longer. */
export const LAPSED = "the lease of this worker has lapsed";

export class SagaInstance {
  readonly ended: Promise<InstanceEnd>;
  readonly #ports: InstancePorts;
  readonly #runnerPorts: RunnerPorts;
  readonly #machine: SagaMachine;
  readonly #place: InstancePlace;
  readonly #running = new Map<string, RunningOperation>();
  /** Rings when time moves the saga next, or it has been at rest for long enough. */
  readonly #alarm: Alarm;
  readonly #locks: LockWatch;
  /** Operations whose stop is on its way to the journal. */
  readonly #stopping = new Set<string>();
  #sequence: number;
  #gone = false;
  #closing = false;
  #holds = 0;
  #leftByRecord = false;
  #ending: Ending | undefined;
  #rest: { readonly status: Exclude<SagaStatus, "running">; readonly since: number } | undefined;
  /** Appends under way. */
  #appends = 0;
  #onStirred: (() => void)[] = [];
  #resolveEnded: (end: InstanceEnd) => void = () => undefined;
  #onEnd: (end: InstanceEnd) => void = () => undefined;

  constructor(ports: InstancePorts, machine: SagaMachine, place: InstancePlace) {
    this.#ports = ports;
    this.#runnerPorts = observedAs(place.sagaId, ports);
    this.#machine = machine;
    this.#place = place;
    this.#sequence = place.sequence;
    this.#alarm = new Alarm(ports, () => this.#ring());
    this.#locks = new LockWatch(ports, {
      sagaId: place.sagaId,
      waitsUntil: (path) => this.#machine.lockWaitsUntil(path),
      apply: (fact) => void this.apply(fact),
      onQuiet: () => this.#restOn(),
    });
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  /** Called at the moment the instance is gone, before anyone who waits for `ended` learns of it. */
  onEnd(listener: (end: InstanceEnd) => void): void {
    this.#onEnd = listener;
  }

  get epoch(): number {
    return this.#place.epoch;
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
    // It could not make room while it was held.
    if (!this.#gone) this.#ports.onPace(this);
  }

  get resting(): boolean {
    return this.#rest !== undefined && !this.#gone;
  }

  /** Leaves memory if it is at rest, however short: its place is needed. Tells whether it did. */
  evict(): boolean {
    const wakeAt = this.#machine.wakeAt();
    if (!this.#quiet() || (wakeAt !== undefined && wakeAt <= this.#ports.now())) return false;
    this.#leaveRested();
    return true;
  }

  /** Somebody else may drive the saga: whatever is under way here comes to nothing. */
  drop(message: string): void {
    this.#leave({ _tag: "Lost", error: { _tag: "StoreUnavailable", message } });
  }

  /** The store has it due: it may have come to hold a lock. */
  nudge(): void {
    this.#locks.look();
  }

  operation(path: string, slot: Slot): ReturnType<SagaMachine["operation"]> {
    return this.#gone ? undefined : this.#machine.operation(path, slot);
  }

  /** To be looked at, not to be moved: facts go through `apply`. */
  get saga(): Pick<SagaMachine, "callsAs" | "phase" | "ended" | "halted" | "signalUse" | "signalsQueued"> {
    return this.#machine;
  }

  /** Waits until all that was applied is durable; `false` when that cannot be told here any more. */
  async settled(): Promise<boolean> {
    while (this.#appends > 0) await this.#stirred();
    return !this.#gone;
  }

  /** Applies a fact, makes it durable, and does what follows. */
  apply(fact: Fact): Promise<Result<void, AppendError | InstanceGone | Quarantine>> {
    if (this.#gone || this.#machine.quarantine() !== undefined) return Promise.resolve(err({ _tag: "InstanceGone" }));
    let step: Step;
    try {
      step = this.#machine.apply(fact);
    } catch (thrown) {
      return Promise.resolve(this.#lose({ _tag: "BodyFailed", message: `the engine could not apply ${fact._tag}: ${String(thrown)}` }));
    }
    return this.#commit(step);
  }

  /** Takes up a saga after its journal was replayed: what the replay decided beyond the journal is appended before anything is done. */
  async takeUp(step: Step): Promise<void> {
    if (this.#gone) return;
    if (step.entries.length > 0) await this.#commit(step);
    else this.#act(step);
  }

  /** Starts nothing more; what is in flight may still bring its outcome home. Resolves when it has. May be called again. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#alarm.set(undefined);
    this.#locks.stop();
    for (const operation of this.#running.values()) operation.drop();
    // Nothing is awaited between the last look and the leaving, so that nobody applies anything in between.
    while (this.#running.size > 0 || this.#appends > 0) await this.#stirred();
    this.#leave({ _tag: "Closed" });
  }

  async #commit(step: Step): Promise<Result<void, AppendError | Quarantine>> {
    const { sagaId, saga, epoch } = this.#place;
    const record = encodeRecord(step.entries);
    if (record.isErr()) {
      return this.#lose({ _tag: "BodyFailed", message: `a record of ${record.error.characters} characters does not fit the journal` });
    }
    for (const command of step.commands) {
      if (command._tag === "StopOperation") this.#stopping.add(operationId(command.rules.path, command.rules.slot));
    }
    const sequence = this.#sequence;
    this.#sequence += 1;
    const outbox = outboxOf(sagaId, saga.name, step.entries);
    this.#leftByRecord = this.#leavesWith(step.status);
    this.#appends += 1;
    const request = {
      sagaId,
      sequence,
      epoch,
      saga,
      status: step.status,
      wakeAt: step.wakeAt,
      locks: step.locks,
      record: record.value,
      outbox,
      leaves: this.#leftByRecord,
    };
    let appended: Result<void, AppendError>;
    try {
      appended = await this.#ports.store.append(request);
    } catch (thrown) {
      // A store that throws breaks its port; the saga is dropped and read anew, so that what did become of the append decides.
      appended = err({ _tag: "StoreUnavailable", message: `the store threw: ${messageOf(thrown)}` });
    }
    this.#appends -= 1;
    this.#tellStirred();
    return this.#committed(step, sequence, outbox, appended);
  }

  #committed(
    step: Step,
    sequence: number,
    outbox: readonly OutboxEvent[],
    appended: Result<void, AppendError>,
  ): Result<void, AppendError | Quarantine> {
    const { sagaId, saga } = this.#place;
    if (appended.isOk() && step.letsGo) this.#ports.onLetGo();
    if (this.#gone) return err({ _tag: "StoreUnavailable", message: "an earlier append of this saga failed" });
    if (appended.isErr()) return this.#lose(appended.error);
    if (outbox.length > 0) this.#ports.onEvents();
    if (this.#ports.observe !== undefined) {
      for (const entry of step.entries) this.#ports.observe({ _tag: "EntryAppended", sagaId, saga, sequence, entry });
    }
    this.#ending = endingOf(step);
    this.#act(step);
    return ok(undefined);
  }

  /** Something that was under way has come to its end, and what follows from it has begun. */
  #stirred(): Promise<void> {
    return new Promise<void>((resolve) => this.#onStirred.push(resolve));
  }

  #tellStirred(): void {
    if (this.#onStirred.length > 0) for (const listener of this.#onStirred.splice(0)) listener();
  }

  #lose<Why extends AppendError | Quarantine>(error: Why): Result<never, Why> {
    this.#leave({ _tag: "Lost", error });
    return err(error);
  }

  #leave(end: InstanceEnd): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#alarm.set(undefined);
    this.#locks.stop();
    for (const operation of this.#running.values()) operation.drop();
    this.#onEnd(end);
    this.#resolveEnded(end);
  }

  #act({ commands, status }: Step): void {
    this.#rest = status === "running" ? undefined : { status, since: this.#ports.now() };
    if (!this.#closing) {
      for (const command of commands) this.#perform(command);
      this.#locks.look();
    }
    this.#restOn();
  }

  #restOn(): void {
    this.#leaveIfAtRest();
    if (this.#gone) return;
    this.#ports.onPace(this);
    if (!this.#gone && !this.#closing) this.#alarm.set(this.#nextLookAt());
  }

  /** At rest, and nothing under way: what was applied since is on its way, and its turn comes; so does that of what is asked of the store. */
  #quiet(): boolean {
    return this.resting && this.#holds === 0 && this.#appends === 0 && !this.#locks.busy;
  }

  #leaveIfAtRest(): void {
    if (!this.#quiet() || this.#rest === undefined || this.#isDueSoon(this.#rest.status)) return;
    const leavesAt = this.#leavesAt();
    if (leavesAt !== undefined && this.#ports.now() < leavesAt) return;
    this.#leaveRested();
  }

  #leaveRested(): void {
    if (this.#rest === undefined) return;
    const { status } = this.#rest;
    this.#leave({
      _tag: "Rested",
      status,
      wakeAt: this.#machine.wakeAt(),
      quarantine: this.#machine.quarantine(),
      ending: this.#ending,
      leftByRecord: this.#leftByRecord,
    });
  }

  /** What is due stays, whatever else it waits for: its alarm is about to ring. */
  #isDueSoon(status: SagaStatus): boolean {
    const wakeAt = this.#machine.wakeAt();
    return wakeAt !== undefined && wakeAt - this.#ports.now() <= (status === "waiting" ? this.#ports.evictAfterMs : 0);
  }

  /** Whether it leaves memory as soon as the record is durable; as far as can be foreseen. */
  #leavesWith(status: SagaStatus): boolean {
    if (status === "running" || this.#holds > 0 || this.#appends > 0 || this.#isDueSoon(status)) return false;
    return status !== "waiting" || this.#ports.evictAfterMs === 0 || !this.#machine.awaitsOthers();
  }

  /** What comes from others comes in bursts: a journal is not replayed for each of them. `undefined`: nothing keeps it. */
  #leavesAt(): number | undefined {
    if (this.#rest?.status !== "waiting" || !this.#machine.awaitsOthers()) return undefined;
    return this.#rest.since + this.#ports.evictAfterMs;
  }

  /** One alarm for all that may be due: the earliest. */
  #nextLookAt(): number | undefined {
    const leavesAt = this.#leavesAt();
    // Over already: something else keeps it, and lets it go.
    const leaving = leavesAt !== undefined && leavesAt > this.#ports.now() ? leavesAt : NEVER;
    const nextAt = Math.min(this.#machine.nextDueAt() ?? NEVER, this.#locks.nextLookAt() ?? NEVER, leaving);
    return nextAt === NEVER ? undefined : nextAt;
  }

  /** The store's clock decides, not the timer: one that rings early is set again, and a time that has been told is not told twice (FS-38). */
  #ring(): void {
    if (this.#closing) return;
    const at = this.#ports.now();
    for (let [path] = this.#machine.due(at); path !== undefined && !this.#gone; [path] = this.#machine.due(at)) {
      void this.apply({ _tag: "TimerFired", path, at });
    }
    if ((this.#locks.nextLookAt() ?? NEVER) <= at) this.#locks.look();
    // One that stayed because it was due may not be any more, on a clock that was set back.
    this.#restOn();
  }

  #perform(command: Command): void {
    switch (command._tag) {
      case "RunOperation":
        return this.#run(command);
      case "StopOperation":
        return this.#stop(command);
      case "WatchLock":
        return this.#locks.add(command);
      default:
        command satisfies never;
    }
  }

  #run(order: RunOperation): void {
    const { path, slot } = order.rules;
    const id = operationId(path, slot);
    if (this.#stopping.has(id)) {
      // It was ordered before what stops it, and its turn came after: nothing was sent, so there is no doubt but what was known before.
      this.#report(path, slot, { _tag: "Settled", outcome: judgeStopped(order.rules, order.join), attempts: 0 });
      return;
    }
    const running = runOperation(order, this.#runnerPorts, (result) => {
      this.#running.delete(id);
      this.#tellStirred();
      this.#report(path, slot, result);
    });
    this.#running.set(id, running);
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
    if (result._tag === "Dropped") {
      // Nobody goes on with it here. Unless the engine closes, it was for the want of a lease.
      if (!this.#closing) this.drop(LAPSED);
      return;
    }
    const at = this.#ports.now();
    const { attempts } = result;
    const fact: Fact =
      result._tag === "Settled"
        ? { _tag: "OperationSettled", path, slot, outcome: result.outcome, attempts, at }
        : { _tag: "OperationParked", path, slot, cause: result.cause, knowledge: result.knowledge, attempts, at };
    void this.apply(fact);
  }
}

/** As a reader of the journal would find it. */
function endingOf({ status, entries }: Step): Ending | undefined {
  const last = entries.at(-1);
  if (status === "completed" && last?._tag === "SagaCompleted") return { _tag: "Completed", output: last.output };
  if (status !== "compensated" || last?._tag !== "SagaCompensated") return undefined;
  return { _tag: "Compensated", cause: freezeJson(JSON.parse(JSON.stringify(last.cause)) as Json) as unknown as Cause };
}

/** An attempt is made in the name that participants know, and told as that of the saga which makes it. */
function observedAs(sagaId: string, ports: InstancePorts): RunnerPorts {
  const { observe } = ports;
  return observe === undefined ? ports : { ...ports, observe: (attempt) => observe({ ...attempt, sagaId }) };
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
