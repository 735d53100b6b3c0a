/**
 * The gateway's port over its REST API (`gateway-wire.ts`). One call is one request: whether to repeat it is for whoever asked. What is no clear answer rejects with
 * `GatewayFailed`, also where a status suggests that nothing happened, because the port knows only answers and doubt, and doubt is settled by asking.
 */
import assert from "node:assert/strict";
import type { GatewayCall, PaymentGateway } from "./gateway.ts";
import { type GatewayResponse, readAuthorised, readCaptured, readSettled, readVoided } from "./gateway-answers.ts";
import { GatewayFailed } from "./gateway-failed.ts";
import { IDEMPOTENCY_KEY, KEY_UNKNOWN, keyUnknownError, listAnswer } from "./gateway-wire.ts";
import { parseJson, readText } from "./json-body.ts";
import type { HeldAuthorisation } from "./memory-gateway.ts";

export interface HttpGatewayOptions {
  /** `https`, or `http` to this very machine: the secret key travels with every request. No credentials, query or fragment. */
  readonly baseUrl: string;
  /** The secret key: the user name of Basic authentication, with an empty password. */
  readonly apiKey: string;
  /** Default: the global `fetch`, looked up at each call. One of your own must heed the request's signal. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
  /** Milliseconds for one request, its body included, 1 to 2,147,483,647. Default 10,000. Shorter than the lease of the fence that calls, or nobody is asked in time. */
  readonly timeoutMs?: number | undefined;
}

export interface HttpGateway extends PaymentGateway {
  /** What it holds, oldest first, at most 100; `after` is the last id of the page before. For reconciliation. */
  list(page?: { readonly reference?: string | undefined; readonly after?: string | undefined }): Promise<readonly HeldAuthorisation[]>;
}

const TIMEOUT_MS_DEFAULT = 10_000;
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export function createHttpGateway(options: HttpGatewayOptions): HttpGateway {
  const send = transport(options);

  /** A POST under a key, and what its answer means. */
  async function ask<Answer>(
    path: string,
    body: object,
    { idempotencyKey, signal }: GatewayCall,
    read: (response: GatewayResponse) => Answer | undefined,
  ): Promise<Answer> {
    assertKey(idempotencyKey);
    return send({ method: "POST", path, body, idempotencyKey, signal }, read);
  }

  return {
    authorise: (request, call) => ask("/v1/authorisations", request, call, (response) => readAuthorised(request, response)),
    capture: async (request, call) =>
      ask(`${authorisationPath(request.authorisationId)}/captures`, { amount: request.amount }, call, (response) =>
        readCaptured(request, response),
      ),
    void: async (request, call) =>
      ask(`${authorisationPath(request.authorisationId)}/voids`, {}, call, (response) => readVoided(request, response)),
    async settle(idempotencyKey, signal) {
      assertKey(idempotencyKey);
      const path = `/v1/idempotency-keys/${segment(idempotencyKey)}`;
      // Looking first spares the gateway a write for every key that was answered; the cancellation alone would decide as well.
      const seen = await send({ method: "GET", path, signal }, (response) => readSettledAt(response) ?? unknownKey(response));
      if (seen._tag !== "Unknown") return seen;
      return send({ method: "POST", path: `${path}/cancellation`, body: {}, signal }, readSettledAt);
    },
    list({ reference, after } = {}) {
      const query = new URLSearchParams({ ...(reference === undefined ? {} : { reference }), ...(after === undefined ? {} : { after }) });
      return send({ method: "GET", path: `/v1/authorisations?${query.toString()}` }, readList);
    },
  };
}

interface GatewayRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: object | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Send = <Answer>(request: GatewayRequest, read: (response: GatewayResponse) => Answer | undefined) => Promise<Answer>;

