// Goal: every HTTP answer is taken for what it says and for no more. Method: the real client and the real fetch; msw answers with one status or document after the other.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { HttpResponse, http, passthrough } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createClient } from "../../src/client.ts";
import { warehouse } from "../warehouse.ts";
import { key, line, ORIGIN, ownProblem, problem, undoCall } from "./calls.ts";
import { shelves } from "./shelves.ts";

const server = setupServer();
beforeAll(() => server.listen({ onUnhandledFrame: "error" }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

const client = createClient(warehouse, { baseUrl: ORIGIN });
const reserved = { reservationId: "r1", left: 3 };

function answer(response: Response): void {
  server.use(http.all(`${ORIGIN}/*`, () => response));
}

async function reserveAnsweredBy(response: Response) {
  answer(response);
  return client.reserve(line, { key });
}

async function faultOf(response: Response) {
  return (await reserveAnsweredBy(response))._unsafeUnwrapErr();
}

test.each([200, 201, 203])("a %i with an answer that fits the contract is success", async (status) => {
  expect((await reserveAnsweredBy(HttpResponse.json(reserved, { status })))._unsafeUnwrap()).toEqual(reserved);
});

test.each([
  ["no JSON", new HttpResponse("<html>welcome</html>", { status: 200, headers: { "content-type": "text/html" } })],
  ["JSON cut short", new HttpResponse('{"reservationId":"r1","le', { status: 200, headers: { "content-type": "application/json" } })],
  ["of another shape", HttpResponse.json({ reservationId: "r1" })],
  ["of the right shape, out of bounds", HttpResponse.json({ ...reserved, left: -1 })],
  ["more than the contract knows", HttpResponse.json({ ...reserved, extra: true })],
  ["null", HttpResponse.json(null)],
  ["empty", new HttpResponse("", { status: 200 })],
  ["nothing at all: a 204", new HttpResponse(null, { status: 204 })],
  ["a problem document", problem(200, { type: "about:blank" })],
  ["longer than anybody needs", new HttpResponse(`"${"x".repeat(4 * 1024 * 1024)}"`, { status: 200 })],
])("success whose answer is %s happened, and its output is lost", async (_what, response) => {
  expect(await faultOf(response)).toMatchObject({ _tag: "Unreadable" });
});

test.each([
  ["a 204", new HttpResponse(null, { status: 204 })],
  ["an empty 200", new HttpResponse("", { status: 200 })],
  ["null, which is how JSON tells of nothing", HttpResponse.json(null)],
])("an operation without an output is done with %s", async (_what, response) => {
  answer(response);
  expect((await createClient(shelves, { baseUrl: ORIGIN }).open({ shelf: "a1" }, { key }))._unsafeUnwrap()).toBeUndefined();
});

test.each([
  ["a page", new HttpResponse("<html>please log in</html>", { status: 200, headers: { "content-type": "text/html" } })],
  ["half a document", new HttpResponse("{", { status: 200, headers: { "content-type": "application/json" } })],
])("an operation without an output is not read out of %s", async (_what, response) => {
  answer(response);
  const answered = await createClient(shelves, { baseUrl: ORIGIN }).open({ shelf: "a1" }, { key });
  expect(answered._unsafeUnwrapErr()).toMatchObject({ _tag: "Unreadable" });
});

test.each([
  ["a 204", new HttpResponse(null, { status: 204 })],
  ["an empty 200", new HttpResponse("", { status: 200 })],
  ["what was undone", HttpResponse.json({ _tag: "Undone" })],
  ["that there was nothing to undo", HttpResponse.json({ _tag: "NothingToUndo" })],
])("an undo is done with %s", async (_what, response) => {
  answer(response);
  expect((await client.release(line, undoCall)).isOk()).toBe(true);
});

test.each([
  ["a page", new HttpResponse("<html>please log in</html>", { status: 200, headers: { "content-type": "text/html" } })],
  ["half a document", new HttpResponse('{"_tag":"Und', { status: 200, headers: { "content-type": "application/json" } })],
])("an undo is not taken for done because of %s with status 200", async (_what, response) => {
  answer(response);
  expect((await client.release(line, undoCall))._unsafeUnwrapErr()).toMatchObject({ _tag: "Unreadable" });
});

test("a 202 is still running, and says when to ask again", async () => {
  const found = await faultOf(new HttpResponse(null, { status: 202, headers: { "retry-after": "3" } }));
  expect(found).toMatchObject({ _tag: "Running", retryAfterMs: 3_000 });
});

test("an undo that is answered with 202 is not done", async () => {
  answer(new HttpResponse(null, { status: 202 }));
  expect((await client.release(line, undoCall))._unsafeUnwrapErr()).toMatchObject({ _tag: "Running" });
});

test.each([300, 301, 302, 304, 307, 308])("a %i is a wrong address, and is not followed", async (status) => {
  const elsewhere: string[] = [];
  server.use(
    http.all(`${ORIGIN}/elsewhere`, ({ request }) => {
      elsewhere.push(request.method);
      return HttpResponse.json(reserved);
    }),
    http.post(`${ORIGIN}/items/*`, () => new HttpResponse(null, { status, headers: { location: `${ORIGIN}/elsewhere` } })),
  );
  expect((await client.reserve(line, { key }))._unsafeUnwrapErr()).toMatchObject({ _tag: "Faulted" });
  expect(elsewhere).toEqual([]);
});

test("a 303 is doubt, because it is how some servers say that a POST is done", async () => {
  const found = await faultOf(new HttpResponse(null, { status: 303, headers: { location: `${ORIGIN}/elsewhere` } }));
  expect(found).toMatchObject({ _tag: "Unknown" });
});

test.each([400, 401, 403, 405, 406, 411, 413, 414, 415, 428, 431, 501, 505])("a %i will never be accepted", async (status) => {
  expect(await faultOf(new HttpResponse("no", { status }))).toMatchObject({ _tag: "Faulted", details: { status } });
});

test.each([404, 425])("a bare %i never reached the operation", async (status) => {
  expect(await faultOf(new HttpResponse("no", { status }))).toMatchObject({ _tag: "NotSent" });
});

test("a bare 421 never reached the operation, though fetch has sent it twice", async () => {
  // Not by msw: what fetch does on its own with a 421 needs a server that has read the request.
  let requests = 0;
  const misdirected = createServer((request, response) => {
    requests += 1;
    request.resume().on("end", () => response.writeHead(421).end());
  });
  await new Promise<void>((resolve) => misdirected.listen(0, "127.0.0.1", resolve));
  const baseUrl = `http://127.0.0.1:${(misdirected.address() as AddressInfo).port}`;
  server.use(http.all(`${baseUrl}/*`, () => passthrough()));
  expect((await createClient(warehouse, { baseUrl }).reserve(line, { key }))._unsafeUnwrapErr()).toMatchObject({ _tag: "NotSent" });
  expect(requests).toBe(2);
  misdirected.closeAllConnections();
  await new Promise((resolve) => misdirected.close(resolve));
});

test.each([402, 408, 409, 410, 412, 418, 422, 499])("a bare %i is doubt: nobody says who sent it, or why", async (status) => {
  expect(await faultOf(new HttpResponse("no", { status }))).toMatchObject({ _tag: "Unknown" });
});

test.each([500, 502, 503, 504, 507, 520, 521, 522, 523, 524])("a bare %i is doubt: the work may go on behind it", async (status) => {
  expect(await faultOf(new HttpResponse("no", { status }))).toMatchObject({ _tag: "Unknown" });
});

test("a 429 was turned away before it was executed, and says when to come again", async () => {
  const found = await faultOf(new HttpResponse(null, { status: 429, headers: { "retry-after": "7" } }));
  expect(found).toMatchObject({ _tag: "Throttled", retryAfterMs: 7_000 });
});

test.each([500, 502, 503, 504])("a %i passes on how long to wait", async (status) => {
  const found = await faultOf(new HttpResponse(null, { status, headers: { "retry-after": "2" } }));
  expect(found).toMatchObject({ _tag: "Unknown", retryAfterMs: 2_000 });
});

test.each([
  ["requestInvalid", "Faulted"],
  ["keyMissing", "Faulted"],
  ["keyInvalid", "Faulted"],
  ["notFound", "Faulted"],
  ["methodNotAllowed", "Faulted"],
  ["bodyTooLarge", "Faulted"],
  ["mediaType", "Faulted"],
  ["unavailable", "Throttled"],
  ["evidenceLost", "EvidenceLost"],
  ["keyReused", "KeyReused"],
  ["unexpected", "Unknown"],
] as const)("the problem %s is %s", async (kind, _tag) => {
  expect(await faultOf(ownProblem(kind))).toMatchObject({ _tag });
});

test("the problem running is asked again when it says so", async () => {
  const document = { type: "urn:backstep:problem:running", status: 409, effect: "unknown" };
  expect(await faultOf(problem(409, document, { "retry-after": "1" }))).toMatchObject({ _tag: "Running", retryAfterMs: 1_000 });
});

test("a seal is one only when it is decided for the key and had no effect", async () => {
  expect(await faultOf(ownProblem("sealed", { decided: "key" }))).toMatchObject({ _tag: "Sealed" });
  for (const members of [
    {},
    { decided: "attempt" },
    { decided: true },
    { decided: "key", effect: "unknown" },
    { decided: "key", effect: undefined },
  ]) {
    expect(await faultOf(ownProblem("sealed", members))).toMatchObject({ _tag: "Unknown" });
  }
});

test("an unavailable service was not reached only when it says so itself", async () => {
  expect(await faultOf(ownProblem("unavailable", { effect: "unknown" }))).toMatchObject({ _tag: "Unknown" });
  expect(await faultOf(ownProblem("unavailable", { effect: undefined }))).toMatchObject({ _tag: "Unknown" });
  expect(await faultOf(problem(503, { type: "about:blank", status: 503, effect: "none" }))).toMatchObject({ _tag: "Unknown" });
});

test.each([400, 404, 405, 425, 429])("a %i whose document says that there may be an effect is doubt", async (status) => {
  for (const effect of ["unknown", "applied"]) {
    expect(await faultOf(problem(status, { type: "about:blank", status, effect }))).toMatchObject({ _tag: "Unknown" });
  }
  expect(await faultOf(ownProblem("notFound", { effect: "unknown" }))).toMatchObject({ _tag: "Unknown" });
});

test("a problem says in a few words what it was about, however much its server wrote", async () => {
  const { message } = (await faultOf(ownProblem("requestInvalid", { detail: "quantity: too small" }))) as { message: string };
  expect(message).toBe("POST warehouse/items/{itemId}/reservations: 400 quantity: too small");
  for (const members of [{ detail: "x".repeat(1_000_000) }, { type: "x".repeat(1_000_000) }]) {
    for (const kind of ["requestInvalid", "running", "unexpected"] as const) {
      expect(((await faultOf(ownProblem(kind, members))) as { message: string }).message.length).toBeLessThan(500);
    }
  }
});

test("a failure whose body is longer than anybody needs is doubt", async () => {
  expect(await faultOf(new HttpResponse("x".repeat(4 * 1024 * 1024 + 1), { status: 400 }))).toMatchObject({ _tag: "Unknown" });
});

test("an empty answer to a query is unreadable, and its declared rejection is a rejection", async () => {
  answer(new HttpResponse("", { status: 200 }));
  expect((await client.findItem({ itemId: "tea" }))._unsafeUnwrapErr()).toMatchObject({ _tag: "Unreadable" });
  const error = { _tag: "ItemUnknown", itemId: "tea" };
  answer(problem(404, { type: "urn:backstep:warehouse:ItemUnknown", status: 404, effect: "none", error }));
  expect((await client.findItem({ itemId: "tea" }))._unsafeUnwrapErr()).toEqual(error);
});
