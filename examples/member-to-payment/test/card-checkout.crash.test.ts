/**
 * Goal: a checkout that is paid by points and by card ends the same, wherever its orchestrator dies. Method: the six services and the gateway over real HTTP handlers and
 * SQLite, and the saga on an engine of the test's own, whose store dies before or after the n-th append is durable, for every append there is; the next engine on what is
 * left goes on. Each such life is held against the one without a death: the answer, and what everybody has on record.
 */
import { createHttpPublisher, createRelay } from "@backstep/participant";
import { paymentContract } from "@backstep/payment/contract";
import { createEngine } from "@backstep/saga-core";
import { hostTimer, idempotencyKey, type Timer } from "@backstep/saga-core/adapter";
import { createMemoryDisk, createMemoryStore, type MemoryDisk } from "@backstep/saga-core/journal";
import type { ResultAsync } from "neverthrow";
import { expect, test } from "vitest";
import { createCheckout } from "../src/checkout.ts";
import { CURRENCY, checkConservation } from "../src/conservation.ts";
import type { Patience } from "../src/settings.ts";
import { type Script, TestServices } from "./services.ts";

const PRICE = 1_000;
const ORDERED = { tea: 3, cup: 1 };
const STOCK = 5;
const DISCOUNT = 300;
const AMOUNT = 4 * PRICE - DISCOUNT;
const POINTS = 10_000;
/** One point for each hundred paid. */
const ACCRUED = 37;
const APPROVED = 2_000;
/** The issuer goes by the last two digits. */
const DECLINED = 1_051;
const HOUR = 60 * 60 * 1_000;
/** How many lives at a time: most of one in doubt is waiting. */
const SIDE_BY_SIDE = 12;

/** One attempt in doubt, and the step's policy applies: for the pivot, the deciding query. Nothing ends because a busy machine took its time. */
const PATIENCE: Patience = {
  attempts: 1,
  delayMs: 1,
  delayMsMax: 5,
  timeoutMs: HOUR,
  gatewayTimeoutMs: HOUR,
  horizonMs: HOUR,
  persistentHorizonMs: HOUR,
  approvalMs: HOUR,
};

interface Plan {
  /** The rest is paid by points. */
  readonly cardMinor: number;
  readonly script?: Partial<Script>;
}

/** The append, from 1; or the first attempt that leaves doubt. */
type Death = { readonly moment: "before" | "after"; readonly nth: number } | { readonly moment: "in doubt" };

const DOUBTFUL: Plan = {
  cardMinor: APPROVED,
  // Short, because nobody is asked about an open intent until it is twice as old.
  script: { gatewayFates: ["forward", "loseAnswer"], gatewayTimeoutMs: 1_000 },
};

const PAID = {
  answer: { orderId: "o1", amount: won(AMOUNT), onRecord: true },
  completed: 1,
  order: "PAID",
  payments: [{ parts: { pointsMinor: AMOUNT - APPROVED, cardMinor: APPROVED }, state: "PAID" }],
  coupons: ["USED"],
  stock: [STOCK - ORDERED.tea, STOCK - ORDERED.cup],
  points: POINTS - (AMOUNT - APPROVED) + ACCRUED,
  held: [`Captured ${APPROVED}`],
};

const TAKEN_BACK = {
  answer: { _tag: "AuthorisationDeclined", reason: "insufficient-funds" },
  completed: 0,
  order: "PAYMENT_FAILED",
  payments: [{ parts: { pointsMinor: AMOUNT - DECLINED, cardMinor: DECLINED }, state: "FAILED" }],
  coupons: ["ISSUED"],
  stock: [STOCK, STOCK],
  points: POINTS,
  held: [],
};

