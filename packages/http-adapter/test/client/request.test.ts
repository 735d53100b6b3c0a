// Goal: an operation and its input become the request that the contract says, with the headers that say whose call it is. Method: the real client with a fetch of the test's
// own that keeps what it is given.
import { type Call, idempotencyKey } from "@backstep/saga-core/adapter";
import { describe, expect, test } from "vitest";
import { createClient } from "../../src/client.ts";
import { warehouse } from "../warehouse.ts";
import { key, line, ORIGIN, undoCall } from "./calls.ts";
import { shelves } from "./shelves.ts";

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function open({ baseUrl = ORIGIN, traceparent }: { readonly baseUrl?: string; readonly traceparent?: () => string | undefined } = {}) {
  const sent: Sent[] = [];
  const keep = async (request: Request): Promise<Response> => {
    const { method, url, headers } = request;
    sent.push({ method, url, headers: Object.fromEntries(headers), body: await request.text() });
    return new Response(null, { status: 429 });
  };
  const options = { baseUrl, fetch: keep, traceparent };
  return { sent, warehouse: createClient(warehouse, options), shelves: createClient(shelves, options) };
}

describe("places", () => {
  test("a command's members travel in the path where it has room for them, and in a JSON body otherwise", async () => {
    const { sent, warehouse: client } = open();
    await client.reserve(line, { key });
    expect(sent).toMatchObject([{ method: "POST", url: `${ORIGIN}/items/tea/reservations`, body: '{"orderId":"o1","quantity":2}' }]);
    expect(sent[0]?.headers).toMatchObject({ "content-type": "application/json", accept: "application/json, application/problem+json" });
  });

  test("a command has the method of its contract, and a body though nothing is left for it", async () => {
    const { sent, warehouse: client } = open();
    await client.stockItem({ itemId: "tea", units: 3 }, { key });
    await client.removeItem({ itemId: "tea" }, { key });
    expect(sent).toMatchObject([
      { method: "PUT", url: `${ORIGIN}/items/tea/stock`, body: '{"units":3}' },
      { method: "DELETE", url: `${ORIGIN}/items/tea`, body: "{}" },
    ]);
  });

  test("a query's members travel in the path or the query string, those that are not given not at all", async () => {
    const { sent, warehouse: client, shelves: other } = open();
    await client.findItem({ itemId: "tea" });
    await client.listItems({ after: "tea", limit: 10 });
    await client.listItems({ after: undefined });
    await other.listShelves({});
    await other.search({ words: "a&b=c d+ü", open: false, limit: 0 });
    expect(sent.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `GET ${ORIGIN}/items/tea`,
      `GET ${ORIGIN}/items?after=tea&limit=10`,
      `GET ${ORIGIN}/items`,
      `GET ${ORIGIN}/shelves`,
      `GET ${ORIGIN}/search?words=a%26b%3Dc+d%2B%C3%BC&open=false&limit=0`,
    ]);
    expect(sent.every(({ body, headers }) => body === "" && headers["content-type"] === undefined)).toBe(true);
  });

  test.each([
    ["a/b", "a%2Fb"],
    ["a b?c#d", "a%20b%3Fc%23d"],
    ["100%", "100%25"],
    ["%2e%2e", "%252e%252e"],
    ["..a", "..a"],
    ["홍차", "%ED%99%8D%EC%B0%A8"],
  ])("the text %j is one segment of the path", async (label, segment) => {
    const { sent, warehouse: client } = open();
    await client.countLabel({ label });
    expect(sent[0]?.url).toBe(`${ORIGIN}/labels/${segment}/count`);
  });

  test.each(["https://shop.test/api/v1", "https://shop.test/api/v1/", "https://shop.test/api/v1//"])(
    "the base %s is in front of every path",
    async (baseUrl) => {
      const { sent, warehouse: client } = open({ baseUrl });
      await client.findItem({ itemId: "tea" });
      expect(sent[0]?.url).toBe("https://shop.test/api/v1/items/tea");
    },
  );
});

