/**
 * What must hold over all six services, and over the gateway outside, once everything is quiet, read over HTTP like anybody would: nothing was created, nothing was
 * lost, and who paid got exactly what they paid for. Effects of abandoned sagas are counted in, because an operator let them stand.
 */
import { isDeepStrictEqual } from "node:util";
import type { HttpGateway } from "@backstep/payment";
import type { ResultAsync } from "neverthrow";
import type { Services } from "./checkout.ts";

/** All who keep books. */
export interface Bookkeepers extends Services {
  readonly gateway: Pick<HttpGateway, "list">;
}

/** What was put in before any payment. */
export interface Openings {
  /** Units by product. */
  readonly stock: ReadonlyMap<string, number>;
  /** Points by member. */
  readonly points: ReadonlyMap<string, number>;
}

export interface Violation {
  readonly law: string;
  readonly about: string;
  readonly expected: number | string;
  readonly found: number | string;
}

export interface ConservationReport {
  readonly products: number;
  readonly members: number;
  readonly orders: number;
  readonly paidOrders: number;
  readonly usedCoupons: number;
  /** Authorisations at the gateway. */
  readonly authorisations: number;
  readonly violations: readonly Violation[];
}

type Order = Page<Services["orders"]["listOrders"], "orders">;
type Payment = Page<Services["payments"]["listPayments"], "payments">;
type Page<Query extends (...parameters: never[]) => unknown, Name extends string> =
  ReturnType<Query> extends ResultAsync<infer Output, unknown>
    ? Output extends { readonly [Key in Name]: readonly (infer Item)[] }
      ? Item
      : never
    : never;

/** @param abandoned - Ids of sagas that an operator gave up. */
export async function checkConservation(
  services: Bookkeepers,
  openings: Openings,
  abandoned: ReadonlySet<string>,
): Promise<ConservationReport> {
  const orders = await readAll.orders(services);
  const payments = await readAll.payments(services);
  const coupons = await readAll.coupons(services);
  const authorisations = await allHeld(services.gateway);
  const paidOrders = orders.filter(({ state }) => state._tag === "PAID");
  const paidPayments = payments.filter(({ state }) => state._tag === "PAID");
  const usedCoupons = coupons.filter(({ state }) => state._tag === "USED");
  const violations = [
    ...(await stockViolations(services, openings.stock, orders, abandoned)),
    ...(await pointViolations(services, openings.points, paidPayments, abandoned)),
    ...couponViolations(usedCoupons, paidOrders, abandoned),
    ...paymentViolations(paidOrders, paidPayments),
    ...gatewayViolations(authorisations, payments, abandoned),
  ];
  return {
    products: openings.stock.size,
    members: openings.points.size,
    orders: orders.length,
    paidOrders: paidOrders.length,
    usedCoupons: usedCoupons.length,
    authorisations: authorisations.length,
    violations,
  };
}

/** Initial stock = stock + units of paid orders + units that abandoned sagas took and never put back. */
async function stockViolations(
  { products }: Services,
  opening: Openings["stock"],
  orders: readonly Order[],
  abandoned: ReadonlySet<string>,
): Promise<readonly Violation[]> {
  const gone = new Map<string, number>();
  const count = (productId: string, units: number): unknown => gone.set(productId, (gone.get(productId) ?? 0) + units);
  for (const { orderId, state, lines } of orders) {
    if (state._tag === "PAID") for (const { productId, quantity } of lines) count(productId, quantity);
    if (abandoned.size === 0) continue;
    const standing = await all(
      (after) => products.listDeductions({ orderId, after }),
      "deductions",
      ({ deductionId }) => deductionId,
    );
    for (const { deductionId, productId, quantity } of standing) if (isOf(abandoned, deductionId)) count(productId, quantity);
  }
  const violations: Violation[] = [];
  for (const [productId, units] of opening) {
    const { available } = await read(products.findProduct({ productId }));
    const found = available + (gone.get(productId) ?? 0);
    if (found !== units) violations.push({ law: "initial stock = stock + units of paid orders", about: productId, expected: units, found });
  }
  return violations;
}

