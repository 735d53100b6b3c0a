// Goal: only the contract's own refusal passes as one, and only a decision for the key clears doubt. Method: one true document, and forgeries that differ from it in one point.
import { isDecided, isFault } from "@backstep/saga-core/adapter";
import { http } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createClient } from "../../src/client.ts";
import { warehouse } from "../warehouse.ts";
import { key, line, ORIGIN, problem, undoCall } from "./calls.ts";

const server = setupServer();
beforeAll(() => server.listen({ onUnhandledFrame: "error" }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

const client = createClient(warehouse, { baseUrl: ORIGIN });

const error = { _tag: "OutOfStock", itemId: "tea", requested: 2, available: 1 };
const document = { type: "urn:backstep:warehouse:OutOfStock", title: "Out of stock", status: 409, effect: "none", error };

async function reserveAnsweredBy(response: Response) {
  server.use(http.all(`${ORIGIN}/*`, () => response));
  return (await client.reserve(line, { key }))._unsafeUnwrapErr();
}

test("a declared rejection is the contract's error, and speaks of this attempt alone", async () => {
  const found = await reserveAnsweredBy(problem(409, document));
  expect(found).toEqual(error);
  expect(isDecided(found)).toBe(false);
});

test("a declared rejection that is decided for the key is marked so, and the mark is no part of its data", async () => {
  const found = await reserveAnsweredBy(problem(409, { ...document, decided: "key" }));
  expect(isDecided(found)).toBe(true);
  expect(JSON.parse(JSON.stringify(found))).toEqual(error);
});

test("a problem's own status may be left out, its media type may have parameters, and members nobody knows are ignored", async () => {
  const told = { ...document, status: undefined, instance: "/problems/7", balance: 30 };
  expect(await reserveAnsweredBy(problem(409, told, { "content-type": "Application/Problem+JSON; charset=utf-8" }))).toEqual(error);
});

const decided = { ...document, decided: "key" };

test.each([
  ["a media type that is plain JSON", 409, decided, { "content-type": "application/json" }],
  ["no media type", 409, decided, { "content-type": "" }],
  ["a type of nobody", 409, { ...decided, type: "about:blank" }, {}],
  ["no type", 409, { ...decided, type: undefined }, {}],
  ["a type that is no text", 409, { ...decided, type: 7 }, {}],
  ["the type of another contract", 409, { ...decided, type: "urn:backstep:shop:OutOfStock" }, {}],
  ["the type of another of the operation's rejections", 409, { ...decided, type: "urn:backstep:warehouse:OrderClosed" }, {}],
  [
    "a rejection of another operation",
    409,
    { ...decided, type: "urn:backstep:warehouse:ItemExists", error: { _tag: "ItemExists", itemId: "tea" } },
    {},
  ],
  ["a status in the document that is not the answer's", 409, { ...decided, status: 422 }, {}],
  ["the answer's status not that of the contract", 422, { ...decided, status: 422 }, {}],
  ["a status that means an error of the server", 500, { ...decided, status: 500 }, {}],
  ["an effect", 409, { ...decided, effect: "applied" }, {}],
  ["an effect that is not known", 409, { ...decided, effect: "unknown" }, {}],
  ["an effect that is no word of the protocol", 409, { ...decided, effect: "nothing" }, {}],
  ["nothing about its effect", 409, { ...decided, effect: undefined }, {}],
  ["a decision of something else", 409, { ...decided, decided: "attempt" }, {}],
  ["no error", 409, { ...decided, error: undefined }, {}],
  ["an error of another tag", 409, { ...decided, error: { ...error, _tag: "OrderClosed" } }, {}],
  ["an error that lacks a member", 409, { ...decided, error: { _tag: "OutOfStock", itemId: "tea" } }, {}],
  ["an error with a member out of bounds", 409, { ...decided, error: { ...error, available: -1 } }, {}],
  ["an error with a member too many", 409, { ...decided, error: { ...error, stack: "at Service.reserve" } }, {}],
  ["an error that is a text", 409, { ...decided, error: "OutOfStock" }, {}],
])("a document with %s is no rejection and decides nothing", async (_what, status, told, headers) => {
  const found = await reserveAnsweredBy(problem(status, told, headers));
  expect(isFault(found)).toBe(true);
  expect(found).toMatchObject({ _tag: "Unknown" });
});

test.each([
  ["no JSON", "<html>conflict</html>"],
  ["JSON cut short", JSON.stringify(decided).slice(0, -1)],
  ["a list", JSON.stringify([decided])],
  ["null", "null"],
  ["empty", ""],
])("a problem document that is %s is no rejection and decides nothing", async (_what, text) => {
  const response = new Response(text, { status: 409, headers: { "content-type": "application/problem+json" } });
  expect(await reserveAnsweredBy(response)).toMatchObject({ _tag: "Unknown" });
});

test("a forged refusal with a status that means no effect is no rejection either, and clears no doubt", async () => {
  const forged = {
    type: "urn:backstep:warehouse:ItemUnknown",
    status: 404,
    effect: "none",
    decided: "key",
    error: { _tag: "ItemUnknown" },
  };
  expect(await reserveAnsweredBy(problem(404, forged))).toMatchObject({ _tag: "NotSent" });
});

test("an undo has no rejection, whatever the participant calls it", async () => {
  server.use(http.all(`${ORIGIN}/*`, () => problem(409, decided)));
  expect((await client.release(line, undoCall))._unsafeUnwrapErr()).toMatchObject({ _tag: "Unknown" });
});
