/**
 * A stranger's program over the packages as they are published: it exports everything it makes, so that the compiler has to write the type of each into a
 * declaration file. Run, it pays once and is refused once.
 */
import { all, createEngine, createMemoryStore, emit, type Fault, fail, saga, savepoint, step, tryStep } from "@backstep/saga-core";
import { createMemoryDisk } from "@backstep/saga-core/journal";
import { err, ok, type Result, ResultAsync } from "neverthrow";
import { z } from "zod";

export interface Line {
  readonly productId: string;
  readonly quantity: number;
}

export const Line = z.object({ productId: z.string(), quantity: z.int() });
export const Paid = z.object({ paidAt: z.int() });

export function createShop(left: number) {
  const state = { left, paid: 0 };
  return {
    state,
    deduct: async ({ productId, quantity }: Line) => {
      if (state.left < quantity) return err({ _tag: "OutOfStock", productId } as const);
      state.left -= quantity;
      return ok({ left: state.left });
    },
    restore: ({ quantity }: Line): ResultAsync<void, Fault> => {
      state.left += quantity;
      return ResultAsync.fromSafePromise(Promise.resolve());
    },
  };
}

export type Shop = ReturnType<typeof createShop>;

export const readClock = step.readOnly({ name: "clock.read", run: () => ok({ at: 1 }) });

/** Steps over what they are given, as a program wires them. */
export const createSteps = (shop: Shop) => ({
  deductStock: step({
    name: "product.deduct-stock",
    run: shop.deduct,
    compensate: (line) => shop.restore(line),
    resolve: async () => ok({ _tag: "StillUnknown" } as const),
    inDoubt: "resolve",
    retry: { attempts: 3, timeoutMs: 1_000 },
  }),
  pay: step.pivot({
    name: "payment.pay",
    run: async (amount: number): Promise<Result<z.infer<typeof Paid>, { readonly _tag: "CardRefused" }>> =>
      amount > 100 ? err({ _tag: "CardRefused" }) : ok({ paidAt: 5 }),
    output: Paid,
  }),
  tell: step.retriable({ name: "customer.tell", run: (_text: string) => ok(undefined) }),
});

export const PaymentMade = { type: "shop.payment-made.v1", data: Paid } as const;

export function createReserve({ deductStock }: ReturnType<typeof createSteps>) {
  return saga({
    name: "reserve",
    input: z.object({ lines: z.array(Line).readonly() }),
    *run({ lines }) {
      const { at } = yield* readClock();
      const taken = yield* all(lines.map(deductStock), { concurrency: 2 });
      return { at, taken };
    },
  });
}

export function createCheckout(shop: Shop) {
  const steps = createSteps(shop);
  const reserve = createReserve(steps);
  return saga({
    name: "checkout",
    version: 2,
    input: z.object({ lines: z.array(Line), amount: z.int(), gift: z.string().optional() }),
    *run({ lines, amount, gift }) {
      const { taken } = yield* reserve({ lines });
      const wrapped = yield* savepoint(function* () {
        if (gift === undefined) return yield* fail({ _tag: "NoGift" });
        return yield* steps.deductStock({ productId: gift, quantity: 1 });
      });
      return { amount, lines: taken.length, wrapped: wrapped.isOk() };
    },
    pivot: ({ amount }) => steps.pay(amount),
    *complete(order, paid) {
      yield* emit(PaymentMade, paid);
      yield* steps.tell("paid");
      return { ...order, ...paid };
    },
  });
}

export const shop = createShop(3);
export const checkout = createCheckout(shop);
export const disk = createMemoryDisk();
export const engine = createEngine({ sagas: [checkout], store: createMemoryStore({ disk }) });
export const run = (id: string, quantity: number) => engine.run(checkout, { lines: [{ productId: "tea", quantity }], amount: 7 }, { id });
export const tried = tryStep(readClock, undefined);
export const parked = () => engine.parked();
export const settle = (id: string) =>
  engine.settle(id, {
    path: "pivot/payment.pay",
    slot: "action",
    by: "ada",
    reason: "the bank confirms",
    evidence: "statement",
    verdict: { _tag: "applied", output: { paidAt: 5 } satisfies z.input<typeof Paid> },
  });

export const endings = [await run("paid", 2), await run("refused", 2)].map((result) =>
  result.match(
    ({ paidAt }) => `paid at ${paidAt}`,
    (error) => error._tag,
  ),
);
await engine.close();
console.log([...endings, `${shop.state.left} left`].join(", "));
