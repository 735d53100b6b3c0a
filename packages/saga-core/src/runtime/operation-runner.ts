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
import { attemptUnderDeadline, type CallWithoutSignal, invoke, underDeadline } from "./attempt.ts";
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

/** `ended` is called once, and never before this returns. */
export function runOperation(order: RunOperation, ports: RunnerPorts, ended: (result: OperationResult) => void): RunningOperation {
  const runner = new Runner(order, ports, ended);
  runner.run();
  return runner;
}

class Runner implements RunningOperation {
  readonly #order: RunOperation;
  readonly #ports: RunnerPorts;
  readonly #onEnd: (result: OperationResult) => void;
  #ending: "stop" | "drop" | undefined;
  /** Made with the first wait between attempts: most operations need one attempt. */
  #wake: ReturnType<typeof createAbortController> | undefined;
  #join: Join;

  constructor(order: RunOperation, ports: RunnerPorts, onEnd: (result: OperationResult) => void) {
    this.#order = order;
    this.#ports = ports;
    this.#onEnd = onEnd;
    this.#join = order.join;
  }

  stop(): void {
    this.#ending ??= "stop";
    this.#wake?.abort(ENDED);
  }

  drop(): void {
    this.#ending = "drop";
    this.#wake?.abort(ENDED);
  }

  /** Most operations are over with their first attempt, so that one is made without a promise. */
  run(): void {
    const ended = this.#ended();
    if (ended !== undefined) this.#endWith(Promise.resolve(ended));
    else {
      this.#attempt((verdict) => {
        if (verdict._tag === "RetryLater" || verdict._tag === "ResolveNow") this.#endWith(this.#goOn(verdict));
        else this.#end(verdict);
      });
    }
  }

  #endWith(final: Promise<FinalVerdict>): void {
    void final.then((verdict) => this.#end(verdict));
  }

  #end(final: FinalVerdict): void {
    const { attempts, doubt, applied } = this.#join;
    if (final._tag === "Drop") this.#onEnd({ _tag: "Dropped" });
    else if (final._tag === "Settle") this.#onEnd({ _tag: "Settled", outcome: final.outcome, attempts });
    else this.#onEnd({ _tag: "Parked", cause: final.cause, knowledge: { doubt, applied }, attempts });
  }

  async #goOn(first: RetryLater | ResolveNow): Promise<FinalVerdict> {
    const verdict = isLater(first) ? await this.#repeatAfter(first, () => new Promise<Verdict>((tell) => this.#attempt(tell))) : first;
    return verdict._tag === "ResolveNow" ? this.#resolve(verdict) : verdict;
  }

  /** Until a verdict is anything but "later". */
  async #repeat<Final extends Verdict>(once: () => Promise<Final | RetryLater>): Promise<Exclude<Final, RetryLater> | FinalVerdict> {
    const ended = this.#ended();
    if (ended !== undefined) return ended;
    const verdict = await once();
    return isLater(verdict) ? this.#repeatAfter(verdict, once) : (verdict as Exclude<Final, RetryLater>);
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

  #attempt(tell: (verdict: Verdict) => void): void {
    const { rules, sagaId } = this.#order;
    const { observe, now, timer } = this.#ports;
    const { timeoutMs } = rules.retry;
    const attempt = this.#join.attempts + 1;
    const begunAt = observe === undefined ? 0 : now();
    attemptUnderDeadline(
      { timeoutMs, timer },
      (signal) => this.#send(this.#call(attempt, signal)),
      (ended) => {
        observe?.({
          _tag: "AttemptMade",
          sagaId,
          path: rules.path,
          step: rules.step,
          slot: rules.slot,
          attempt,
          outcome: ended._tag,
          tookMs: now() - begunAt,
        });
        this.#join = joinAttempt(this.#join, ended);
        const judge = this.#ending === "stop" ? judgeLastAttempt : judgeAttempt;
        tell(judge(rules, this.#join, ended, this.#moment()));
      },
    );
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
    const { step, input, rules, sagaId, key, issuedAt } = this.#order;
    const { observe, now } = this.#ports;
    const begunAt = observe === undefined ? 0 : now();
    const { path, slot } = rules;
    const call = { sagaId, key, issuedAt, attempt: asked, timeoutMs: rules.retry.timeoutMs };
    const query = { step, path, slot, input, call };
    const resolution = await askParticipant(query, this.#ports);
    observe?.({ _tag: "QueryMade", sagaId, path, step: rules.step, slot, asked, found: resolution._tag, tookMs: now() - begunAt });
    return resolution;
  }

  #call(attempt: number, signal: Call["signal"]): Call {
    const { sagaId, key, issuedAt, rules } = this.#order;
    return { sagaId, key, issuedAt, attempt, timeoutMs: rules.retry.timeoutMs, signal };
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
  const answered = await underDeadline({ timeoutMs: call.timeoutMs, timer }, (signal) => {
    if (step.resolve === undefined) throw new TypeError(`step ${step.name} has no resolve function`);
    const resolve = step.resolve.bind(step);
    return transport(sending, () => resolve(input, { call: { ...call, signal }, slot }));
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
