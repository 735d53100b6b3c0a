// Goal: client, steps and engine together tell apart what HTTP blurs: a lost answer that turns out a "no" for the key leaves nothing to undo, one that stays undecided is undone.
// Method: whole sagas in a real engine on the memory store; msw plays the participant, answer by answer; at the end the real server does, and the network loses its answers.
import { stepOf } from "@backstep/http-adapter";
import { createEngine, createMemoryStore, type InDoubtPolicy, saga } from "@backstep/saga-core";
import { HttpResponse, http } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Client, createClient } from "../src/client.ts";
import { line, ORIGIN, ownProblem, problem } from "./client/calls.ts";
import { openRig, stock } from "./server/rig.ts";
import { reservation, warehouse } from "./warehouse.ts";

const server = setupServer();
beforeAll(() => server.listen({ onUnhandledFrame: "error" }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

/** Fast, and few: a participant that never recovers must not hold a test. */
const retry = { attempts: 2, delayMs: 1, delayMsMax: 1, horizonMs: 10_000, timeoutMs: 5_000 };

function createPicking(client: Client<typeof warehouse>, inDoubt: InDoubtPolicy) {
  const findItem = stepOf.readOnly(client.findItem, { retry });
  const reserve = stepOf(client.reserve, client.release, { retry, compensationRetry: retry, inDoubt });
  return saga({
    name: "picking",
    input: z.strictObject({ lines: z.array(reservation) }),
    *run({ lines }) {
      const picked: string[] = [];
      for (const each of lines) {
        const { units } = yield* findItem({ itemId: each.itemId });
        if (units > 0) picked.push((yield* reserve(each)).reservationId);
      }
      return picked;
    },
  });
}

/** Answers one request after the other, in order, and keeps what they asked. The last answer is given ever after. */
function play(...answers: readonly (() => Response)[]) {
  const asked: { readonly place: string; readonly headers: Headers }[] = [];
  server.use(
    http.get(`${ORIGIN}/items/:itemId`, ({ params }) => HttpResponse.json({ itemId: params["itemId"], label: "shelf", units: 9 })),
    http.post(`${ORIGIN}/*`, ({ request }) => {
      asked.push({ place: new URL(request.url).pathname, headers: request.headers });
      const answer = answers[Math.min(asked.length, answers.length) - 1];
      return answer?.() ?? HttpResponse.error();
    }),
  );
  return { asked, places: () => asked.map(({ place }) => place) };
}

function open(inDoubt: InDoubtPolicy = "compensate") {
  const picking = createPicking(createClient(warehouse, { baseUrl: ORIGIN }), inDoubt);
  return { picking, engine: createEngine({ sagas: [picking], store: createMemoryStore() }) };
}

async function pick(inDoubt?: InDoubtPolicy, lines = [line]) {
  const { picking, engine } = open(inDoubt);
  const result = await engine.run(picking, { lines }, { id: "s1" });
  await engine.close();
  return result;
}

const error = { _tag: "OutOfStock", itemId: "tea", requested: 2, available: 1 };
const document = { type: "urn:backstep:warehouse:OutOfStock", status: 409, effect: "none", error };

const lost = (): Response => HttpResponse.error();
const reserved = (): Response => HttpResponse.json({ reservationId: "r1", left: 3 });
const refused = (): Response => problem(409, document);
const refusedForGood = (): Response => problem(409, { ...document, decided: "key" });
const sealed = (): Response => ownProblem("sealed", { decided: "key" });
const undone = (): Response => HttpResponse.json({ _tag: "Undone" });

const RESERVE = "/items/tea/reservations";
const RELEASE = "/items/tea/releases";

test("I1: a lost answer that turns out a decision for the key is rejected, and there is nothing to undo", async () => {
  const { places } = play(lost, refusedForGood);
  expect((await pick())._unsafeUnwrapErr()).toEqual(error);
  expect(places()).toEqual([RESERVE, RESERVE]);
});

test("I1: a lost answer that is followed by an undecided rejection stays in doubt, and is undone as such", async () => {
  const { asked, places } = play(lost, refused, undone);
  expect((await pick())._unsafeUnwrapErr()).toEqual(error);
  expect(places()).toEqual([RESERVE, RESERVE, RELEASE]);
  const [first, second, compensation] = asked.map(({ headers }) => headers);
  expect(second?.get("idempotency-key")).toBe(first?.get("idempotency-key"));
  expect([first, second].map((headers) => headers?.get("backstep-attempt"))).toEqual(["1", "2"]);
  expect(compensation?.get("backstep-undoes-key")).toBe(first?.get("idempotency-key"));
  expect(compensation?.get("backstep-undoes-known")).toBe("inDoubt");
});

test("I1: a lost answer that is followed by a seal is a fault, and there is nothing to undo", async () => {
  const { places } = play(lost, sealed);
  expect((await pick())._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaFaulted", fault: { _tag: "Sealed" } });
  expect(places()).toEqual([RESERVE, RESERVE]);
});

test("I2: a rejection without doubt before it leaves nothing to undo, decided or not", async () => {
  for (const answer of [refused, refusedForGood]) {
    const { places } = play(answer);
    expect((await pick())._unsafeUnwrapErr()).toEqual(error);
    expect(places()).toEqual([RESERVE]);
  }
});

test("I2: a step that succeeded is undone as such when a later one is rejected", async () => {
  const { asked, places } = play(reserved, refusedForGood, undone);
  const cup = { ...line, itemId: "cup" };
  expect((await pick("compensate", [line, cup]))._unsafeUnwrapErr()).toEqual(error);
  expect(places()).toEqual([RESERVE, "/items/cup/reservations", RELEASE]);
  expect(asked[2]?.headers.get("backstep-undoes-known")).toBe("succeeded");
});

test("I2: a step whose attempts are spent in doubt is undone, and the saga says why it went back", async () => {
  const { places } = play(lost, lost, undone);
  expect((await pick())._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaFaulted", fault: { _tag: "Unknown" } });
  expect(places()).toEqual([RESERVE, RESERVE, RELEASE]);
});

test("an answer that was lost on its way is fetched again under the same key, and the saga goes on", async () => {
  const { places } = play(lost, reserved);
  expect((await pick())._unsafeUnwrap()).toEqual(["r1"]);
  expect(places()).toEqual([RESERVE, RESERVE]);
});

test("an answer that nobody can read is fetched again, and when it stays so the saga waits for an operator, whose output must fit the contract", async () => {
  const { places } = play(() => HttpResponse.json({ nothing: "of the kind" }));
  const { picking, engine } = open();
  const parked = (await engine.run(picking, { lines: [line] }, { id: "s1" }))._unsafeUnwrapErr();
  expect(parked).toMatchObject({ _tag: "SagaParked", operations: [{ slot: "action", cause: { _tag: "OutputLost" } }] });
  expect(places()).toEqual([RESERVE, RESERVE]);
  const [operation] = parked._tag === "SagaParked" ? parked.operations : [];
  const settle = (output: unknown) =>
    engine.settle("s1", {
      path: operation?.path ?? "",
      slot: "action",
      by: "ada",
      reason: "its shelf list says so",
      evidence: "list 7",
      verdict: { _tag: "applied", output },
    });
  expect((await settle({ reservationId: "r1" }))._unsafeUnwrapErr()).toMatchObject({ _tag: "VerbRefused" });
  expect((await settle({ reservationId: "r1", left: 3 })).isOk()).toBe(true);
  expect((await engine.result(picking, "s1"))._unsafeUnwrap()).toEqual(["r1"]);
  await engine.close();
});

test.each([
  ["applied: the saga goes on", reserved, { value: ["r1"] }],
  ["rejected, recorded: it goes back and leaves the step alone", refusedForGood, { error }],
  ["sealed: it goes back and leaves the step alone", sealed, { error: { _tag: "SagaFaulted", fault: { _tag: "Unknown" } } }],
])("in doubt, the participant is asked, and answers %s", async (_what, answer, result) => {
  const { asked, places } = play(lost, lost, answer);
  expect(await pick("resolve")).toMatchObject(result);
  expect(places()).toEqual([RESERVE, RESERVE, RESERVE]);
  expect(asked.map(({ headers }) => headers.get("backstep-resolve"))).toEqual([null, null, "?1"]);
});

test("in doubt, the participant is asked again for as long as its answer decides nothing", async () => {
  const running = (): Response => ownProblem("running", { effect: "unknown" });
  const { asked } = play(lost, lost, lost, running, refused, () => new HttpResponse(null, { status: 404 }), reserved);
  expect((await pick("resolve"))._unsafeUnwrap()).toEqual(["r1"]);
  expect(asked.map(({ headers }) => headers.get("backstep-resolve"))).toEqual([null, null, ...Array(5).fill("?1")]);
});

describe("past the point of no return", () => {
  const labelled = { itemId: "tea", label: "shelf" };

  function openStocking() {
    const client = createClient(warehouse, { baseUrl: ORIGIN });
    const reserve = stepOf(client.reserve, client.release, { retry, compensationRetry: retry });
    const stockItem = stepOf.pivot(client.stockItem, { retry });
    const addItem = stepOf.retriable(client.addItem, { retry });
    const stocking = saga({
      name: "stocking",
      input: reservation,
      *run(each) {
        return yield* reserve(each);
      },
      pivot: ({ left }) => stockItem({ itemId: "tea", units: left }),
      *complete() {
        return yield* addItem(labelled);
      },
    });
    return { stocking, engine: createEngine({ sagas: [stocking], store: createMemoryStore() }) };
  }

  const stocked = (): Response => HttpResponse.json({ units: 3 });
  const added = (): Response => HttpResponse.json({ itemId: "tea" });

  /** The pivot's answers, apart from the others'. */
  function playPivot(...answers: readonly (() => Response)[]): { readonly headers: Headers }[] {
    const asked: { readonly headers: Headers }[] = [];
    server.use(
      http.put(`${ORIGIN}/items/tea/stock`, ({ request }) => {
        asked.push({ headers: request.headers });
        return answers[Math.min(asked.length, answers.length) - 1]?.() ?? HttpResponse.error();
      }),
    );
    return asked;
  }

  test("a pivot in doubt is asked for, and what it recorded decides which way the saga goes", async () => {
    for (const [answer, result, places] of [
      [stocked, { value: { itemId: "tea" } }, [RESERVE, "/items"]],
      [sealed, { error: { _tag: "SagaFaulted", step: "warehouse.stock-item" } }, [RESERVE, RELEASE]],
    ] as const) {
      const { stocking, engine } = openStocking();
      const played = play(reserved, answer === stocked ? added : undone);
      const asked = playPivot(lost, lost, answer);
      expect(await engine.run(stocking, line, { id: "s1" })).toMatchObject(result);
      expect(played.places()).toEqual(places);
      expect(asked.map(({ headers }) => headers.get("backstep-resolve"))).toEqual([null, null, "?1"]);
      await engine.close();
    }
  });

  test("a retriable that is refused parks the saga, and takes nothing back", async () => {
    const { stocking, engine } = openStocking();
    const itemExists = {
      type: "urn:backstep:warehouse:ItemExists",
      status: 409,
      effect: "none",
      error: { _tag: "ItemExists", itemId: "tea" },
    };
    const { places } = play(reserved, () => problem(409, { ...itemExists, decided: "key" }));
    playPivot(stocked);
    const parked = (await engine.run(stocking, line, { id: "s1" }))._unsafeUnwrapErr();
    expect(parked).toMatchObject({ _tag: "SagaParked", operations: [{ step: "warehouse.add-item", cause: { _tag: "CannotGoOn" } }] });
    expect(places()).toEqual([RESERVE, "/items"]);
    await engine.close();
  });
});

test("a participant that cannot be called at all is a fault of the saga's, with nothing to undo", async () => {
  const picking = createPicking(createClient(warehouse, { baseUrl: "warehouse:8080" }), "compensate");
  const engine = createEngine({ sagas: [picking], store: createMemoryStore() });
  const result = await engine.run(picking, { lines: [line] }, { id: "s1" });
  expect(result._unsafeUnwrapErr()).toMatchObject({ _tag: "SagaFaulted", step: "warehouse.find-item", fault: { _tag: "Faulted" } });
  await engine.close();
});

test("with the real server, a network that loses every first answer changes nothing but the number of attempts", async () => {
  const rig = await openRig("memory");
  await stock(rig, "tea", 5);
  await stock(rig, "cup", 1);
  const heard = new Set<string>();
  const client = createClient(warehouse, {
    baseUrl: ORIGIN,
    async fetch(request) {
      const key = request.headers.get("idempotency-key");
      const response = await rig.server.fetch(request);
      if (key === null || heard.has(key)) return response;
      heard.add(key);
      throw new TypeError("fetch failed", { cause: Object.assign(new Error("other side closed"), { code: "UND_ERR_SOCKET" }) });
    },
  });
  const picking = createPicking(client, "compensate");
  const engine = createEngine({ sagas: [picking], store: createMemoryStore({ now: () => rig.clock.now }) });

  const picked = await engine.run(picking, { lines: [line, { ...line, orderId: "o2" }] }, { id: "s1" });
  expect(picked._unsafeUnwrap()).toHaveLength(2);
  expect(await rig.units("tea")).toBe(1);

  // The last line is refused; what was reserved before it is given back.
  const refusal = await engine.run(
    picking,
    {
      lines: [
        { ...line, quantity: 1 },
        { ...line, itemId: "cup" },
      ],
    },
    { id: "s2" },
  );
  expect(refusal._unsafeUnwrapErr()).toEqual({ _tag: "OutOfStock", itemId: "cup", requested: 2, available: 1 });
  expect([await rig.units("tea"), await rig.units("cup")]).toEqual([1, 1]);
  await engine.close();
  await rig.close();
});
