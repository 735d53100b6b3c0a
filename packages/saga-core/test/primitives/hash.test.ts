// Goal: derived ids stay what they are for ever, and are spread well enough that accidents do not collide. Method: golden values, counts, flips.
import { expect, test } from "vitest";
import { hash128, uuidOf } from "../../src/primitives/hash.ts";

const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function bitsOf(hex: string): bigint {
  return BigInt(`0x${hex}`);
}

function onesIn(bits: bigint): number {
  return bits.toString(2).replaceAll("0", "").length;
}

test("the hash of a text never changes: ids in journals and keys at participants are made of it", () => {
  expect(
    Object.fromEntries(["", "a", "run/all/2/product.deduct-stock", "결제 💳"].map((text) => [text, hash128(text)])),
  ).toMatchInlineSnapshot(`
    {
      "": "1388a0fb85a5df7a9904862a0db3d6e8",
      "a": "e46ea206c9f24bfac96ac60a89b63d83",
      "run/all/2/product.deduct-stock": "65fbd7d74ce93325347ed4e7dd1df2ff",
      "결제 💳": "dc93bea0cc7693c1bea6abc6dd3a8cdc",
    }
  `);
  expect(uuidOf("seed run/uuid")).toMatchInlineSnapshot(`"f90ece4f-0337-823d-ad91-ccc33c5b2087"`);
});

test("texts that differ in little have hashes that differ in everything", () => {
  const seen = new Set<string>();
  const halves = [new Set<string>(), new Set<string>()] as const;
  const count = 100_000;
  for (let index = 0; index < count; index++) {
    const hash = hash128(`run/all/${index}/step`);
    seen.add(hash);
    halves[0].add(hash.slice(0, 16));
    halves[1].add(hash.slice(16));
  }
  expect([seen.size, halves[0].size, halves[1].size]).toEqual([count, count, count]);
});

test("each flipped bit of a text flips about half the bits of its hash, wherever in the text it is", () => {
  const text = "order-0123456789";
  const base = bitsOf(hash128(text));
  for (let place = 0; place < text.length; place++) {
    for (let bit = 0; bit < 7; bit++) {
      const flipped = text.slice(0, place) + String.fromCharCode(text.charCodeAt(place) ^ (1 << bit)) + text.slice(place + 1);
      const flips = onesIn(base ^ bitsOf(hash128(flipped)));
      expect(flips, `bit ${bit} of character ${place}`).toBeGreaterThan(32);
      expect(flips, `bit ${bit} of character ${place}`).toBeLessThan(96);
    }
  }
});

test("every bit of the hash is set in about half of all hashes", () => {
  const ones = Array.from({ length: 128 }, () => 0);
  const count = 4_000;
  for (let index = 0; index < count; index++) {
    const bits = bitsOf(hash128(String(index)));
    for (let bit = 0; bit < 128; bit++) if ((bits >> BigInt(bit)) & 1n) ones[bit] = (ones[bit] ?? 0) + 1;
  }
  for (const [bit, set] of ones.entries()) expect(Math.abs(set / count - 0.5), `bit ${bit}`).toBeLessThan(0.05);
});

test("a derived id is a custom UUID (version 8), equal for equal texts and for no others", () => {
  const ids = Array.from({ length: 1_000 }, (_, index) => uuidOf(`seed ${index}`));
  expect(ids.every((id) => UUID_PATTERN.test(id))).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
  expect(uuidOf("seed 7")).toBe(ids[7]);
});
