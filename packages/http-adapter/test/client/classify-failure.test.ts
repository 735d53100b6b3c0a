// Goal: a call that brings no answer is told apart by one question, whether the request can have left. Method: the real client and the real fetch against sockets that
// refuse, reset, stall, cut and talk nonsense; what loopback cannot do to a connection is thrown by a fetch of the test's own, in the shape that Node's has.
import type { AddressInfo, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { createClient } from "../../src/client.ts";
import { warehouse } from "../warehouse.ts";
import { key, line } from "./calls.ts";
import { type BadServer, closedPort, HEAD_OK, listenBadly } from "./sockets.ts";

const servers: BadServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function bad(misbehave: (socket: Socket) => void): Promise<BadServer> {
  const server = await listenBadly(misbehave);
  servers.push(server);
  return server;
}

async function callTo(baseUrl: string, whose: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}) {
  return (await createClient(warehouse, { baseUrl }).reserve(line, { key, ...whose }))._unsafeUnwrapErr();
}

async function callThrowing(thrown: unknown) {
  const client = createClient(warehouse, { baseUrl: "http://warehouse.test", fetch: () => Promise.reject(thrown) });
  return (await client.reserve(line, { key }))._unsafeUnwrapErr();
}

/** What Node's fetch throws: the reason is in the cause. */
function failed(cause: unknown): TypeError {
  return new TypeError("fetch failed", { cause });
}

function systemError(code: string, members: Readonly<Record<string, unknown>> = {}, message = code): Error {
  return Object.assign(new Error(message), { code, ...members });
}

test("a port that nobody listens at was never reached", async () => {
  expect(await callTo(`http://127.0.0.1:${await closedPort()}`)).toMatchObject({ _tag: "NotSent", details: { code: "ECONNREFUSED" } });
});

test("a name that does not resolve was never reached", async () => {
  // Some resolvers take their time to say no.
  expect(await callTo("http://warehouse.invalid", { timeoutMs: 25_000 })).toMatchObject({ _tag: "NotSent" });
});

test("a connection that is reset before the answer is doubt", async () => {
  const { port, requests } = await bad((socket) => socket.resetAndDestroy());
  expect(await callTo(`http://127.0.0.1:${port}`)).toMatchObject({ _tag: "Unknown" });
  expect(requests).toHaveLength(1);
});

test("a connection that is closed before the answer is doubt", async () => {
  const { port } = await bad((socket) => socket.end());
  expect(await callTo(`http://127.0.0.1:${port}`)).toMatchObject({ _tag: "Unknown", details: { code: "UND_ERR_SOCKET" } });
});