test.each<[string, Plan, object]>([
  ["that the issuer grants is paid, each part once", { cardMinor: APPROVED }, PAID],
  ["that the issuer declines takes everything back, and holds nothing", { cardMinor: DECLINED }, TAKEN_BACK],
  ["whose gateway takes the money and never answers is paid, each part once", DOUBTFUL, PAID],
])("a checkout %s, whichever append its orchestrator dies at", { timeout: 120_000 }, async (_, plan, end) => {
  const undisturbed = await live(plan);
  expect(undisturbed.left).toEqual({ ...end, violations: [], errors: [] });
  const deaths = Array.from({ length: undisturbed.appends }, (_each, index) => index + 1).flatMap((nth): readonly Death[] => [
    { moment: "before", nth },
    { moment: "after", nth },
  ]);
  expect(await liveAll(plan, deaths)).toEqual(deaths.map((death) => ({ death, engines: 2, left: undisturbed.left })));
});

test("an answer that was lost is found by asking, also by an orchestrator that comes after the one in doubt", async () => {
  const death: Death = { moment: "in doubt" };
  const [undisturbed, lives] = await Promise.all([live(DOUBTFUL), liveAll(DOUBTFUL, [death])]);
  expect(undisturbed.outcomes.filter((outcome) => outcome.startsWith("payment.capture-payment"))).toEqual([
    "payment.capture-payment: Unknown",
  ]);
  expect(lives).toEqual([{ death, engines: 2, left: undisturbed.left }]);
  expect(undisturbed.left).toEqual({ ...PAID, violations: [], errors: [] });
});

async function liveAll(plan: Plan, deaths: readonly Death[]) {
  const lives: { readonly death: Death; readonly engines: number; readonly left: unknown }[] = [];
  for (let begun = 0; begun < deaths.length; begun += SIDE_BY_SIDE) {
    const some = deaths.slice(begun, begun + SIDE_BY_SIDE).map(async (death) => {
      const { engines, left } = await live(plan, death);
      return { death, engines, left };
    });
    lives.push(...(await Promise.all(some)));
  }
  return lives;
}

/** One checkout in a world of its own, and what is left of it when all is quiet. */
async function live({ cardMinor, script }: Plan, death?: Death) {
  const world = new TestServices({ fates: [], gatewayTimeoutMs: HOUR, ...script });
  try {
    await furnish(world);
    const disk = createMemoryDisk();
    const { result, ...life } = await orchestrate(world, disk, AMOUNT - cardMinor, death);
    const completed = disk.outbox.size;
    await publish(world, disk);
    const { paid, ...records } = await books(world);
    const answer = result.match(
      ({ paymentId, paidAt, ...rest }) => ({ ...rest, onRecord: paid.get(paymentId) === paidAt }),
      (error) => error,
    );
    const openings = { stock: new Map(Object.keys(ORDERED).map((product) => [product, STOCK])), points: new Map([["ann", POINTS]]) };
    const { violations } = await checkConservation(world.services, openings, new Set());
    return { ...life, left: { answer, completed, ...records, violations, errors: world.errors } };
  } finally {
    await world.close();
  }
}

/** Engines on one disk, one after the other, until the checkout has ended. */
async function orchestrate({ services }: TestServices, disk: MemoryDisk, points: number, death: Death | undefined) {
  const { checkout } = createCheckout(services, PATIENCE);
  const outcomes: string[] = [];
  let appends = 0;
  for (let engines = 1; ; engines += 1) {
    const died = Promise.withResolvers<"died">();
    const life = new AbortController();
    const dies = (moment: Death["moment"]): "crash" | undefined => {
      const isNow = death?.moment === moment && (death.moment === "in doubt" || death.nth === appends);
      if (engines > 1 || !isNow) return undefined;
      life.abort();
      died.resolve("died");
      return "crash";
    };
    const beforeCommit = () => {
      appends += 1;
      return dies("before");
    };
    const store = createMemoryStore({ disk, faults: { beforeCommit, afterCommit: () => dies("after") } });
    const engine = createEngine({
      sagas: [checkout],
      store,
      timer: mortal(life.signal),
      observer(notice) {
        if (notice._tag !== "AttemptMade") return;
        outcomes.push(`${notice.step}: ${notice.outcome}`);
        if (notice.outcome === "Unknown" && dies("in doubt") !== undefined) store.crash();
      },
    });
    // A client asks again under the same key, so a death before the start is durable loses nothing.
    const running = engine.run(checkout, { orderId: "o1", memberId: "ann", couponId: "c1", points }, { id: "checkout:ann:k1" });
    const ended = await Promise.race([running, died.promise]);
    if (ended === "died") continue;
    await engine.close();
    return { result: ended, appends, engines, outcomes };
  }
}

