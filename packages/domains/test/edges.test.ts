/**
 * Goal: what is out of range is refused at every edge of every domain. Method: for each command, undo and query one input that fits; then every
 * member of it, one at a time, at its bounds, just beyond them and as what it is not. What a member may be is said here once more, by its name,
 * so that a schema that loses a bound disagrees; and no member of any schema goes without.
 */
import { couponContract } from "@backstep/coupon/contract";
import { memberContract } from "@backstep/member/contract";
import { memberPointContract } from "@backstep/member-point/contract";
import { orderContract } from "@backstep/order/contract";
import { paymentContract } from "@backstep/payment/contract";
import { productContract } from "@backstep/product/contract";
import { describe, expect, it } from "vitest";
import { z } from "zod";

interface Kind {
  readonly fits: readonly unknown[];
  readonly fitsNot: readonly unknown[];
}

const NO_TEXT = [0, 1n, true, null, [], {}];
const NO_NUMBER = [0.5, Number.NaN, Number.POSITIVE_INFINITY, "1", true, null, []];

const whole = (min: number, max: number): Kind => ({ fits: [min, min + 1, max], fitsNot: [min - 1, max + 1, ...NO_NUMBER] });
const text = (lengthMax: number): Kind => ({
  fits: ["x", "ü", "x".repeat(lengthMax)],
  fitsNot: ["", "x".repeat(lengthMax + 1), ...NO_TEXT],
});

const id: Kind = {
  fits: ["x", "A1._:-z", "x".repeat(64)],
  fitsNot: ["", "x".repeat(65), "a/b", "a b", "a\n", "ü", ".", "..", ...NO_TEXT],
};
const currency: Kind = { fits: ["KRW", "EUR"], fitsNot: ["", "krw", "KR", "KRWX", "K1W", "KRW\n", ...NO_TEXT] };
const amount = whole(0, 1_000_000_000_000);
const time = whole(0, 253_402_300_799_999);
const quantity = whole(1, 10_000);
const reference = text(300);
const sagaId = text(128);

const KINDS: Readonly<Record<string, Kind>> = {
  memberId: id,
  orderId: id,
  productId: id,
  couponId: id,
  policyId: id,
  paymentId: id,
  currency,
  amountMinor: amount,
  cardMinor: amount,
  authorisationId: text(255),
  minimumOrderMinor: amount,
  capMinor: amount,
  unitPriceMinor: amount,
  validFrom: { fits: [0, 1], fitsNot: time.fitsNot },
  validUntil: { fits: [2, 253_402_300_799_999], fitsNot: [1, ...time.fitsNot] },
  basisPoints: whole(1, 10_000),
  quantity,
  period: whole(1, Number.MAX_SAFE_INTEGER),
  accruedBefore: {
    fits: ["2026-02-28", "2028-02-29", "0001-01-01", "9999-12-31"],
    fitsNot: ["2026-02-29", "2026-2-1", "2026-13-01", "2026-01-01T00:00:00Z", "tomorrow", "", ...NO_TEXT],
  },
  _tag: { fits: [], fitsNot: ["Free", "fixed", "", ...NO_TEXT] },
  accrualId: reference,
  sagaId,
  evidence: text(1_000),
};

/** Members whose name means something else in one place. */
const ELSEWHERE: Readonly<Record<string, Kind>> = {
  "member.registerMember name": text(100),
  "product.registerProduct name": text(200),
  "product.addStock quantity": whole(1, 1_000_000),
  "product.listDeductions after": text(255),
  "member-point.listEntries after": {
    fits: ["000000000001", "999999999999"],
    fitsNot: ["1", "0000000000001", "x".repeat(12), "", ...NO_TEXT],
  },
  "product.listProducts after": id,
  "coupon.listCoupons after": id,
  "order.listOrders after": id,
  "payment.listPayments after": id,
};

const OPTIONAL = new Set([
  "capMinor",
  "cardMinor",
  "after",
  "coupon.listCoupons memberId",
  "order.listOrders memberId",
  "payment.listPayments orderId",
]);