test("a connection that is closed within the headers is doubt", async () => {
  const { port } = await bad((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-ty"));
  expect(await callTo(`http://127.0.0.1:${port}`)).toMatchObject({ _tag: "Unknown" });
});

test("an answer that is no HTTP is doubt", async () => {
  const { port } = await bad((socket) => socket.end("220 mail.example.com ESMTP\r\n"));
  expect(await callTo(`http://127.0.0.1:${port}`)).toMatchObject({ _tag: "Unknown" });
});

test("headers that never come are doubt", async () => {
  const { port } = await bad(() => undefined);
  expect(await callTo(`http://127.0.0.1:${port}`, { timeoutMs: 50 })).toMatchObject({ _tag: "Unknown" });
});

test("headers that never end are doubt", async () => {
  const { port } = await bad((socket) => socket.write(HEAD_OK));
  expect(await callTo(`http://127.0.0.1:${port}`, { timeoutMs: 50 })).toMatchObject({ _tag: "Unknown" });
});

test("a body that stalls is doubt, as any deadline is, whoever notices it first", async () => {
  const { port } = await bad((socket) => socket.write(`${HEAD_OK}content-length: 100\r\n\r\n{"reservationId":`));
  expect(await callTo(`http://127.0.0.1:${port}`, { timeoutMs: 100 })).toMatchObject({ _tag: "Unknown" });
});

test.each([
  ["ends before its length", (socket: Socket) => socket.end(`${HEAD_OK}content-length: 100\r\n\r\n{"reservationId":"r1","left":3}`)],
  ["ends before its last chunk", (socket: Socket) => socket.end(`${HEAD_OK}transfer-encoding: chunked\r\n\r\n5\r\n{"res\r\n`)],
  ["has a chunk that is none", (socket: Socket) => socket.end(`${HEAD_OK}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n`)],
  ["is not compressed as it says", (socket: Socket) => socket.end(`${HEAD_OK}content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}`)],
])("success whose body %s happened, and its output is lost", async (_what, misbehave) => {
  const { port } = await bad(misbehave);
  expect(await callTo(`http://127.0.0.1:${port}`)).toMatchObject({ _tag: "Unreadable" });
});

test("success whose body is cut by a reset happened, and its output is lost", async () => {
  const server = await bad((socket) => socket.write(`${HEAD_OK}content-length: 100\r\n\r\n{"reservationId":`));
  // The head must have been read before the reset, which would otherwise throw it away unread.
  const heard = Promise.withResolvers<void>();
  const calling = createClient(warehouse, {
    baseUrl: `http://127.0.0.1:${server.port}`,
    fetch: async (request) => {
      const response = await fetch(request);
      heard.resolve();
      return response;
    },
  }).reserve(line, { key });
  await heard.promise;
  server.reset();
  expect((await calling)._unsafeUnwrapErr()).toMatchObject({ _tag: "Unreadable" });
});

test.each([400, 404, 429, 503])("a %i whose body is cut is doubt, because what it would have said is lost", async (status) => {
  const { port } = await bad((socket) => socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 100\r\n\r\n{"type":`));
  expect(await callTo(`http://127.0.0.1:${port}`)).toMatchObject({ _tag: "Unknown" });
});

test("a signal that was aborted before the call keeps the request at home", async () => {
  const { port, requests } = await bad((socket) => socket.end());
  expect(await callTo(`http://127.0.0.1:${port}`, { signal: AbortSignal.abort() })).toMatchObject({ _tag: "NotSent" });
  expect(requests).toEqual([]);
});

test.each(["the caller's own reason", new Error("shutdown"), undefined])(
  "an abort after the request has left is doubt (%s)",
  async (reason) => {
    const { port, reached } = await bad(() => undefined);
    const controller = new AbortController();
    const calling = callTo(`http://127.0.0.1:${port}`, { signal: controller.signal });
    await reached;
    controller.abort(reason);
    expect(await calling).toMatchObject({ _tag: "Unknown" });
  },
);

test("a server that speaks no TLS was never reached", async () => {
  const { port } = await bad((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  expect(await callTo(`https://127.0.0.1:${port}`)).toMatchObject({ _tag: "NotSent" });
});

test("a server that hangs up during the TLS handshake was never reached", async () => {
  const { port } = await bad((socket) => socket.end());
  expect(await callTo(`https://127.0.0.1:${port}`)).toMatchObject({ _tag: "NotSent" });
});

test("a server that refuses the TLS handshake was never reached", async () => {
  // It has no certificate, so it has no cipher in common with anybody.
  const server = createTlsServer({});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  expect(await callTo(`https://127.0.0.1:${(server.address() as AddressInfo).port}`)).toMatchObject({ _tag: "NotSent" });
  await new Promise((resolve) => server.close(resolve));
});

test.each([
  systemError("EAI_AGAIN", { syscall: "getaddrinfo" }),
  systemError("EHOSTUNREACH", { syscall: "connect" }),
  systemError("ENETUNREACH", { syscall: "connect" }),
  systemError("EADDRNOTAVAIL", { syscall: "connect" }),
  systemError("EACCES", { syscall: "connect" }),
  systemError("ETIMEDOUT", { syscall: "connect" }),
  systemError("UND_ERR_CONNECT_TIMEOUT"),
  systemError("CERT_HAS_EXPIRED"),
  systemError("CERT_NOT_YET_VALID"),
  systemError("CERT_REVOKED"),
  systemError("DEPTH_ZERO_SELF_SIGNED_CERT"),
  systemError("SELF_SIGNED_CERT_IN_CHAIN"),
  systemError("UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
  systemError("ERR_TLS_CERT_ALTNAME_INVALID"),
  systemError("ERR_TLS_HANDSHAKE_TIMEOUT"),
  systemError("ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE"),
  systemError("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION"),
  systemError("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"),
  systemError("ERR_SSL_NO_PROTOCOLS_AVAILABLE"),
  systemError(
    "EPROTO",
    { syscall: "write" },
    "write EPROTO 80:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:ssl.c:354:",
  ),
])("a connection that was never made, or never secured, carried nothing: %s", async (cause) => {
  expect(await callThrowing(failed(cause))).toMatchObject({ _tag: "NotSent" });
});

test.each([
  systemError("ECONNRESET", { syscall: "read" }),
  systemError("EPIPE", { syscall: "write" }),
  systemError("ETIMEDOUT", { syscall: "read" }),
  systemError(
    "EPROTO",
    { syscall: "write" },
    "write EPROTO 80:error:0A000119:SSL routines:ssl3_get_record:decryption failed or bad record mac",
  ),
  systemError("UND_ERR_SOCKET"),
  systemError("UND_ERR_HEADERS_TIMEOUT"),
  systemError("UND_ERR_BODY_TIMEOUT"),
  systemError("ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC"),
  systemError("ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC"),
  systemError("ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR"),
  systemError("SOMETHING_NEW"),
  new Error("no code at all"),
  undefined,
])("a connection that broke later may have carried the request: %s", async (cause) => {
  expect(await callThrowing(failed(cause))).toMatchObject({ _tag: "Unknown" });
});

test("of several addresses none was reached only when each of them was not", async () => {
  const refused = systemError("ECONNREFUSED", { syscall: "connect" });
  const unreachable = systemError("ENETUNREACH", { syscall: "connect" });
  expect(await callThrowing(failed(new AggregateError([refused, unreachable])))).toMatchObject({ _tag: "NotSent" });
  expect(await callThrowing(failed(new AggregateError([refused, systemError("ECONNRESET")])))).toMatchObject({ _tag: "Unknown" });
  expect(await callThrowing(failed(new AggregateError([refused, new Error("no code")])))).toMatchObject({ _tag: "Unknown" });
  expect(await callThrowing(failed(new AggregateError([])))).toMatchObject({ _tag: "Unknown" });
});

test.each([undefined, null, "ECONNREFUSED", 7, {}])("something else thrown is doubt: %s", async (thrown) => {
  expect(await callThrowing(thrown)).toMatchObject({ _tag: "Unknown" });
});

test("a body that times out by itself is doubt even after success was announced", async () => {
  const body = new ReadableStream({ pull: (stream) => stream.error(failed(systemError("UND_ERR_BODY_TIMEOUT"))) });
  const client = createClient(warehouse, { baseUrl: "http://warehouse.test", fetch: () => Promise.resolve(new Response(body)) });
  expect((await client.reserve(line, { key }))._unsafeUnwrapErr()).toMatchObject({ _tag: "Unknown" });
});

test("a failure that explains itself in a circle is doubt", async () => {
  const circle: { cause?: unknown } = {};
  circle.cause = circle;
  expect(await callThrowing(circle)).toMatchObject({ _tag: "Unknown" });
});
