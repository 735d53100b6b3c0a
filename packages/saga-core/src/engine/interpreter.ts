/**
 * Runs bodies: steps their generators and turns each yielded instruction into operations, child scopes or an immediate value. Owns how effects compose
 * (sequence, `all`, savepoint, nested saga) and how failure moves up; what is journaled and commanded goes through the `Machine` it is given.
 * Synchronous; a generator is live, so a step costs the same at the end of a long saga as at its start.
 */

import { type Err, err, ok } from "neverthrow";
import { match, P } from "ts-pattern";
import { collectCalls, type Instruction } from "../definition/effect.ts";
import { type Cause, causeTag, type FaultedCause, type OperationCause } from "../definition/outcome.ts";
import type { Body, SagaDefinition } from "../definition/saga-definition.ts";
import { faultData, isFault } from "../errors/fault.ts";
import type { SagaFaulted } from "../errors/saga-error.ts";
import { isTagged, type Tagged } from "../errors/tagged.ts";
import type { SettledOutcome } from "../journal/entry.ts";
import { uuidOf } from "../primitives/hash.ts";
import { freezeJson, type Json, toJson } from "../primitives/json.ts";
import { messageOf } from "../primitives/thrown.ts";
import { type Compensate, undoAll } from "./compensation.ts";
import type { WantedLock } from "./locks.ts";
import type { Operation } from "./operation.ts";
import { type BodyScope, createScope, type Done, type Group, haltCause, nextPath, type Scope, type Settled } from "./scope.ts";
import type { Wait } from "./waits.ts";

/** What the interpreter needs of the machine that owns the saga's state. */
export interface Machine {
  readonly sagaId: string;
  /** Time of the fact being applied. */
  now(): number;
  seed(): string;
  /** Journals the intent of an action and orders it. */
  startAction(
    scope: Scope,
    path: string,
    instruction: CallStep,
    input: Json | undefined,
    settled: (outcome: SettledOutcome) => void,
  ): Operation;
  /** Orders every open action below this path to settle with what is known, and ends every wait there. */
  stopActions(path: string): void;
  /** Which way to take at a change of the definition. */
  changed(id: string): boolean;
  /** Asks for a lock, unless the saga holds it. */
  wantLock(lock: WantedLock): void;
  /** Journals a wait; what it is for may be there already. */
  beginWait(wait: Wait): void;
  /** A body broke where nothing goes back: the saga waits for another definition, and what is under way elsewhere waits with it. */
  bodyFailed(cause: Cause): void;
  compensate: Compensate;
  wentBack(path: string, cause: Cause): void;
  emitNow(path: string, event: { readonly type: string; readonly subject?: string | undefined; readonly data?: Json | undefined }): void;
}

export type CallStep = Extract<Instruction, { _tag: "CallStep" }>;

/** Runs a body in a scope of its own until it returns or fails; `done` may be called before this returns. */
export function runBody(machine: Machine, scope: Scope, start: () => Body<unknown, unknown>, done: Done): void {
  const calls = new Set<Instruction>();
  let body: Body<unknown, unknown>;
  try {
    body = collectCalls(calls, start);
  } catch (thrown) {
    done(failed(bodyFault(scope.path, thrown)));
    return;
  }
  advance(machine, { ...scope, body, done, calls }, undefined);
}

function advance(machine: Machine, scope: BodyScope, handed: unknown): void {
  let value = handed;
  for (;;) {
    const halt = haltCause(scope);
    if (halt !== undefined) {
      finish(scope, failed(halt));
      return;
    }
    const stepped = stepBody(scope, value);
    if (stepped._tag !== "Yielded") {
      finish(scope, stepped);
      return;
    }
    const settled = performOrWait(machine, scope, stepped.instruction);
    if (settled === undefined) return;
    if (settled._tag === "Failed") {
      finish(scope, settled);
      return;
    }
    value = settled.value;
  }
}

/** Performs an instruction: its result if it came at once; otherwise the body goes on when it comes. */
function performOrWait(machine: Machine, scope: BodyScope, instruction: unknown): Settled | undefined {
  let immediate: Settled | undefined;
  let waiting = false;
  perform(machine, scope, instruction as Instruction, (settled) => {
    if (!waiting) immediate = settled;
    else if (settled._tag === "Failed") finish(scope, settled);
    else advance(machine, scope, settled.value);
  });
  waiting = immediate === undefined;
  return immediate;
}

type Stepped = { readonly _tag: "Yielded"; readonly instruction: unknown } | Settled;