function transport({ baseUrl, apiKey, fetch: own, timeoutMs = TIMEOUT_MS_DEFAULT }: HttpGatewayOptions): Send {
  const base = checkedBase(baseUrl);
  assert(apiKey !== "", "the payment gateway needs a secret key");
  assert(
    Number.isSafeInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX,
    `timeoutMs must be a whole number from 1 to ${TIMEOUT_MS_MAX}; found ${timeoutMs}`,
  );
  const authorization = `Basic ${Buffer.from(`${apiKey}:`).toString("base64")}`;

  return async ({ method, path, body, idempotencyKey, signal }, read) => {
    const where = `${method} ${routeOf(path)}`;
    const timeout = AbortSignal.timeout(timeoutMs);
    const request = new Request(`${base}${path}`, {
      method,
      headers: {
        authorization,
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      // Followed, a redirect could send the payment twice, or the key elsewhere.
      redirect: "error",
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    const response = await receive(request, own, where);
    const answer = read(response);
    if (answer === undefined) throw new GatewayFailed(whyOf(response.status), response.status, where);
    return answer;
  };
}

async function receive(request: Request, own: HttpGatewayOptions["fetch"], where: string): Promise<GatewayResponse> {
  let status: number | undefined;
  try {
    // Looked up at the call: a fetch captured earlier would escape whoever replaces it.
    const response = await (own === undefined ? fetch(request) : own(request));
    ({ status } = response);
    return { status, body: parseJson(await readText(response)) };
  } catch {
    // The cause is left out: it may hold the request, and with it the secret key.
    throw new GatewayFailed("unanswered", status, where);
  }
}

function readSettledAt({ status, body }: GatewayResponse): ReturnType<typeof readSettled> {
  return status === 200 ? readSettled(body) : undefined;
}

/** Only the gateway's own document says so: any other 404 may come from whatever stands between. */
function unknownKey({ status, body }: GatewayResponse): { readonly _tag: "Unknown" } | undefined {
  return status === KEY_UNKNOWN.status && keyUnknownError.safeParse(body).success ? { _tag: "Unknown" } : undefined;
}

const STATES = { authorised: "Open", captured: "Captured", voided: "Voided" } as const;

function readList({ status, body }: GatewayResponse): readonly HeldAuthorisation[] | undefined {
  const { data } = listAnswer.safeParse(body);
  if (status !== 200) return undefined;
  return data?.authorisations.map(({ id, reference, amount, status: state, captured }) => ({
    authorisationId: id,
    reference,
    amount,
    state: STATES[state],
    captured,
  }));
}

const WHY: Readonly<Record<number, GatewayFailed["why"]>> = { 401: "unauthorised", 403: "unauthorised", 429: "throttled" };

/** Of a response that decided nothing. */
function whyOf(status: number): GatewayFailed["why"] {
  return WHY[status] ?? (status < 300 ? "malformed" : "unexpected");
}

function checkedBase(baseUrl: string): string {
  const parsed = URL.parse(baseUrl);
  const loopback = parsed !== null && ["127.0.0.1", "[::1]", "localhost"].includes(parsed.hostname);
  const scheme = parsed?.protocol === "https:" || (parsed?.protocol === "http:" && loopback);
  // It is not quoted: it may hold a password.
  assert(parsed !== null && scheme, "the payment gateway's baseUrl must be https, or http to this machine");
  const plain = parsed.username === "" && parsed.password === "" && parsed.search === "" && parsed.hash === "";
  assert(plain, "the payment gateway's baseUrl must hold no credentials, query or fragment");
  return parsed.href.replace(/\/+$/, "");
}

function authorisationPath(authorisationId: string): string {
  return `/v1/authorisations/${segment(authorisationId)}`;
}

function segment(text: string): string {
  assert(!/^\.{1,2}$/.test(text), "a dot, or two, in a path would make it another path");
  return encodeURIComponent(text);
}

/** A path for eyes: ids and keys are left out, and so is what is asked for. */
function routeOf(path: string): string {
  return path.replace(/\?.*$/, "").replace(/^(\/v1\/[a-z-]+\/)[^/]+/, "$1{id}");
}

function assertKey(idempotencyKey: string): void {
  assert(
    IDEMPOTENCY_KEY.test(idempotencyKey),
    "an idempotency key is 1 to 255 characters of printable ASCII, without a space at either end",
  );
}
