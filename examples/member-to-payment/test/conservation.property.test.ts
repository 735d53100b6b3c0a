/**
 * Goal: whatever happens between the six services, nothing is created and nothing is lost. Method: random checkouts, by points and by card, that compete for few members, products, coupons and orders, over a
 * network that loses, repeats, delays and breaks, with a service that vanishes, the payment service restarted in the middle, and an operator who retries or abandons what is parked; then
 * quiet; then the books. Real handlers, real SQLite. Any case of the failure table may come out of it, F1 to F13.
 */
import type { SagaParked } from "@backstep/saga-core";
import { idempotencyKey } from "@backstep/saga-core/adapter";
import fc from "fast-check";
import type { ResultAsync } from "neverthrow";
import { expect, test } from "vitest";
import { CURRENCY, checkConservation, type Openings } from "../src/conservation.ts";
import type { ProcessName } from "../src/settings.ts";
import { type Fate, type Outage, TestServices } from "./services.ts";

const PRICE = 1_000;
const HOUR = 60 * 60 * 1_000;
const MISSING_ORDER = 12;
/** Each asking waits for the saga; only one that goes nowhere is asked this often. */
const ASKED_MAX = 200;
const MEMBERS = ["m0", "m1", "inactive"] as const;
const PRODUCTS = ["p0", "p1"] as const;

interface PlannedOrder {
  readonly member: number;
  readonly quantities: readonly number[];
}

interface PlannedPayment {
  /** `MISSING_ORDER`, or one of those there are, counted round and round. */
  readonly order: number;
  /** Mostly the order's own member. */
  readonly stranger: boolean;
  readonly coupon: "none" | "own" | "expired" | "foreign";
  /** How many points to spend; the rest is paid by card. */
  readonly points: number | undefined;
  readonly key: string;
  readonly afterMs: number;
}

interface Plan {
  readonly stock: readonly number[];
  readonly points: readonly number[];
  readonly orders: readonly PlannedOrder[];
  readonly payments: readonly PlannedPayment[];
  readonly fates: readonly Fate[];
  readonly gatewayFates: readonly Fate[];
  readonly outage: Outage | undefined;
  /** What the operator does with a saga that is parked on its way back; one that must go forward is retried. */
  readonly verb: "retry" | "abandon";
  readonly restartAfterMs: number | undefined;
}

const planArbitrary: fc.Arbitrary<Plan> = fc.record({
  stock: fc.tuple(fc.nat(8), fc.nat(8)),
  points: fc.tuple(fc.nat(16), fc.nat(16), fc.constant(9)).map((units) => units.map((each) => each * PRICE)),
  orders: fc.array(
    fc.record({ member: fc.constantFrom(0, 0, 0, 1, 1, 1, 2), quantities: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(2)) }),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
  payments: fc.array(
    fc.record({
      order: fc.nat(MISSING_ORDER),
      stranger: fc.nat(9).map((draw) => draw === 0),
      coupon: fc.constantFrom("none", "none", "own", "own", "own", "own", "expired", "foreign"),
      // 949 and 649 leave an amount by card, without and with a coupon, that the issuer declines.
      points: fc.constantFrom(undefined, 0, 0, 500, 1_000, 1_300, 949, 649),
      key: fc.constantFrom("a", "b"),
      afterMs: fc.nat(20),
    }),
    { minLength: 1, maxLength: 7 },
  ),
  fates: fc.array(fc.constantFrom<Fate>(...Array<Fate>(8).fill("forward"), "loseRequest", "loseAnswer", "fail", "late", "twice"), {
    maxLength: 60,
  }),
  gatewayFates: fc.array(fc.constantFrom<Fate>(...Array<Fate>(3).fill("forward"), "loseRequest", "loseAnswer", "fail", "late", "twice"), {
    maxLength: 12,
  }),
  outage: fc.option(
    fc.record({ name: fc.constantFrom<ProcessName>("order", "coupon", "product", "member-point", "gateway"), after: fc.nat(8) }),
    {
      nil: undefined,
    },
  ),
  verb: fc.constantFrom("retry", "abandon"),
  restartAfterMs: fc.option(fc.nat(40), { nil: undefined }),
});

