/**
 * A small shop with the shape of the checkout: an order, a coupon, stock for several lines side by side, points, and the payment as the pivot. Its participants keep their
 * state in plain sight. Every part can be handed in broken: that is what the zoo does.
 */
import { all, emit, saga, step } from "@backstep/saga-core";
import { err, ok, type Result } from "neverthrow";
import { z } from "zod";
import { conserve, type Fenced, fenced, invariant, law, type Site } from "../../src/index.ts";

export interface Line {
  readonly product: "tea" | "cup";
  readonly quantity: number;
}

export interface Order {
  readonly orderId: string;
  readonly lines: readonly Line[];
  readonly points: number;
}

/** What the participants know. */
export interface Books {
  readonly orders: Map<string, "open" | "pending" | "paid">;
  readonly coupons: { unused: number; used: number };
  readonly stock: { tea: number; cup: number };
  readonly sold: { tea: number; cup: number };
  points: number;
  spent: number;
  paid: number;
  /** Messages to the customer that a payment was made. */
  told: number;
  receipts: number;
}

export interface Shop {
  readonly books: Books;
  readonly fences: Readonly<Record<"order" | "coupon" | "product" | "point" | "payment", Fenced>>;
  readonly site: Site;
}

export function openBooks(): Books {
  return {
    orders: new Map([["o1", "open"]]),
    coupons: { unused: 1, used: 0 },
    stock: { tea: 3, cup: 3 },
    sold: { tea: 0, cup: 0 },
    points: 100,
    spent: 0,
    paid: 0,
    told: 0,
    receipts: 0,
  };
}

export function openShop(site: Site): Shop {
  const names = ["order", "coupon", "product", "point", "payment"] as const;
  const fences = Object.fromEntries(names.map((name) => [name, fenced(site, name)])) as unknown as Shop["fences"];
  return { books: openBooks(), fences, site };
}

type OutOfStock = { readonly _tag: "OutOfStock" };
type OrderTaken = { readonly _tag: "OrderTaken" };
type TooFewPoints = { readonly _tag: "TooFewPoints" };

/** Attempts are few and quick, so that a run stays short; undos go on for an hour. */
const retry = { attempts: 3, delayMs: 10, delayMsMax: 40, timeoutMs: 1_000, horizonMs: 30_000 } as const;
const compensationRetry = { ...retry, attempts: Number.POSITIVE_INFINITY, delayMsMax: 60_000, horizonMs: 3_600_000 } as const;
const budgets = { retry, compensationRetry } as const;

export function shopSteps({ books, fences: { order, coupon, product, point, payment } }: Shop) {
  return {
    beginPayment: step({
      name: "order.begin-payment",
      run: (input: { readonly orderId: string }, { call }) =>
        order.act(call, input, (): Result<undefined, OrderTaken> => {
          if (books.orders.get(input.orderId) !== "open") return err({ _tag: "OrderTaken" });
          books.orders.set(input.orderId, "pending");
          return ok(undefined);
        }),
      compensate: (input, { call }) =>
        order.undo(call, input, () => {
          books.orders.set(input.orderId, "open");
        }),
      ...budgets,
    }),
    useCoupon: step({
      name: "coupon.use-coupon",
      run: (input: { readonly orderId: string }, { call }) =>
        coupon.act(call, input, () => {
          books.coupons.unused -= 1;
          books.coupons.used += 1;
          return ok({ discount: 1 });
        }),
      compensate: (input, { call }) =>
        coupon.undo(call, input, () => {
          books.coupons.unused += 1;
          books.coupons.used -= 1;
        }),
      ...budgets,
    }),
    deductStock: step({
      name: "product.deduct-stock",
      run: (line: Line, { call }) =>
        product.act(call, line, (): Result<{ readonly left: number }, OutOfStock> => {
          if (books.stock[line.product] < line.quantity) return err({ _tag: "OutOfStock" });
          books.stock[line.product] -= line.quantity;
          books.sold[line.product] += line.quantity;
          return ok({ left: books.stock[line.product] });
        }),
      compensate: (line, { call }) => product.undo(call, line, () => putBack(books, line)),
      ...budgets,
    }),
    deductPoints: step({
      name: "point.deduct-points",
      run: (input: { readonly amount: number }, { call }) =>
        point.act(call, input, (): Result<undefined, TooFewPoints> => {
          if (books.points < input.amount) return err({ _tag: "TooFewPoints" });
          books.points -= input.amount;
          books.spent += input.amount;
          return ok(undefined);
        }),
      compensate: (input, { call }) =>
        point.undo(call, input, () => {
          books.points += input.amount;
          books.spent -= input.amount;
        }),
      ...budgets,
    }),
    completePayment: step.pivot({
      name: "payment.complete-payment",
      run: (input: { readonly orderId: string }, { call }) =>
        payment.act(call, input, () => {
          books.paid += 1;
          return ok({ receipt: `r-${input.orderId}` });
        }),
      resolve: (_input, { call }) => payment.resolve(call),
      retry,
    }),
    markPaid: step.retriable({
      name: "order.mark-paid",
      run: (input: { readonly orderId: string }, { call }) =>
        order.act(call, input, () => {
          books.orders.set(input.orderId, "paid");
          return ok(undefined);
        }),
      retry: compensationRetry,
    }),
  };
}

