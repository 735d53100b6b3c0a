/**
 * Goal: no request whatever gets an answer that the OpenAPI page does not list, or a 5xx, or changes anything without being a proper command. Method: random methods,
 * paths, headers and bodies, from noise to almost right; `send` holds each answer against the page, and afterwards every row is compared.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openRig, type Rig, type Sent, stock } from "./rig.ts";
import { openHost, type SagaHost } from "./saga-host.ts";

const RUNS = 1_500;

let rig: Rig;
let host: SagaHost;
beforeAll(async () => {
  rig = await openRig("memory");
  host = await openHost();
  await stock(rig, "bolt", 5);
});
afterAll(async () => {
  await rig.close();
  await host.close();
});

const segment = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "items",
      "bolt",
      "reservations",
      "releases",
      "stock",
      "labels",
      "count",
      "events",
      "healthz",
      "openapi.json",
    ),
  },
  fc.constantFrom("dispatches", "dispatch:alice:k", "__proto__", "constructor", "%zz", "%00", "%ff", "%2F", "..", ".", "%2e%2e", ""),
  fc.string({ maxLength: 12 }).map(encodeURIComponent),
  fc.string({ unit: fc.constantFrom("a", "/", "%", "{", "}", ":", "*", "&", "=", "+", ";", "'", "~"), maxLength: 8 }),
);
const known = fc.constantFrom(
  "/items",
  "/items/bolt",
  "/items/bolt/stock",
  "/items/bolt/reservations",
  "/items/bolt/releases",
  "/labels/x/count",
  "/events",
  "/dispatches",
);
const path = fc.oneof(
  known,
  fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join("/")}`),
);
const search = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  fc.constantFrom("?after=bolt", "?after=a&after=b", "?limit=1e9", "?itemId=bolt", "?__proto__=1", "?%zz", "?a[b]=c"),
  fc.string({ maxLength: 12 }).map((text) => `?${encodeURIComponent(text)}`),
);
const method = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("GET", "POST", "PUT", "DELETE", "HEAD") },
  fc.constantFrom("PATCH", "OPTIONS", "PURGE", "PROPFIND", "M-SEARCH"),
);

/** What a header may hold: bytes as Latin-1 characters, without line ends and NUL. */
const fieldText = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 16,
});
const noisyHeaders = fc.dictionary(
  fc.constantFrom(
    "backstep-saga-id",
    "backstep-issued-at",
    "backstep-attempt",
    "backstep-timeout-ms",
    "backstep-undoes-key",
    "backstep-undoes-issued-at",
    "backstep-undoes-known",
    "backstep-resolve",
    "content-type",
    "content-length",
    "ce-id",
    "ce-type",
    "ce-specversion",
    "accept",
    "x-http-method-override",
    "expect",
  ),
  fc.oneof(fc.constantFrom("1", "0", "?0", '"k"', "application/json", "1.0", "inDoubt", "-1", "1e9"), fieldText),
  { maxKeys: 5 },
);

const body = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc.constantFrom("", "{}", "[]", "null", '{"itemId":"nut"}', '{"__proto__":1}', "{", "[".repeat(2_000), '{"quantity":2}', '{"units":-1}'),
  fc
    .dictionary(
      fc.constantFrom("itemId", "orderId", "quantity", "units", "label", "client", "specversion", "type"),
      fc.jsonValue({ maxDepth: 2 }),
    )
    .map((members) => JSON.stringify(members)),
  fc.string({ maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }),
);

/** Nothing here can be a proper command: what names one, its key, is always wrong, and no event has all its attributes. */
const brokenKey = fc.option(
  fc.oneof(
    fc.constantFrom("k", '"k', "'k'", '""', '"a b"', '"k";v', `"${"k".repeat(300)}"`),
    fieldText.filter((text) => !/^"[^"\\]+"$/.test(text.trim())),
  ),
  { nil: undefined },
);

interface Noise {
  readonly method: string;
  readonly target: string;
  readonly sent: Sent;
}

const noise: fc.Arbitrary<Noise> = fc
  .record({ method, path, search, headers: noisyHeaders, key: brokenKey, body, json: fc.boolean() })
  .map((given) => ({
    method: given.method,
    target: given.path.replace(/^\/+/, "/") + given.search,
    sent: {
      headers: {
        ...given.headers,
        ...(given.json ? { "content-type": "application/json" } : {}),
        ...(given.key === undefined ? {} : { "idempotency-key": given.key }),
      },
      ...(given.method === "GET" || given.method === "HEAD" ? {} : { body: given.body }),
    },
  }));

/** Commands with a good key and one thing wrong, so that what lies behind the key is reached, too. */
const almostRight: fc.Arbitrary<Noise> = fc
  .record({
    place: fc.constantFrom(
      ["PUT", "/items/bolt/stock"] as const,
      ["POST", "/items/bolt/reservations"] as const,
      ["POST", "/items"] as const,
    ),
    wrong: fc.oneof(
      fc.record({
        quantity: fc.oneof(fc.string(), fc.integer({ max: 0 }), fc.double({ noInteger: true }), fc.constant(null)),
        orderId: fc.constant("o1"),
      }),
      fc.record({ units: fc.oneof(fc.string(), fc.integer({ max: -1 }), fc.double({ noInteger: true })) }),
      fc.record({ itemId: fc.string().filter((text) => !/^[A-Za-z0-9._:-]{1,64}$/.test(text)), label: fc.string() }),
      fc.array(fc.jsonValue()),
      fc.record({ units: fc.nat(), quantity: fc.nat(), more: fc.jsonValue() }),
    ),
  })
  .map(({ place: [verb, target], wrong }) => ({ method: verb, target, sent: { json: wrong, key: "k" } }));

it("a request that is no proper command gets a described answer that is no 5xx, and changes nothing", async () => {
  const before = await rig.rows();
  await fc.assert(
    fc.asyncProperty(fc.oneof({ weight: 3, arbitrary: noise }, almostRight), async ({ method: verb, target, sent }) => {
      const answer = await rig.send(verb, target, sent);
      expect(answer.status).toBeLessThan(500);
      const besideSagas = await host.send(verb, target, sent);
      expect(besideSagas.status).toBeLessThan(500);
    }),
    { numRuns: RUNS },
  );
  expect(await rig.rows()).toEqual(before);
  expect(rig.errors).toEqual([]);
  expect(host.errors).toEqual([]);
  expect((await host.store.unfinished({ limit: 1 }))._unsafeUnwrap().sagaIds).toEqual([]);
}, 60_000);
