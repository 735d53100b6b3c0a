/**
 * Goal: what holds for requests made in memory holds for those that come through a socket. Method: the real server behind Node's HTTP on loopback, with a client that
 * sends what `fetch` would not: bodies in chunks, without an end, or with a false length.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { cloudEvent, formatEvent } from "@backstep/participant";
import { type ServerType, serve } from "@hono/node-server";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { assertDescribed } from "./open-api-reader.ts";
import { openRig, type Rig, stock } from "./rig.ts";

let rig: Rig;
let listening: ServerType;
let port: number;
/** Every answer that the server has begun to work on. */
const answers: Promise<Response>[] = [];

beforeAll(async () => {
  rig = await openRig("sqlite");
  await stock(rig, "bolt", 5);
  port = await new Promise<number>((resolve) => {
    listening = serve({ fetch: answering, port: 0, hostname: "127.0.0.1" }, (info) => resolve(info.port));
  });
});
afterAll(async () => {
  await new Promise<void>((resolve) => {
    listening.close(() => resolve());
  });
  await rig.close();
});

function answering(request: Request): Promise<Response> {
  const answer = rig.server.fetch(request);
  answers.push(answer);
  return answer;
}

const url = (path: string): string => `http://127.0.0.1:${port}${path}`;

async function ask(method: string, path: string, init: RequestInit = {}) {
  const response = await fetch(url(path), { method, ...init });
  const text = await response.text();
  assertDescribed(rig.document, { method, path: path.split("?")[0] ?? "", status: response.status, headers: response.headers, text });
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : (JSON.parse(text) as unknown), text };
}

/** Writes text to a socket and reads until the other side has said its say. */
async function exchange(write: (socket: Socket) => void): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    received += text;
  });
  // A server that has answered may well stop listening to what is still being written.
  socket.on("error", () => undefined);
  await once(socket, "connect");
  write(socket);
  await new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
  });
  return received;
}

const head = (method: string, path: string, ...fields: readonly string[]): string =>
  [`${method} ${path} HTTP/1.1`, "Host: warehouse", "Connection: close", ...fields, "", ""].join("\r\n");
const reserving = (key: string, ...fields: readonly string[]): string =>
  head("POST", "/items/bolt/reservations", "Content-Type: application/json", `Idempotency-Key: "${key}"`, ...fields);
const reservation = JSON.stringify({ orderId: "o1", quantity: 1 });

it("a command, its repeat, its undo and its late return are answered as they should", async () => {
  const call = (path: string, key: string, headers: Readonly<Record<string, string>> = {}) =>
    ask("POST", path, { body: reservation, headers: { "content-type": "application/json", "idempotency-key": `"${key}"`, ...headers } });
  const first = await call("/items/bolt/reservations", "s1");
  const second = await call("/items/bolt/reservations", "s1");
  expect(first.status).toBe(200);
  expect(second.text).toBe(first.text);
  expect(second.headers.get("idempotency-replayed")).toBe("?1");
  const undoes = {
    "backstep-undoes-key": '"s1"',
    "backstep-undoes-issued-at": String(rig.clock.now),
    "backstep-undoes-known": "succeeded",
  };
  expect((await call("/items/bolt/releases", "u1", undoes)).body).toEqual({ _tag: "Undone" });
  expect((await call("/items/bolt/reservations", "s1")).status).toBe(410);
});

it("duplicates over many connections run once", async () => {
  const before = await rig.units("bolt");
  const answers = await Promise.all(
    Array.from({ length: 10 }, () =>
      ask("POST", "/items/bolt/reservations", {
        body: reservation,
        headers: { "content-type": "application/json", "idempotency-key": '"s2"' },
      }),
    ),
  );
  expect(answers.filter(({ headers }) => headers.get("idempotency-replayed") === null)).toHaveLength(1);
  expect(await rig.units("bolt")).toBe(before - 1);
});

it("a body in chunks is read", async () => {
  const received = await exchange((socket) => {
    socket.write(reserving("s3", "Transfer-Encoding: chunked"));
    for (const character of reservation) socket.write(`1\r\n${character}\r\n`);
    socket.write("0\r\n\r\n");
  });
  expect(received).toMatch(/^HTTP\/1\.1 200 /);
});

it("a body in chunks without an end is refused once it is too large", async () => {
  const before = await rig.rows();
  const received = await exchange((socket) => {
    socket.write(reserving("s4", "Transfer-Encoding: chunked"));
    const chunk = `1000\r\n${" ".repeat(0x1000)}\r\n`;
    const more = (): void => {
      if (!socket.destroyed && socket.writable) socket.write(chunk, () => setImmediate(more));
    };
    more();
  });
  expect(received).toMatch(/^HTTP\/1\.1 413 /);
  expect(received).toContain("urn:backstep:problem:body-too-large");
  expect(await rig.rows()).toEqual(before);
});

it("a body whose length is announced as too large is refused before it comes", async () => {
  const received = await exchange((socket) => socket.write(reserving("s5", "Content-Length: 100000000")));
  expect(received).toMatch(/^HTTP\/1\.1 413 /);
});

it("a body that breaks off has no effect, and is no error of the service", async () => {
  const before = await rig.rows();
  const begun = answers.length;
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(`${reserving("s6", "Content-Length: 1000")}{"orderId":`);
  await vi.waitFor(() => expect(answers).toHaveLength(begun + 1));
  socket.resetAndDestroy();
  expect((await answers[begun])?.status).toBe(400);
  expect(await rig.rows()).toEqual(before);
  expect(rig.errors).toEqual([]);
});

it("raw bytes in paths, queries and headers are answered with problems", async () => {
  const targets = ["/items/%zz", "/items/%00", "/items/%ff", "/items?after=%zz", "/labels/%c3/count", "//", "/items//"];
  for (const target of targets) {
    const received = await exchange((socket) => socket.write(head("GET", target)));
    expect(received, target).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(received.toLowerCase(), target).toContain("content-type: application/problem+json");
  }
  const received = await exchange((socket) => socket.write(Buffer.from(`${reserving("caf\u00e9", "Content-Length: 2")}{}`, "latin1")));
  expect(received).toContain("urn:backstep:problem:key-invalid");
});

it("HEAD, OPTIONS and unknown methods are answered", async () => {
  expect((await ask("HEAD", "/items/bolt")).status).toBe(200);
  expect((await ask("OPTIONS", "/items/bolt")).headers.get("allow")).toBe("DELETE, GET, HEAD");
  expect((await ask("PATCH", "/items/bolt")).status).toBe(405);
});

it("an event has one effect", async () => {
  const before = await rig.units("bolt");
  const type = "com.example.stock.arrived.v1";
  const event = cloudEvent({ id: "e1", source: "/suppliers/1", type, data: { itemId: "bolt", units: 3 } });
  const { headers, body } = formatEvent(event._unsafeUnwrap());
  expect((await ask("POST", "/events", { headers, body })).status).toBe(204);
  expect((await ask("POST", "/events", { headers, body })).status).toBe(204);
  expect(await rig.units("bolt")).toBe(before + 3);
});
