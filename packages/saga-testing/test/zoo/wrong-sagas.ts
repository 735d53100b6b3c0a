/** Mutants of the saga and of its steps: what an orchestrator's author gets wrong. */
import { all, saga, step } from "@backstep/saga-core";
import { ok } from "neverthrow";
import type { Mutant } from "./mutant.ts";
import { checkoutOf, ORDER, orderInput, putBack, type Shop, shopSteps } from "./shop.ts";

const retry = { attempts: 3, delayMs: 10, delayMsMax: 40, timeoutMs: 1_000, horizonMs: 30_000 } as const;

export const WRONG_SAGAS: readonly Mutant[] = [
  {
    name: "an undo only after success",
    breaks: "truth",
    says: "what is in doubt is taken for not done",
    saga: (shop) => {
      const steps = shopSteps(shop);
      const { books, fences } = shop;
      const deductPoints = step({
        name: "point.deduct-points",
        run: (input: { readonly amount: number }, context) => steps.deductPoints["~step"].run(input, context) as never,
        compensate: (input, { call, outcome }) =>
          outcome._tag === "InDoubt"
            ? ok(undefined)
            : fences.point.undo(call, input, () => {
                books.points += input.amount;
                books.spent -= input.amount;
              }),
        retry,
      });
      return checkoutOf({ ...steps, deductPoints } as never);
    },
  },
  {
    name: "an undo that does nothing",
    breaks: "truth",
    says: "a compensation was declared to please the compiler",
    saga: (shop) => {
      const steps = shopSteps(shop);
      const useCoupon = step({
        name: "coupon.use-coupon",
        run: (input: { readonly orderId: string }, context) => steps.useCoupon["~step"].run(input, context) as never,
        compensate: () => ok(undefined),
        retry,
      });
      return checkoutOf({ ...steps, useCoupon } as never);
    },
  },
  {
    name: "the world is told before the pivot",
    breaks: "customers are told of payments, and of nothing else",
    says: "a message about the payment is sent by a step that may still be taken back",
    saga: (shop) => checkoutThatTells(shop),
  },
  {
    name: "a body that is not deterministic",
    breaks: "replay",
    says: "a counter of the process decides which way the body goes",
    saga: (shop) => {
      const { beginPayment, useCoupon, deductPoints, completePayment } = shopSteps(shop);
      let runs = 0;
      return saga({
        name: "checkout",
        input: orderInput,
        *run({ orderId, points }) {
          runs += 1;
          yield* beginPayment({ orderId });
          if (runs % 2 === 1) yield* useCoupon({ orderId });
          yield* deductPoints({ amount: points });
          return { orderId };
        },
        pivot: ({ orderId }) => completePayment({ orderId }),
        *complete(_value, { receipt }) {
          return { receipt };
        },
      });
    },
    laws: [],
  },
  {
    name: "a body that does the work itself",
    breaks: "what is paid for is sold, once",
    says: "points are taken in the body, and again whenever it is replayed",
    saga: (shop) => {
      const { beginPayment, useCoupon, deductStock, completePayment, markPaid } = shopSteps(shop);
      return saga({
        name: "checkout",
        input: orderInput,
        *run({ orderId, lines, points }) {
          yield* beginPayment({ orderId });
          yield* useCoupon({ orderId });
          shop.books.points -= points;
          shop.books.spent += points;
          yield* all(lines.map(deductStock));
          return { orderId };
        },
        pivot: ({ orderId }) => completePayment({ orderId }),
        *complete({ orderId }, { receipt }) {
          yield* markPaid({ orderId });
          return { receipt };
        },
      });
    },
  },
  {
    name: "no semantic lock",
    breaks: "what is paid for is sold, once",
    says: "an order that is being paid can be paid once more",
    inputs: [ORDER, ORDER],
    saga: (shop) => {
      const steps = shopSteps(shop);
      const beginPayment = step({
        name: "order.begin-payment",
        run: (input: { readonly orderId: string }, { call }) =>
          shop.fences.order.act(call, input, () => {
            shop.books.orders.set(input.orderId, "pending");
            return ok(undefined);
          }),
        compensate: (input, { call }) =>
          shop.fences.order.undo(call, input, () => {
            shop.books.orders.set(input.orderId, "open");
          }),
        retry,
      });
      return checkoutOf({ ...steps, beginPayment });
    },
  },
  {
    name: "a key of its own for every attempt",
    breaks: "progress",
    says: "the client makes up a key, and a new one when it tries again",
    saga: (shop) => {
      const steps = shopSteps(shop);
      const useCoupon = step({
        name: "coupon.use-coupon",
        run: (input: { readonly orderId: string }, { call }) =>
          shop.fences.coupon.act({ ...call, key: `${call.key}.${call.attempt}` as typeof call.key }, input, () => {
            shop.books.coupons.unused -= 1;
            shop.books.coupons.used += 1;
            return ok({ discount: 1 });
          }),
        compensate: (input, context) => steps.useCoupon["~step"].compensate?.(input, context as never) as never,
        retry,
      });
      return checkoutOf({ ...steps, useCoupon });
    },
  },
  {
    name: "an undo that takes the state from its input",
    breaks: "what is paid for is sold, once",
    says: "stock is put back by one unit per line, whatever was taken",
    saga: (shop) => {
      const steps = shopSteps(shop);
      const deductStock = step({
        name: "product.deduct-stock",
        run: (line: { readonly product: "tea" | "cup"; readonly quantity: number }, context) =>
          steps.deductStock["~step"].run(line, context) as never,
        compensate: (line, { call }) => shop.fences.product.undo(call, line, () => putBack(shop.books, { ...line, quantity: 1 })),
        retry,
      });
      return checkoutOf({ ...steps, deductStock } as never);
    },
  },
];

function checkoutThatTells(shop: Shop) {
  const { beginPayment, useCoupon, deductStock, deductPoints, completePayment, markPaid } = shopSteps(shop);
  const tellCustomer = step({
    name: "mail.tell-customer",
    run: (input: { readonly orderId: string }, { call }) =>
      shop.fences.order.act(call, input, () => {
        shop.books.told += 1;
        return ok(undefined);
      }),
    compensate: () => ok(undefined),
    retry,
  });
  return saga({
    name: "checkout",
    input: orderInput,
    *run({ orderId, lines, points }) {
      yield* beginPayment({ orderId });
      yield* useCoupon({ orderId });
      yield* tellCustomer({ orderId });
      yield* all(lines.map(deductStock));
      yield* deductPoints({ amount: points });
      return { orderId };
    },
    pivot: ({ orderId }) => completePayment({ orderId }),
    *complete({ orderId }, { receipt }) {
      yield* markPaid({ orderId });
      return { receipt };
    },
  });
}
