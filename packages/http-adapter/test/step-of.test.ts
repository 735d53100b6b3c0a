// Goal: a step of a contract is its operations and nothing else: their names, their answers, their undo. Method: single attempts of each kind, over a fetch of the test's own.
import { contract, undo } from "@backstep/contract";
import { stepOf } from "@backstep/http-adapter";
import { DefinitionInvalid, tryStep, undoStep } from "@backstep/saga-core";
import { expect, test } from "vitest";
import { z } from "zod";
import { createClient } from "../src/client.ts";
import { key, line, ORIGIN, ownProblem, problem } from "./client/calls.ts";
import { shelves } from "./client/shelves.ts";
import { reservation, warehouse } from "./warehouse.ts";

interface Sent {
  readonly place: string;
  readonly headers: Headers;
}

function open(answer: () => Response | Promise<Response> = () => new Response(null, { status: 429 })) {
  const sent: Sent[] = [];
  const options = {
    baseUrl: ORIGIN,
    fetch: async ({ method, url, headers }: Request) => {
      sent.push({ place: `${method} ${new URL(url).pathname}`, headers });
      return answer();
    },
  };
  return { sent, client: createClient(warehouse, options), shelf: createClient(shelves, options) };
}

const reserved = { reservationId: "r1", left: 3 };
const error = { _tag: "OutOfStock", itemId: "tea", requested: 2, available: 1 };
const rejection = { type: "urn:backstep:warehouse:OutOfStock", status: 409, effect: "none", error };
const call = { sagaId: "s1", key, issuedAt: 1, attempt: 1, timeoutMs: 1_000, signal: new AbortController().signal };

test("a step has its operation's name and its constructor's kind", () => {
  const { client } = open();
  const steps = [
    stepOf(client.reserve, client.release),
    stepOf.readOnly(client.findItem),
    stepOf.pivot(client.stockItem),
    stepOf.retriable(client.addItem),
  ];
  expect(steps.map((each) => [each["~step"].name, each["~step"].kind])).toEqual([
    ["warehouse.reserve", "compensatable"],
    ["warehouse.find-item", "readOnly"],
    ["warehouse.stock-item", "pivot"],
    ["warehouse.add-item", "retriable"],
  ]);
});

test("what is to be done in doubt, and how long, is passed on; a pivot is asked for", () => {
  const { client } = open();
  const retry = { attempts: 2, timeoutMs: 7 };
  const { "~step": asking } = stepOf(client.reserve, client.release, { inDoubt: "resolve", retry, compensationRetry: { timeoutMs: 9 } });
  expect(asking).toMatchObject({ inDoubt: "resolve", retry, compensationRetry: { timeoutMs: 9 } });
  expect(stepOf(client.reserve, client.release)["~step"].inDoubt).toBe("compensate");
  expect(stepOf.pivot(client.stockItem, { retry })["~step"]).toMatchObject({ inDoubt: "resolve", retry });
  expect(stepOf.retriable(client.addItem, { retry })["~step"].retry).toMatchObject(retry);
  expect(stepOf.readOnly(client.findItem, { retry })["~step"].retry).toMatchObject(retry);
});

test("an attempt is the client's call, classified", async () => {
  expect(await tryStep(stepOf.readOnly(open(() => Response.json({ items: [] })).client.listItems), {})).toEqual({
    _tag: "Succeeded",
    output: { items: [] },
  });
  for (const [answer, found] of [
    [() => Response.json(reserved), { _tag: "Succeeded", output: reserved }],
    [() => problem(409, rejection), { _tag: "Rejected", error, decided: false }],
    [() => problem(409, { ...rejection, decided: "key" }), { _tag: "Rejected", error, decided: true }],
    [() => new Response(null, { status: 204 }), { _tag: "Unreadable" }],
    [() => new Response(null, { status: 500 }), { _tag: "Unknown" }],
    [() => ownProblem("sealed", { decided: "key" }), { _tag: "Sealed" }],
  ] as const) {
    const { client, sent } = open(answer);
    expect(await tryStep(stepOf(client.reserve, client.release), line, { sagaId: "s1" })).toMatchObject(found);
    expect(sent.map(({ place }) => place)).toEqual(["POST /items/tea/reservations"]);
    expect(sent[0]?.headers.get("backstep-saga-id")).toBe("s1");
  }
});

test("an operation without an output makes a step without one", async () => {
  const { shelf } = open(() => Response.json(null));
  expect(await tryStep(stepOf(shelf.open, shelf.close), { shelf: "a1" })).toEqual({ _tag: "Succeeded", output: undefined });
});

