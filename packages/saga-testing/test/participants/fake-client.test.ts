/** Goal: a fake behaves like a fenced service of its contract, says what the site chooses, and remembers what it did. */
import { command, contract, rejection, undo } from "@backstep/contract";
import { productContract } from "@backstep/product/contract";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { effectsOf, fakeClient } from "../../src/participants/fake-client.ts";
import { callOf, openGround, told, undoOf } from "./ground.ts";

const line = { orderId: "o1", productId: "tea", quantity: 2 };
const deducted = ["ok", { deductionId: "a" }];

function openFake(options: Partial<Parameters<typeof fakeClient<typeof productContract>>[1]> = {}) {
  const ground = openGround();
  return { ground, fake: fakeClient(productContract, { site: ground, ...options }) };
}

test("a duplicate is told the same, the effect is one, and the site is asked once", async () => {
  const { ground, fake } = openFake();
  expect(told(await fake.deductStock(line, callOf("x")))).toEqual(deducted);
  expect(told(await fake.deductStock(line, callOf("x")))).toEqual(deducted);
  expect(ground.asked).toEqual([["product.deduct-stock", "accepts", "ProductNotFound", "OutOfStock"]]);
  expect(ground.applied).toEqual([callOf("x").key]);
  const effect = { key: callOf("x").key, operation: "deductStock", input: line, output: { deductionId: "a" } };
  expect(effectsOf(fake).standing).toEqual([effect]);
});

test("an undo removes the effect; what was once applied stays known", async () => {
  const { ground, fake } = openFake();
  await fake.deductStock(line, callOf("x"));
  await fake.deductStock({ ...line, quantity: 1 }, callOf("y"));
  expect(told(await fake.restoreStock(line, undoOf("x")))).toEqual(["ok", undefined]);
  expect(effectsOf(fake).standing.map(({ key }) => key)).toEqual([callOf("y").key]);
  expect(effectsOf(fake).everApplied.map(({ key }) => key)).toEqual([callOf("x").key, callOf("y").key]);
  expect(ground.takenBack).toEqual([callOf("x").key]);
});

test("an undo that comes first seals; the late action is not asked about", async () => {
  const { ground, fake } = openFake();
  await fake.restoreStock(line, undoOf("x"));
  expect(told(await fake.deductStock(line, callOf("x")))).toEqual(["fault", "Sealed", undefined]);
  expect(ground.asked).toEqual([]);
  expect(effectsOf(fake).everApplied).toEqual([]);
});

test("a question about an unknown key seals it, and another input under a key is refused", async () => {
  const { fake } = openFake();
  expect(told(await fake.deductStock.resolve(line, callOf("x")))).toEqual(["ok", { _tag: "SealedForGood" }]);
  await fake.deductStock(line, callOf("y"));
  expect(told(await fake.deductStock({ ...line, quantity: 1 }, callOf("y")))).toEqual(["fault", "KeyReused", undefined]);
});

describe("a rejection", () => {
  test("that the site chooses is recorded, whatever it would choose later", async () => {
    const { ground, fake } = openFake();
    ground.will.set("product.deduct-stock", "OutOfStock");
    const rejected = ["rejected", { _tag: "OutOfStock", productId: "a", requested: 1, available: 0 }, "decided"];
    expect(told(await fake.deductStock(line, callOf("x")))).toEqual(rejected);
    ground.will.clear();
    expect(told(await fake.deductStock(line, callOf("x")))).toEqual(rejected);
    expect(effectsOf(fake).everApplied).toEqual([]);
  });

  test("says what it is told to say", async () => {
    const { ground, fake } = openFake({
      rejects: {
        deductStock: { OutOfStock: ({ productId, quantity }) => ({ _tag: "OutOfStock", productId, requested: quantity, available: 1 }) },
      },
    });
    ground.will.set("product.deduct-stock", "OutOfStock");
    const rejected = { _tag: "OutOfStock", productId: "tea", requested: 2, available: 1 };
    expect(told(await fake.deductStock(line, callOf("x")))).toEqual(["rejected", rejected, "decided"]);
  });

  test("is none, and nobody is asked, where they are switched off", async () => {
    const { ground, fake } = openFake({ rejections: false });
    ground.will.set("product.deduct-stock", "OutOfStock");
    expect(told(await fake.deductStock(line, callOf("x")))).toEqual(deducted);
    expect(ground.asked).toEqual([]);
  });

  test("of a query is chosen once per key, and by nobody where there is none", async () => {
    const { ground, fake } = openFake();
    ground.will.set("product.find-product", "ProductNotFound");
    expect((await fake.findProduct({ productId: "tea" })).isOk()).toBe(true);
    const notFound = ["rejected", { _tag: "ProductNotFound", productId: "a" }, "undecided"];
    expect(told(await fake.findProduct({ productId: "tea" }, callOf("x")))).toEqual(notFound);
    expect(told(await fake.findProduct({ productId: "tea" }, callOf("x")))).toEqual(notFound);
    expect(ground.asked).toEqual([["product.find-product", "accepts", "ProductNotFound"]]);
  });
});

