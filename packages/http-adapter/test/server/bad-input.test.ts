/**
 * Goal: whatever is wrong with a request is said in a problem document that the service's own OpenAPI page lists, and nothing has happened. Method: one request per way
 * of being wrong, through the real server; after each, every row of the database is what it was. `send` does the check against the OpenAPI page.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Body, openRig, type Received, type Rig, type Sent, stock } from "./rig.ts";

const RESERVATIONS = "/items/bolt/reservations";
const RELEASES = "/items/bolt/releases";
const good = { orderId: "o1", quantity: 2 };
const BODY_BYTES_MAX = 64 * 1024;

let rig: Rig;
let before: unknown;

beforeAll(async () => {
  rig = await openRig("memory");
  await stock(rig, "bolt", 5);
});
afterAll(() => rig.close());
beforeEach(async () => {
  before = await rig.rows();
});
afterEach(async () => {
  expect(await rig.rows()).toEqual(before);
  expect(rig.errors).toEqual([]);
});

const reserve = (sent: Sent): Promise<Received> => rig.send("POST", RESERVATIONS, { key: "k", ...sent });

function expectProblem(answer: Received, status: number, kind: string): void {
  expect(answer.body).toMatchObject({ type: `urn:backstep:problem:${kind}`, effect: "none" });
  expect(answer.status).toBe(status);
}

describe("a body", () => {
  const raw = (body: Body): Sent => ({ body, headers: { "content-type": "application/json" } });
  const nested = (levels: number): string => `{"itemId":"nut","label":"x","notes":${"[".repeat(levels)}${"]".repeat(levels)}}`;

  it.each([
    ["is empty", ""],
    ["is cut off", '{"orderId":"o1","quan'],
    ["is no JSON", "quantity=2"],
    ["is a number", "7"],
    ["is null", "null"],
    ["is an array", '[{"orderId":"o1","quantity":2}]'],
    ["has more behind it", '{"orderId":"o1","quantity":2} {}'],
    ["holds NaN", '{"orderId":"o1","quantity":NaN}'],
  ])("that %s is refused", async (_, body) => {
    expectProblem(await reserve(raw(body)), 400, "request-invalid");
  });

  it.each<[string, unknown]>([
    ["a text for a number", { orderId: "o1", quantity: "2" }],
    ["a number for a text", { orderId: 1, quantity: 2 }],
    ["null for a number", { orderId: "o1", quantity: null }],
    ["a broken number", { orderId: "o1", quantity: 1.5 }],
    ["a number below its range", { orderId: "o1", quantity: 0 }],
    ["a number above its range", { orderId: "o1", quantity: 1e300 }],
    ["an object for a text", { orderId: {}, quantity: 2 }],
    ["a text that is too long", { orderId: "o".repeat(65), quantity: 2 }],
    ["a text with forbidden characters", { orderId: "o 1", quantity: 2 }],
    ["a missing member", { orderId: "o1" }],
    ["an unknown member", { ...good, coupon: "c1" }],
    ["a member that stands in the path", { ...good, itemId: "bolt" }],
    ["a member that contradicts the path", { ...good, itemId: "nut" }],
    ["a member called constructor", { ...good, constructor: { prototype: {} } }],
  ])("with %s is refused", async (_, json) => {
    expectProblem(await reserve({ json }), 400, "request-invalid");
  });

  it("with a member called __proto__ is refused, at the top and inside", async () => {
    expectProblem(await reserve(raw('{"orderId":"o1","quantity":2,"__proto__":{"quantity":1}}')), 400, "request-invalid");
    expectProblem(await reserve(raw('{"orderId":"o1","__proto__":{"quantity":1}}')), 400, "request-invalid");
    expect(({} as { readonly quantity?: unknown }).quantity).toBeUndefined();
  });

  it.each([100, 10_000, 30_000])("nested %i levels deep is refused, also where any JSON is welcome", async (levels) => {
    expectProblem(await rig.send("POST", "/items", { ...raw(nested(levels)), key: "k" }), 400, "request-invalid");
  });

  it("that is not UTF-8 is refused instead of being mended", async () => {
    const body = Buffer.concat([Buffer.from('{"itemId":"nut","label":"'), Buffer.from([0xff, 0xc3]), Buffer.from('"}')]);
    expectProblem(await rig.send("POST", "/items", { ...raw(body), key: "k" }), 400, "request-invalid");
  });

  it.each(['"\\u0000"', '"a\\ud800"', '{"\\u0000":1}', '["\\udc00"]'])(
    "holding %s, which not every database can keep, is refused",
    async (notes) => {
      const body = `{"itemId":"nut","label":"x","notes":${notes}}`;
      expectProblem(await rig.send("POST", "/items", { ...raw(body), key: "k" }), 400, "request-invalid");
    },
  );

  it.each(["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "application/json-patch+json", ""])(
    "of media type '%s' is refused",
    async (type) => {
      expectProblem(await reserve({ body: JSON.stringify(good), headers: { "content-type": type } }), 415, "media-type");
    },
  );

  it("without a media type is refused", async () => {
    expectProblem(await reserve({ body: new TextEncoder().encode(JSON.stringify(good)) }), 415, "media-type");
  });

  it("that is too large is refused, by what its length says before it is read", async () => {
    const unread = new ReadableStream(
      {
        pull: () => {
          throw new TypeError("nobody should read this");
        },
      },
      { highWaterMark: 0 },
    );
    const headers = { "content-type": "application/json", "content-length": String(BODY_BYTES_MAX + 1) };
    expectProblem(await reserve({ body: unread, headers }), 413, "body-too-large");
  });

  it("that is too large is refused although its length says otherwise, and read no further", async () => {
    let chunks = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        chunks += 1;
        controller.enqueue(new Uint8Array(1024).fill(0x20));
      },
    });
    const headers = { "content-type": "application/json", "content-length": "12" };
    expectProblem(await reserve({ body: endless, headers }), 413, "body-too-large");
    expect(chunks).toBeLessThan(80);
  });

  it("that breaks off is refused", async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new TypeError("reset by peer"));
      },
    });
    expectProblem(await reserve({ body: broken, headers: { "content-type": "application/json" } }), 400, "request-invalid");
  });

  it("is refused with few words, however much is wrong with it", async () => {
    const json = Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`member${index}`, index]));
    const answer = await reserve({ json });
    expectProblem(answer, 400, "request-invalid");
    expect(answer.text.length).toBeLessThan(2_000);
  });
});

describe("a key", () => {
  it("is wanted for every command and undo", async () => {
    expectProblem(await rig.send("POST", RESERVATIONS, { json: good }), 400, "key-missing");
    expectProblem(await rig.send("PUT", "/items/bolt/stock", { json: { units: 1 } }), 400, "key-missing");
    expectProblem(await rig.send("POST", RELEASES, { json: good }), 400, "key-missing");
  });

  it.each([
    ["is empty", ""],
    ["is not quoted", "abc"],
    ["is quoted on one side", '"abc'],
    ["is quoted but empty", '""'],
    ["is in single quotes", "'abc'"],
    ["holds a quote", '"a"c"'],
    ["holds a backslash", '"a\\\\c"'],
    ["holds a space", '"a c"'],
    ["holds a letter outside ASCII", '"caf\u00e9"'],
    ["has parameters", '"abc";v=1'],
    ["comes twice", '"abc", "abd"'],
    ["is too long", `"${"k".repeat(256)}"`],
    ["is far too long", `"${"k".repeat(60_000)}"`],
  ])("that %s is refused", async (_, field) => {
    expectProblem(await rig.send("POST", RESERVATIONS, { json: good, headers: { "idempotency-key": field } }), 400, "key-invalid");
  });
});

describe("a header of a call", () => {
  it.each([
    ["backstep-issued-at", "yesterday"],
    ["backstep-issued-at", "-1"],
    ["backstep-issued-at", "1e3"],
    ["backstep-issued-at", "0x10"],
    ["backstep-issued-at", "9007199254740993"],
    ["backstep-issued-at", ""],
    ["backstep-saga-id", "a/b"],
    ["backstep-saga-id", "x".repeat(129)],
    ["backstep-saga-id", ""],
    ["backstep-attempt", "0"],
    ["backstep-attempt", "first"],
    ["backstep-attempt", "1.5"],
    ["backstep-timeout-ms", "-5"],
    ["backstep-timeout-ms", "soon"],
    ["backstep-resolve", "yes"],
    ["backstep-resolve", "1"],
    ["backstep-resolve", "?2"],
    ["backstep-resolve", ""],
  ])("is refused when malformed: %s: %s", async (name, value) => {
    expectProblem(await reserve({ json: good, headers: { [name]: value } }), 400, "key-invalid");
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ["nothing", {}],
    ["no key", { "backstep-undoes-issued-at": "1", "backstep-undoes-known": "inDoubt" }],
    ["an unquoted key", { "backstep-undoes-key": "k0", "backstep-undoes-issued-at": "1", "backstep-undoes-known": "inDoubt" }],
    ["no time", { "backstep-undoes-key": '"k0"', "backstep-undoes-known": "inDoubt" }],
    ["a malformed time", { "backstep-undoes-key": '"k0"', "backstep-undoes-issued-at": "x", "backstep-undoes-known": "inDoubt" }],
    ["no knowledge", { "backstep-undoes-key": '"k0"', "backstep-undoes-issued-at": "1" }],
    ["another knowledge", { "backstep-undoes-key": '"k0"', "backstep-undoes-issued-at": "1", "backstep-undoes-known": "toString" }],
  ])("is wanted of an undo; this one tells %s of what it undoes", async (_, headers) => {
    expectProblem(await rig.send("POST", RELEASES, { json: good, key: "u", headers }), 400, "key-invalid");
  });
});

describe("a path", () => {
  it.each([
    "/",
    "/item",
    "/items/",
    "/items/bolt/",
    "/items//reservations",
    "/ITEMS",
    "/items/bolt/reservations/1",
    "/__proto__",
    "/constructor",
    "//",
    "/%",
  ])("that leads nowhere is a 404: %s", async (path) => {
    for (const method of ["GET", "POST", "DELETE"]) expectProblem(await rig.send(method, path), 404, "no-such-route");
  });

  it.each([
    ["PATCH", "/items/bolt", "DELETE, GET, HEAD"],
    ["POST", "/items/bolt", "DELETE, GET, HEAD"],
    ["GET", RESERVATIONS, "POST"],
    ["DELETE", "/items", "GET, HEAD, POST"],
    ["OPTIONS", "/items", "GET, HEAD, POST"],
    ["PURGE", RESERVATIONS, "POST"],
    ["POST", "/openapi.json", "GET, HEAD"],
    ["PUT", "/healthz", "GET, HEAD"],
    ["GET", "/events", "POST"],
  ])("says what it takes: not %s at %s, but %s", async (method, path, allowed) => {
    const answer = await rig.send(method, path);
    expectProblem(answer, 405, "method-not-allowed");
    expect(answer.headers.get("allow")?.split(", ").toSorted().join(", ")).toBe(allowed);
  });

  it.each(["a%20b", "%00", "%zz", "%", "%ff", "%c3", "a%2fb", "__proto__%20", "x".repeat(65), "%E2%82%AC"])(
    "with a member that does not fit is refused: %s",
    async (itemId) => {
      expectProblem(await rig.send("GET", `/items/${itemId}`), 400, "request-invalid");
      expectProblem(await rig.send("POST", `/items/${itemId}/reservations`, { json: good, key: "k" }), 400, "request-invalid");
    },
  );

  it.each(["%zz", "%", "%ff", "%c3%28", "%00", "a%00b"])(
    "that cannot be decoded is refused, also where any text is welcome: %s",
    async (label) => {
      expectProblem(await rig.send("GET", `/labels/${label}/count`), 400, "request-invalid");
    },
  );

  it("is decoded once", async () => {
    const answer = await rig.send("GET", "/labels/50%2525%20off/count");
    expect(answer.body).toEqual({ label: "50%25 off", items: 0 });
  });

  it("knows an id that looks like a member of every object as one that is not there", async () => {
    expect((await rig.send("GET", "/items/constructor")).body).toMatchObject({ error: { _tag: "ItemUnknown", itemId: "constructor" } });
    expect((await rig.send("GET", "/items/__proto__")).body).toMatchObject({ error: { _tag: "ItemUnknown", itemId: "__proto__" } });
  });
});

describe("a query string", () => {
  it.each([
    "?after=bolt&after=nut",
    "?limit=1&limit=1",
    "?limit=0",
    "?limit=many",
    "?after=",
    "?after=a%20b",
    "?after=%zz",
    "?after=%ff",
    "?page=2",
    "?__proto__=1",
    "?constructor=1",
    "?=1",
  ])("that does not fit is refused: %s", async (query) => {
    expectProblem(await rig.send("GET", `/items${query}`), 400, "request-invalid");
  });

  it("is refused where it repeats the path", async () => {
    expectProblem(await rig.send("GET", "/items/bolt?itemId=bolt"), 400, "request-invalid");
  });

  it("is read when it fits", async () => {
    expect((await rig.send("GET", "/items?limit=1&after=a")).body).toMatchObject({ items: [{ itemId: "bolt" }] });
  });
});

it("HEAD tells what GET would, without the body", async () => {
  for (const [path, status] of [
    ["/items/bolt", 200],
    ["/items/nut", 404],
    ["/healthz", 200],
    ["/items/a%20b", 400],
    ["/nowhere", 404],
    [RESERVATIONS, 405],
  ] as const) {
    const answer = await rig.send("HEAD", path);
    expect(answer.status).toBe(status);
    expect(answer.text).toBe("");
  }
});
