// Goal: no single fault makes the checkout lose or create anything, and no three of them where two checkouts meet. Method: the real services behind their fences, in one process; `npm run prove` searches further.
import { prove } from "@backstep/saga-testing";
import { expect, test } from "vitest";
import { proofsOf } from "../proof/proofs.ts";
import { checkoutOf } from "../proof/shop.ts";

const [byPoints, byCard, together] = proofsOf(4_000, Date.now() % 2 ** 31);

test.each([byPoints, byCard])("keeps every law under every single fault: $what", { timeout: 240_000 }, async (proof) => {
  if (proof === undefined) throw new Error("there is a proof");
  const { exhaustive, named, leftOut } = await prove(checkoutOf, { ...proof.options, faults: 1 });
  expect(exhaustive[1]).toBeGreaterThan(150);
  expect(leftOut).toBeUndefined();
  expect([...named.keys()]).toEqual(
    expect.arrayContaining(["FS-02", "FS-15", "FS-26", "FS-30", "FS-35", "FS-47", "FS-48", "FS-49", "FS-50", "FS-51"]),
  );
});

test("two checkouts at once on short stock keep every law under three faults", { timeout: 240_000 }, async () => {
  if (together === undefined) throw new Error("there is a proof");
  const { random, seed } = await prove(checkoutOf, together.options);
  expect(random.reduce((sum, count) => sum + count, 0)).toBe(1_000);
  expect(random[3]).toBeGreaterThan(300);
  expect(seed).toBeDefined();
});
