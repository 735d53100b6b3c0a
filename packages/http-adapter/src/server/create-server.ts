/**
 * A contract and a service as a fetch-standard server: a route per operation, problem documents for everything that goes wrong, an OpenAPI page, a health check.
 * What happens to one call is `serve-operation.ts`.
 */
import type { AnyService, Contract, Operation } from "@backstep/contract";
import { type Database, type Fence, OptionInvalid, type Transaction } from "@backstep/participant";
import { Hono } from "hono";
import { Admission } from "./admission.ts";
import { noRouteResponse, type Route } from "./allowed-methods.ts";
import { type EventHandlers, mountEvents } from "./events-route.ts";
import { guarded, type Handle } from "./guarded.ts";
import { implementationsOf } from "./implementation.ts";
import { type OpenApiDocument, type OpenApiPaths, openApiDocument } from "./open-api.ts";
import { problemResponse, retryAfter } from "./problem-response.ts";
import { serveOperation } from "./serve-operation.ts";

export interface ServerOptions<Any extends Contract> {
  readonly contract: Any;
  /** What is made with `foreign` runs through the fence in intent mode: see `Service`. */
  readonly service: AnyService<Any, Transaction>;
  readonly database: Database;
  readonly fence: Fence;
  /** Bytes of a request's body. Default 65,536; more is refused with 413. */
  readonly bodyBytesMax?: number | undefined;
  /**
   * How many calls are worked on at a time, from 1 on; about twice as many as the database runs transactions side by side. Others wait in line, calls of sagas first; who would wait for longer than `waitMsMax`, or than half of
   * the time that it gives the call, is answered 503 without effect, which a client of this package takes as `Throttled`. A foreign effect keeps its place until
   * it settles; one that heeds its signal does so before its lease ends. Default 20.
   */
  readonly callsMax?: number | undefined;
  /** In milliseconds, 0 to 600,000. Default 1,000. */
  readonly waitMsMax?: number | undefined;
  /** Events that are consumed at `POST /events`, once each, through an inbox that remembers as long as the fence. */
  readonly events?: EventHandlers | undefined;
  /**
   * Describes routes that the host serves beside the contract's, such as a saga's (`sagaPaths`), for the OpenAPI page. Called when the page is first asked for,
   * so that it may speak of what is created after this server.
   */
  readonly otherPaths?: (() => readonly OpenApiPaths[]) | undefined;
  /** Gets what went wrong inside; the caller is told nothing of it. Must not throw. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export interface ContractServer {
  fetch(request: Request): Promise<Response>;
}

const BODY_BYTES_MAX_DEFAULT = 64 * 1024;
const CALLS_MAX_DEFAULT = 20;
const WAIT_MS_MAX_DEFAULT = 1_000;
const WAIT_MS_MAX_MAX = 600_000;

/**
 * @throws {ServiceInvalid} when a command is foreign and its undo is not, or the other way round, or a query is. {OptionInvalid} when an option is out of its range.
 */
export function createServer<Any extends Contract>(options: ServerOptions<Any>): ContractServer {
  const { contract, database, fence, events, onError = () => undefined, bodyBytesMax = BODY_BYTES_MAX_DEFAULT } = options;
  const admission = admissionOf(options);
  const app = new Hono();
  const routes: Route[] = [];
  const add = (method: string, path: string, handle: Handle): void => {
    app.on(method, honoPath(path), guarded(handle, onError));
    routes.push({ method, path });
  };

  for (const [name, implementation] of Object.entries(implementationsOf(contract, options.service))) {
    const operation = contract.operations[name] as Operation;
    const served = { contract, name, operation, implementation, database, fence, bodyBytesMax, admission };
    add(operation.method, operation.path, (context) => serveOperation(served, context));
  }
  let document: OpenApiDocument | undefined;
  add("GET", "/openapi.json", () => {
    document ??= openApiDocument(contract, { events: events !== undefined, otherPaths: options.otherPaths?.() });
    return Response.json(document);
  });
  add("GET", "/healthz", () => health(database));
  if (events !== undefined) mountEvents(add, { database, fence, events, bodyBytesMax, admission });
  app.notFound(({ req }) => noRouteResponse(routes, req.path));
  return { fetch: async (request) => app.fetch(request) };
}

function admissionOf<Any extends Contract>({
  callsMax = CALLS_MAX_DEFAULT,
  waitMsMax = WAIT_MS_MAX_DEFAULT,
}: ServerOptions<Any>): Admission {
  if (!isWhole(callsMax, 1, Number.MAX_SAFE_INTEGER))
    throw new OptionInvalid(`\`callsMax\` is a whole number of calls from 1 on, not ${String(callsMax)}`);
  if (!isWhole(waitMsMax, 0, WAIT_MS_MAX_MAX))
    throw new OptionInvalid(`\`waitMsMax\` is a whole number of milliseconds from 0 to ${WAIT_MS_MAX_MAX}, not ${String(waitMsMax)}`);
  return new Admission({ callsMax, waitMsMax });
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max;
}

async function health(database: Database): Promise<Response> {
  try {
    await database.ping();
    return Response.json({ status: "ok" });
  } catch {
    return problemResponse("unavailable", { detail: "the database does not answer", headers: retryAfter(1_000) });
  }
}

/** `/products/{productId}` → `/products/:productId`. */
function honoPath(path: string): string {
  return path.replaceAll(/\{([^}]*)\}/g, ":$1");
}
