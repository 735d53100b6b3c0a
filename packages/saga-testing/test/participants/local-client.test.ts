/** Goal: a real service as a local client: it tells effects with their commit, refuses what its contract does not have, and needs microtasks only. */
import { command, contract, foreign, query, rejection, undo } from "@backstep/contract";
import { stepOf } from "@backstep/http-adapter";
import { createMemoryDatabase } from "@backstep/participant";
import { createMemoryGateway, createPaymentService, paymentContract } from "@backstep/payment";
import { createProductService, productContract } from "@backstep/product";
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { localClient } from "../../src/participants/local-client.ts";
import { quiet } from "../../src/participants/site.ts";
import { callOf, openGround, told, undoOf } from "./ground.ts";

const price = { amountMinor: 1, currency: "KRW" };
const line = { orderId: "o1", productId: "tea", quantity: 2 };

async function openProducts() {
  const ground = openGround();
  const database = createMemoryDatabase({ now: ground.now });
  const scene = localClient(productContract, createProductService(), { site: quiet(ground), database });
  await scene.registerProduct({ productId: "tea", name: "Tea", price }, callOf("register"));
  await scene.addStock({ productId: "tea", quantity: 3 }, callOf("add"));
  const products = localClient(productContract, createProductService(), { site: ground, database });
  const units = async () => (await products.findProduct({ productId: "tea" }))._unsafeUnwrap().available;
  return { ground, products, units };
}

test("effects are told once, at the key of the action; a scene that is set quietly tells none", async () => {
  const { ground, products, units } = await openProducts();
  const first = told(await products.deductStock(line, callOf("a")));
  expect(first).toEqual(["ok", { deductionId: callOf("a").key }]);
  expect(told(await products.deductStock(line, callOf("a")))).toEqual(first);
  expect(await units()).toBe(1);
  expect(told(await products.restoreStock(line, undoOf("a", "succeeded")))).toEqual(["ok", undefined]);
  expect(told(await products.restoreStock(line, undoOf("a", "succeeded")))).toEqual(["ok", undefined]);
  expect(await units()).toBe(3);
  expect([ground.applied, ground.takenBack]).toEqual([[callOf("a").key], [callOf("a").key]]);
});

test("an undo that comes first seals, and the late action finds the seal", async () => {
  const { ground, products, units } = await openProducts();
  expect(told(await products.restoreStock(line, undoOf("a")))).toEqual(["ok", undefined]);
  expect(told(await products.deductStock(line, callOf("a")))).toEqual(["fault", "Sealed", undefined]);
  expect(await units()).toBe(3);
  expect([ground.applied, ground.takenBack]).toEqual([[], []]);
});

test("a rejection is recorded, a reused key refused, an unknown key sealed by asking", async () => {
  const { products } = await openProducts();
  const outOfStock = { _tag: "OutOfStock", productId: "tea", requested: 9, available: 3 };
  expect(told(await products.deductStock({ ...line, quantity: 9 }, callOf("a")))).toEqual(["rejected", outOfStock, "decided"]);
  await products.addStock({ productId: "tea", quantity: 100 }, callOf("more"));
  expect(told(await products.deductStock({ ...line, quantity: 9 }, callOf("a")))).toEqual(["rejected", outOfStock, "decided"]);
  expect(told(await products.deductStock(line, callOf("a")))).toEqual(["fault", "KeyReused", undefined]);
  expect(told(await products.deductStock.resolve(line, callOf("b")))).toEqual(["ok", { _tag: "SealedForGood" }]);
  expect(told(await products.deductStock(line, callOf("b")))).toEqual(["fault", "Sealed", undefined]);
});

test("a call that was given up before it was made is not made", async () => {
  const { products, units } = await openProducts();
  const signal = AbortSignal.abort();
  expect(told(await products.deductStock(line, { ...callOf("a"), signal }))).toEqual(["fault", "NotSent", undefined]);
  expect(await units()).toBe(3);
});

test("steps derived from it have the names that its fence knows", async () => {
  const { products } = await openProducts();
  expect(stepOf(products.deductStock, products.restoreStock)["~step"].name).toBe("product.deduct-stock");
  expect(told(await products.deductStock(line, callOf("a")))).toEqual(["ok", { deductionId: callOf("a").key }]);
});

test("it goes on by microtasks alone, also at a gateway in memory", async () => {
  const ground = openGround();
  const payments = localClient(paymentContract, createPaymentService({ gateway: createMemoryGateway() }), { site: ground });
  const amount = { amountMinor: 5, currency: "KRW" };
  let ended = 0;
  const life = async () => {
    const { paymentId } = (
      await payments.createPayment({ orderId: "o1", memberId: "m1", amount, cardMinor: 5 }, callOf("create"))
    )._unsafeUnwrap();
    await payments.authorisePayment({ paymentId, amount }, callOf("authorise"));
    await payments.voidAuthorisation({ paymentId, amount }, undoOf("authorise"));
    await payments.authorisePayment.resolve({ paymentId, amount }, callOf("never"));
    ended += 1;
  };
  void life();
  for (let tick = 0; tick < 1_000; tick += 1) await Promise.resolve();
  expect(ended).toBe(1);
  expect([ground.applied, ground.takenBack]).toEqual([[callOf("create").key, callOf("authorise").key], [callOf("authorise").key]]);
});