function stepBody(scope: BodyScope, value: unknown): Stepped {
  try {
    const next = collectCalls(scope.calls, () => (scope.body as Generator<unknown, unknown, unknown>).next(value));
    if (next.done !== true) return { _tag: "Yielded", instruction: next.value };
    const [forgotten] = scope.calls;
    if (forgotten === undefined) return { _tag: "Returned", value: next.value };
    return failed(scopeFault(scope.path, `the body called ${describe(forgotten)} and never yielded it: write yield*, with the star`));
  } catch (thrown) {
    return failed(bodyFault(scope.path, thrown));
  }
}

function describe(instruction: Instruction): string {
  return match(instruction)
    .with({ _tag: "CallStep" }, ({ step }) => step.name)
    .with({ _tag: "CallSaga" }, ({ saga }) => saga.name)
    .otherwise(({ _tag }) => _tag.toLowerCase());
}

/** Ends a scope. A body that is left early is closed, so that its `finally` blocks run; they may not yield. */
function finish(scope: BodyScope, settled: Settled): void {
  scope.done(settled._tag === "Failed" ? closeBody(scope, settled) : settled);
}

function closeBody(scope: BodyScope, settled: Settled & { readonly _tag: "Failed" }): Settled {
  const original = settled.cause._tag === "FaultedCause" ? settled.cause.fault.message : causeTag(settled.cause);
  try {
    const closed = collectCalls(new Set(), () => (scope.body as Generator<unknown, unknown, unknown>).return(undefined));
    if (closed.done === true) return settled;
    return failed(
      scopeFault(scope.path, `the body yields an effect from a finally block, which is refused; it was left because of: ${original}`),
    );
  } catch (thrown) {
    return failed(scopeFault(scope.path, `the body threw while it was left (${messageOf(thrown)}); it was left because of: ${original}`));
  }
}

function perform(machine: Machine, scope: Scope, instruction: Instruction | Err<never, unknown>, done: Done): void {
  if (isErr(instruction)) {
    done(failed(failureCause(scope.path, instruction.error)));
    return;
  }
  // Bodies yield whatever they like at run time.
  if (typeof instruction !== "object" || instruction === null) {
    done(noEffect(scope));
    return;
  }
  // A switch and no pattern: it runs for every effect of every saga.
  switch (instruction._tag) {
    case "CallStep":
      return callStep(machine, scope, instruction, done);
    case "CallSaga":
      return callSaga(machine, scope, instruction.saga, instruction.input, done);
    case "All":
      return runAll(machine, scope, instruction, done);
    case "Savepoint":
      return runSavepoint(machine, scope, instruction.body, done);
    case "Part":
      return runBody(machine, scope, () => instruction.body, done);
    case "Fail":
      return done(failed(failureCause(scope.path, instruction.error)));
    case "Emit":
      return emit(machine, scope, instruction, done);
    case "Sleep":
      return sleepOn(machine, scope, instruction, done);
    case "WaitFor":
      return waitOn(machine, scope, instruction, done);
    case "Lock":
      return lockOn(machine, scope, instruction, done);
    case "Changed":
      return done(returned(machine.changed(instruction.id)));
    case "Now":
      return done(returned(machine.now()));
    case "Uuid":
      return done(returned(uuidOf(`${machine.seed()} ${nextPath(scope, "uuid")}`)));
    case "SagaId":
      return done(returned(machine.sagaId));
    default:
      instruction satisfies never;
      done(noEffect(scope));
  }
}

function noEffect({ path }: Scope): Settled {
  return failed(scopeFault(path, "the body yielded something that is no effect: yield* a step call, an effect or a Result"));
}

/** By shape, not by class: the body's neverthrow may be another copy than this one. */
function isErr(instruction: unknown): instruction is Err<never, unknown> {
  if (typeof instruction !== "object" || instruction === null || "_tag" in instruction) return false;
  return "isErr" in instruction && typeof instruction.isErr === "function" && instruction.isErr() === true && "error" in instruction;
}

function callStep(machine: Machine, scope: Scope, instruction: CallStep, done: Done): void {
  const path = nextPath(scope, instruction.step.name);
  const input = journalable(instruction.input);
  if (input._tag === "Failed") {
    done(failed(scopeFault(path, `the input of step ${instruction.step.name} is no JSON: ${input.message}`)));
    return;
  }
  const operation = machine.startAction(scope, path, instruction, input.value, (outcome) => done(settledOf(outcome)));
  scope.undo.push({ _tag: "UndoOperation", operation });
}

function settledOf(outcome: SettledOutcome): Settled {
  return outcome._tag === "Succeeded" ? returned(outcome.output) : failed(outcome.cause);
}