describe("whose call it is", () => {
  const call: Call = { sagaId: "s1", key, issuedAt: 1_700_000_000_000, attempt: 3, timeoutMs: 1_500, signal: new AbortController().signal };

  test("a call says its saga, its key quoted, when that was issued, which attempt it is and how long it may take", async () => {
    const { sent, warehouse: client } = open();
    await client.reserve(line, call);
    expect(sent[0]?.headers).toMatchObject({
      "idempotency-key": `"${key}"`,
      "backstep-saga-id": "s1",
      "backstep-issued-at": "1700000000000",
      "backstep-attempt": "3",
      "backstep-timeout-ms": "1500",
    });
    expect(Object.keys(sent[0]?.headers ?? {}).filter((name) => /undoes|resolve|trace/.test(name))).toEqual([]);
  });

  test("a client that acts on its own says its key, and the time that every call has", async () => {
    const { sent, warehouse: client } = open();
    await client.reserve(line, { key: idempotencyKey.parse("own-1")._unsafeUnwrap() });
    expect(sent[0]?.headers).toEqual({
      accept: "application/json, application/problem+json",
      "content-type": "application/json",
      "idempotency-key": '"own-1"',
      "backstep-timeout-ms": "10000",
    });
  });

  test.each(["succeeded", "inDoubt"] as const)(
    "an undo says what it takes back, when that was issued, and that it is known to be %s",
    async (known) => {
      const { sent, warehouse: client } = open();
      await client.release(line, { ...undoCall, undoes: { ...undoCall.undoes, known } });
      expect(sent[0]).toMatchObject({ method: "POST", url: `${ORIGIN}/items/tea/releases`, body: '{"orderId":"o1","quantity":2}' });
      expect(sent[0]?.headers).toMatchObject({
        "idempotency-key": `"${undoCall.key}"`,
        "backstep-undoes-key": `"${key}"`,
        "backstep-undoes-issued-at": "1700000000000",
        "backstep-undoes-known": known,
      });
    },
  );

  test.each([
    ["OutOfStock", "OutOfStock"],
    ["Too much", undefined],
    ["Übermaß", undefined],
    ["x".repeat(65), undefined],
  ])("an undo says why, where the cause %s can travel", async (cause, told) => {
    const { sent, warehouse: client } = open();
    await client.release(line, { ...undoCall, cause });
    expect(sent[0]?.headers["backstep-cause"]).toBe(told);
  });

  test("a deciding query is the operation's own request, with a header that says so", async () => {
    const { sent, warehouse: client } = open();
    await client.reserve(line, call);
    await client.reserve.resolve(line, call);
    const [asked, deciding] = sent;
    expect(deciding).toEqual({ ...asked, headers: { ...asked?.headers, "backstep-resolve": "?1" } });
  });

  test("a query needs no call, and carries one that it is given", async () => {
    const { sent, warehouse: client } = open();
    await client.findItem({ itemId: "tea" });
    await client.findItem({ itemId: "tea" }, call);
    expect(sent.map(({ headers }) => [headers["idempotency-key"], headers["backstep-saga-id"]])).toEqual([
      [undefined, undefined],
      [`"${key}"`, "s1"],
    ]);
  });

  test("the trace context is asked for at each request, and absent when there is none", async () => {
    const traces = ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", undefined];
    const { sent, warehouse: client } = open({ traceparent: () => traces[sent.length] });
    await client.reserve(line, { key });
    await client.reserve(line, { key });
    expect(sent.map(({ headers }) => headers["traceparent"])).toEqual(traces);
  });
});

describe("what cannot be asked", () => {
  test.each(["", "..", "."])("the text %j would make another path, so nothing is sent", async (shelf) => {
    const { sent, shelves: client } = open();
    expect((await client.open({ shelf }, { key }))._unsafeUnwrapErr()).toMatchObject({ _tag: "Faulted" });
    expect(sent).toEqual([]);
  });

  test.each([
    ["a lone surrogate in the path", { shelf: "\ud800" }],
    ["no value for the path", {}],
    ["an object for the path", { shelf: {} }],
    ["no input", undefined],
    ["a number too big for JSON", { shelf: "a1", note: 10n }],
  ])("%s is a fault of the caller, so nothing is sent", async (_what, input) => {
    const { sent, shelves: client } = open();
    expect((await client.open(input as never, { key }))._unsafeUnwrapErr()).toMatchObject({ _tag: "Faulted" });
    expect(sent).toEqual([]);
  });

  test.each([[{ words: ["a", "b"] }], [{ words: { a: 1 } }], [{ words: null }]])(
    "a query string cannot carry %j, so nothing is sent",
    async (input) => {
      const { sent, shelves: client } = open();
      expect((await client.search(input as never))._unsafeUnwrapErr()).toMatchObject({ _tag: "Faulted" });
      expect(sent).toEqual([]);
    },
  );

  test.each([
    "",
    "warehouse",
    "warehouse:8080",
    "/api",
    "http://",
    "http://user:secret@warehouse.test",
    "http://warehouse.test?tenant=1",
    "http://warehouse.test#top",
    "ftp://warehouse.test",
    "file:///etc",
    "data:application/json,{}",
  ])("the base %j is no place to send to, so every call is a fault", async (baseUrl) => {
    const { sent, warehouse: client } = open({ baseUrl });
    const found = (await client.reserve(line, { key }))._unsafeUnwrapErr();
    expect(found).toMatchObject({ _tag: "Faulted" });
    expect(JSON.stringify(found)).not.toContain("secret");
    expect(sent).toEqual([]);
  });

  test("a port that fetch refuses to speak to is a fault", async () => {
    const client = createClient(warehouse, { baseUrl: "http://127.0.0.1:1" });
    expect((await client.reserve(line, { key }))._unsafeUnwrapErr()).toMatchObject({ _tag: "Faulted" });
  });

  test("a header that cannot be written is a fault of the caller, so nothing is sent", async () => {
    const { sent, warehouse: client } = open();
    for (const sagaId of ["a\nb", "홍차"]) {
      expect((await client.reserve(line, { key, sagaId }))._unsafeUnwrapErr()).toMatchObject({ _tag: "Faulted" });
    }
    const broken = open({
      traceparent: () => {
        throw new Error("no tracer");
      },
    });
    expect((await broken.warehouse.reserve(line, { key }))._unsafeUnwrapErr()).toMatchObject({ _tag: "Faulted" });
    expect([...sent, ...broken.sent]).toEqual([]);
  });

  test.each([Number.NaN, -1, Number.NEGATIVE_INFINITY])("%d milliseconds are no deadline, so nothing is sent", async (timeoutMs) => {
    const { sent, warehouse: client } = open();
    expect((await client.reserve(line, { key, timeoutMs }))._unsafeUnwrapErr()).toMatchObject({ _tag: "Faulted" });
    expect(sent).toEqual([]);
  });
});
