// Goal: the payment service answers whatever it is sent, and its OpenAPI page says how. Method: the hosted service over real HTTP handlers and SQLite; every answer is looked up on the page.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine, fault, saga, step } from "@backstep/saga-core";
import { createSqliteStore } from "@backstep/sqlite-store";
import { err, ok } from "neverthrow";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { hostService } from "../src/hosting.ts";
import type { HostedService } from "../src/participant-hosting.ts";
import { DEFAULT_PATIENCE } from "../src/settings.ts";
import { TestServices } from "./services.ts";

interface Page {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, unknown>> }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>>; readonly responses: Readonly<Record<string, unknown>> };
}

let services: TestServices;
let page: Page;

beforeAll(async () => {
  services = new TestServices({ fates: [] });
  page = (await (await services.fetch("payment", new Request("http://payment.test/openapi.json"))).json()) as Page;
});

afterAll(() => services.close());

const operator = { by: "somebody", reason: "a reason" };
const pay = { orderId: "o", memberId: "m" };

function request(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Request {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Request(`http://payment.test${path}`, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(text === undefined ? {} : { body: text }),
  });
}

describe("the page of the payment service", () => {
  test("describes its records, the checkout and the operator's desk", () => {
    expect(Object.keys(page.paths)).toEqual(
      expect.arrayContaining([
        "/payments",
        "/payments/{paymentId}/authorisations",
        "/payments/{paymentId}/authorisations/voids",
        "/payments/{paymentId}/captures",
        "/checkouts",
        "/checkouts/{sagaId}",
        "/operator/parked",
        "/operator/sagas/{sagaId}/retry",
        "/operator/sagas/{sagaId}/settle",
        "/operator/sagas/{sagaId}/abandon",
        "/operator/sagas/{sagaId}/readmit",
      ]),
    );
  });

  test("refers to nothing that is not on it", () => {
    const references = [...JSON.stringify(page).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference = ""]) => reference);
    for (const reference of references) expect(page.components.schemas).toHaveProperty([reference.replace("#/components/schemas/", "")]);
  });
});

describe("the payment service refuses, with a problem that its page describes:", () => {
  const key = { "idempotency-key": '"k"' };
  test.each([
    ["a checkout without a key", "/checkouts", request("POST", "/checkouts", pay), 400, "key-missing"],
    ["a key that is no quoted text", "/checkouts", request("POST", "/checkouts", pay, { "idempotency-key": "k" }), 400, "key-invalid"],
    ["a body that is no JSON", "/checkouts", request("POST", "/checkouts", "{", key), 400, "request-invalid"],
    ["an input of wrong types", "/checkouts", request("POST", "/checkouts", { ...pay, orderId: 7 }, key), 400, "request-invalid"],
    ["fewer points than none", "/checkouts", request("POST", "/checkouts", { ...pay, points: -1 }, key), 400, "request-invalid"],
    ["points in parts", "/checkouts", request("POST", "/checkouts", { ...pay, points: 0.5 }, key), 400, "request-invalid"],
    ["members that nobody knows", "/checkouts", request("POST", "/checkouts", { ...pay, more: 1 }, key), 400, "request-invalid"],
    [
      "a body over the bound",
      "/checkouts",
      request("POST", "/checkouts", { ...pay, more: "x".repeat(70_000) }, key),
      413,
      "body-too-large",
    ],
    ["another media type", "/checkouts", request("POST", "/checkouts", pay, { ...key, "content-type": "text/plain" }), 415, "media-type"],
    ["a status of no saga", "/checkouts/{sagaId}", request("GET", "/checkouts/nobody"), 404, "no-such-saga"],
    [
      "a verb without its members",
      "/operator/sagas/{sagaId}/retry",
      request("POST", "/operator/sagas/s/retry", operator),
      400,
      "request-invalid",
    ],
    [
      "a verb that is no JSON",
      "/operator/sagas/{sagaId}/abandon",
      request("POST", "/operator/sagas/s/abandon", "{"),
      400,
      "request-invalid",
    ],
    [
      "to readmit what is not quarantined",
      "/operator/sagas/{sagaId}/readmit",
      request("POST", "/operator/sagas/s/readmit"),
      409,
      "verb-refused",
    ],
    ["a verb on no saga", "/operator/sagas/{sagaId}/abandon", request("POST", "/operator/sagas/s/abandon", operator), 404, "no-such-saga"],
  ])("%s", async (_, path, sent, status, kind) => {
    const answered = await services.fetch("payment", sent);
    expect(answered.headers.get("content-type")).toBe("application/problem+json");
    expect([answered.status, ((await answered.json()) as { readonly type: string }).type]).toEqual([
      status,
      `urn:backstep:problem:${kind}`,
    ]);
    const described = page.paths[path]?.[sent.method.toLowerCase()]?.responses[String(status)];
    expect(JSON.stringify(described)).toContain(`"urn:backstep:problem:${kind}"`);
  });

  test.each([
    ["a path that is not there", request("GET", "/nothing"), 404, "notFound"],
    ["a method that the path does not take", request("DELETE", "/checkouts"), 405, "methodNotAllowed"],
  ])("%s", async (_, sent, status, component) => {
    const answered = await services.fetch("payment", sent);
    const { type } = (await answered.json()) as { readonly type: string };
    expect(answered.status).toBe(status);
    expect(JSON.stringify(page.components.responses[component])).toContain(`"${type}"`);
  });
});

