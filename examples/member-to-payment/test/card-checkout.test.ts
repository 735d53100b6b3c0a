/**
 * Goal: an order is paid by points and by card as its payer asks, and what the gateway takes is what the payment says. Method: the six services and the gateway over real
 * HTTP handlers and SQLite; the answer of a checkout, the payment's record and what the gateway holds are read side by side.
 */
import { idempotencyKey } from "@backstep/saga-core/adapter";
import type { ResultAsync } from "neverthrow";
import { afterEach, expect, test } from "vitest";
import { CURRENCY, checkConservation } from "../src/conservation.ts";
import { type Script, TestServices } from "./services.ts";

const TOTAL = 4_000;
const POINTS = 10_000;
const STOCK = 5;

let world: TestServices;
afterEach(() => world.close());

/** A member with points, a product in stock, and an order of it. */
async function open(script: Partial<Script> = {}): Promise<void> {
  world = new TestServices({ fates: [], gatewayTimeoutMs: 10_000, ...script });
  const { members, points, products, orders } = world.services;
  const lines = [{ productId: "tea", quantity: 2, unitPriceMinor: TOTAL / 2 }];
  await done(members.registerMember({ memberId: "ann", name: "Ann" }, keyed("member")));
  await done(points.accruePoints({ memberId: "ann", amount: won(POINTS) }, keyed("points")));
  await done(products.registerProduct({ productId: "tea", name: "Tea", price: won(TOTAL / 2) }, keyed("product")));
  await done(products.addStock({ productId: "tea", quantity: STOCK }, keyed("stock")));
  await done(orders.createOrder({ orderId: "o1", memberId: "ann", currency: CURRENCY, lines }, keyed("order")));
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Asks under one key until the saga has ended, or waits for an operator. */
async function pay(points: number | undefined, key = "k1"): Promise<Answer> {
  const answer = await ask(points, key);
  return isFinal(answer) ? answer : pay(points, key);
}

/** Neither still running, nor not begun in time: a machine may take long over the start, too. */
function isFinal({ status, body }: Answer): boolean {
  if (status === 202) return body["status"] === "parked";
  return body["type"] !== "urn:backstep:problem:unavailable";
}

async function ask(points: number | undefined, key: string): Promise<Answer> {
  const response = await world.fetch(
    "payment",
    new Request("http://payment.test/checkouts", {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": `"${key}"` },
      body: JSON.stringify({ orderId: "o1", memberId: "ann", points }),
    }),
  );
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

/** What is on record: how the last payment is made up, its state, what the gateway holds, and the points that are left but for what was accrued since. */
async function books() {
  const { payments, points, gateway } = world.services;
  const { payments: all } = await done(payments.listPayments({ orderId: "o1" }));
  const { entries } = await done(points.listEntries({ memberId: "ann", currency: CURRENCY }));
  const spent = entries.filter(({ _tag }) => _tag === "Deducted" || _tag === "Restored").flatMap(({ lots }) => lots);
  return {
    parts: all.at(-1)?.parts,
    state: all.at(-1)?.state._tag,
    held: (await gateway.list()).map(({ state, amount }) => `${state} ${amount.amountMinor}`),
    spent: spent.reduce((sum, { amountMinor }) => sum - amountMinor, 0),
  };
}

async function expectConserved(): Promise<void> {
  // The event follows its payment a moment later.
  await expect
    .poll(async () => {
      const openings = { stock: new Map([["tea", STOCK]]), points: new Map([["ann", POINTS]]) };
      return (await checkConservation(world.services, openings, new Set())).violations;
    })
    .toEqual([]);
}

test.each<[string, number | undefined, number, number]>([
  ["by points alone, when nothing is said", undefined, TOTAL, 0],
  ["by points alone, when more are offered than there is to pay", 9_000, TOTAL, 0],
  ["half and half", 2_000, 2_000, 2_000],
  ["by card alone", 0, 0, TOTAL],
])("an order is paid %s", async (_, points, pointsMinor, cardMinor) => {
  await open();
  expect(await pay(points)).toMatchObject({ status: 200, body: { orderId: "o1", amount: won(TOTAL) } });
  const held = cardMinor === 0 ? [] : [`Captured ${cardMinor}`];
  expect(await books()).toEqual({ parts: { pointsMinor, cardMinor }, state: "PAID", held, spent: pointsMinor });
  await expectConserved();
});

test("a card that is declined takes everything back, and the order may be paid otherwise", async () => {
  await open();
  const error = { _tag: "AuthorisationDeclined", reason: "insufficient-funds" };
  expect(await pay(TOTAL - 1_051)).toMatchObject({ status: 402, body: { decided: "key", error } });
  expect(await books()).toMatchObject({ state: "FAILED", held: [], spent: 0 });
  expect((await pay(undefined, "k2")).status).toBe(200);
  await expectConserved();
});

test("points that are short keep the card out of it", async () => {
  await open();
  const { points } = world.services;
  await done(points.deductPoints({ memberId: "ann", amount: won(POINTS) }, keyed("spent")));
  expect(await pay(1)).toMatchObject({ status: 409, body: { error: { _tag: "InsufficientPoints" } } });
  expect(await books()).toMatchObject({ state: "FAILED", held: [] });
});

test("a gateway that does not accept the secret key is told to the host, and nothing is guessed", async () => {
  await open({ acceptedKey: "another key" });
  expect(await pay(0)).toMatchObject({ status: 202, body: { status: "parked" } });
  const parked = await world.fetch("payment", new Request("http://payment.test/operator/parked"));
  expect(await parked.text()).toContain("payment.authorise-payment");
  expect(world.errors.length).toBeGreaterThan(0);
  expect(world.errors).toEqual(world.errors.map(() => expect.objectContaining({ _tag: "GatewayFailed", why: "unauthorised" })));
});

function won(amountMinor: number) {
  return { amountMinor, currency: CURRENCY };
}

function keyed(path: string) {
  return { key: idempotencyKey({ sagaId: "test", path, slot: "action" }) };
}

async function done<Value, Failure>(result: ResultAsync<Value, Failure>): Promise<Value> {
  return (await result)._unsafeUnwrap();
}
