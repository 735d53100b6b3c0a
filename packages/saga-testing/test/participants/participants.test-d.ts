// Goal: participants of a proof have the types of the real ones, and what does not fit does not compile. Method: expectTypeOf, and @ts-expect-error.
import { stepOf } from "@backstep/http-adapter";
import type { Client } from "@backstep/http-adapter/client";
import { createFence, createMemoryDatabase } from "@backstep/participant";
import { createPaymentService, paymentContract } from "@backstep/payment";
import { createProductService, productContract } from "@backstep/product";
import { type CompensatableStep, type Fault, step } from "@backstep/saga-core";
import { err, ok, type Result, type ResultAsync } from "neverthrow";
import { expectTypeOf, test } from "vitest";
import { effectsOf, fakeClient } from "../../src/participants/fake-client.ts";
import { type Fenced, fenced } from "../../src/participants/fenced.ts";
import { localClient } from "../../src/participants/local-client.ts";
import { callOf, openGround } from "./ground.ts";

const site = openGround();
const fence: Fenced = fenced(site, "product");
const call = callOf("a");

interface Line {
  readonly quantity: number;
}
type OutOfStock = { readonly _tag: "OutOfStock" };

test("business code tells what an action answers", () => {
  const either = fence.act(call, 1, () => (call.attempt > 1 ? err({ _tag: "OutOfStock" as const }) : ok({ left: 1 })));
  expectTypeOf(either).toEqualTypeOf<ResultAsync<{ left: number }, { _tag: "OutOfStock" } | Fault>>();
  const later = fence.act(call, 1, async (): Promise<Result<number, OutOfStock>> => ok(1));
  expectTypeOf(later).toEqualTypeOf<ResultAsync<number, OutOfStock | Fault>>();
  expectTypeOf(fence.act(call, 1, () => ok())).toEqualTypeOf<ResultAsync<void, Fault>>();
});

test("a fenced action and its undo make a step without annotations", () => {
  const stock = { units: 3 };
  const deduct = step({
    name: "product.deduct-stock",
    run: (line: Line, { call: mine }) =>
      fence.act(mine, line, () =>
        stock.units < line.quantity ? err({ _tag: "OutOfStock" as const }) : ok(void (stock.units -= line.quantity)),
      ),
    compensate: (line, { call: mine }) =>
      fence.undo(mine, line, () => {
        stock.units += line.quantity;
      }),
    resolve: (_line, { call: mine }) => fence.resolve(mine),
  });
  expectTypeOf(deduct).toExtend<CompensatableStep<"product.deduct-stock", Line, undefined, OutOfStock>>();
});

test("business code that does not fit does not compile", () => {
  // @ts-expect-error -- an action answers with a result
  void (() => fence.act(call, 1, () => 1));
  // @ts-expect-error -- a rejection has a tag
  void (() => fence.act(call, 1, () => err("no")));
  // @ts-expect-error -- an undo declares no rejection
  void (() => fence.undo({ ...call, undoes: { key: call.key, issuedAt: 1, known: "inDoubt" } }, 1, () => err({ _tag: "No" })));
  // @ts-expect-error -- an undo says what it takes back
  void (() => fence.undo(call, 1, () => undefined));
});

test("a local client is a client of its contract", () => {
  const local = localClient(productContract, createProductService(), { site });
  expectTypeOf(local).toEqualTypeOf<Client<typeof productContract>>();
  const foreign = localClient(paymentContract, createPaymentService(), { site });
  expectTypeOf(foreign).toEqualTypeOf<Client<typeof paymentContract>>();
  expectTypeOf(stepOf(local.deductStock, local.restoreStock)).not.toBeAny();
  // @ts-expect-error -- the undo of nothing
  void (() => stepOf(local.addStock, local.restoreStock));
  // @ts-expect-error -- a service of another contract
  void (() => localClient(productContract, createPaymentService(), { site }));
  const database = createMemoryDatabase();
  const fenceOfRows = createFence({ database, retentionMs: 60_000 });
  void (() => localClient(productContract, createProductService(), { site, database, fence: fenceOfRows }));
  // @ts-expect-error -- a fence alone says nothing of the rows
  void (() => localClient(productContract, createProductService(), { site, fence: fenceOfRows }));
});

test("a fake is a client of its contract, and its effects have the types of its commands", () => {
  const fake = fakeClient(productContract, { site, answers: { addStock: ({ quantity }) => ({ available: quantity }) } });
  expectTypeOf(fake).toExtend<Client<typeof productContract>>();
  expectTypeOf(stepOf(fake.deductStock, fake.restoreStock)).not.toBeAny();
  const [effect] = effectsOf(fake).standing;
  expectTypeOf(effect?.operation).toEqualTypeOf<"registerProduct" | "changePrice" | "addStock" | "deductStock" | undefined>();
  if (effect?.operation === "addStock") expectTypeOf(effect.output).toEqualTypeOf<{ available: number }>();
});

test("wrong answers do not compile", () => {
  // @ts-expect-error -- an output of another shape
  void (() => fakeClient(productContract, { site, answers: { addStock: () => ({ available: "1" }) } }));
  // @ts-expect-error -- an undo has no answer
  void (() => fakeClient(productContract, { site, answers: { restoreStock: () => undefined } }));
  // @ts-expect-error -- no such operation
  void (() => fakeClient(productContract, { site, answers: { sell: () => undefined } }));
  // @ts-expect-error -- a rejection that the contract does not declare
  void (() => fakeClient(productContract, { site, rejects: { deductStock: { Sold: () => ({ _tag: "Sold" }) } } }));
  const productId = "tea";
  // @ts-expect-error -- a rejection of another shape
  void (() => fakeClient(productContract, { site, rejects: { deductStock: { OutOfStock: () => ({ _tag: "OutOfStock", productId }) } } }));
  void (() => fakeClient(productContract, { site, rejects: { deductStock: { ProductNotFound: { _tag: "ProductNotFound", productId } } } }));
  // @ts-expect-error -- a value of another rejection
  void (() => fakeClient(productContract, { site, rejects: { deductStock: { OutOfStock: { _tag: "ProductNotFound", productId } } } }));
  void (() => fakeClient(productContract, { site, answers: { addStock: { available: 1 } } }));
  // @ts-expect-error -- a value of another shape
  void (() => fakeClient(productContract, { site, answers: { addStock: { units: 1 } } }));
});
