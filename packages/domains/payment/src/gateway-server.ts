/**
 * A reference gateway over HTTP, for tests and demonstrations: the rules of the one in memory behind the REST API of `gateway-wire.ts`. Fetch-standard, so that it runs
 * in a process of its own or inside a test. What cannot be understood is refused before anything is recorded under its key.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { z } from "zod";
import type { Authorised, AuthoriseRejection, Captured, CaptureRejection, GatewayAnswer, Voided, VoidRejection } from "./gateway.ts";
import {
  authorisationBody,
  captureBody,
  DECISION_STATUS,
  type DecisionError,
  IDEMPOTENCY_KEY,
  KEY_UNKNOWN,
  voidBody,
} from "./gateway-wire.ts";
import { parseJson, readText } from "./json-body.ts";
import type { GatewayKeyRecord, GatewayRequest, HeldAuthorisation, MemoryGateway } from "./memory-gateway.ts";

export interface GatewayServerOptions {
  /** Decides, and remembers. */
  readonly gateway: MemoryGateway;
  /** The one merchant's secret key. */
  readonly apiKey: string;
}

export interface GatewayServer {
  fetch(request: Request): Promise<Response>;
}

/** What a handler gets: the request, and what its route's braces stood for. */
interface Asked {
  readonly request: Request;
  readonly url: URL;
  readonly named: string;
}

interface Route {
  readonly method: "GET" | "POST";
  readonly path: RegExp;
  readonly handle: (asked: Asked) => Promise<Response>;
}

const PAGE_ROWS = 100;
/** Nothing here takes long enough to be given up. */
const { signal } = new AbortController();

export function createGatewayServer({ gateway, apiKey }: GatewayServerOptions): GatewayServer {
  const secret = digest(`Basic ${Buffer.from(`${apiKey}:`).toString("base64")}`);

  const routes: readonly Route[] = [
    {
      method: "POST",
      path: /^\/v1\/authorisations()$/,
      handle: (asked) =>
        underKey(asked, authorisationBody, async (body, call) => {
          const answer = await gateway.authorise(body, call);
          return answerResponse({ operation: "authorisation", ...body }, answer);
        }),
    },
    {
      method: "POST",
      path: /^\/v1\/authorisations\/([^/]+)\/captures$/,
      handle: (asked) =>
        underKey(asked, captureBody, async ({ amount }, call) => {
          const request = { authorisationId: asked.named, amount };
          return answerResponse({ operation: "capture", ...request }, await gateway.capture(request, call));
        }),
    },
    {
      method: "POST",
      path: /^\/v1\/authorisations\/([^/]+)\/voids$/,
      handle: (asked) =>
        underKey(asked, voidBody, async (_, call) => {
          const request = { authorisationId: asked.named };
          return answerResponse({ operation: "void", ...request }, await gateway.void(request, call));
        }),
    },
    { method: "GET", path: /^\/v1\/authorisations()$/, handle: async ({ url }) => listResponse(gateway.held(), url.searchParams) },
    { method: "GET", path: /^\/v1\/idempotency-keys\/([^/]+)$/, handle: async ({ named }) => keyResponse(gateway.recordOf(named)) },
    {
      method: "POST",
      path: /^\/v1\/idempotency-keys\/([^/]+)\/cancellation$/,
      async handle({ named }) {
        await gateway.settle(named, signal);
        return keyResponse(gateway.recordOf(named));
      },
    },
  ];

  return {
    async fetch(request) {
      if (!timingSafeEqual(digest(request.headers.get("authorization") ?? ""), secret)) {
        return errorResponse(401, { code: "unauthorised" }, { "www-authenticate": "Basic" });
      }
      const url = new URL(request.url);
      const here = routes.flatMap(({ method, path, handle }) => {
        const [, name] = path.exec(url.pathname) ?? [];
        const named = name === undefined ? undefined : decoded(name);
        return named === undefined ? [] : [{ method, handle, named }];
      });
      const route = here.find(({ method }) => method === request.method);
      if (route !== undefined) return route.handle({ request, url, named: route.named });
      return here.length === 0 ? errorResponse(404, { code: "no-such-route" }) : errorResponse(405, { code: "method-not-allowed" });
    },
  };
}

