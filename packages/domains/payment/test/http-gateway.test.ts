/**
 * Goal: every answer of the gateway is taken for what it says and for no more, and nothing secret comes out. Method: the real adapter and the real fetch; msw gives one
 * answer after the other, and the reference server stands behind it where a whole gateway is wanted. Connections that break and stall are real sockets.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { inspect } from "node:util";
import { createGatewayServer, createHttpGateway, createMemoryGateway, GatewayFailed, type HttpGatewayOptions } from "@backstep/payment";
import { HttpResponse, http, passthrough } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

const network = setupServer();
beforeAll(() => network.listen({ onUnhandledFrame: "error" }));
afterEach(() => network.resetHandlers());
afterAll(() => network.close());

const ORIGIN = "https://gateway.test/shop";
const API_KEY = "sk_live_4eC39HqLyjWDarjtT1zdp7dc";
const BASIC = Buffer.from(`${API_KEY}:`).toString("base64");
const CARD = "4242424242424242";

const amount = { amountMinor: 9_000, currency: "KRW" };
const authorisation = { amount, reference: "payment-1" };
const capture = { authorisationId: "auth/1?", amount };
const release = { authorisationId: "auth/1?" };
const KEY = "checkout:ann:k1/run/payment.authorise-payment/action";
const call = { idempotencyKey: KEY, signal: new AbortController().signal };
const gateway = createHttpGateway({ baseUrl: ORIGIN, apiKey: API_KEY });

const json = (body: object, status = 200): Response => HttpResponse.json(body, { status });
const authorised = { id: "auth/1?", status: "authorised", ...authorisation, card: { number: CARD } };
const captured = { id: "cap-1", status: "captured", ...capture };
const voided = { status: "voided", ...release };
const declined = { error: { code: "declined", reason: "insufficient-funds", message: `card ${CARD} was declined` } };

/** What the gateway was asked, in order. */
function answer(...responses: readonly Response[]): Request[] {
  const requests: Request[] = [];
  const left = [...responses];
  network.use(
    http.all("https://gateway.test/*", ({ request }) => {
      requests.push(request);
      return left.length > 1 ? left.shift() : left[0]?.clone();
    }),
  );
  return requests;
}

async function failureOf(asked: Promise<unknown>): Promise<GatewayFailed> {
  const failure = await asked.then(
    (value) => ({ _tag: "Answered", value }),
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(GatewayFailed);
  return failure as GatewayFailed;
}

describe("a request", () => {
  it("goes to its route with the secret key, the idempotency key and the amount", async () => {
    const requests = answer(json(authorised, 201), json(captured, 201), json(voided, 201));
    await gateway.authorise(authorisation, call);
    await gateway.capture(capture, call);
    await gateway.void(release, call);
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `POST ${ORIGIN}/v1/authorisations`,
      `POST ${ORIGIN}/v1/authorisations/auth%2F1%3F/captures`,
      `POST ${ORIGIN}/v1/authorisations/auth%2F1%3F/voids`,
    ]);
    expect(await Promise.all(requests.map((request) => request.json()))).toEqual([authorisation, { amount }, {}]);
    for (const { headers } of requests) {
      expect([headers.get("authorization"), headers.get("idempotency-key")]).toEqual([`Basic ${BASIC}`, KEY]);
    }
  });

  it("looks the global fetch up when it is made", async () => {
    const before = globalThis.fetch;
    globalThis.fetch = async () => json(authorised);
    try {
      expect((await gateway.authorise(authorisation, call)).isOk()).toBe(true);
    } finally {
      globalThis.fetch = before;
    }
  });

  it.each(["", " k", "k ", "k\n", "ключ", "x".repeat(256)])(
    "is not made under the key %j, which no gateway would take as it is",
    async (idempotencyKey) => {
      const requests = answer(json(authorised));
      for (const asked of [
        () => gateway.authorise(authorisation, { ...call, idempotencyKey }),
        () => gateway.capture(capture, { ...call, idempotencyKey }),
        () => gateway.void(release, { ...call, idempotencyKey }),
        () => gateway.settle(idempotencyKey, call.signal),
      ]) {
        await expect(asked()).rejects.toThrow("an idempotency key is");
      }
      expect(requests).toEqual([]);
    },
  );

  it.each([".", ".."])("is not made where %j would make its path another one", async (dots) => {
    const requests = answer(json(captured));
    await expect(gateway.capture({ ...capture, authorisationId: dots }, call)).rejects.toThrow("another path");
    await expect(gateway.void({ authorisationId: dots }, call)).rejects.toThrow("another path");
    await expect(gateway.settle(dots, call.signal)).rejects.toThrow("another path");
    expect(requests).toEqual([]);
  });
});