/** The host's timer, for one process: no wait of it ends after its death. */
function mortal(life: AbortSignal): Timer {
  return {
    async sleep(delayMs, signal) {
      await hostTimer.sleep(delayMs, signal === undefined ? life : AbortSignal.any([life, signal]));
      if (life.aborted) await new Promise(() => undefined);
    },
  };
}

/** The outbox is as durable as the journal, so its events may follow when the checkout has ended. */
async function publish(world: TestServices, disk: MemoryDisk): Promise<void> {
  const relay = createRelay({
    outbox: createMemoryStore({ disk }).outbox,
    publisher: createHttpPublisher({
      to: { [paymentContract.events.paymentCompleted.type]: ["http://member-point.test/events"] },
      fetch: (input, init) => world.fetch("member-point", new Request(input, init)),
    }),
    intervalMs: 1,
  });
  await expect.poll(() => disk.outbox.size, { interval: 1, timeout: 10_000 }).toBe(0);
  await relay.stop();
}

/** What everybody has on record, without what differs from life to life; and when which payment was paid. */
async function books({ services }: TestServices) {
  const { payments, points, products, orders, coupons, gateway } = services;
  const { payments: all } = await done(payments.listPayments({}));
  const { coupons: issued } = await done(coupons.listCoupons({}));
  const stock = await Promise.all(Object.keys(ORDERED).map((productId) => done(products.findProduct({ productId }))));
  return {
    paid: new Map(all.flatMap(({ paymentId, state }) => (state._tag === "PAID" ? [[paymentId, state.paidAt]] : []))),
    order: (await done(orders.findOrder({ orderId: "o1" }))).state._tag,
    payments: all.map(({ parts, state }) => ({ parts, state: state._tag })),
    coupons: issued.map(({ state }) => state._tag),
    stock: stock.map(({ available }) => available),
    points: (await done(points.findBalance({ memberId: "ann", currency: CURRENCY }))).balance.amountMinor,
    held: (await gateway.list()).map(({ state, captured }) => `${state} ${captured?.amountMinor ?? 0}`),
  };
}

/** A member with points and a coupon, two products in stock, and an order of both. */
async function furnish({ services }: TestServices): Promise<void> {
  const { members, points, products, coupons, orders } = services;
  await done(members.registerMember({ memberId: "ann", name: "Ann" }, keyed("member")));
  await done(points.accruePoints({ memberId: "ann", amount: won(POINTS) }, keyed("points")));
  for (const productId of Object.keys(ORDERED)) {
    await done(products.registerProduct({ productId, name: productId, price: won(PRICE) }, keyed(productId)));
    await done(products.addStock({ productId, quantity: STOCK }, keyed(`stock-${productId}`)));
  }
  const valid = { validFrom: Date.now() - HOUR, validUntil: Date.now() + HOUR };
  const terms = { currency: CURRENCY, discount: { _tag: "Fixed", amountMinor: DISCOUNT }, minimumOrderMinor: 0, ...valid } as const;
  await done(coupons.definePolicy({ policyId: "policy", terms }, keyed("policy")));
  await done(coupons.issueCoupon({ couponId: "c1", policyId: "policy", memberId: "ann" }, keyed("coupon")));
  const lines = Object.entries(ORDERED).map(([productId, quantity]) => ({ productId, quantity, unitPriceMinor: PRICE }));
  await done(orders.createOrder({ orderId: "o1", memberId: "ann", currency: CURRENCY, lines }, keyed("order")));
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
