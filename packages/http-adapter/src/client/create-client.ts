/**
 * A contract as a typed client: one function per operation, answers as values. It makes one attempt and says honestly how that ended; whether to try again
 * is the engine's decision.
 */
import type { Command, Contract, InputOf, Operation, OutputOf, Query, RejectionOf, Undo } from "@backstep/contract";
import type { Resolution } from "@backstep/saga-core";
import { type Fault, fault, isDecided, isFault, type Tagged } from "@backstep/saga-core/adapter";
import { err, ok, type Result, ResultAsync } from "neverthrow";
import { classifyFailure } from "./classify-failure.ts";
import { classifyResponse, type Expectation, type ReceivedResponse } from "./classify-response.ts";
import { type CommandCall, type QueryCall, requestParts, type UndoCall } from "./request.ts";
import { parseRetryAfter } from "./retry-after.ts";

export interface ClientOptions {
  /** Origin and optional path prefix, without a slash at the end. */
  readonly baseUrl: string;
  /** Default: the global `fetch`, looked up at each call. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
  /** Milliseconds for a call that brings no deadline of its own. Default 10,000. */
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
/** 4 MiB: a longer answer is read no further. */
const RESPONSE_BYTES_MAX = 4 * 1024 * 1024;

export function createClient<Any extends Contract>(contract: Any, options: ClientOptions): Client<Any> {
  const operations = Object.entries(contract.operations).map(([name, operation]) => {
    const call = (input: unknown, whose: QueryCall = {}): ResultAsync<unknown, Tagged> =>
      new ResultAsync(attempt(contract.name, operation, input, whose, options, false));
    const resolve = (input: unknown, whose: QueryCall): ResultAsync<Resolution<unknown, Tagged>, Tagged> =>
      new ResultAsync(attempt(contract.name, operation, input, whose, options, true).then(asResolution));
    return [name, Object.assign(call, { resolve, "~operation": { contract: contract.name, name, operation } })] as const;
  });
  // The one erasure: each function was made from the operation whose type it takes here.
  return Object.fromEntries(operations) as unknown as Client<Any>;
}

/** What the fence recorded, in the words of a deciding query. A rejection that is not decided for the key decides nothing. */
function asResolution(answer: Result<unknown, Tagged>): Result<Resolution<unknown, Tagged>, Tagged> {
  return answer.match<Result<Resolution<unknown, Tagged>, Tagged>>(
    (output) => ok({ _tag: "Applied", output }),
    (error) => {
      if (isFault(error)) return err(error);
      return ok(isDecided(error) ? { _tag: "NotApplied", error } : { _tag: "StillUnknown" });
    },
  );
}

async function attempt(
  contract: string,
  operation: Operation,
  input: unknown,
  whose: QueryCall,
  options: ClientOptions,
  asking: boolean,
): Promise<Result<unknown, Tagged>> {
  const parts = requestParts(operation, input, whose, asking);
  const where = `${parts.method} ${contract}${operation.path}`;
  const expected: Expectation = { contract, operation, where };
  const signal = deadline(whose, options);
  if (signal.aborted) return err(classifyFailure(signal.reason, where, false));
  try {
    const received = await exchange(parts, signal, options);
    if (received === undefined) return err(fault("Unknown", `${where}: the answer is longer than ${RESPONSE_BYTES_MAX} bytes`));
    return classifyResponse(expected, received);
  } catch (thrown) {
    return err(signal.aborted ? fault("Unknown", `${where}: no answer in time`) : classifyFailure(thrown, where, true));
  }
}

function deadline({ signal, timeoutMs }: QueryCall, options: ClientOptions): AbortSignal {
  const timeout = AbortSignal.timeout(timeoutMs ?? options.timeoutMs ?? TIMEOUT_MS_DEFAULT);
  return signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
}

async function exchange(
  { method, target, headers, body }: ReturnType<typeof requestParts>,
  signal: AbortSignal,
  { baseUrl, fetch: send, traceparent }: ClientOptions,
): Promise<ReceivedResponse | undefined> {
  const trace = traceparent?.();
  const request = new Request(`${baseUrl}${target}`, {
    method,
    headers: { ...headers, ...(trace === undefined ? {} : { traceparent: trace }) },
    ...(body === undefined ? {} : { body }),
    // A redirect is an answer to classify, not an order to repeat a command elsewhere.
    redirect: "manual",
    signal,
  });
  // Looked up at the call: a fetch captured earlier would escape whoever replaces it.
  const response = await (send === undefined ? fetch(request) : send(request));
  const text = await readText(response);
  if (text === undefined) return undefined;
  const [mediaType = ""] = (response.headers.get("content-type") ?? "").split(";");
  const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"), Date.now());
  return { status: response.status, mediaType: mediaType.trim().toLowerCase(), retryAfterMs, text };
}

/** The body, or `undefined` when it is over the bound: nobody fills this process's memory by answering. */
async function readText(response: Response): Promise<string | undefined> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > RESPONSE_BYTES_MAX) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
