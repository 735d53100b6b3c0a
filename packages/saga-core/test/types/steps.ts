/** Steps and a schema that the type tests share. Nothing here runs. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { err, ok, okAsync, type Result, type ResultAsync } from "neverthrow";
import { type Call, type Fault, step } from "../../src/index.ts";

export interface OrderLine {
  readonly productId: string;
  readonly quantity: number;
}

export interface Deduction {
  readonly left: number;
}

export type OutOfStock = { readonly _tag: "OutOfStock"; readonly productId: string };
export type NoSuchMember = { readonly _tag: "NoSuchMember"; readonly id: string };
export type PaymentRefused = { readonly _tag: "PaymentRefused" };

export interface CheckoutInput {
  readonly memberId: string;
  readonly couponId?: string | undefined;
  readonly lines: readonly OrderLine[];
}

export declare const checkoutInput: StandardSchemaV1<CheckoutInput>;

declare const products: {
  deduct(line: OrderLine, call: Call): ResultAsync<Deduction, OutOfStock | Fault>;
  restore(line: OrderLine, call: Call): ResultAsync<void, Fault>;
};

/** Compensatable, over a client that answers with `ResultAsync`. */
export const deductStock = step({
  name: "product.deduct-stock",
  run: (line: OrderLine, { call }) => products.deduct(line, call),
  compensate: (line, { call }) => products.restore(line, call),
});

/** Read-only, with a plain `Result`. */
export const findMember = step.readOnly({
  name: "member.find",
  run: ({ id }: { id: string }) => (id === "" ? err<never, NoSuchMember>({ _tag: "NoSuchMember", id }) : ok({ id, name: "Ada" })),
});

/** Read-only, and it cannot be refused. */
export const readClock = step.readOnly({ name: "clock.read", run: () => ok(0) });

export const completePayment = step.pivot({
  name: "payment.complete",
  run: async (_payment: { id: string }): Promise<Result<{ readonly paidAt: number }, PaymentRefused>> => ok({ paidAt: 0 }),
});

export const markPaid = step.retriable({
  name: "order.mark-paid",
  run: (_order: { id: string }) => okAsync<{ done: boolean }, Fault>({ done: true }),
});