/**
 * Opening balance = balance + what the member's payments took in points + what abandoned sagas deducted and never gave back − accruals; and one accrual per payment, none for
 * anything else.
 */
async function pointViolations(
  { points }: Services,
  opening: Openings["points"],
  paid: readonly Payment[],
  abandoned: ReadonlySet<string>,
): Promise<readonly Violation[]> {
  const violations: Violation[] = [];
  for (const [memberId, initial] of opening) {
    const own = paid.filter((payment) => payment.memberId === memberId);
    const { balance } = await read(points.findBalance({ memberId, currency: CURRENCY }));
    const entries = await readAll.entries({ points }, { memberId, currency: CURRENCY });
    const accruals = entries.filter(({ _tag, reference }) => _tag === "Accrued" && reference.startsWith("payment/"));
    const kept = entries.filter(({ _tag, reference }) => (_tag === "Deducted" || _tag === "Restored") && isOf(abandoned, reference));
    const found = balance.amountMinor + sumOf(own.map(({ parts }) => parts.pointsMinor)) - totalOf(accruals) - totalOf(kept);
    if (found !== initial)
      violations.push({ law: "opening balance = balance + points of paid payments − accruals", about: memberId, expected: initial, found });
    const accruing = own.flatMap(({ paymentId, amount }) => (amount.amountMinor < ACCRUES_FROM_MINOR ? [] : [`payment/${paymentId}`]));
    const accrued = accruals.map(({ reference }) => reference);
    if (!isDeepStrictEqual(accrued.toSorted(), accruing.toSorted())) {
      violations.push({
        law: "one Payment.Completed per paid payment, none for the rest",
        about: memberId,
        expected: accruing.join(" "),
        found: accrued.join(" "),
      });
    }
  }
  return violations;
}

function totalOf(entries: readonly { readonly lots: readonly { readonly amountMinor: number }[] }[]): number {
  return sumOf(entries.flatMap(({ lots }) => lots.map(({ amountMinor }) => amountMinor)));
}

/** Records that a saga left behind are named by its keys, which begin with its id. */
function isOf(sagaIds: ReadonlySet<string>, reference: string): boolean {
  return sagaIds.has(reference.slice(0, reference.indexOf("/")));
}

type Coupon = Page<Services["coupons"]["listCoupons"], "coupons">;

/** Every used coupon belongs to exactly one paid order, or to a saga that an operator gave up. */
function couponViolations(used: readonly Coupon[], paidOrders: readonly Order[], abandoned: ReadonlySet<string>): readonly Violation[] {
  const law = "every used coupon belongs to exactly one paid order";
  const owners = countOf(paidOrders.map((order) => (order.state._tag === "PAID" ? order.state.sagaId : "")));
  return used.flatMap(({ couponId, state }) => {
    if (state._tag !== "USED" || abandoned.has(state.sagaId)) return [];
    const found = owners.get(state.sagaId) ?? 0;
    return found === 1 ? [] : [{ law, about: couponId, expected: 1, found }];
  });
}

/** Every paid order has one paid payment, which is the one it names, and no other order has any. */
function paymentViolations(paidOrders: readonly Order[], paid: readonly Payment[]): readonly Violation[] {
  const law = "one paid payment per paid order";
  const named = countOf(paidOrders.map(({ state }) => (state._tag === "PAID" ? state.paymentId : "")));
  const known = new Set(paid.map(({ paymentId }) => paymentId));
  const lost = [...named.keys()].filter((paymentId) => !known.has(paymentId));
  const stray = paid.filter(({ paymentId }) => named.get(paymentId) !== 1);
  return [
    ...lost.map((about) => ({ law, about, expected: "paid", found: "not paid" })),
    ...stray.map(({ paymentId }) => ({ law, about: paymentId, expected: "named by one paid order", found: "named by none or several" })),
  ];
}

