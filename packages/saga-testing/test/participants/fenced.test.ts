/** Goal: hand-written business code behind `fenced` has its effect once per key, and a step is told what a client would tell it. */
import { createMemoryDatabase } from "@backstep/participant";
import { step, tryStep, undoStep } from "@backstep/saga-core";
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { fenced } from "../../src/participants/fenced.ts";
import { quiet } from "../../src/participants/site.ts";
import { callOf, openGround, START, told, undoOf } from "./ground.ts";

interface Line {
  readonly quantity: number;
}

function openStock(units = 3) {
  const ground = openGround();
  const fence = fenced(ground, "product");
  const stock = { units };
  const deduct = (path: string, line: Line = { quantity: 2 }) =>
    fence.act(callOf(path), line, () => {
      if (stock.units < line.quantity) return err({ _tag: "OutOfStock" as const, available: stock.units });
      stock.units -= line.quantity;
      return ok({ left: stock.units });
    });
  const restore = (path: string, line: Line = { quantity: 2 }, known: "succeeded" | "inDoubt" = "inDoubt") =>
    fence.undo(undoOf(path, known), line, () => {
      stock.units += line.quantity;
    });
  return { ground, fence, stock, deduct, restore };
}

describe("an action", () => {
  test("has its effect once, and every repeat is told what the first was", async () => {
    const { ground, stock, deduct } = openStock();
    const answers = [await deduct("a"), ...(await Promise.all([deduct("a"), deduct("a")]))];
    expect(answers.map(told)).toEqual(Array.from({ length: 3 }, () => ["ok", { left: 1 }]));
    expect(stock.units).toBe(1);
    expect(ground.applied).toEqual([callOf("a").key]);
  });

  test("that is rejected stays rejected under better conditions, and is no effect", async () => {
    const { ground, stock, deduct } = openStock(1);
    const rejected = ["rejected", { _tag: "OutOfStock", available: 1 }, "decided"];
    expect(told(await deduct("a"))).toEqual(rejected);
    stock.units = 9;
    expect(told(await deduct("a"))).toEqual(rejected);
    expect(stock.units).toBe(9);
    expect(ground.applied).toEqual([]);
  });

  test("under a key that came with another input is refused", async () => {
    const { deduct } = openStock();
    await deduct("a");
    expect(told(await deduct("a", { quantity: 1 }))).toEqual(["fault", "KeyReused", undefined]);
  });

  test("that throws is in doubt, leaves no record, and may come again", async () => {
    const ground = openGround();
    const fence = fenced(ground, "product");
    let isBroken = true;
    const act = () =>
      fence.act(callOf("a"), undefined, () => {
        if (isBroken) throw new Error("the disk is full");
        return ok();
      });
    expect(told(await act())).toEqual(["fault", "Unknown", undefined]);
    expect(ground.applied).toEqual([]);
    isBroken = false;
    expect(told(await act())).toEqual(["ok", undefined]);
    expect(ground.applied).toEqual([callOf("a").key]);
  });

  test("that is older than the fence's memory is refused as lost evidence", async () => {
    const ground = openGround();
    const fence = fenced(ground, "product", { retentionMs: 60_000 });
    expect(told(await fence.act(callOf("a", START - 60_001), undefined, () => ok()))).toEqual(["fault", "EvidenceLost", undefined]);
  });
});

