/** A contract's operation and its input as an HTTP request: path, query, body, and the headers that say whose call it is. */
import { type Operation, pathParameters } from "@backstep/contract";
import type { Call, CompensationCall, IdempotencyKey } from "@backstep/saga-core/adapter";
import { CAUSE, HEADER, quoted, TRUE } from "../wire.ts";

/** Whose call it is. A saga's `Call` fits as it is; a client that acts on its own gives a key at least. */
export type CommandCall = { readonly key: IdempotencyKey } & Partial<Call> & Partial<Pick<CompensationCall, "undoes">>;
/** An undo names what it takes back, and why: a tag, e.g. `OutOfStock`. */
export type UndoCall = CommandCall & Pick<CompensationCall, "undoes"> & { readonly cause?: string | undefined };
export type QueryCall = Partial<Call>;

export interface RequestPlan {
  readonly baseUrl: string;
  readonly operation: Operation;
  readonly input: unknown;
  readonly call: QueryCall & Partial<Pick<UndoCall, "undoes" | "cause">>;
  /** A deciding query. */
  readonly asking: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly traceparent: string | undefined;
}

/**
 * Makes the request, and sends nothing.
 *
 * @throws When there is no such request: the base is no place to send to, or a member cannot travel where the contract has it travel.
 */
export function buildRequest(plan: RequestPlan): Request {
  const { operation, asking, baseUrl, signal } = plan;
  const { path, rest } = split(operation.path, (plan.input ?? {}) as Members);
  const place = `${baseOf(baseUrl)}${path}`;
  const headers = callHeaders(plan);
  // A redirect is an answer to classify, not an order to repeat a command elsewhere.
  const common = { signal, redirect: "manual" } as const;
  if (operation._tag === "Query") return new Request(`${place}${queryString(rest)}`, { ...common, method: "GET", headers });
  return new Request(place, {
    ...common,
    method: operation.method,
    headers: { ...headers, "content-type": "application/json", ...(asking ? { [HEADER.resolve]: TRUE } : {}) },
    body: JSON.stringify(rest),
  });
}

type Members = Readonly<Record<string, unknown>>;

/** What is wrong with a base is not repeated in the message: it may hold a password. */
function baseOf(baseUrl: string): string {
  const url = URL.parse(baseUrl);
  const isPlace = url !== null && /^https?:$/.test(url.protocol) && `${url.username}${url.password}${url.search}${url.hash}` === "";
  if (!isPlace) throw new TypeError("baseUrl must be a URL of http or https without credentials, query and fragment");
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

function split(template: string, input: Members): { readonly path: string; readonly rest: Members } {
  const inPath = new Set(pathParameters(template));
  const path = template.replaceAll(/\{([^}]*)\}/g, (_, name: string) => segment(name, input[name]));
  return { path, rest: Object.fromEntries(Object.entries(input).filter(([name]) => !inPath.has(name))) };
}

/** A URL has no segment that is empty, `.` or `..`: it would be another path. */
function segment(name: string, value: unknown): string {
  const text = asText(name, value);
  if (text === "" || text === "." || text === "..") throw new TypeError(`${name} cannot travel in a path`);
  return encodeURIComponent(text);
}

function queryString(members: Members): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) if (value !== undefined) parameters.set(name, asText(name, value));
  return parameters.size === 0 ? "" : `?${parameters.toString()}`;
}

function asText(name: string, value: unknown): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
  throw new TypeError(`${name} cannot travel as text`);
}

function callHeaders({ call, timeoutMs, traceparent }: RequestPlan): Record<string, string> {
  const { key, sagaId, issuedAt, attempt, undoes, cause } = call;
  return {
    accept: "application/json, application/problem+json",
    [HEADER.timeoutMs]: String(timeoutMs),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(key === undefined ? {} : { [HEADER.key]: quoted(key) }),
    ...(sagaId === undefined ? {} : { [HEADER.sagaId]: sagaId }),
    ...(issuedAt === undefined ? {} : { [HEADER.issuedAt]: String(issuedAt) }),
    ...(attempt === undefined ? {} : { [HEADER.attempt]: String(attempt) }),
    ...(cause !== undefined && CAUSE.test(cause) ? { [HEADER.cause]: cause } : {}),
    ...(undoes === undefined
      ? {}
      : {
          [HEADER.undoesKey]: quoted(undoes.key),
          [HEADER.undoesIssuedAt]: String(undoes.issuedAt),
          [HEADER.undoesKnown]: undoes.known,
        }),
  };
}