describe("an answer", () => {
  test("may follow from the input and from what stands", async () => {
    const { fake } = openFake({
      answers: {
        findProduct({ productId }, { effects: { standing } }) {
          const sold = standing.reduce((sum, effect) => sum + (effect.operation === "deductStock" ? effect.input.quantity : 0), 0);
          return { productId, name: "Tea", price: { amountMinor: 1, currency: "KRW" }, available: 9 - sold };
        },
        deductStock: (_input, { key = "" }) => ({ deductionId: key }),
      },
    });
    expect(told(await fake.deductStock(line, callOf("x")))).toEqual(["ok", { deductionId: callOf("x").key }]);
    expect((await fake.findProduct({ productId: "tea" }))._unsafeUnwrap()).toMatchObject({ productId: "tea", available: 7 });
  });

  test("that throws leaves no record; the decision stands when the call comes again", async () => {
    let isBroken = true;
    const { ground, fake } = openFake({
      answers: {
        deductStock() {
          if (isBroken) throw new Error("not yet");
          return { deductionId: "d1" };
        },
      },
    });
    expect(told(await fake.deductStock(line, callOf("x")))).toEqual(["fault", "Unknown", undefined]);
    isBroken = false;
    expect(told(await fake.deductStock(line, callOf("x")))).toEqual(["ok", { deductionId: "d1" }]);
    expect(ground.asked.length).toBe(1);
  });
});

describe("what cannot be made up", () => {
  const odd = contract({
    name: "odd",
    operations: {
      make: command({
        summary: "Makes.",
        path: "/odd",
        input: z.strictObject({}),
        output: z.strictObject({ codes: z.array(z.string().regex(/^q-[0-9]x$/)).min(1) }),
        rejections: [rejection("TooOdd", { code: z.string().regex(/^r-[0-9]x$/) })],
      }),
      unmake: undo({ summary: "Unmakes.", path: "/odd/back", undoes: "make", input: z.strictObject({}) }),
    },
  });
  const site = openGround();

  test("is named, with what to give instead", () => {
    expect(() => fakeClient(odd, { site })).toThrow(
      "no value can be made up for the output of odd.make at codes.0: no text that is tried fits ^q-[0-9]x$; give `answers.make`",
    );
    expect(() => fakeClient(odd, { site, answers: { make: () => ({ codes: ["q-1x"] }) } })).toThrow(
      "no value can be made up for the rejection TooOdd of odd.make at code: no text that is tried fits ^r-[0-9]x$; give `rejects.make.TooOdd`",
    );
  });

  test("need not be where it is given, or never told", async () => {
    const answers = { make: { codes: ["q-1x"] } };
    const fake = fakeClient(odd, { site, answers, rejections: false });
    expect(told(await fake.make({}, callOf("x")))).toEqual(["ok", { codes: ["q-1x"] }]);
    fakeClient(odd, { site, answers, rejects: { make: { TooOdd: { _tag: "TooOdd", code: "r-1x" } } } });
  });
});

test("only a fake remembers effects", () => {
  expect(() => effectsOf({})).toThrow("effects are remembered by a fake only");
});
