/**
 * A contract as a typed client: one function per operation, answers as values. It makes one attempt and says honestly how that ended; whether to try again
 * is the engine's decision.
 */
import type { Command, Contract, InputOf, Operation, OutputOf, Query, RejectionOf, Undo } from "@backstep/contract";
import type { Resolution } from "@backstep/saga-core";
import { type Fault, fault, isDecided, isFault, type Tagged } from "@backstep/saga-core/adapter";
import { err, ok, Result, ResultAsync } from "neverthrow";
import { classifyFailure } from "./classify-failure.ts";
import type { Expectation } from "./classify-response.ts";
import { messageOf } from "./never-sent.ts";
import { readResponse } from "./read-response.ts";
import { buildRequest, type CommandCall, type QueryCall, type RequestPlan, type UndoCall } from "./request.ts";

export interface ClientOptions {
  /** `http` or `https`: origin, and an optional path that comes before the contract's. With anything else in it every call is a fault. */
  readonly baseUrl: string;
  /** Default: the global `fetch`, looked up at each call. One of your own must heed the request's signal. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
  /** Milliseconds for a call that brings no deadline of its own, 0 or more. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** W3C trace context for each request; absent when there is none. */
  readonly traceparent?: (() => string | undefined) | undefined;
}

interface OperationOf<Any extends Operation, Name extends string> {
  readonly contract: string;
  readonly name: Name;
  readonly operation: Any;
}

export interface ClientCommand<Any extends Command, Name extends string = string> {
  (input: InputOf<Any>, call: CommandCall): ResultAsync<OutputOf<Any>, RejectionOf<Any> | Fault>;
  /** The deciding query: what became of this key? Where nothing did, it is sealed by asking. */
  resolve(input: InputOf<Any>, call: CommandCall): ResultAsync<Resolution<OutputOf<Any>, RejectionOf<Any>>, Fault>;
  readonly "~operation": OperationOf<Any, Name>;
}

export interface ClientUndo<Any extends Undo, Name extends string = string> {
  (input: InputOf<Any>, call: UndoCall): ResultAsync<undefined, Fault>;
  resolve(input: InputOf<Any>, call: CommandCall): ResultAsync<Resolution<undefined, never>, Fault>;
  readonly "~operation": OperationOf<Any, Name>;
}

export interface ClientQuery<Any extends Query, Name extends string = string> {
  (input: InputOf<Any>, call?: QueryCall): ResultAsync<OutputOf<Any>, RejectionOf<Any> | Fault>;
  readonly "~operation": OperationOf<Any, Name>;
}

type ClientOperation<Any extends Operation, Name extends string> = Any extends Command
  ? ClientCommand<Any, Name>
  : Any extends Undo
    ? ClientUndo<Any, Name>
    : Any extends Query
      ? ClientQuery<Any, Name>
      : never;

export type Client<Any extends Contract> = {
  readonly [Name in keyof Any["operations"] & string]: ClientOperation<Any["operations"][Name], Name>;
};

const TIMEOUT_MS_DEFAULT = 10_000;
/** 2^31 − 1, about 24 days: a longer wait overflows the host's timer and would be over at once. */
const TIMEOUT_MS_MAX = 2_147_483_647;

export function createClient<Any extends Contract>(contract: Any, options: ClientOptions): Client<Any> {
  const operations = Object.entries(contract.operations).map(([name, operation]) => {
    const expected: Expectation = { contract: contract.name, operation, where: `${operation.method} ${contract.name}${operation.path}` };
    const ask = (input: unknown, call: QueryCall = {}): ResultAsync<unknown, Tagged> =>
      new ResultAsync(attempt(expected, { input, call, asking: false }, options));
    const resolve = (input: unknown, call: QueryCall): ResultAsync<Resolution<unknown, Tagged>, Tagged> =>
      new ResultAsync(attempt(expected, { input, call, asking: true }, options).then(asResolution));
    return [name, Object.assign(ask, { resolve, "~operation": { contract: contract.name, name, operation } })] as const;
  });
  // The one erasure: each function was made from the operation whose type it takes here.
  return Object.fromEntries(operations) as unknown as Client<Any>;
}

/** What the fence recorded, in the words of a deciding query. A rejection that is not decided for the key decides nothing. */
function asResolution(answer: Result<unknown, Tagged>): Result<Resolution<unknown, Tagged>, Tagged> {
  return answer.match<Result<Resolution<unknown, Tagged>, Tagged>>(
    (output) => ok({ _tag: "Applied", output }),
    (error) => {
      if (isFault(error)) return error._tag === "Sealed" ? ok({ _tag: "SealedForGood" }) : err(error);
      return ok(isDecided(error) ? { _tag: "NotApplied", error } : { _tag: "StillUnknown" });
    },
  );
}

/** What one call is made of. */
type Question = Pick<RequestPlan, "input" | "call" | "asking">;

async function attempt(expected: Expectation, question: Question, options: ClientOptions): Promise<Result<unknown, Tagged>> {
  const { where } = expected;
  const prepared = prepare(expected, question, options);
  if (prepared.isErr()) return err(prepared.error);
  const { request, signal } = prepared.value;
  if (signal.aborted) return err(fault("NotSent", `${where}: aborted before it was sent`));
  const gaveUp = (): boolean => signal.aborted;
  try {
    // Looked up at the call: a fetch captured earlier would escape whoever replaces it.
    const response = await (options.fetch === undefined ? fetch(request) : options.fetch(request));
    return await readResponse(expected, response, gaveUp);
  } catch (thrown) {
    return err(gaveUp() ? fault("Unknown", `${where}: no answer in time`) : classifyFailure(thrown, where));
  }
}

/** What cannot be asked is the caller's fault, and asked again it will be no better; nothing was sent. */
function prepare(
  { operation, where }: Expectation,
  question: Question,
  { baseUrl, traceparent, timeoutMs: timeoutMsDefault = TIMEOUT_MS_DEFAULT }: ClientOptions,
): Result<{ readonly request: Request; readonly signal: AbortSignal }, Fault> {
  const build = () => {
    const { call } = question;
    const timeoutMs = deadlineMs(call.timeoutMs ?? timeoutMsDefault);
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = call.signal === undefined ? timeout : AbortSignal.any([timeout, call.signal]);
    return { signal, request: buildRequest({ ...question, baseUrl, operation, timeoutMs, signal, traceparent: traceparent?.() }) };
  };
  return Result.fromThrowable(build, (thrown) => fault("Faulted", `${where}: the request cannot be made: ${messageOf(thrown)}`))();
}

function deadlineMs(timeoutMs: number): number {
  if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs must be 0 or more; found ${timeoutMs}`);
  return Math.min(Math.ceil(timeoutMs), TIMEOUT_MS_MAX);
}