/** A nested saga's scope is part of its caller's: its failure is the caller's, and so is its undo. */
function callSaga(machine: Machine, scope: Scope, saga: SagaDefinition, rawInput: unknown, done: Done): void {
  const path = nextPath(scope, saga.name);
  const input = validateNow(saga, rawInput);
  if (input._tag === "Failed") {
    done(failed(scopeFault(path, `the input of saga ${saga.name} does not fit: ${input.message}`)));
    return;
  }
  const child = createScope({ path, parent: scope });
  scope.undo.push({ _tag: "UndoScope", nodes: child.undo });
  runBody(
    machine,
    child,
    () => saga.run(input.value),
    (settled) => {
      if (settled._tag === "Returned") scope.events.push(...child.events);
      done(settled);
    },
  );
}

type Checked = { readonly _tag: "Fits"; readonly value: Json | undefined } | { readonly _tag: "Failed"; readonly message: string };

function validateNow(saga: SagaDefinition, input: unknown): Checked {
  let validated: ReturnType<SagaDefinition["input"]["~standard"]["validate"]>;
  try {
    validated = saga.input["~standard"].validate(input);
  } catch (thrown) {
    return { _tag: "Failed", message: `its schema threw: ${messageOf(thrown)}` };
  }
  if (validated instanceof Promise) {
    // Nobody waits for its verdict, but as a rejection that nobody handles it would bring the process down.
    validated.catch(() => undefined);
    return { _tag: "Failed", message: "its schema answered with a promise, as asynchronous ones do and some that throw" };
  }
  if (validated.issues !== undefined) return { _tag: "Failed", message: validated.issues.map(({ message }) => message).join("; ") };
  return journalable(validated.value);
}

function journalable(value: unknown): Checked {
  if (value === undefined) return { _tag: "Fits", value: undefined };
  return toJson(value).match<Checked>(
    (json) => ({ _tag: "Fits", value: freezeJson(json) }),
    ({ path, found }) => ({ _tag: "Failed", message: `${path === "" ? "the value" : path} is ${found}` }),
  );
}

function runSavepoint(machine: Machine, scope: Scope, body: () => Body<unknown, unknown>, done: Done): void {
  const child = createScope({ path: nextPath(scope, "savepoint"), parent: scope });
  runBody(machine, child, body, (settled) => {
    // What stops a scope further out is not caught here: its steps are taken back with the rest, in their place.
    const halt = haltCause(scope);
    if (settled._tag === "Returned" || halt !== undefined) scope.undo.push({ _tag: "UndoScope", nodes: child.undo });
    if (halt !== undefined) {
      done(failed(halt));
      return;
    }
    if (settled._tag === "Returned") {
      scope.events.push(...child.events);
      done(returned(ok(settled.value)));
      return;
    }
    machine.wentBack(child.path, settled.cause);
    undoAll(child.undo, settled.cause, machine.compensate, () => done(returned(err(savepointError(machine.sagaId, settled.cause)))));
  });
}

/** Cancellations and deadlines never come here: they stop the whole of `run`. */
function savepointError(sagaId: string, cause: Cause): Tagged | SagaFaulted {
  return match(cause)
    .with({ _tag: "RejectedCause" }, ({ error }) => error)
    .with({ _tag: "FaultedCause" }, ({ path, step, fault }): SagaFaulted => ({ _tag: "SagaFaulted", sagaId, path, step, fault }))
    .with({ _tag: P.union("CancelledCause", "DeadlineCause") }, () => {
      throw new TypeError("a savepoint does not catch what stops the saga");
    })
    .exhaustive();
}

function runAll(machine: Machine, scope: Scope, { members, shape, concurrency }: Extract<Instruction, { _tag: "All" }>, done: Done): void {
  const group: Group = { path: nextPath(scope, "all"), failed: undefined };
  const children = members.map(([key]) => createScope({ path: `${group.path}/${segment(key)}`, parent: scope, group }));
  const values: unknown[] = [];
  let started = 0;
  let active = 0;
  let looping = false;
  let over = false;

  // A group further out that failed ends this one as its own failure does, so that no member starts here either.
  const failure = (): Cause | undefined => group.failed ?? haltCause(scope);
  const proceed = (): void => {
    if (looping) return;
    looping = true;
    while (failure() === undefined && active < concurrency && started < members.length) startMember(started);
    looping = false;
    if (active > 0 || over) return;
    // Once: what ends the waits of a failed group comes back here from within.
    over = true;
    settleGroup();
  };
  const startMember = (index: number): void => {
    const [member, child] = [members[index], children[index]];
    if (member === undefined || child === undefined) return;
    started += 1;
    active += 1;
    perform(machine, child, member[1], (settled) => {
      active -= 1;
      if (settled._tag === "Returned") values[index] = settled.value;
      else if (group.failed === undefined) {
        group.failed = settled.cause;
        if (scope.forwardOnly) machine.bodyFailed(settled.cause);
        else machine.stopActions(`${group.path}/`);
      }
      proceed();
    });
  };
  const settleGroup = (): void => {
    for (const child of children) scope.events.push(...child.events);
    const cause = failure();
    if (cause !== undefined) done(failed(cause));
    else done(returned(shape === "array" ? values : Object.fromEntries(members.map(([key], index) => [key, values[index]]))));
  };

  scope.undo.push({ _tag: "UndoGroup", members: children.map((child) => child.undo) });
  proceed();
}

