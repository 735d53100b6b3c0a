// Goal: the client makes one attempt, in time, over whatever fetch there is at the moment. Method: real sockets, msw, and fetches of the test's own.
import { HttpResponse, http } from "msw";
import { setupServer } from "msw/node";
import { expect, test } from "vitest";
import { createClient } from "../../src/client.ts";
import { warehouse } from "../warehouse.ts";
import { key, line, ORIGIN, ownProblem, problem, undoCall } from "./calls.ts";
import { listenBadly } from "./sockets.ts";

const reserved = { reservationId: "r1", left: 3 };

test("fetch is looked up at the call, so that whoever replaces it later is heard", async () => {
  const client = createClient(warehouse, { baseUrl: ORIGIN });
  const server = setupServer(http.post(`${ORIGIN}/items/tea/reservations`, () => HttpResponse.json(reserved)));
  server.listen({ onUnhandledFrame: "error" });
  try {
    expect((await client.reserve(line, { key }))._unsafeUnwrap()).toEqual(reserved);
  } finally {
    server.close();
  }
});

test("a fetch of the caller's own is used instead, and one that throws at once is doubt", async () => {
  const own = createClient(warehouse, { baseUrl: ORIGIN, fetch: () => Promise.resolve(Response.json(reserved)) });
  expect((await own.reserve(line, { key }))._unsafeUnwrap()).toEqual(reserved);
  const throwing = createClient(warehouse, {
    baseUrl: ORIGIN,
    fetch: () => {
      throw new Error("not today");
    },
  });
  expect((await throwing.reserve(line, { key }))._unsafeUnwrapErr()).toMatchObject({ _tag: "Unknown" });
});

test("one call is one attempt, whatever comes back", async () => {
  let sent = 0;
  for (const status of [200, 404, 429, 500, 503]) {
    const client = createClient(warehouse, {
      baseUrl: ORIGIN,
      fetch: () => {
        sent += 1;
        return Promise.resolve(new Response(null, { status }));
      },
    });
    await client.reserve(line, { key });
  }
  expect(sent).toBe(5);
});

test("a call that brings no deadline of its own has the client's, and one that does has its own", async () => {
  const silent = await listenBadly(() => undefined);
  const baseUrl = `http://127.0.0.1:${silent.port}`;
  const inTime = [
    createClient(warehouse, { baseUrl, timeoutMs: 50 }).reserve(line, { key }),
    createClient(warehouse, { baseUrl, timeoutMs: 2 ** 31 }).reserve(line, { key, timeoutMs: 50 }),
  ];
  for (const answered of await Promise.all(inTime)) expect(answered._unsafeUnwrapErr()).toMatchObject({ _tag: "Unknown" });
  await silent.close();
});

test.each([2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY])(
  "a deadline of %d milliseconds is a long one, not one that is over at once",
  async (timeoutMs) => {
    // A timer that was set later and is longer than any that overflowed: when it is over, those are.
    const answerLater = async ({ signal }: Request): Promise<Response> => {
      const shortest = AbortSignal.timeout(5);
      await new Promise((resolve) => shortest.addEventListener("abort", resolve));
      return signal.aborted ? Promise.reject(signal.reason as Error) : Response.json(reserved);
    };
    const client = createClient(warehouse, { baseUrl: ORIGIN, fetch: answerLater, timeoutMs });
    expect((await client.reserve(line, { key })).isOk()).toBe(true);
  },
);

test("what the fence recorded is what a deciding query finds", async () => {
  const asking = (response: Response) => createClient(warehouse, { baseUrl: ORIGIN, fetch: () => Promise.resolve(response) });
  const error = { _tag: "OutOfStock", itemId: "tea", requested: 2, available: 1 };
  const document = { type: "urn:backstep:warehouse:OutOfStock", status: 409, effect: "none", error };

  const applied = await asking(Response.json(reserved)).reserve.resolve(line, { key });
  expect(applied._unsafeUnwrap()).toEqual({ _tag: "Applied", output: reserved });
  const refused = await asking(problem(409, { ...document, decided: "key" })).reserve.resolve(line, { key });
  expect(refused._unsafeUnwrap()).toEqual({ _tag: "NotApplied", error });
  const undecided = await asking(problem(409, document)).reserve.resolve(line, { key });
  expect(undecided._unsafeUnwrap()).toEqual({ _tag: "StillUnknown" });
  const sealed = await asking(ownProblem("sealed", { decided: "key" })).reserve.resolve(line, { key });
  expect(sealed._unsafeUnwrap()).toEqual({ _tag: "SealedForGood" });
  const nothing = await asking(new Response(null, { status: 404 })).reserve.resolve(line, { key });
  expect(nothing._unsafeUnwrapErr()).toMatchObject({ _tag: "NotSent" });
  const undone = await asking(Response.json({ _tag: "Undone" })).release.resolve(line, undoCall);
  expect(undone._unsafeUnwrap()).toEqual({ _tag: "Applied", output: undefined });
});
