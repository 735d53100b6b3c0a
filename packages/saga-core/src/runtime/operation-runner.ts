/**
 * Drives one operation to its verdict: attempts, waits, deciding queries. p-retry repeats, on an injected timer; whether, when and what follows is
 * the engine's verdict after each attempt.
 */
import pRetry from "p-retry";
import type { Answer } from "../definition/answer.ts";
import type { Call } from "../definition/call.ts";
import type { StepDefinition } from "../definition/step-definition.ts";
import type { RunOperation } from "../engine/command.ts";
import {
  type Join,
  joinAttempt,
  judgeAttempt,
  judgeLastAttempt,
  judgeResolution,
  judgeStopped,
  type Moment,
  type Park,
  type ResolutionAttempt,
  type ResolveNow,
  type RetryLater,
  type Settle,
  type Verdict,
} from "../engine/join-attempts.ts";
import { type Fault, fault } from "../errors/fault.ts";
import type { ParkCause } from "../errors/parked.ts";
import { isTagged, type Tagged } from "../errors/tagged.ts";
import type { Knowledge, SettledOutcome } from "../journal/entry.ts";
import { createAbortController, type Random, type Timer } from "../primitives/host.ts";
import type { Slot } from "../primitives/idempotency-key.ts";
import type { Json } from "../primitives/json.ts";
import { AttemptSignal, type CallWithoutSignal, callOf, invoke, underDeadline } from "./attempt.ts";
import type { Tenure } from "./lease.ts";
import type { AttemptMade, QueryMade } from "./observer.ts";
import { direct, type Transport } from "./transport.ts";

export interface RunnerPorts {
  readonly timer: Timer;
  readonly random: Random;
  /** The store's clock, epoch milliseconds. */
  readonly now: () => number;
  readonly transport: Transport;
  /** Nothing is sent without it. */
  readonly tenure: Tenure;
  /** Absent when nobody watches. */
  readonly observe?: ((notice: AttemptMade | QueryMade) => void) | undefined;
}

export type OperationResult =
  | { readonly _tag: "Settled"; readonly outcome: SettledOutcome; readonly attempts: number }
  | { readonly _tag: "Parked"; readonly cause: ParkCause; readonly knowledge: Knowledge; readonly attempts: number }
  /** Given up without a verdict, because nobody drives the saga any more; the next owner finds it open. */
  | { readonly _tag: "Dropped" };

export interface RunningOperation {
  /** Start no further attempt; the one in flight is awaited, and the operation settles with what is known. */
  stop(): void;
  /** Start no further attempt and come to no verdict, unless the attempt in flight brings one. */
  drop(): void;
  readonly result: Promise<OperationResult>;
}

class RetryWanted extends Error {
  readonly delayMs: number;

  constructor(delayMs: number) {
    super("retry");
    this.delayMs = delayMs;
  }
}

/** Given as the reason, because the default one is an exception with a stack, made for nobody. */
const ENDED = "the operation is to end";

function isLater(verdict: Verdict): verdict is RetryLater {
  return verdict._tag === "RetryLater";
}

type FinalVerdict = Settle | Park | { readonly _tag: "Drop" };

export function runOperation(order: RunOperation, ports: RunnerPorts): RunningOperation {
  return new Runner(order, ports);
}

class Runner implements RunningOperation {
  readonly result: Promise<OperationResult>;
  readonly #order: RunOperation;
  readonly #ports: RunnerPorts;
  #ending: "stop" | "drop" | undefined;
  /** Made with the first wait between attempts: most operations need one attempt. */
  #wake: ReturnType<typeof createAbortController> | undefined;
  #join: Join;

  constructor(order: RunOperation, ports: RunnerPorts) {
    this.#order = order;
    this.#ports = ports;
    this.#join = order.join;
    this.result = this.#run();
  }

  stop(): void {
    this.#ending ??= "stop";
    this.#wake?.abort(ENDED);
  }

  drop(): void {
    this.#ending = "drop";
    this.#wake?.abort(ENDED);
  }