type Held = Awaited<ReturnType<HttpGateway["list"]>>[number];

/**
 * What the gateway took for an order is what its paid payments say they took by card; and nothing that it reserved is left reserved. What an abandoned saga reserved or
 * took stands, unless its payment was completed after all.
 */
function gatewayViolations(held: readonly Held[], payments: readonly Payment[], abandoned: ReadonlySet<string>): readonly Violation[] {
  const byId = new Map(payments.map((payment) => [payment.paymentId, payment]));
  const due = new Map<string, number>();
  const add = (orderId: string, minor: number): unknown => due.set(orderId, (due.get(orderId) ?? 0) + minor);
  for (const { orderId, parts, state } of payments) if (state._tag === "PAID") add(orderId, parts.cardMinor);
  const violations: Violation[] = [];
  for (const { authorisationId, reference, state, captured } of held) {
    const payment = byId.get(reference);
    if (payment === undefined)
      violations.push({ law: "who reserves has a payment", about: authorisationId, expected: reference, found: "none" });
    if (payment === undefined || (payment.state._tag !== "PAID" && abandoned.has(payment.sagaId ?? ""))) continue;
    if (state === "Open")
      violations.push({ law: "nothing is left reserved", about: authorisationId, expected: "taken or let go", found: state });
    add(payment.orderId, -(captured?.amountMinor ?? 0));
  }
  const law = "taken by the gateway = card parts of paid payments";
  return [...violations, ...[...due].flatMap(([about, left]) => (left === 0 ? [] : [{ law, about, expected: 0, found: left }]))];
}

async function allHeld(gateway: Bookkeepers["gateway"]): Promise<readonly Held[]> {
  const held: Held[] = [];
  for (;;) {
    const page = await gateway.list({ after: held.at(-1)?.authorisationId });
    if (page.length === 0) return held;
    held.push(...page);
  }
}

export const CURRENCY = "KRW";
/** One point for each hundred paid, so smaller payments accrue nothing. */
const ACCRUES_FROM_MINOR = 100;

function sumOf(amounts: readonly number[]): number {
  return amounts.reduce((left, right) => left + right, 0);
}

function countOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Everything that a service lists, whichever way it names it. */
export const readAll = {
  orders: ({ orders }: Pick<Services, "orders">) =>
    all(
      (after) => orders.listOrders({ after }),
      "orders",
      ({ orderId }) => orderId,
    ),
  payments: ({ payments }: Pick<Services, "payments">) =>
    all(
      (after) => payments.listPayments({ after }),
      "payments",
      ({ paymentId }) => paymentId,
    ),
  coupons: ({ coupons }: Pick<Services, "coupons">) =>
    all(
      (after) => coupons.listCoupons({ after }),
      "coupons",
      ({ couponId }) => couponId,
    ),
  entries: ({ points }: Pick<Services, "points">, account: { readonly memberId: string; readonly currency: string }) =>
    all(
      (after) => points.listEntries({ ...account, after }),
      "entries",
      ({ entryId }) => entryId,
    ),
};

/** Every page of a list. */
async function all<Name extends string, Item>(
  page: (after: string | undefined) => ResultAsync<{ readonly [Key in Name]: readonly Item[] }, unknown>,
  name: Name,
  idOf: (item: Item) => string,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (;;) {
    const last = items.at(-1);
    const next = (await read(page(last === undefined ? undefined : idOf(last))))[name];
    if (next.length === 0) return items;
    items.push(...next);
  }
}

async function read<Value, Failure>(result: ResultAsync<Value, Failure>): Promise<Value> {
  return (await result).match(
    (value) => value,
    (error) => {
      throw new Error(`a service could not be read: ${JSON.stringify(error)}`);
    },
  );
}