describe("an answer that decides", () => {
  it.each([200, 201])("approved (%i): authorised, captured, voided", async (status) => {
    answer(json(authorised, status), json(captured, status), json(voided, status));
    expect((await gateway.authorise(authorisation, call))._unsafeUnwrap()).toEqual({ _tag: "Authorised", authorisationId: "auth/1?" });
    const taken = { _tag: "Captured", captureId: "cap-1", authorisationId: "auth/1?" };
    expect((await gateway.capture(capture, call))._unsafeUnwrap()).toEqual(taken);
    expect((await gateway.void(release, call))._unsafeUnwrap()).toEqual({ _tag: "Voided" });
  });

  const { authorisationId } = capture;
  const closed = (by: string) => ({ error: { code: "authorisation-closed", by } });
  it.each([
    [
      "declined",
      () => gateway.authorise(authorisation, call),
      402,
      declined,
      { _tag: "AuthorisationDeclined", reason: "insufficient-funds" },
    ],
    [
      "the key was reused",
      () => gateway.authorise(authorisation, call),
      422,
      { error: { code: "key-reused" } },
      { _tag: "GatewayKeyRefused", why: "reused" },
    ],
    [
      "the key is sealed",
      () => gateway.capture(capture, call),
      410,
      { error: { code: "key-sealed" } },
      { _tag: "GatewayKeyRefused", why: "sealed" },
    ],
    [
      "captured twice",
      () => gateway.capture(capture, call),
      409,
      closed("captured"),
      { _tag: "AuthorisationClosed", authorisationId, by: "Captured" },
    ],
    [
      "captured after its void",
      () => gateway.capture(capture, call),
      409,
      closed("voided"),
      { _tag: "AuthorisationClosed", authorisationId, by: "Voided" },
    ],
    [
      "voided after its capture",
      () => gateway.void(release, call),
      409,
      closed("captured"),
      { _tag: "AuthorisationClosed", authorisationId, by: "Captured" },
    ],
    [
      "never authorised",
      () => gateway.void(release, call),
      404,
      { error: { code: "authorisation-not-found" } },
      { _tag: "AuthorisationNotFound", authorisationId },
    ],
    [
      "more than was authorised",
      () => gateway.capture(capture, call),
      422,
      { error: { code: "capture-too-large", authorised: amount } },
      { _tag: "CaptureTooLarge", authorised: amount },
    ],
  ] as const)("%s", async (_, asked, status, body, rejection) => {
    answer(json(body, status));
    const answered = await asked();
    expect(answered.isErr()).toBe(true);
    expect(answered._unsafeUnwrapErr()).toEqual(rejection);
  });
});