describe("an undo", () => {
  test("takes back what was done, once, and seals the key", async () => {
    const { ground, stock, deduct, restore } = openStock();
    await deduct("a");
    expect(told(await restore("a"))).toEqual(["ok", undefined]);
    expect(told(await restore("a"))).toEqual(["ok", undefined]);
    expect(stock.units).toBe(3);
    expect(ground.takenBack).toEqual([callOf("a").key]);
    expect(told(await deduct("a"))).toEqual(["fault", "Sealed", undefined]);
  });

  test("that comes first has nothing to do, and the late action finds its key sealed", async () => {
    const { ground, stock, deduct, restore } = openStock();
    expect(told(await restore("a"))).toEqual(["ok", undefined]);
    expect(told(await deduct("a"))).toEqual(["fault", "Sealed", undefined]);
    expect(stock.units).toBe(3);
    expect([ground.applied, ground.takenBack]).toEqual([[], []]);
  });

  test("of what succeeded and is not known has lost its evidence", async () => {
    const { restore } = openStock();
    expect(told(await restore("a", { quantity: 2 }, "succeeded"))).toEqual(["fault", "EvidenceLost", undefined]);
  });

  test("is told what the action answered", async () => {
    const fence = fenced(openGround(), "product");
    const seen: unknown[] = [];
    await fence.act(callOf("a"), 1, () => ok({ left: 1 }));
    await fence.act(callOf("b"), 1, () => ok());
    await fence.undo(undoOf("a"), 1, (undone: { readonly left: number }) => void seen.push(undone.left));
    await fence.undo(undoOf("b"), 1, (undone) => void seen.push(undone));
    expect(seen).toEqual([1, undefined]);
  });

  test("that throws took nothing back, and may come again", async () => {
    const { ground, fence, deduct, restore } = openStock();
    await deduct("a");
    const failed = await fence.undo(undoOf("a"), { quantity: 2 }, () => Promise.reject(new Error("not now")));
    expect(told(failed)).toEqual(["fault", "Unknown", undefined]);
    expect(ground.takenBack).toEqual([]);
    expect(told(await restore("a"))).toEqual(["ok", undefined]);
  });
});

describe("a deciding query", () => {
  test("tells what is recorded, of an action and of an undo", async () => {
    const { fence, deduct, restore } = openStock();
    await deduct("a");
    await deduct("b");
    expect(told(await fence.resolve(callOf("a")))).toEqual(["ok", { _tag: "Applied", output: { left: 1 } }]);
    expect(told(await fence.resolve(callOf("b")))).toEqual(["ok", { _tag: "NotApplied", error: { _tag: "OutOfStock", available: 1 } }]);
    await restore("a");
    expect(told(await fence.resolve(undoOf("a")))).toEqual(["ok", { _tag: "Applied", output: undefined }]);
    expect(told(await fence.resolve(callOf("a")))).toEqual(["ok", { _tag: "SealedForGood" }]);
  });

  test("seals a key of which nothing is known", async () => {
    const { fence, deduct } = openStock();
    expect(told(await fence.resolve(callOf("a")))).toEqual(["ok", { _tag: "SealedForGood" }]);
    expect(told(await deduct("a"))).toEqual(["fault", "Sealed", undefined]);
  });
});

test("a step of a few lines is a whole participant", async () => {
  const ground = openGround();
  const stock = { units: 3 };
  const fence = fenced(ground, "product");
  const deduct = step({
    name: "product.deduct-stock",
    run: (line: Line, { call }) =>
      fence.act(call, line, () =>
        stock.units < line.quantity ? err({ _tag: "OutOfStock" as const }) : ok(void (stock.units -= line.quantity)),
      ),
    compensate: (line, { call }) =>
      fence.undo(call, line, () => {
        stock.units += line.quantity;
      }),
    resolve: (_line, { call }) => fence.resolve(call),
  });
  expect(await tryStep(deduct, { quantity: 2 }, { sagaId: "s1", issuedAt: START })).toMatchObject({ _tag: "Succeeded" });
  expect(await tryStep(deduct, { quantity: 2 }, { sagaId: "s2", issuedAt: START })).toMatchObject({ _tag: "Rejected", decided: true });
  const undone = await undoStep(deduct, { quantity: 2 }, { _tag: "Succeeded", output: undefined }, { sagaId: "s1", issuedAt: START });
  expect(undone).toMatchObject({ _tag: "Succeeded" });
  expect(stock.units).toBe(3);
  expect([ground.applied.length, ground.takenBack.length]).toEqual([1, 1]);
});

test("participants that share a database keep their keys apart", async () => {
  const ground = openGround();
  const database = createMemoryDatabase({ now: ground.now });
  const [stock, points] = [fenced(ground, "product", { database }), fenced(ground, "points", { database })];
  await stock.act(callOf("a"), 1, () => ok());
  expect(told(await points.act(callOf("a"), 1, () => ok()))).toEqual(["fault", "KeyReused", undefined]);
});

test("what is done at a quiet place is not counted", async () => {
  const ground = openGround();
  await fenced(quiet(ground), "product").act(callOf("a"), 1, () => ok());
  expect(ground.applied).toEqual([]);
  expect(quiet(ground).choose("who", ["one", "two"])).toBe("one");
  expect(ground.asked).toEqual([]);
});