test("no request that was refused left anything behind", async () => {
  const parked = await services.fetch("payment", request("GET", "/operator/parked"));
  expect(await parked.json()).toEqual({ parked: [] });
  expect(services.errors).toEqual([]);
});

test("a member with the longest id there is can ask for a checkout under a UUID, and is told how long a key may be", async () => {
  const input = { ...pay, memberId: "m".repeat(64) };
  const asked = await services.fetch("payment", request("POST", "/checkouts", input, { "idempotency-key": `"${crypto.randomUUID()}"` }));
  expect(((await asked.json()) as { readonly type: string }).type).not.toBe("urn:backstep:problem:request-invalid");
  const refused = await services.fetch("payment", request("POST", "/checkouts", input, { "idempotency-key": `"${"k".repeat(64)}"` }));
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({
    detail: expect.stringContaining("for this client an Idempotency-Key has 1 to 54") as string,
  });
});

describe("a saga that no definition of this release can drive", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "backstep-test-"));
  const told: unknown[] = [];
  let payment: HostedService;

  beforeAll(async () => {
    await leaveUnknownSaga(join(dataDir, "payment-journal.db"));
    payment = await hostService("payment", {
      dataDir,
      apiKey: "a key for tests",
      peer: (name) => ({ baseUrl: `https://${name}.test`, fetch: () => Promise.reject(new TypeError("fetch failed")) }),
      patience: DEFAULT_PATIENCE,
      answerWithinMs: 250,
      onError: (error) => told.push(error),
    });
  });

  afterAll(async () => {
    await payment.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  test("is told of once, with the place to look at", async () => {
    await vi.waitFor(() => expect(told).toHaveLength(1));
    expect(String(told[0])).toContain("sagas that this release cannot drive: 1; see GET /operator/parked");
    const { parked } = (await (await payment.fetch(request("GET", "/operator/parked"))).json()) as { readonly parked: unknown };
    expect(parked).toMatchObject([{ sagaId: "old:1", quarantine: { _tag: "UnknownSaga" } }]);
  });

  test("is examined again when the desk says so, and refused while nothing is mended", async () => {
    const answered = await payment.fetch(request("POST", "/operator/sagas/old:1/readmit"));
    expect(answered.status).toBe(409);
    expect(await answered.json()).toMatchObject({ detail: expect.stringContaining("no definition of saga old") as string });
    expect(told).toHaveLength(1);
  });
});

/** An earlier release's saga, parked. */
async function leaveUnknownSaga(path: string): Promise<void> {
  const stuck = step({
    name: "stuck",
    run: () => err(fault("Unknown", "no answer")),
    compensate: () => ok(),
    inDoubt: "park",
    retry: { attempts: 1 },
  });
  const old = saga({
    name: "old",
    input: z.number(),
    *run() {
      yield* stuck();
    },
  });
  const store = createSqliteStore({ path });
  const engine = createEngine({ sagas: [old], store });
  expect((await engine.run(old, 1, { id: "old:1" }))._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaParked" });
  await engine.close();
  await store.close();
}