const money = { amountMinor: 1, currency: "KRW" };
const payer = { orderId: "order-1", memberId: "ann" };
const change = { memberId: "ann", amount: money };
const ledger = { memberId: "ann", currency: "KRW" };
const line = { orderId: "order-1", productId: "pen", quantity: 1 };
const use = { couponId: "coupon-1", memberId: "ann", orderTotal: money };
const request = { ...payer, amount: money, cardMinor: 1 };
const reservation = { paymentId: "payment-1", amount: money };
const terms = { currency: "KRW", minimumOrderMinor: 1, capMinor: 1, validFrom: 1, validUntil: 2 };
const order = { ...payer, currency: "KRW", lines: [{ productId: "pen", quantity: 1, unitPriceMinor: 1 }] };

type Samples<Operations> = { readonly [Name in keyof Operations]: readonly object[] };

const SAMPLES: {
  readonly member: Samples<typeof memberContract.operations>;
  readonly "member-point": Samples<typeof memberPointContract.operations>;
  readonly product: Samples<typeof productContract.operations>;
  readonly coupon: Samples<typeof couponContract.operations>;
  readonly order: Samples<typeof orderContract.operations>;
  readonly payment: Samples<typeof paymentContract.operations>;
} = {
  member: {
    registerMember: [{ memberId: "ann", name: "Ann" }],
    deactivateMember: [{ memberId: "ann" }],
    findMember: [{ memberId: "ann" }],
    findPayer: [{ memberId: "ann" }],
  },
  "member-point": {
    accruePoints: [change],
    recoverPoints: [{ memberId: "ann", accrualId: "operation/1" }],
    deductPoints: [change],
    restorePoints: [change],
    expirePoints: [{ ...ledger, accruedBefore: "2026-03-01" }],
    settlePeriod: [{ ...ledger, period: 1 }],
    findBalance: [ledger],
    listEntries: [{ ...ledger, after: "000000000001" }],
  },
  product: {
    registerProduct: [{ productId: "pen", name: "Pen", price: money }],
    changePrice: [{ productId: "pen", price: money }],
    findProduct: [{ productId: "pen" }],
    listProducts: [{ after: "pen" }],
    addStock: [{ productId: "pen", quantity: 1 }],
    deductStock: [line],
    restoreStock: [line],
    listDeductions: [{ orderId: "order-1", after: "saga-1/1" }],
  },
  coupon: {
    definePolicy: [
      { policyId: "spring", terms: { ...terms, discount: { _tag: "Fixed", amountMinor: 1 } } },
      { policyId: "spring", terms: { ...terms, discount: { _tag: "Percentage", basisPoints: 1 } } },
    ],
    findPolicy: [{ policyId: "spring" }],
    issueCoupon: [{ couponId: "coupon-1", policyId: "spring", memberId: "ann" }],
    findCoupon: [{ couponId: "coupon-1" }],
    listCoupons: [{ memberId: "ann", after: "coupon-1" }],
    useCoupon: [use],
    restoreCoupon: [use],
  },
  order: {
    createOrder: [order],
    findOrder: [{ orderId: "order-1" }],
    listOrders: [{ memberId: "ann", after: "order-1" }],
    cancelOrder: [payer],
    beginPayment: [payer],
    failPayment: [payer],
    markPaid: [{ orderId: "order-1", paymentId: "payment-1" }],
    releasePayment: [{ sagaId: "saga-1", evidence: "it is gone" }],
  },
  payment: {
    createPayment: [request],
    failPayment: [request],
    authorisePayment: [reservation],
    voidAuthorisation: [reservation],
    capturePayment: [{ ...reservation, authorisationId: "authorisation-1" }],
    completePayment: [{ paymentId: "payment-1" }],
    findPayment: [{ paymentId: "payment-1" }],
    listPayments: [{ orderId: "order-1", after: "payment-1" }],
  },
};

const CONTRACTS = [memberContract, memberPointContract, productContract, couponContract, orderContract, paymentContract];