function sleepOn(machine: Machine, scope: Scope, { until }: Extract<Instruction, { _tag: "Sleep" }>, done: Done): void {
  const dueAt = "atMs" in until ? until.atMs : machine.now() + until.afterMs;
  const path = nextPath(scope, "sleep");
  machine.beginWait({ path, dueAt, ended: (end) => done(end._tag === "Halted" ? leftWait(scope) : returned(undefined)) });
}

function waitOn(machine: Machine, scope: Scope, instruction: Extract<Instruction, { _tag: "WaitFor" }>, done: Done): void {
  const { signal, timeoutMs } = instruction;
  const dueAt = timeoutMs === undefined ? undefined : machine.now() + timeoutMs;
  machine.beginWait({
    path: nextPath(scope, signal),
    signal,
    dueAt,
    ended: (end) =>
      match(end)
        .with({ _tag: "Signalled" }, ({ payload }) => done(returned(timeoutMs === undefined ? payload : ok(payload))))
        .with({ _tag: "Due" }, () => done(returned(err({ _tag: "SignalTimedOut", signal }))))
        .with({ _tag: "Halted" }, () => done(leftWait(scope)))
        .exhaustive(),
  });
}

function lockOn(machine: Machine, scope: Scope, { name, waitMs }: Extract<Instruction, { _tag: "Lock" }>, done: Done): void {
  machine.wantLock({
    path: nextPath(scope, "lock"),
    name,
    until: machine.now() + waitMs,
    ended: (end) =>
      match(end)
        .with({ _tag: "Granted" }, () => done(returned(undefined)))
        .with({ _tag: "Refused" }, ({ lockedBy }) => done(failed(failureCause(scope.path, { _tag: "Locked", name, lockedBy }))))
        .with({ _tag: "Halted" }, () => done(leftWait(scope)))
        .exhaustive(),
  });
}

function leftWait(scope: Scope): Settled {
  return failed(haltCause(scope) ?? scopeFault(scope.path, "a wait was left, and nothing around it had failed"));
}

/** Record keys may hold anything; paths are kept to what keys and headers carry. */
function segment(key: string): string {
  return encodeURIComponent(key).replaceAll("~", "%7E").replaceAll("'", "%27");
}

function emit(machine: Machine, scope: Scope, { event }: Extract<Instruction, { _tag: "Emit" }>, done: Done): void {
  const path = nextPath(scope, "emit");
  const data = journalable(event.data);
  if (data._tag === "Failed") {
    done(failed(scopeFault(path, `the data of event ${event.type} is no JSON: ${data.message}`)));
    return;
  }
  const held = { _tag: "EventEmitted", path, type: event.type, subject: event.subject, data: data.value } as const;
  if (scope.forwardOnly) machine.emitNow(path, held);
  else scope.events.push(held);
  done(returned(undefined));
}

function failureCause(path: string, error: unknown): OperationCause {
  if (isFault(error)) return { _tag: "FaultedCause", path, fault: faultData(error) };
  if (!isTagged(error)) return scopeFault(path, "a failure needs a _tag");
  return toJson(error).match<OperationCause>(
    (json) => ({ _tag: "RejectedCause", error: json as unknown as Tagged }),
    ({ path: place, found }) => scopeFault(path, `the failure ${error._tag} is no JSON: ${place === "" ? "it" : place} is ${found}`),
  );
}

function bodyFault(path: string, thrown: unknown): Cause {
  return scopeFault(path, `the body threw: ${messageOf(thrown)}`);
}

export function scopeFault(path: string, message: string): FaultedCause {
  return { _tag: "FaultedCause", path, fault: { _tag: "Faulted", message } };
}

function returned(value: unknown): Settled {
  return { _tag: "Returned", value };
}

function failed(cause: Cause): Settled & { readonly _tag: "Failed" } {
  return { _tag: "Failed", cause };
}
