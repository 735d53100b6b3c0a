/**
 * Goal: the reference gateway survives whatever it is sent, and what it refuses to understand is recorded under no key. Method: requests by hand, and what it holds
 * afterwards.
 */
import { createGatewayServer, createMemoryGateway, createTestIssuer } from "@backstep/payment";
import { beforeEach, describe, expect, it } from "vitest";

const API_KEY = "a secret";
const AUTHORIZATION = `Basic ${Buffer.from(`${API_KEY}:`).toString("base64")}`;
const amount = { amountMinor: 9_000, currency: "KRW" };
const body = { amount, reference: "payment-1" };

let gateway: ReturnType<typeof createMemoryGateway>;
let declined: Map<string, string>;
let server: ReturnType<typeof createGatewayServer>;
beforeEach(() => {
  declined = new Map();
  gateway = createMemoryGateway({ decline: createTestIssuer(declined), idPrefix: "life-1-" });
  server = createGatewayServer({ gateway, apiKey: API_KEY });
});

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function send(path: string, { method = "POST", headers = {}, ...rest }: Sent = {}) {
  const response = await server.fetch(
    new Request(`https://gateway.test${path}`, {
      method,
      headers: { authorization: AUTHORIZATION, "idempotency-key": "k1", "content-type": "application/json", ...headers },
      ...rest,
    }),
  );
  return { status: response.status, body: await response.json(), headers: response.headers };
}

const authorise = (sent: object = body, key = "k1") =>
  send("/v1/authorisations", { body: JSON.stringify(sent), headers: { "idempotency-key": key } });
const error = (code: string) => ({ error: { code } });

describe("a request is refused, and nothing is recorded:", () => {
  it.each<[string, string, Sent, number, string]>([
    ["no secret key", "/v1/authorisations", { headers: { authorization: "" } }, 401, "unauthorised"],
    ["another secret key", "/v1/authorisations", { headers: { authorization: `${AUTHORIZATION}x` } }, 401, "unauthorised"],
    ["a key of nothing", "/v1/authorisations", { headers: { "idempotency-key": "" } }, 400, "key-invalid"],
    ["a key too long", "/v1/authorisations", { headers: { "idempotency-key": "x".repeat(256) } }, 400, "key-invalid"],
    ["no body", "/v1/authorisations", {}, 400, "request-invalid"],
    ["a body that is no JSON", "/v1/authorisations", { body: "{" }, 400, "request-invalid"],
    [
      "an amount below nothing",
      "/v1/authorisations",
      { body: '{"amount":{"amountMinor":-1,"currency":"KRW"},"reference":"r"}' },
      400,
      "request-invalid",
    ],
    ["a member too many", "/v1/authorisations", { body: JSON.stringify({ ...body, capture: true }) }, 400, "request-invalid"],
    [
      "a body too large",
      "/v1/authorisations",
      { body: JSON.stringify({ ...body, reference: "x".repeat(300_000) }) },
      413,
      "body-too-large",
    ],
    ["no such route", "/v1/refunds", { body: "{}" }, 404, "no-such-route"],
    ["a name that is no UTF-8", "/v1/authorisations/%ff/voids", { body: "{}" }, 404, "no-such-route"],
    ["another method", "/v1/authorisations", { method: "DELETE" }, 405, "method-not-allowed"],
    ["a page after nobody", "/v1/authorisations?after=nobody", { method: "GET" }, 400, "request-invalid"],
  ])("%s", async (_, path, sent, status, code) => {
    const answered = await send(path, sent);
    expect([answered.status, answered.body]).toEqual([status, error(code)]);
    expect([gateway.held(), gateway.recordOf("k1")]).toEqual([[], undefined]);
  });
});

it("asks for the secret key by its scheme", async () => {
  expect((await send("/v1/authorisations", { headers: { authorization: "" } })).headers.get("www-authenticate")).toBe("Basic");
});

it("answers a repeat as the first time, and looks a key up without touching it", async () => {
  expect(await send("/v1/idempotency-keys/k1", { method: "GET" })).toMatchObject({ status: 404, body: error("key-unknown") });
  const first = await authorise();
  expect([first.status, first.body]).toMatchObject([201, { id: "life-1-authorisation-1", status: "authorised", ...body }]);
  expect((await authorise()).body).toEqual(first.body);
  const record = { status: "answered", request: { operation: "authorisation", ...body }, response: { status: 201, body: first.body } };
  expect((await send("/v1/idempotency-keys/k1", { method: "GET" })).body).toEqual(record);
  expect((await send("/v1/idempotency-keys/k1/cancellation")).body).toEqual(record);
  expect(gateway.held()).toHaveLength(1);
});

it("seals a key that nothing came under, by whatever characters it has, and refuses what comes later", async () => {
  const key = "checkout:ann:k/run/payment.authorise-payment?#%/action";
  const path = `/v1/idempotency-keys/${encodeURIComponent(key)}`;
  expect((await send(`${path}/cancellation`)).body).toEqual({ status: "sealed" });
  expect((await send(path, { method: "GET" })).body).toEqual({ status: "sealed" });
  expect(await authorise(body, key)).toMatchObject({ status: 410, body: error("key-sealed") });
  expect(gateway.held()).toEqual([]);
});

it("declines by the amount or by the reference, with the issuer's reason", async () => {
  const ending = (amountMinor: number) => authorise({ ...body, amount: { ...amount, amountMinor } }, `k${amountMinor}`);
  for (const [amountMinor, reason] of [
    [141, "lost-card"],
    [151, "insufficient-funds"],
    [154, "expired-card"],
  ] as const) {
    expect(await ending(amountMinor)).toMatchObject({ status: 402, body: { error: { code: "declined", reason } } });
  }
  declined.set("payment-1", "suspected-fraud");
  expect(await ending(100)).toMatchObject({ status: 402, body: { error: { code: "declined", reason: "suspected-fraud" } } });
  declined.clear();
  expect(await ending(200)).toMatchObject({ status: 201 });
});