describe("an answer that decides nothing", () => {
  it.each([
    [401, "unauthorised"],
    [403, "unauthorised"],
    [429, "throttled"],
    [500, "unexpected"],
    [502, "unexpected"],
    [503, "unexpected"],
    [504, "unexpected"],
    [404, "unexpected"],
    [409, "unexpected"],
    [422, "unexpected"],
    [202, "malformed"],
    [204, "malformed"],
  ] as const)("a bare %i: %s", async (status, why) => {
    for (const asked of [
      () => gateway.authorise(authorisation, call),
      () => gateway.capture(capture, call),
      () => gateway.void(release, call),
      () => gateway.settle(KEY, call.signal),
    ]) {
      const requests = answer(new HttpResponse(null, { status }));
      expect(await failureOf(asked())).toMatchObject({ _tag: "GatewayFailed", why, status });
      expect(requests, "one call is one request").toHaveLength(1);
    }
  });

  it.each([
    ["no JSON", new HttpResponse("<html>paid!</html>", { status: 201 })],
    ["JSON cut short", new HttpResponse('{"id":"auth-1","status":"authori', { status: 201 })],
    ["null", HttpResponse.json(null, { status: 201 })],
    ["a list", HttpResponse.json([authorised], { status: 201 })],
    ["of another kind", json(captured, 201)],
    ["without an id", json({ ...authorised, id: undefined }, 201)],
    ["with an id that is no text", json({ ...authorised, id: 7 }, 201)],
    ["about another amount", json({ ...authorised, amount: { amountMinor: 8_999, currency: "KRW" } }, 201)],
    ["about another currency", json({ ...authorised, amount: { amountMinor: 9_000, currency: "EUR" } }, 201)],
    ["about another payment", json({ ...authorised, reference: "payment-2" }, 201)],
    ["about something not done yet", json({ ...authorised, status: "pending" }, 201)],
    ["an error with a status of success", json(declined, 201)],
    ["longer than anybody needs", new HttpResponse(`"${"x".repeat(300_000)}"`, { status: 201 })],
  ])("a success whose body is %s", async (_, response) => {
    answer(response);
    expect(await failureOf(gateway.authorise(authorisation, call))).toMatchObject({ why: "malformed", status: 201 });
  });

  it("a capture or a void of another authorisation", async () => {
    answer(json({ ...captured, authorisationId: "auth-2" }, 201), json({ ...voided, authorisationId: "auth-2" }, 201));
    expect(await failureOf(gateway.capture(capture, call))).toMatchObject({ why: "malformed" });
    expect(await failureOf(gateway.void(release, call))).toMatchObject({ why: "malformed" });
  });

  it.each([
    ["with another status than its own", json(declined, 422)],
    ["without a reason", json({ error: { code: "declined" } }, 402)],
    ["whose reason is no word", json({ error: { code: "declined", reason: `card ${CARD}` } }, 402)],
    ["that authorising cannot have", json({ error: { code: "authorisation-closed", by: "captured" } }, 409)],
    ["with a code that nobody knows", json({ error: { code: "acquirer-on-strike" } }, 402)],
    ["that is a text", HttpResponse.json("declined", { status: 402 })],
    ["outside of its place", json({ code: "declined", reason: "insufficient-funds" }, 402)],
  ])("a rejection %s", async (_, response) => {
    answer(response);
    expect(await failureOf(gateway.authorise(authorisation, call))).toMatchObject({ why: "unexpected" });
  });
});