test("a random mix of failures conserves stock, points, coupons, payments and what the gateway holds", { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(planArbitrary, async (plan) => {
      const world = new TestServices(plan);
      const abandoned = new Set<string>();
      try {
        const openings = await furnish(world, plan);
        await Promise.all([...plan.payments.map((payment) => payPatiently(world, plan, payment, abandoned)), restart(world, plan)]);
        await world.calm();
        await quiet(world, plan);
        const report = await checkConservation(world.services, openings, abandoned);
        expect(report.violations).toEqual([]);
        expect(world.errors).toEqual([]);
      } finally {
        await world.close();
      }
    }),
    { numRuns: Number(process.env["BACKSTEP_RUNS"] ?? 1) * 30 },
  );
});

/** Members with points, products with stock, a coupon for each order, and the orders. */
async function furnish({ services }: TestServices, { stock, points, orders }: Plan): Promise<Openings> {
  const { members, products, coupons } = services;
  for (const [index, memberId] of MEMBERS.entries()) {
    await done(members.registerMember({ memberId, name: memberId }, keyed(memberId)));
    const amountMinor = points[index] ?? 0;
    if (amountMinor > 0) await done(services.points.accruePoints({ memberId, amount: won(amountMinor) }, keyed(`points-${memberId}`)));
  }
  await done(members.deactivateMember({ memberId: "inactive" }, keyed("deactivate")));
  for (const [index, productId] of PRODUCTS.entries()) {
    await done(products.registerProduct({ productId, name: productId, price: won(PRICE) }, keyed(productId)));
    const quantity = stock[index] ?? 0;
    if (quantity > 0) await done(products.addStock({ productId, quantity }, keyed(`stock-${productId}`)));
  }
  const now = Date.now();
  const terms = {
    currency: CURRENCY,
    discount: { _tag: "Fixed", amountMinor: 300 },
    minimumOrderMinor: 2 * PRICE,
    validFrom: now - HOUR,
    validUntil: now + HOUR,
  } as const;
  await done(coupons.definePolicy({ policyId: "policy", terms }, keyed("policy")));
  await done(coupons.definePolicy({ policyId: "past", terms: { ...terms, validUntil: now - 1 } }, keyed("past")));
  for (const memberId of MEMBERS) {
    await done(coupons.issueCoupon({ couponId: `expired-${memberId}`, policyId: "past", memberId }, keyed(`expired-${memberId}`)));
  }
  await done(coupons.issueCoupon({ couponId: "foreign", policyId: "policy", memberId: "nobody-here" }, keyed("foreign")));
  for (const [index, { member, quantities }] of orders.entries()) {
    const memberId = MEMBERS[member] ?? "m0";
    await done(coupons.issueCoupon({ couponId: `c${index}`, policyId: "policy", memberId }, keyed(`coupon-${index}`)));
    const lines = quantities.flatMap((quantity, line) =>
      quantity === 0 ? [] : [{ productId: PRODUCTS[line] ?? "p0", quantity, unitPriceMinor: PRICE }],
    );
    await done(services.orders.createOrder({ orderId: `o${index}`, memberId, currency: CURRENCY, lines }, keyed(`order-${index}`)));
  }
  return {
    stock: new Map(PRODUCTS.map((productId, index) => [productId, stock[index] ?? 0])),
    points: new Map(MEMBERS.map((memberId, index) => [memberId, points[index] ?? 0])),
  };
}

/** Asks until the answer is final, as a patient client does; the same key gives the same answer. */
async function payPatiently(world: TestServices, plan: Plan, payment: PlannedPayment, abandoned: Set<string>): Promise<void> {
  await sleep(payment.afterMs);
  const first = await finalAnswer(world, plan, payment, abandoned);
  expect(await finalAnswer(world, plan, payment, abandoned)).toEqual(first);
}

async function finalAnswer(world: TestServices, plan: Plan, payment: PlannedPayment, abandoned: Set<string>): Promise<Answer> {
  const { key, ...body } = requestOf(plan, payment);
  const sagaId = `checkout:${body.memberId}:${key}`;
  let answer: Answer | undefined;
  for (let asked = 0; asked < ASKED_MAX; asked += 1) {
    answer = await post(world, "/checkouts", body, key);
    if (answer?.status === 202 && answer.body.includes('"parked"')) await operate(world, plan, sagaId, abandoned);
    else if (answer !== undefined && answer.status !== 202 && (answer.status !== 503 || answer.body.includes('"decided":"key"'))) {
      expect(answer.status).toBeLessThan(504);
      expect(answer.status).not.toBe(500);
      return answer;
    }
    await sleep(5);
  }
  throw new Error(`no final answer: ${JSON.stringify(answer)}, ${(await ask(world, `/checkouts/${sagaId}`)).body}`);
}