export function putBack(books: Books, { product, quantity }: Line): void {
  books.stock[product] += quantity;
  books.sold[product] -= quantity;
}

export type ShopSteps = ReturnType<typeof shopSteps>;

const lines = z.array(z.strictObject({ product: z.enum(["tea", "cup"]), quantity: z.int().min(1) })).readonly();
export const orderInput = z.strictObject({ orderId: z.string(), lines, points: z.int().min(0) });

export const PAYMENT_BEGAN = { type: "shop.payment-began", data: z.strictObject({ orderId: z.string() }) };
export const PAYMENT_COMPLETED = {
  type: "shop.payment-completed",
  data: z.strictObject({ orderId: z.string(), receipt: z.string() }),
};

export function checkoutOf({ beginPayment, useCoupon, deductStock, deductPoints, completePayment, markPaid }: ShopSteps) {
  return saga({
    name: "checkout",
    input: orderInput,
    *run({ orderId, lines: wanted, points }) {
      yield* beginPayment({ orderId });
      yield* useCoupon({ orderId });
      yield* emit(PAYMENT_BEGAN, { orderId });
      yield* all(wanted.map(deductStock));
      yield* deductPoints({ amount: points });
      return { orderId };
    },
    pivot: ({ orderId }) => completePayment({ orderId }),
    *complete({ orderId }, { receipt }) {
      yield* emit(PAYMENT_COMPLETED, { orderId, receipt });
      yield* markPaid({ orderId });
      return { receipt };
    },
  });
}

export const ORDER: Order = {
  orderId: "o1",
  lines: [
    { product: "tea", quantity: 1 },
    { product: "cup", quantity: 2 },
  ],
  points: 30,
};

export const SHOP_LAWS = [
  conserve("units in stock and sold", ({ books }: Shop) => ({
    tea: books.stock.tea + books.sold.tea,
    cup: books.stock.cup + books.sold.cup,
  })),
  conserve("points held and spent", ({ books }: Shop) => books.points + books.spent),
  conserve("coupons unused and used", ({ books }: Shop) => books.coupons.unused + books.coupons.used),
  invariant("what is paid for is sold, once", ({ books }: Shop) => {
    const paid = [...books.orders.values()].filter((state) => state === "paid").length;
    const sold = books.sold.tea === paid && books.sold.cup === 2 * paid && books.spent === 30 * paid && books.coupons.used === paid;
    return sold && books.paid === paid ? undefined : `${paid} orders are paid, and the books say ${JSON.stringify(books)}`;
  }),
  invariant("no order stays pending", ({ books }: Shop) =>
    [...books.orders].filter(([, state]) => state === "pending").map(([orderId]) => `${orderId} is pending`),
  ),
  law("customers are told of payments, and of nothing else", ({ participants: { books } }: { readonly participants: Shop }) =>
    books.told > books.paid ? `${books.told} were told, ${books.paid} have paid` : undefined,
  ),
] as const;

/** All that tells one state of the shop from another. */
export function stateOfShop({ books }: Shop): unknown {
  return { ...books, orders: [...books.orders] };
}