describe("a connection", () => {
  /** A server of real sockets that does the same to every request; resolves with its origin. */
  async function openSocket(treat: (socket: Socket) => void): Promise<{ readonly baseUrl: string; readonly server: Server }> {
    network.use(http.all("http://127.0.0.1:*/*", () => passthrough()));
    const server = createServer((request) => void request.resume().on("end", () => treat(request.socket)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { server, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  const head = "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n";
  it.each<[string, (socket: Socket) => void, Partial<HttpGatewayOptions>, number | undefined]>([
    ["that is reset", (socket) => socket.resetAndDestroy(), {}, undefined],
    ["that ends without an answer", (socket) => socket.end(), {}, undefined],
    ["that is cut within the body", (socket) => socket.write(`${head}{"id":`, () => socket.destroy()), {}, 201],
    ["on which no answer comes in time", () => undefined, { timeoutMs: 30 }, undefined],
    ["on which the body stalls", (socket) => void socket.write(`${head}{"id":`), { timeoutMs: 1_000 }, 201],
    ["that speaks no HTTP", (socket) => void socket.end("220 smtp.example ready\r\n"), {}, undefined],
  ])("%s leaves doubt", async (_, treat, options, status) => {
    const { server, baseUrl } = await openSocket(treat);
    const failed = await failureOf(createHttpGateway({ baseUrl, apiKey: API_KEY, ...options }).authorise(authorisation, call));
    expect(failed).toMatchObject({ why: "unanswered", status });
    server.closeAllConnections();
    server.close();
  });

  it("that nobody accepts leaves doubt", async () => {
    const { server, baseUrl } = await openSocket(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    expect(await failureOf(createHttpGateway({ baseUrl, apiKey: API_KEY }).authorise(authorisation, call))).toMatchObject({
      why: "unanswered",
    });
  });

  it("is given up when its caller gives up", async () => {
    const caller = new AbortController();
    const { server, baseUrl } = await openSocket(() => caller.abort());
    const asked = createHttpGateway({ baseUrl, apiKey: API_KEY }).authorise(authorisation, { ...call, signal: caller.signal });
    expect(await failureOf(asked)).toMatchObject({ why: "unanswered" });
    server.closeAllConnections();
    server.close();
  });

  it("that leads elsewhere is not followed", async () => {
    let requests = 0;
    const { server, baseUrl } = await openSocket((socket) => {
      requests += 1;
      socket.end("HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    });
    expect(await failureOf(createHttpGateway({ baseUrl, apiKey: API_KEY }).authorise(authorisation, call))).toMatchObject({
      why: "unanswered",
    });
    expect(requests).toBe(1);
    server.close();
  });
});

describe("a key is settled", () => {
  const unknown = (): Response => json({ error: { code: "key-unknown" } }, 404);
  const recorded = (request: object, status: number, body: object) => json({ status: "answered", request, response: { status, body } });

  it("by looking it up: what was recorded is told as it was then", async () => {
    const requests = answer(
      recorded({ operation: "authorisation", ...authorisation }, 201, authorised),
      recorded({ operation: "authorisation", ...authorisation }, 402, declined),
      recorded({ operation: "capture", ...capture }, 201, captured),
      recorded({ operation: "void", ...release }, 409, { error: { code: "authorisation-closed", by: "captured" } }),
    );
    const settled = [];
    for (let asked = 0; asked < 4; asked += 1) settled.push(await gateway.settle(KEY, call.signal));
    expect(
      settled.map(
        (each) =>
          each._tag === "Answered" &&
          each.answer.match<unknown>(
            (value) => value,
            (rejection) => rejection,
          ),
      ),
    ).toEqual([
      { _tag: "Authorised", authorisationId: "auth/1?" },
      { _tag: "AuthorisationDeclined", reason: "insufficient-funds" },
      { _tag: "Captured", captureId: "cap-1", authorisationId: "auth/1?" },
      { _tag: "AuthorisationClosed", authorisationId: "auth/1?", by: "Captured" },
    ]);
    expect(new Set(requests.map(({ method, url }) => `${method} ${url}`))).toEqual(
      new Set([`GET ${ORIGIN}/v1/idempotency-keys/${encodeURIComponent(KEY)}`]),
    );
  });

  it("by sealing it where nothing came", async () => {
    const requests = answer(unknown(), json({ status: "sealed" }));
    expect(await gateway.settle(KEY, call.signal)).toEqual({ _tag: "Sealed" });
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `GET ${ORIGIN}/v1/idempotency-keys/${encodeURIComponent(KEY)}`,
      `POST ${ORIGIN}/v1/idempotency-keys/${encodeURIComponent(KEY)}/cancellation`,
    ]);
  });

  it("by what came between looking it up and sealing it", async () => {
    answer(unknown(), recorded({ operation: "capture", ...capture }, 201, captured));
    expect(await gateway.settle(KEY, call.signal)).toMatchObject({ _tag: "Answered" });
  });

  it.each([
    ["somebody else's 404", json({ message: "no such page" }, 404)],
    ["a bare 404", new HttpResponse(null, { status: 404 })],
    ["a 2xx that is no 200", json({ status: "sealed" }, 201)],
    ["a status that nobody knows", json({ status: "in-progress" })],
    ["an answer to something else", recorded({ operation: "authorisation", ...authorisation }, 201, captured)],
    [
      "an answer about another amount",
      recorded({ operation: "capture", ...capture, amount: { ...amount, amountMinor: 1 } }, 201, captured),
    ],
    ["a recorded error that decides nothing", recorded({ operation: "capture", ...capture }, 500, {})],
    ["an operation that nobody knows", recorded({ operation: "refund" }, 201, captured)],
  ])("by no such answer as %s", async (_, response) => {
    const requests = answer(response);
    await failureOf(gateway.settle(KEY, call.signal));
    expect(
      requests.map(({ method }) => method),
      "nothing is sealed on a misunderstanding",
    ).toEqual(["GET"]);
  });

  it("by no such answer to its sealing, either", async () => {
    answer(unknown(), unknown());
    expect(await failureOf(gateway.settle(KEY, call.signal))).toMatchObject({ why: "unexpected", status: 404 });
  });
});

describe("nothing secret comes out", () => {
  const texts = (value: unknown): string =>
    [inspect(value, { depth: 20, showHidden: true }), JSON.stringify(value), String(value)].join("\n");
  const expectDiscreet = (value: unknown): void => {
    for (const secret of [API_KEY, BASIC, CARD]) expect(texts(value)).not.toContain(secret);
  };

  it("of the gateway itself", () => expectDiscreet(gateway));

  it.each([
    [401, `bad key ${API_KEY}`],
    [500, `Authorization: Basic ${BASIC}, card ${CARD}`],
    [402, JSON.stringify({ error: { code: "declined", reason: CARD, key: API_KEY } })],
  ])("of an error that quotes it (%i)", async (status, text) => {
    answer(new HttpResponse(text, { status }));
    expectDiscreet(await failureOf(gateway.authorise(authorisation, call)));
  });

  it("of a fetch that fails and tells what it was given", async () => {
    const telling = createHttpGateway({
      baseUrl: ORIGIN,
      apiKey: API_KEY,
      fetch: async (request) => {
        throw new TypeError(`cannot send ${request.headers.get("authorization")}`, { cause: { request } });
      },
    });
    expectDiscreet(await failureOf(telling.authorise(authorisation, call)));
  });

  it("of an answer: what is not asked for is left out", async () => {
    answer(json(authorised, 201), json(declined, 402));
    expectDiscreet((await gateway.authorise(authorisation, call))._unsafeUnwrap());
    expectDiscreet((await gateway.authorise(authorisation, call))._unsafeUnwrapErr());
  });

  it("of a failure's words, which name a route and a status, and no id or key", async () => {
    answer(new HttpResponse(null, { status: 500 }));
    expect((await failureOf(gateway.capture(capture, call))).message).toBe(
      "the payment gateway, POST /v1/authorisations/{id}/captures: unexpected (500)",
    );
    expect((await failureOf(gateway.settle(KEY, call.signal))).message).toBe(
      "the payment gateway, GET /v1/idempotency-keys/{id}: unexpected (500)",
    );
  });
});

describe("a gateway is refused whose", () => {
  it.each([
    ["address is none", { baseUrl: "gateway" }],
    ["address is of another scheme", { baseUrl: "ftp://gateway.test" }],
    ["line is open to everybody", { baseUrl: "http://gateway.test" }],
    ["address holds credentials", { baseUrl: `https://${API_KEY}@gateway.test` }],
    ["address holds a query", { baseUrl: "https://gateway.test/?a=1" }],
    ["key is empty", { apiKey: "" }],
    ["patience is none", { timeoutMs: 0 }],
    ["patience is no whole number", { timeoutMs: 1.5 }],
    ["patience is longer than any timer", { timeoutMs: 2 ** 31 }],
  ])("%s", (_, wrong) => {
    const create = (): unknown => createHttpGateway({ baseUrl: ORIGIN, apiKey: API_KEY, ...wrong });
    expect(create).toThrow(/must|needs/);
    expect(create).not.toThrow(API_KEY);
  });

  it.each(["http://127.0.0.1:4107", "http://localhost:4107/", "http://[::1]:4107", "https://gateway.test/"])("but not %s", (baseUrl) => {
    expect(() => createHttpGateway({ baseUrl, apiKey: API_KEY })).not.toThrow();
  });
});

it("lists what it holds, page by page, and by reference", async () => {
  const memory = createMemoryGateway();
  const reference = createGatewayServer({ gateway: memory, apiKey: API_KEY });
  network.use(http.all("https://books.test/*", ({ request }) => reference.fetch(request)));
  const books = createHttpGateway({ baseUrl: "https://books.test", apiKey: API_KEY });
  for (let index = 0; index < 102; index += 1) {
    await memory.authorise({ amount, reference: `payment-${index}` }, { ...call, idempotencyKey: `k${index}` });
  }
  await books.capture({ authorisationId: "authorisation-1", amount: { ...amount, amountMinor: 1 } }, { ...call, idempotencyKey: "c" });
  const first = await books.list();
  const rest = await books.list({ after: first.at(-1)?.authorisationId });
  expect([first.length, rest.length]).toEqual([100, 2]);
  expect([...first, ...rest]).toEqual(memory.held());
  expect(first[0]).toMatchObject({ state: "Captured", captured: { amountMinor: 1 } });
  expect(await books.list({ reference: "payment-101" })).toEqual([memory.held()[101]]);
  await failureOf(books.list({ after: "nobody" }));
});
