// Goal: an event counts as delivered when every receiver has said so, and never otherwise. Method: a real HTTP server that answers to order.
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { cloudEvent, createHttpPublisher, type HttpPublisherOptions, parseEvent } from "@backstep/participant";
import { afterEach, beforeEach, expect, test } from "vitest";

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const event = cloudEvent({
  id: "1",
  source: "/s",
  type: "paid.v1",
  subject: "é",
  extensions: { sagaid: "x" },
  data: { a: 1 },
})._unsafeUnwrap();

let server: Server;
let url: string;
let received: Received[];
let answer: (response: ServerResponse, path: string) => void;

beforeEach(async () => {
  received = [];
  answer = (response) => response.writeHead(204).end();
  server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ path: request.url ?? "", headers: request.headers, body });
      answer(response, request.url ?? "");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const parsed = ({ headers, body }: Received) => parseEvent({ headers: headers as Record<string, string>, body })._unsafeUnwrap();

test.each(["binary", "structured"] as const)("posts an event in %s mode, with the configured headers", async (mode) => {
  const publisher = createHttpPublisher({
    to: `${url}/events`,
    mode,
    headers: { Authorization: "secret", "CE-Id": "not this", "Content-Type": "text/plain" },
  });
  expect((await publisher.publish(event)).isOk()).toBe(true);
  expect(received).toHaveLength(1);
  const [request] = received;
  expect(request?.path).toBe("/events");
  expect(request?.headers["authorization"]).toBe("secret");
  expect(request === undefined ? undefined : parsed(request)).toEqual(event);
});

test("posts to every receiver of the type, and to nobody when there is none", async () => {
  const publisher = createHttpPublisher({ to: { "paid.v1": [`${url}/one`, `${url}/two`], other: [`${url}/three`] } });
  expect((await publisher.publish(event)).isOk()).toBe(true);
  expect(received.map(({ path }) => path).toSorted()).toEqual(["/one", "/two"]);
  for (const type of ["unlisted", "toString"]) expect((await publisher.publish({ ...event, type })).isOk()).toBe(true);
  expect(received).toHaveLength(2);
});

test("is not delivered before every receiver has taken it", async () => {
  answer = (response, path) => response.writeHead(path === "/two" ? 500 : 202).end("body that nobody reads");
  const publisher = createHttpPublisher({ to: { "paid.v1": [`${url}/one`, `${url}/two`] } });
  const published = await publisher.publish(event);
  expect(published._unsafeUnwrapErr()).toEqual({ _tag: "NotDelivered", message: `${url} answered 500`, retryAfterMs: undefined });
});

test("passes on how long a receiver wants to be left alone", async () => {
  const asked: (number | undefined)[] = [];
  for (const header of ["7", "soon", "-1"]) {
    answer = (response) => response.writeHead(503, { "retry-after": header }).end();
    asked.push((await createHttpPublisher({ to: url }).publish(event))._unsafeUnwrapErr().retryAfterMs);
  }
  expect(asked).toEqual([7_000, undefined, undefined]);
});

test("follows no redirect", async () => {
  answer = (response, path) =>
    path === "/" ? response.writeHead(307, { location: `${url}/elsewhere` }).end() : response.writeHead(204).end();
  const published = await createHttpPublisher({ to: url }).publish(event);
  expect(published._unsafeUnwrapErr().message).toBe(`${url} answered 307`);
  expect(received.map(({ path }) => path)).toEqual(["/"]);
});

test("gives up on a receiver that does not answer", async () => {
  answer = () => undefined;
  const published = await createHttpPublisher({ to: url, timeoutMs: 30 }).publish(event);
  expect(published._unsafeUnwrapErr().message).toBe(`${url} did not answer: TimeoutError`);
});

test("tells neither path nor query of a receiver that cannot be reached", async () => {
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const published = await createHttpPublisher({ to: `http://127.0.0.1:${port}/hooks?token=secret` }).publish(event);
  expect(published._unsafeUnwrapErr().message).toBe(`http://127.0.0.1:${port} did not answer: TypeError`);
});

test("ends a request that the relay has given up", async () => {
  const arrived = Promise.withResolvers<void>();
  answer = () => arrived.resolve();
  const giveUp = new AbortController();
  const publishing = createHttpPublisher({ to: url }).publish(event, giveUp.signal);
  await arrived.promise;
  giveUp.abort();
  expect((await publishing)._unsafeUnwrapErr().message).toBe(`${url} did not answer: AbortError`);
});

test.each<[string, Partial<HttpPublisherOptions>]>([
  ["a receiver that is no URL", { to: "nonsense" }],
  ["one of several that is none", { to: { "paid.v1": ["http://127.0.0.1/", "/events"] } }],
  ["a receiver that does not speak HTTP", { to: "ftp://127.0.0.1/" }],
  ["a header that is none", { headers: { "not a name": "x" } }],
  ["a wait that is no number", { timeoutMs: Number.NaN }],
  ["no wait at all", { timeoutMs: 0 }],
])("is not made with %s, and its message holds no secret", (_, wrong) => {
  const making = (): unknown => createHttpPublisher({ to: url, ...wrong });
  expect(making).toThrow(expect.objectContaining({ _tag: "OptionInvalid" }));
});

test("looks fetch up at each call", async () => {
  const publisher = createHttpPublisher({ to: url });
  const { fetch } = globalThis;
  globalThis.fetch = async () => new Response(null, { status: 418 });
  const published = await publisher.publish(event).finally(() => {
    globalThis.fetch = fetch;
  });
  expect(published._unsafeUnwrapErr().message).toBe(`${url} answered 418`);
  const given = createHttpPublisher({ to: url, fetch: async () => new Response(null, { status: 204 }) });
  expect((await given.publish(event)).isOk()).toBe(true);
  expect(received).toEqual([]);
});
