/** A contract's operation and its input as an HTTP request: path, query, body, and the headers that say whose call it is. */
import { type Operation, pathParameters } from "@backstep/contract";
import type { Call, CompensationCall, IdempotencyKey } from "@backstep/saga-core/adapter";
import { HEADER, quoted, TRUE } from "../wire.ts";

/** Whose call it is. A saga's `Call` fits as it is; a client that acts on its own gives a key at least. */
export type CommandCall = { readonly key: IdempotencyKey } & Partial<Call> & Partial<Pick<CompensationCall, "undoes">>;
/** An undo names what it takes back. */
export type UndoCall = CommandCall & Pick<CompensationCall, "undoes">;
export type QueryCall = Partial<Call>;

export interface RequestParts {
  readonly method: string;
  /** Path and query string. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export function requestParts(operation: Operation, input: unknown, call: QueryCall, asking: boolean): RequestParts {
  const { path, rest } = split(operation.path, (input ?? {}) as Readonly<Record<string, unknown>>);
  const headers = callHeaders(call);
  if (operation._tag === "Query") return { method: "GET", target: `${path}${queryString(rest)}`, headers, body: undefined };
  return {
    method: operation.method,
    target: path,
    headers: { ...headers, "content-type": "application/json", ...(asking ? { [HEADER.resolve]: TRUE } : {}) },
    body: JSON.stringify(rest),
  };
}

function split(
  template: string,
  input: Readonly<Record<string, unknown>>,
): { readonly path: string; readonly rest: Readonly<Record<string, unknown>> } {
  const inPath = new Set(pathParameters(template));
  const path = template.replaceAll(/\{([^}]*)\}/g, (_, name: string) => encodeURIComponent(String(input[name])));
  return { path, rest: Object.fromEntries(Object.entries(input).filter(([name]) => !inPath.has(name))) };
}

function queryString(members: Readonly<Record<string, unknown>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) if (value !== undefined) parameters.set(name, String(value));
  return parameters.size === 0 ? "" : `?${parameters.toString()}`;
}

function callHeaders(call: QueryCall & { readonly undoes?: CompensationCall["undoes"] | undefined }): Record<string, string> {
  const { key, sagaId, issuedAt, attempt, timeoutMs, undoes } = call;
  return {
    accept: "application/json, application/problem+json",
    ...(key === undefined ? {} : { [HEADER.key]: quoted(key) }),
    ...(sagaId === undefined ? {} : { [HEADER.sagaId]: sagaId }),
    ...(issuedAt === undefined ? {} : { [HEADER.issuedAt]: String(issuedAt) }),
    ...(attempt === undefined ? {} : { [HEADER.attempt]: String(attempt) }),
    ...(timeoutMs === undefined ? {} : { [HEADER.timeoutMs]: String(timeoutMs) }),
    ...(undoes === undefined
      ? {}
      : {
          [HEADER.undoesKey]: quoted(undoes.key),
          [HEADER.undoesIssuedAt]: String(undoes.issuedAt),
          [HEADER.undoesKnown]: undoes.known,
        }),
  };
}
