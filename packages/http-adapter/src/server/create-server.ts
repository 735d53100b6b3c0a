/**
 * A contract and a service as a fetch-standard server: routes, checks, the fence around every command and undo, problem documents for everything that goes
 * wrong, an OpenAPI page, a health check. Duplicates are answered before business guards, because the fence comes before the service.
 */
import type { Command, Contract, Operation, Query, Service, Undo } from "@backstep/contract";
import { type Database, type Fence, isDatabaseError, type Transaction } from "@backstep/participant";
import { type Context, Hono } from "hono";
import { ok, type Result } from "neverthrow";
import { operationName } from "../wire.ts";
import { answerResponse, rejectionResponse } from "./answer-response.ts";
import { type EventHandlers, mountEvents } from "./events-route.ts";
import { openApiDocument } from "./open-api.ts";
import { problemResponse, retryAfter } from "./problem-response.ts";
import { type ReceivedCall, readCall, readUndoes } from "./read-call.ts";
import { readInput } from "./read-input.ts";

export interface ServerOptions<Any extends Contract> {
  readonly contract: Any;
  readonly service: Service<Any, Transaction>;
  readonly database: Database;
  readonly fence: Fence;
  /** Bytes of a request's body. Default 65,536; more is refused with 413. */
  readonly bodyBytesMax?: number | undefined;
  /** Events that are consumed at `POST /events`, once each, through an inbox that remembers as long as the fence. */
  readonly events?: EventHandlers | undefined;
  /** Gets what went wrong inside; the caller is told nothing of it. Must not throw. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export interface ContractServer {
  fetch(request: Request): Promise<Response>;
}

const BODY_BYTES_MAX_DEFAULT = 64 * 1024;

export function createServer<Any extends Contract>(options: ServerOptions<Any>): ContractServer {
  const app = new Hono();
  const { contract, database, onError = () => undefined } = options;
  const bodyBytesMax = options.bodyBytesMax ?? BODY_BYTES_MAX_DEFAULT;
  const routes = new Map<string, string[]>();
  const add = (method: string, path: string, handle: (context: Context) => Response | Promise<Response>): void => {
    app.on(method, path, handle);
    routes.set(path, [...(routes.get(path) ?? []), method]);
  };

  for (const [name, operation] of Object.entries(contract.operations)) {
    add(operation.method, honoPath(operation.path), (context) => serve(options, name, operation, context, bodyBytesMax));
  }
  const document = openApiDocument(contract, { events: options.events !== undefined });
  add("GET", "/openapi.json", (context) => context.json(document));
  add("GET", "/healthz", () => health(database));
  if (options.events !== undefined) mountEvents(add, { ...options, events: options.events, bodyBytesMax });
  for (const [path, methods] of routes)
    app.all(path, () => problemResponse("methodNotAllowed", { headers: { allow: methods.join(", ") } }));
  app.notFound(() => problemResponse("notFound"));
  app.onError((error) => {
    onError(error);
    return unexpected(error);
  });
  return { fetch: async (request) => app.fetch(request) };
}

/** A database that cannot be reached may have lost the answer of a commit: the effect is unknown. */
function unexpected(error: unknown): Response {
  if (isDatabaseError(error)) return problemResponse("unavailable", { effect: "unknown", headers: retryAfter(1_000) });
  return problemResponse("unexpected", { effect: "unknown" });
}

async function health(database: Database): Promise<Response> {
  try {
    await database.ping();
    return Response.json({ status: "ok" });
  } catch {
    return problemResponse("unavailable", { detail: "the database does not answer", headers: retryAfter(1_000) });
  }
}

/** What every handler of a service looks like once its types are erased. */
type AnyHandler = (context: unknown, input: unknown) => Promise<Result<unknown, { readonly _tag: string }> | undefined>;

async function serve<Any extends Contract>(
  options: ServerOptions<Any>,
  name: string,
  operation: Operation,
  context: Context,
  bodyBytesMax: number,
): Promise<Response> {
  const { contract, database } = options;
  // The service's own type ties each handler to its operation; here they are looked up by name.
  const handle = (options.service as Readonly<Record<string, unknown>>)[name] as AnyHandler;
  const request = context.req.raw;
  if (operation._tag === "Query") {
    const input = await readInput(operation, { path: context.req.param(), url: new URL(request.url), request, bodyBytesMax });
    if (input.isErr()) return input.error;
    const answered = await database.transaction((transaction) => handle({ transaction, now: database.now() }, input.value));
    return queryResponse(contract.name, operation, answered);
  }
  const call = readCall(request.headers, database.now());
  if (call.isErr()) return call.error;
  const input = await readInput(operation, { path: context.req.param(), url: new URL(request.url), request, bodyBytesMax });
  if (input.isErr()) return input.error;
  if (operation._tag === "Command") return act(options, operationName(contract.name, name), operation, call.value, input.value, handle);
  return undo(options, name, operation, call.value, input.value, handle, request.headers);
}

async function act<Any extends Contract>(
  { contract, fence }: ServerOptions<Any>,
  name: string,
  operation: Command,
  call: ReceivedCall,
  input: unknown,
  handle: AnyHandler,
): Promise<Response> {
  const { asking, ...named } = call;
  if (asking) return answerResponse(contract.name, operation, await fence.resolve({ ...named, name }));
  const answer = await fence.act({ ...named, name, input }, async (context) => (await handle(context, input)) ?? ok(undefined));
  return answerResponse(contract.name, operation, answer);
}

async function undo<Any extends Contract>(
  { contract, fence }: ServerOptions<Any>,
  operationKey: string,
  operation: Undo,
  call: ReceivedCall,
  input: unknown,
  handle: AnyHandler,
  headers: Headers,
): Promise<Response> {
  const { asking, ...named } = call;
  const name = operationName(contract.name, operationKey);
  if (asking) return answerResponse(contract.name, operation, await fence.resolve({ ...named, name }));
  const undoes = readUndoes(headers);
  if (undoes.isErr()) return undoes.error;
  if (undoes.value.key === call.key)
    return problemResponse("keyInvalid", { detail: "an undo has a key of its own, not that of its action" });
  const undone = { ...undoes.value, name: operationName(contract.name, operation.undoes) };
  const answer = await fence.undo({ ...named, name, input, undoes: undone }, async (context) => {
    await handle(context, input);
  });
  return answerResponse(contract.name, operation, answer);
}

function queryResponse(contract: string, operation: Query, answered: Result<unknown, unknown> | undefined): Response {
  if (answered === undefined) return problemResponse("unexpected", { effect: "none" });
  return answered.match(
    (output) => Response.json(output ?? null),
    (rejection) => rejectionResponse(contract, operation, JSON.stringify(rejection), undefined),
  );
}

/** `/products/{productId}` → `/products/:productId`. */
function honoPath(path: string): string {
  return path.replaceAll(/\{([^}]*)\}/g, ":$1");
}