  async #run(): Promise<OperationResult> {
    const verdict = await this.#repeat(() => this.#attempt());
    const final = verdict._tag === "ResolveNow" ? await this.#resolve(verdict) : verdict;
    const { attempts, doubt, applied } = this.#join;
    if (final._tag === "Drop") return { _tag: "Dropped" };
    if (final._tag === "Settle") return { _tag: "Settled", outcome: final.outcome, attempts };
    return { _tag: "Parked", cause: final.cause, knowledge: { doubt, applied }, attempts };
  }

  /** Until a verdict is anything but "later". */
  #repeat<Final extends Verdict>(once: () => Promise<Final | RetryLater>): Promise<Exclude<Final, RetryLater> | FinalVerdict> {
    const ended = this.#ended();
    if (ended !== undefined) return Promise.resolve(ended);
    return once().then((verdict) => (isLater(verdict) ? this.#repeatAfter(verdict, once) : (verdict as Exclude<Final, RetryLater>)));
  }

  async #repeatAfter<Final extends Verdict>(
    { delayMs }: RetryLater,
    once: () => Promise<Final | RetryLater>,
  ): Promise<Exclude<Final, RetryLater> | FinalVerdict> {
    await this.#wait(delayMs);
    return pRetry(
      async () => {
        const ended = this.#ended();
        if (ended !== undefined) return ended;
        const verdict = await once();
        if (isLater(verdict)) throw new RetryWanted(verdict.delayMs);
        return verdict as Exclude<Final, RetryLater>;
      },
      {
        retries: Number.POSITIVE_INFINITY,
        // The wait is ours: on the injected timer, as long as the verdict says, and over at once when the operation is to end.
        minTimeout: 0,
        onFailedAttempt: ({ error }) => (error instanceof RetryWanted ? this.#wait(error.delayMs) : undefined),
        shouldRetry: ({ error }) => error instanceof RetryWanted,
      },
    );
  }

  async #wait(delayMs: number): Promise<void> {
    if (this.#ending !== undefined) return;
    this.#wake ??= createAbortController();
    await this.#ports.timer.sleep(delayMs, this.#wake.signal);
  }

  #ended(): FinalVerdict | undefined {
    const ending = this.#ending;
    if (ending === "drop" || !this.#ports.tenure.held()) return { _tag: "Drop" };
    if (ending === "stop") return { _tag: "Settle", outcome: judgeStopped(this.#order.rules, this.#join) };
    return undefined;
  }

  async #attempt(): Promise<Verdict> {
    const { rules, sagaId } = this.#order;
    const made = new AttemptSignal();
    const call = this.#call(this.#join.attempts + 1, made);
    const { observe, now, timer } = this.#ports;
    const begunAt = observe === undefined ? 0 : now();
    const attempt = await underDeadline(rules.retry.timeoutMs, timer, made, () => this.#send(call));
    observe?.({
      _tag: "AttemptMade",
      sagaId,
      path: rules.path,
      step: rules.step,
      slot: rules.slot,
      attempt: call.attempt,
      outcome: attempt._tag,
      tookMs: now() - begunAt,
    });
    this.#join = joinAttempt(this.#join, attempt);
    const judge = this.#ending === "stop" ? judgeLastAttempt : judgeAttempt;
    return judge(rules, this.#join, attempt, this.#moment());
  }

  #send(call: Call): Answer<Tagged> {
    const { step, input, undo, rules } = this.#order;
    const { transport } = this.#ports;
    if (transport === direct) return invoke(step, input, undo, call);
    const { path, slot } = rules;
    const sending = { step: step.name, kind: step.kind, path, slot, asks: false, input, call, undoes: undo?.undoes };
    return transport(sending, () => invoke(step, input, undo, call));
  }

  async #resolve({ cause }: ResolveNow): Promise<FinalVerdict> {
    let asked = 0;
    return this.#repeat<Settle | Park>(async () => {
      asked += 1;
      const found = await this.#ask(asked);
      return judgeResolution(this.#order.rules, cause, found, asked, this.#moment()) as Settle | Park | RetryLater;
    });
  }

  async #ask(asked: number): Promise<ResolutionAttempt> {
    const { step, input, rules, sagaId } = this.#order;
    const { observe, now } = this.#ports;
    const begunAt = observe === undefined ? 0 : now();
    const { path, slot } = rules;
    const query = { step, path, slot, input, call: this.#callWithoutSignal(asked) };
    const resolution = await askParticipant(query, this.#ports);
    observe?.({ _tag: "QueryMade", sagaId, path, step: rules.step, slot, asked, found: resolution._tag, tookMs: now() - begunAt });
    return resolution;
  }

  #call(attempt: number, made: AttemptSignal): Call {
    return callOf(this.#callWithoutSignal(attempt), made);
  }

  #callWithoutSignal(attempt: number): CallWithoutSignal {
    const { sagaId, key, issuedAt, rules } = this.#order;
    return { sagaId, key, issuedAt, attempt, timeoutMs: rules.retry.timeoutMs };
  }

  #moment(): Moment {
    const { startedAt, rules } = this.#order;
    return { remainingMs: startedAt + rules.retry.horizonMs - this.#ports.now(), random: this.#ports.random() };
  }
}

export interface DecidingQuery {
  readonly step: StepDefinition;
  readonly path: string;
  readonly slot: Slot;
  readonly input: Json | undefined;
  readonly call: CallWithoutSignal;
}

/** Asks once what became of an operation. */
export async function askParticipant(
  { step, path, slot, input, call }: DecidingQuery,
  { timer, transport }: Pick<RunnerPorts, "timer" | "transport">,
): Promise<ResolutionAttempt> {
  const sending = { step: step.name, kind: step.kind, path, slot, asks: true, input, call };
  const made = new AttemptSignal();
  const answered = await underDeadline(call.timeoutMs, timer, made, () => {
    if (step.resolve === undefined) throw new TypeError(`step ${step.name} has no resolve function`);
    const resolve = step.resolve.bind(step);
    return transport(sending, () => resolve(input, { call: callOf(call, made), slot }));
  });
  return readResolution(answered);
}

/** A deciding query's answer; anything that does not decide is asked again. */
function readResolution(answered: Awaited<ReturnType<typeof underDeadline>>): ResolutionAttempt {
  if (answered._tag === "Succeeded") {
    const found = answered.output as { readonly _tag?: string; readonly output?: Json; readonly error?: Json } | null | undefined;
    if (found?._tag === "Applied") return { _tag: "Succeeded", output: found.output };
    if (found?._tag === "NotApplied" && isTagged(found.error)) return { _tag: "NotApplied", error: found.error };
    if (found?._tag === "SealedForGood") return { _tag: "SealedForGood" };
    return { _tag: "StillUnknown", fault: fault("Unknown", "the deciding query found no decision") };
  }
  if (answered._tag === "Rejected") {
    return { _tag: "StillUnknown", fault: fault("Unknown", `the deciding query was rejected with ${answered.error._tag}`) };
  }
  if (answered._tag === "Sealed") return { _tag: "SealedForGood" };
  return { _tag: "StillUnknown", fault: answered satisfies Fault };
}