function requestOf({ orders }: Plan, { order, stranger, coupon, points, key }: PlannedPayment) {
  const index = order === MISSING_ORDER ? order : order % orders.length;
  const memberId = stranger ? "m1" : (MEMBERS[orders[index]?.member ?? 0] ?? "m0");
  const couponId = { none: undefined, own: `c${index}`, expired: `expired-${memberId}`, foreign: "foreign" }[coupon];
  // The key belongs to the request: another order, coupon or share under it would be another payload.
  return { key: `${key}-${index}-${coupon}-${points ?? "all"}`, orderId: `o${index}`, memberId, couponId, points };
}

/** An operator sees to what is parked: mends the cause, then has it go on, or ends it as it stands and frees the order it holds. */
async function operate(world: TestServices, { verb }: Plan, sagaId: string, abandoned: Set<string>): Promise<void> {
  world.endOutage();
  const { parked } = JSON.parse((await ask(world, "/operator/parked")).body) as { readonly parked: readonly SagaParked[] };
  const stuck = parked.find((saga) => saga.sagaId === sagaId);
  // Somebody else who asked for the same saga saw to it.
  if (stuck === undefined) return;
  const order = { by: "the test", reason: "it was parked" };
  if (verb === "retry" || stuck.firstError === undefined) {
    for (const { path, slot } of stuck.operations) await post(world, `/operator/sagas/${sagaId}/retry`, { ...order, path, slot });
    return;
  }
  if ((await post(world, `/operator/sagas/${sagaId}/abandon`, order))?.status !== 204) return;
  abandoned.add(sagaId);
  // It holds no order when it was still on its way there, or is back from it already.
  (await world.services.orders.releasePayment({ sagaId, evidence: "abandoned" }, keyed(`release-${sagaId}`))).match(
    () => undefined,
    (refused) => expect(refused._tag).toBe("NoOrderHeld"),
  );
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function ask(world: TestServices, path: string): Promise<Answer> {
  const response = await world.fetch("payment", new Request(`http://payment.test${path}`));
  return { status: response.status, body: await response.text() };
}

async function post(world: TestServices, path: string, body: object, key?: string): Promise<Answer | undefined> {
  const request = new Request(`http://payment.test${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key === undefined ? {} : { "idempotency-key": `"${key}"` }) },
    body: JSON.stringify(body),
  });
  try {
    const response = await world.fetch("payment", request);
    return { status: response.status, body: await response.text() };
  } catch {
    // It is being restarted.
    return undefined;
  }
}

async function restart(world: TestServices, { restartAfterMs }: Plan): Promise<void> {
  if (restartAfterMs === undefined) return;
  await sleep(restartAfterMs);
  await world.restartPayment();
}

/** Events follow their payment: wait until every paid payment has accrued its points. Whoever never does shows in the books. */
async function quiet({ services }: TestServices, { orders }: Plan): Promise<void> {
  for (let looks = 0; looks < 400; looks += 1) {
    const states = await Promise.all(orders.map((_, index) => done(services.orders.findOrder({ orderId: `o${index}` }))));
    const paid = states.filter(({ state }) => state._tag === "PAID").length;
    const entries = await Promise.all(MEMBERS.map((memberId) => done(services.points.listEntries({ memberId, currency: CURRENCY }))));
    const accrued = entries
      .flatMap((page) => page.entries)
      .filter(({ _tag, reference }) => _tag === "Accrued" && reference.startsWith("payment/")).length;
    if (accrued >= paid && states.every(({ state }) => state._tag !== "PAYMENT_PENDING")) return;
    await sleep(10);
  }
}

function won(amountMinor: number) {
  return { amountMinor, currency: CURRENCY };
}

function keyed(path: string) {
  return { key: idempotencyKey({ sagaId: "test", path, slot: "action" }) };
}

async function done<Value, Failure>(result: ResultAsync<Value, Failure>): Promise<Value> {
  return (await result)._unsafeUnwrap();
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
