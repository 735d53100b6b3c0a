// Goal: encoding is faithful. Laws: toJson is JSON text there and back; canonical texts are equal exactly when values are.
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, type Json, toJson } from "../../src/primitives/json.ts";

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;

function reordered(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(reordered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reordered(member)]),
  );
}

test("a value of plain JSON comes through as its text there and back would", () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(JSON.stringify(toJson(value)._unsafeUnwrap())).toBe(JSON.stringify(JSON.parse(JSON.stringify(value))));
    }),
  );
});

test("whatever a value is, toJson answers instead of throwing, and what it takes survives its text", () => {
  const anything = fc.anything({
    withDate: true,
    withMap: true,
    withSet: true,
    withBigInt: true,
    withTypedArray: true,
    withSparseArray: true,
    withNullPrototype: true,
  });
  fc.assert(
    fc.property(anything, (value) => {
      toJson(value).map((copy) => expect(JSON.parse(JSON.stringify(copy))).toEqual(copy));
    }),
  );
});

test("the order of members does not matter to the canonical text, and it reads as the same value", () => {
  fc.assert(
    fc.property(json, (value) => {
      const plain = toJson(value)._unsafeUnwrap();
      expect(canonicalJson(reordered(plain))).toBe(canonicalJson(plain));
      expect(JSON.parse(canonicalJson(plain))).toEqual(JSON.parse(JSON.stringify(plain)));
    }),
  );
});

test("values that differ have canonical texts that differ", () => {
  fc.assert(
    fc.property(json, json, (left, right) => {
      const [a, b] = [toJson(left)._unsafeUnwrap(), toJson(right)._unsafeUnwrap()];
      const same = JSON.stringify(JSON.parse(canonicalJson(a))) === JSON.stringify(JSON.parse(canonicalJson(b)));
      expect(canonicalJson(a) === canonicalJson(b)).toBe(same);
    }),
  );
});
