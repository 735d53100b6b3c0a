/** Mutants of the participants: what the author of a service gets wrong on the other side of the call. */
import { decided, fault, step } from "@backstep/saga-core";
import { err, ok, type Result } from "neverthrow";
import type { Mutant } from "./mutant.ts";
import { checkoutOf, type Line, putBack, type Shop, shopSteps } from "./shop.ts";

const retry = { attempts: 3, delayMs: 10, delayMsMax: 40, timeoutMs: 1_000, horizonMs: 30_000 } as const;
const compensationRetry = { ...retry, attempts: Number.POSITIVE_INFINITY, delayMsMax: 60_000, horizonMs: 3_600_000 } as const;

type OutOfStock = { readonly _tag: "OutOfStock" };
type Steps = ReturnType<typeof shopSteps>;
type DeductStock = Parameters<typeof stockStep>[1];

/** A stock step with its two functions exchanged. */
function stockStep(
  { books, fences: { product } }: Shop,
  {
    run = (line, { call }) => product.act(call, line, () => take({ books } as Shop, line)),
    compensate = (line, { call }) => product.undo(call, line, () => putBack(books, line)),
  }: {
    readonly run?: ((line: Line, context: Parameters<Steps["deductStock"]["~step"]["run"]>[1]) => unknown) | undefined;
    readonly compensate?:
      | ((line: Line, context: Parameters<NonNullable<Steps["deductStock"]["~step"]["compensate"]>>[1]) => unknown)
      | undefined;
  },
) {
  return step({
    name: "product.deduct-stock",
    run: (line: Line, context) => run(line, context) as Promise<Result<{ readonly left: number }, OutOfStock>>,
    compensate: (line, context) => compensate(line, context) as Promise<Result<undefined, never>>,
    retry,
    compensationRetry,
  });
}

function take({ books }: Shop, { product, quantity }: Line): Result<{ readonly left: number }, OutOfStock> {
  if (books.stock[product] < quantity) return err({ _tag: "OutOfStock" });
  books.stock[product] -= quantity;
  books.sold[product] += quantity;
  return ok({ left: books.stock[product] });
}

function withStock(change: (shop: Shop) => DeductStock): Mutant["saga"] {
  return (shop) => checkoutOf({ ...shopSteps(shop), deductStock: stockStep(shop, change(shop)) });
}

export const WRONG_PARTICIPANTS: readonly Mutant[] = [
  {
    name: "an undo without a fence",
    breaks: "truth",
    says: "stock is put back whenever somebody says so",
    saga: withStock(({ books }) => ({
      compensate: (line) => {
        putBack(books, line);
        return ok(undefined);
      },
    })),
  },
  {
    name: "an action without a fence",
    breaks: "what is paid for is sold, once",
    says: "stock is taken whenever somebody says so",
    saga: withStock((shop) => ({ run: (line) => take(shop, line) })),
  },
  {
    name: "the fence's row outside of the transaction",
    breaks: "what is paid for is sold, once",
    says: "between the look for the key and its record another request gets through",
    saga: withStock((shop) => {
      const seen = new Map<string, Result<unknown, unknown>>();
      return {
        run: async (line, { call }) => {
          const known = seen.get(call.key);
          if (known !== undefined) return known;
          await Promise.resolve();
          const answer = take(shop, line);
          seen.set(call.key, answer);
          return answer;
        },
        compensate: async (line, { call }) => {
          if (seen.get(call.undoes.key)?.isOk() === true && !seen.has(call.key)) putBack(shop.books, line);
          seen.set(call.key, ok(undefined));
          return ok(undefined);
        },
      };
    }),
  },
  {
    name: "a repetition is answered after the business guard",
    breaks: "answer",
    says: "the second request finds too little in stock, because the first one took it, and is told a final no",
    saga: withStock(({ books, fences: { product } }) => ({
      run: (line, { call }) =>
        books.stock[line.product] < line.quantity
          ? err(decided({ _tag: "OutOfStock" }))
          : product.act(call, line, () => take({ books } as Shop, line)),
    })),
  },
  {
    name: "a rejection that is not recorded",
    breaks: "answer",
    says: "a no is final for the caller, and forgotten by whoever said it",
    saga: withStock(({ books, site, fences: { product } }) => ({
      run: (line, { call }) =>
        site.choose("product.deduct-stock", ["yes", "no"]) === "no"
          ? err(decided({ _tag: "OutOfStock" }))
          : product.act(call, line, () => take({ books } as Shop, line)),
    })),
  },
  {
    name: "an undo that plants no tombstone",
    breaks: "truth",
    says: "of an action that is not there, there is nothing to undo, and nothing to remember",
    saga: withStock(({ books, fences: { product } }) => {
      const taken = new Set<string>();
      return {
        run: (line, { call }) =>
          product.act(call, line, () => {
            taken.add(call.key);
            return take({ books } as Shop, line);
          }),
        compensate: (line, { call }) => (taken.has(call.undoes.key) ? product.undo(call, line, () => putBack(books, line)) : ok(undefined)),
      };
    }),
  },
  {
    name: "an undo behind a business guard",
    breaks: "progress",
    says: "a coupon that has expired meanwhile cannot be given back",
    saga: (shop) => {
      const steps = shopSteps(shop);
      const useCoupon = step({
        name: "coupon.use-coupon",
        run: (input: { readonly orderId: string }, context) =>
          steps.useCoupon["~step"].run(input, context) as Promise<Result<{ readonly discount: number }, never>>,
        compensate: () => err(fault("Faulted", "the coupon has expired")),
        retry,
        compensationRetry,
      });
      return checkoutOf({ ...steps, useCoupon });
    },
  },
  {
    name: "a repetition that is answered anew",
    breaks: "answer",
    says: "every answer carries a fresh number, also the second one to the same request",
    saga: withStock(({ books, fences: { product } }) => {
      let number = 0;
      return {
        run: (line, { call }) =>
          product
            .act(call, line, () => take({ books } as Shop, line))
            .map(({ left }) => {
              number += 1;
              return { left, number };
            }),
      };
    }),
  },
  {
    name: "a deciding query that decides nothing",
    breaks: "doubt",
    says: "not found is told as never, though the request may still be on its way",
    saga: (shop) => {
      const { fences, books } = shop;
      const paid = new Set<string>();
      const completePayment = step.pivot({
        name: "payment.complete-payment",
        run: (input: { readonly orderId: string }, { call }) =>
          fences.payment.act(call, input, () => {
            paid.add(call.key);
            books.paid += 1;
            return ok({ receipt: `r-${input.orderId}` });
          }),
        resolve: (_input, { call }) =>
          paid.has(call.key) ? fences.payment.resolve<{ readonly receipt: string }>(call) : ok({ _tag: "SealedForGood" as const }),
        retry,
      });
      return checkoutOf({ ...shopSteps(shop), completePayment });
    },
  },
  {
    name: "one key for the action and its undo",
    breaks: "what is paid for is sold, once",
    says: "the undo comes under the key of what it undoes, and is answered from that record",
    saga: withStock((shop) => {
      const answers = new Map<string, unknown>();
      const once = (key: string, business: () => unknown): unknown => {
        if (!answers.has(key)) answers.set(key, business());
        return answers.get(key);
      };
      return {
        run: (line, { call }) => once(call.key, () => take(shop, line)),
        compensate: (line, { call }) =>
          once(call.undoes.key, () => {
            putBack(shop.books, line);
            return ok(undefined);
          }),
      };
    }),
  },
];