const EDGES = CONTRACTS.flatMap((contract) =>
  Object.entries(contract.operations).map(([name, { input }]) => ({
    edge: `${contract.name}.${name}`,
    schema: input as z.ZodType,
    samples: (SAMPLES[contract.name] as Readonly<Record<string, readonly object[]>>)[name] ?? [],
  })),
);

type Path = readonly (string | number)[];

describe.each(EDGES)("$edge", ({ edge, schema, samples }) => {
  const fits = (value: unknown): boolean => schema.safeParse(value).success;

  it("takes every member within its bounds, and no other", () => {
    for (const sample of samples) {
      expect(fits(sample)).toBe(true);
      for (const path of leavesOf(sample)) {
        const { fits: within, fitsNot } = kindOf(edge, path);
        for (const value of within) expect(fits(withMember(sample, path, value)), `${path.join(".")}: ${String(value)}`).toBe(true);
        for (const value of fitsNot) expect(fits(withMember(sample, path, value)), `${path.join(".")}: ${String(value)}`).toBe(false);
        const optional = OPTIONAL.has(String(path.at(-1))) || OPTIONAL.has(`${edge} ${path.join(".")}`);
        expect(fits(withMember(sample, path, undefined)), `${path.join(".")} left out`).toBe(optional);
      }
    }
  });

  it("takes nothing that it does not know, at any depth", () => {
    for (const sample of samples) {
      for (const path of objectsOf(sample)) {
        expect(fits(withMember(sample, [...path, "admin"], true)), [...path, "admin"].join(".")).toBe(false);
      }
    }
    for (const value of [undefined, null, "", 1, [], [samples[0]]]) expect(fits(value)).toBe(false);
  });

  it("has no member that is not asked for here", () => {
    const known = new Set(samples.flatMap((sample) => leavesOf(sample)).map(nameOf));
    expect(known).toEqual(new Set(membersOf(z.toJSONSchema(schema, { io: "input" }))));
  });
});

it("an order has 1 to 100 lines", () => {
  const { input } = orderContract.operations.createOrder;
  const linesOf = (count: number) => ({ ...order, lines: Array.from({ length: count }, () => order.lines[0]) });
  expect([0, 1, 100, 101].map((count) => input.safeParse(linesOf(count)).success)).toEqual([false, true, true, false]);
});

function kindOf(edge: string, path: Path): Kind {
  const kind = ELSEWHERE[`${edge} ${nameOf(path)}`] ?? KINDS[String(path.at(-1))];
  if (kind === undefined) throw new TypeError(`nobody has said what ${edge} ${nameOf(path)} may be`);
  return kind;
}

/** Without the places in arrays, as schemas see it. */
function nameOf(path: Path): string {
  return path.filter((part) => typeof part === "string").join(".");
}

function leavesOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [path];
  return entriesOf(value).flatMap(([key, member]) => leavesOf(member, [...path, key]));
}

function objectsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [];
  const below = entriesOf(value).flatMap(([key, member]) => objectsOf(member, [...path, key]));
  return Array.isArray(value) ? below : [path, ...below];
}

function entriesOf(value: object): readonly (readonly [string | number, unknown])[] {
  return Array.isArray(value) ? [...value.entries()] : Object.entries(value);
}

/** A copy in which one member is another value, or missing for `undefined`. */
function withMember(value: unknown, [first, ...rest]: Path, member: unknown): unknown {
  if (first === undefined) return member;
  if (Array.isArray(value)) return value.map((item: unknown, index) => (index === first ? withMember(item, rest, member) : item));
  const { [first]: inner, ...others } = value as Readonly<Record<string, unknown>>;
  const changed = withMember(inner, rest, member);
  return changed === undefined ? others : { ...others, [first]: changed };
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

function membersOf(schema: unknown, path = ""): readonly string[] {
  const { properties, items, anyOf, oneOf } = schema as JsonSchema;
  const inner = [...(anyOf ?? []), ...(oneOf ?? []), ...(items === undefined ? [] : [items])].flatMap((each) => membersOf(each, path));
  const named = Object.entries(properties ?? {}).flatMap(([name, each]) => membersOf(each, path === "" ? name : `${path}.${name}`));
  return inner.length + named.length === 0 ? [path] : [...inner, ...named];
}