async function underKey<Schema extends z.ZodType>(
  { request }: Asked,
  schema: Schema,
  decide: (body: z.output<Schema>, call: { readonly idempotencyKey: string; readonly signal: AbortSignal }) => Promise<Response>,
): Promise<Response> {
  const idempotencyKey = request.headers.get("idempotency-key");
  if (idempotencyKey === null || !IDEMPOTENCY_KEY.test(idempotencyKey)) return errorResponse(400, { code: "key-invalid" });
  const text = await readText(request);
  if (text === undefined) return errorResponse(413, { code: "body-too-large" });
  const parsed = schema.safeParse(parseJson(text));
  return parsed.success ? decide(parsed.data, { idempotencyKey, signal }) : errorResponse(400, { code: "request-invalid" });
}

/** A decision as status and body. The same for whoever asks, and however often. */
interface Written {
  readonly status: number;
  readonly body: object;
}

function written(request: GatewayRequest, answer: GatewayAnswer): Written {
  return answer.match<Written>(
    (value) => ({ status: 201, body: bodyOf(request, value) }),
    (rejection) => {
      const error = errorOf(rejection);
      return { status: DECISION_STATUS[error.code], body: { error } };
    },
  );
}

function bodyOf(request: GatewayRequest, value: Authorised | Captured | Voided): object {
  if (value._tag === "Authorised") return { ...request, id: value.authorisationId, status: "authorised" };
  if (value._tag === "Captured") return { ...request, id: value.captureId, status: "captured" };
  return { ...request, status: "voided" };
}

function errorOf(rejection: AuthoriseRejection | CaptureRejection | VoidRejection): DecisionError {
  if (rejection._tag === "AuthorisationDeclined") return { code: "declined", reason: rejection.reason };
  if (rejection._tag === "AuthorisationNotFound") return { code: "authorisation-not-found" };
  if (rejection._tag === "AuthorisationClosed") {
    return { code: "authorisation-closed", by: rejection.by === "Captured" ? "captured" : "voided" };
  }
  if (rejection._tag === "CaptureTooLarge") return { code: "capture-too-large", authorised: rejection.authorised };
  return { code: rejection.why === "sealed" ? "key-sealed" : "key-reused" };
}

function answerResponse(request: GatewayRequest, answer: GatewayAnswer): Response {
  const { status, body } = written(request, answer);
  return Response.json(body, { status });
}

function keyResponse(record: GatewayKeyRecord | undefined): Response {
  if (record === undefined) return errorResponse(KEY_UNKNOWN.status, { code: KEY_UNKNOWN.code });
  if (record._tag === "Sealed") return Response.json({ status: "sealed" });
  const { request, answer } = record;
  return Response.json({ status: "answered", request, response: written(request, answer) });
}

const STATUSES = { Open: "authorised", Captured: "captured", Voided: "voided" } as const;

function listResponse(held: readonly HeldAuthorisation[], wanted: URLSearchParams): Response {
  const [reference, after] = [wanted.get("reference"), wanted.get("after")];
  const from = after === null ? 0 : held.findIndex(({ authorisationId }) => authorisationId === after) + 1;
  if (after !== null && from === 0) return errorResponse(400, { code: "request-invalid" });
  const page = held.slice(from).filter((each) => reference === null || each.reference === reference);
  const authorisations = page
    .slice(0, PAGE_ROWS)
    .map(({ authorisationId: id, state, ...rest }) => ({ id, status: STATUSES[state], ...rest }));
  return Response.json({ authorisations });
}

function errorResponse(status: number, error: { readonly code: string }, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json({ error }, { status, headers });
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** Of equal length whatever was sent, as a comparison in constant time wants it. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