test("a compensation is the undo's call, and names the key that it takes back and what is known of it", async () => {
  const { client, sent } = open(() => Response.json({ _tag: "Undone" }));
  const reserve = stepOf(client.reserve, client.release);
  await tryStep(reserve, line);
  for (const outcome of [
    { _tag: "Succeeded", output: reserved },
    { _tag: "InDoubt", known: "succeeded" },
    { _tag: "InDoubt", known: "nothing" },
  ] as const) {
    expect(await undoStep(reserve, line, outcome)).toEqual({ _tag: "Succeeded", output: undefined });
  }
  const [action, ...undone] = sent;
  expect(undone.map(({ place }) => place)).toEqual(Array(3).fill("POST /items/tea/releases"));
  expect(undone.map(({ headers }) => headers.get("backstep-undoes-known"))).toEqual(["succeeded", "succeeded", "inDoubt"]);
  for (const { headers } of undone) {
    expect(headers.get("backstep-undoes-key")).toBe(action?.headers.get("idempotency-key"));
    expect(headers.get("idempotency-key")).not.toBe(action?.headers.get("idempotency-key"));
  }
});

test("a retriable has no rejection: what its command refuses is a fault that says so", async () => {
  for (const decided of [undefined, "key"]) {
    const itemExists = {
      type: "urn:backstep:warehouse:ItemExists",
      status: 409,
      effect: "none",
      decided,
      error: { _tag: "ItemExists", itemId: "tea" },
    };
    const { client } = open(() => problem(409, itemExists));
    const found = await tryStep(stepOf.retriable(client.addItem), { itemId: "tea", label: "shelf" });
    expect(found).toMatchObject({ _tag: "Faulted", message: expect.stringContaining("ItemExists") as string });
  }
});

test("a retriable's faults stay what they are", async () => {
  const { client } = open(() => new Response(null, { status: 429, headers: { "retry-after": "2" } }));
  expect(await tryStep(stepOf.retriable(client.addItem), { itemId: "tea", label: "shelf" })).toMatchObject({
    _tag: "Throttled",
    retryAfterMs: 2_000,
  });
});

test("an operation in doubt is asked for at its own place: the action at the action's, the compensation at the undo's", async () => {
  const { client, sent } = open(() => ownProblem("sealed", { decided: "key" }));
  const { resolve } = stepOf(client.reserve, client.release)["~step"];
  const answers = [
    await resolve?.(line, { call, slot: "action" }),
    await resolve?.(line, { call, slot: "compensation" }),
    await stepOf.pivot(client.stockItem)["~step"].resolve?.({ itemId: "tea", units: 1 }, { call, slot: "action" }),
    await stepOf.retriable(client.removeItem)["~step"].resolve?.({ itemId: "tea" }, { call, slot: "action" }),
  ];
  expect(answers.map((each) => each?._unsafeUnwrap())).toEqual(answers.map(() => ({ _tag: "SealedForGood" })));
  expect(sent.map(({ place }) => place)).toEqual([
    "POST /items/tea/reservations",
    "POST /items/tea/releases",
    "PUT /items/tea/stock",
    "DELETE /items/tea",
  ]);
  expect(sent.every(({ headers }) => headers.get("backstep-resolve") === "?1" && headers.get("idempotency-key") === `"${key}"`)).toBe(true);
});

test("a step knows which output an operator may hand in for it", () => {
  const { client } = open();
  const schemas = [
    stepOf(client.reserve, client.release),
    stepOf.pivot(client.stockItem),
    stepOf.retriable(client.addItem),
    stepOf.readOnly(client.findItem),
  ].map((each) => each["~step"].output);
  expect(schemas).toEqual(["reserve", "stockItem", "addItem", "findItem"].map((name) => warehouse.operations[name as "reserve"].output));
});

test("an undo of another contract, or of another command, is refused where the step is declared", () => {
  const { client } = open();
  const other = contract({
    name: "depot",
    operations: {
      reserve: warehouse.operations.reserve,
      release: warehouse.operations.release,
      store: warehouse.operations.addItem,
      unstore: undo({ summary: "Takes it out again.", path: "/items/removals", undoes: "store", input: reservation }),
    },
  });
  const depot = createClient(other, { baseUrl: ORIGIN });
  expect(() => stepOf(client.reserve, depot.release)).toThrow(new DefinitionInvalid("depot.release is not the undo of warehouse.reserve"));
  expect(() => stepOf(depot.reserve, depot.unstore as never)).toThrow(
    new DefinitionInvalid("depot.unstore is not the undo of depot.reserve"),
  );
});

test("a name too long for a step is refused where the step is declared", () => {
  const name = `list${"Long".repeat(20)}`;
  const long = contract({
    name: "warehouse",
    operations: { [name]: { ...warehouse.operations.listItems, output: z.unknown() } },
  });
  expect(() => stepOf.readOnly(createClient(long, { baseUrl: ORIGIN })[name] as never)).toThrow(DefinitionInvalid);
});