test("the effect of a foreign action whose answer was lost is told by whoever settles it", async () => {
  const ground = openGround();
  const gateway = createMemoryGateway();
  const mute = {
    ...gateway,
    authorise: (...parameters: Parameters<typeof gateway.authorise>) =>
      gateway.authorise(...parameters).then(() => Promise.reject(new Error("no answer"))),
  };
  const payments = localClient(paymentContract, createPaymentService({ gateway: mute }), { site: ground });
  const amount = { amountMinor: 5, currency: "KRW" };
  const created = await payments.createPayment({ orderId: "o1", memberId: "m1", amount, cardMinor: 5 }, callOf("create"));
  const { paymentId } = created._unsafeUnwrap();
  expect(told(await payments.authorisePayment({ paymentId, amount }, callOf("a")))).toEqual(["fault", "Unknown", undefined]);
  expect(told(await payments.authorisePayment({ paymentId, amount }, callOf("a")))).toEqual(["fault", "Running", 30_000]);
  ground.clock += 4_500;
  expect(told(await payments.authorisePayment({ paymentId, amount }, callOf("a")))).toEqual(["fault", "Running", 26_000]);
  expect(ground.applied).toEqual([callOf("create").key]);
  ground.clock += 25_500;
  expect(told(await payments.voidAuthorisation({ paymentId, amount }, undoOf("a")))).toEqual(["ok", undefined]);
  expect([ground.applied, ground.takenBack]).toEqual([[callOf("create").key, callOf("a").key], [callOf("a").key]]);
});

describe("what does not fit the contract", () => {
  const things = contract({
    name: "things",
    operations: {
      make: command({
        summary: "Makes.",
        path: "/things",
        input: z.strictObject({ size: z.int().default(7) }),
        output: z.strictObject({ size: z.int() }),
        rejections: [rejection("TooBig", { max: z.int() })],
      }),
      unmake: undo({ summary: "Unmakes.", path: "/things/back", undoes: "make", input: z.strictObject({ size: z.int().default(7) }) }),
      count: query({
        summary: "Counts.",
        path: "/things/count",
        input: z.strictObject({ of: z.coerce.number().optional() }),
        output: z.int().or(z.undefined()),
        rejections: [],
      }),
    },
  });
  type Service = Parameters<typeof localClient<typeof things>>[1];
  const open = (service: object) =>
    localClient(things, { unmake: async () => undefined, count: async () => ok(undefined), ...service } as unknown as Service, {
      site: openGround(),
    });

  test.each([
    ["an output", { make: async () => ok({ size: "big" }) }],
    ["an output that no JSON holds", { make: async () => ok({ size: 1, at: new Date() }) }],
    ["a rejection that is not declared", { make: async () => err({ _tag: "TooSmall" }) }],
    ["a rejection of another shape", { make: async () => err({ _tag: "TooBig" }) }],
    ["no answer", { make: async () => undefined }],
  ])("is doubt: %s", async (_what, service) => {
    expect(told(await open(service).make({ size: 1 }, callOf("a")))).toEqual(["fault", "Unknown", undefined]);
  });

  test("is a fault for good: an input", async () => {
    const made = open({ make: async () => ok({ size: 1 }) });
    expect(told(await made.make({ size: "1" } as never, callOf("a")))).toEqual(["fault", "Faulted", undefined]);
    expect(told(await made.count({ of: {} } as never))).toEqual(["fault", "Faulted", undefined]);
  });

  test("an input is completed as its schema says, and nothing is told as nothing", async () => {
    const seen: unknown[] = [];
    const made = open({
      make: async (_context: unknown, input: { readonly size: number }) => ok(input),
      count: async (_context: unknown, input: unknown) => {
        seen.push(input);
        return ok(undefined);
      },
    });
    expect(told(await made.make({} as never, callOf("a")))).toEqual(["ok", { size: 7 }]);
    expect(told(await made.count({ of: 3 }))).toEqual(["ok", undefined]);
    expect(seen).toEqual([{ of: 3 }]);
  });

  test("a foreign command with a local undo is no service", () => {
    expect(() => open({ make: foreign(() => ({})) })).toThrow("things.make is foreign and unmake is not");
    expect(() => open({ count: foreign(() => ({})) })).toThrow("things.count is a query; a query has no foreign effect");
  });
});
