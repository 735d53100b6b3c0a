/**
 * The six services of the example in one process, for a proof: the real ones, each behind its own fence over its own memory database, and the gateway's twin in memory.
 * Furnished anew for every schedule.
 */
import { couponContract, createCouponService } from "@backstep/coupon";
import { createMemberService, memberContract } from "@backstep/member";
import { accrueForPayment, createMemberPointService, memberPointContract } from "@backstep/member-point";
import { createOrderService, orderContract } from "@backstep/order";
import { cloudEvent, createInbox, createMemoryDatabase, type Inbox } from "@backstep/participant";
import { createMemoryGateway, createPaymentService, type MemoryGateway } from "@backstep/payment";
import { paymentContract } from "@backstep/payment/contract";
import { createProductService, productContract } from "@backstep/product";
import { type Fault, idempotencyKey, type Json, type Tagged } from "@backstep/saga-core/adapter";
import type { OutboxEvent } from "@backstep/saga-core/journal";
import { law, localClient, quiet, type Site } from "@backstep/saga-testing";
import type { ResultAsync } from "neverthrow";
import type { z } from "zod";
import { type checkoutInput, createCheckout, type Services } from "../src/checkout.ts";
import { type Bookkeepers, CURRENCY, checkConservation, type Openings } from "../src/conservation.ts";
import { DEFAULT_PATIENCE } from "../src/settings.ts";

export interface ProvedShop {
  readonly services: Services;
  readonly books: Bookkeepers;
  readonly openings: Openings;
  readonly inbox: Inbox;
  readonly now: () => number;
}

export const MEMBER = "mina";
const COUPON = "welcome";
const DAY_MS = 86_400_000;
const RETENTION_MS = 365 * DAY_MS;

/** Two of the one and one of the other, so that lines are deducted side by side. */
const LINES = [
  { productId: "green-tea", quantity: 2, unitPriceMinor: 4_500 },
  { productId: "tea-cup", quantity: 1, unitPriceMinor: 12_000 },
] as const;
const STOCK = { "green-tea": 3, "tea-cup": 2 } as const;
const POINTS = 50_000;

/** @param orders - How many orders there are to pay: `o1`, `o2` and so on. Stock is short for two of them. */
export async function openShop(site: Site, orders: number): Promise<ProvedShop> {
  const gateway = createMemoryGateway();
  const pointDatabase = createMemoryDatabase({ now: site.now });
  const servicesAt = (at: Site, databases: Databases): Services => ({
    members: localClient(memberContract, createMemberService(), { site: at, database: databases.member }),
    points: localClient(memberPointContract, createMemberPointService(), { site: at, database: databases.point }),
    products: localClient(productContract, createProductService(), { site: at, database: databases.product }),
    coupons: localClient(couponContract, createCouponService(), { site: at, database: databases.coupon }),
    orders: localClient(orderContract, createOrderService(), { site: at, database: databases.order }),
    payments: localClient(paymentContract, createPaymentService({ gateway }), { site: at, database: databases.payment }),
  });
  const database = () => createMemoryDatabase({ now: site.now });
  const databases: Databases = {
    member: database(),
    point: pointDatabase,
    product: database(),
    coupon: database(),
    order: database(),
    payment: database(),
  };
  // What sets the scene is no effect of a saga.
  const furnishing = servicesAt(quiet(site), databases);
  const openings = await furnish(furnishing, orders, site.now());
  const services = servicesAt(site, databases);
  return {
    services,
    books: { ...furnishing, gateway: booksOf(gateway) },
    openings,
    inbox: createInbox({ database: pointDatabase, retentionMs: RETENTION_MS }),
    now: site.now,
  };
}

type Databases = Readonly<Record<"member" | "point" | "product" | "coupon" | "order" | "payment", ReturnType<typeof createMemoryDatabase>>>;

function booksOf(gateway: MemoryGateway): Bookkeepers["gateway"] {
  return {
    async list({ after } = {}) {
      const held = gateway.held();
      return held.slice(held.findIndex(({ authorisationId }) => authorisationId === after) + 1);
    },
  };
}

async function furnish({ members, points, products, coupons, orders }: Services, count: number, now: number): Promise<Openings> {
  await done(members.registerMember({ memberId: MEMBER, name: "Mina" }, keyed("member")));
  await done(points.accruePoints({ memberId: MEMBER, amount: won(POINTS) }, keyed("points")));
  for (const { productId, unitPriceMinor } of LINES) {
    await done(products.registerProduct({ productId, name: productId, price: won(unitPriceMinor) }, keyed(productId)));
    await done(products.addStock({ productId, quantity: STOCK[productId] }, keyed(`stock-${productId}`)));
  }
  const discount = { _tag: "Fixed", amountMinor: 1_000 } as const;
  const terms = { currency: CURRENCY, discount, minimumOrderMinor: 1_000, validFrom: now - DAY_MS, validUntil: now + 30 * DAY_MS };
  await done(coupons.definePolicy({ policyId: COUPON, terms }, keyed("policy")));
  await done(coupons.issueCoupon({ couponId: COUPON, policyId: COUPON, memberId: MEMBER }, keyed("coupon")));
  for (let order = 1; order <= count; order += 1) {
    await done(orders.createOrder({ orderId: `o${order}`, memberId: MEMBER, currency: CURRENCY, lines: [...LINES] }, keyed(`o${order}`)));
  }
  return { stock: new Map(Object.entries(STOCK)), points: new Map([[MEMBER, POINTS]]) };
}

/** A checkout as patient as in production. */
export function checkoutOf({ services }: ProvedShop) {
  return createCheckout(services, DEFAULT_PATIENCE).checkout;
}

export type CheckoutInput = z.input<typeof checkoutInput>;

/** All by points, with a coupon. */
export function byPoints(order: string): CheckoutInput {
  return { orderId: order, memberId: MEMBER, couponId: COUPON };
}

/** Partly by card: authorise is taken back, capture is the pivot. */
export function byCard(order: string): CheckoutInput {
  return { orderId: order, memberId: MEMBER, points: 5_000 };
}

/** Points are accrued on what was paid, once per payment, however often the event comes. */
export async function accrue(event: OutboxEvent, { inbox, now }: ProvedShop): Promise<void> {
  const { id, source, type, subject, time, data } = event;
  const received = cloudEvent({ id, source, type, subject, time, data: JSON.parse(data) as Json })._unsafeUnwrap();
  await inbox.consume(received, (transaction) => accrueForPayment(transaction, received.data, now()));
}

/** What the demo checks over HTTP: stock, points, coupons, orders, payments and what the gateway holds. */
export const CONSERVATION = law(
  "the books of all services agree",
  async ({ participants: { books, openings } }: { readonly participants: ProvedShop }) => {
    const { violations } = await checkConservation(books, openings, new Set());
    return violations.map(({ law: broken, about, expected, found }) => `${broken}: ${about} should be ${expected}, is ${found}`);
  },
);

function keyed(name: string) {
  return { key: idempotencyKey({ sagaId: "furnish", path: name, slot: "action" }) };
}

function won(amountMinor: number) {
  return { currency: CURRENCY, amountMinor } as const;
}

async function done<Output>(answered: ResultAsync<Output, Tagged | Fault>): Promise<Output> {
  const answer = await answered;
  if (answer.isErr()) throw new Error(`the shop cannot be furnished: ${JSON.stringify(answer.error)}`);
  return answer.value;
}
