// Goal: two payloads have one fingerprint exactly when they are one JSON value. Method: random JSON, its members shuffled, and compared in pairs.
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fingerprintOf } from "../../src/fence/fingerprint.ts";

const RUNS = 1_000;

/** Few small values, so that equal ones meet; `-0` is not told apart from `0`, as in JSON text. */
const value = fc.jsonValue({ maxDepth: 3, noUnicodeString: false }).map((json) => JSON.parse(JSON.stringify(json)) as unknown);

function reversed(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(reversed);
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(
    Object.entries(json)
      .toReversed()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

test("the order of members is no difference", () => {
  fc.assert(
    fc.property(value, (json) => {
      expect(fingerprintOf(reversed(json))).toBe(fingerprintOf(json));
    }),
    { numRuns: RUNS },
  );
});

test("anything else is", () => {
  const small = fc.oneof(value, fc.constantFrom<unknown>([], {}, [[]], [{}], "", 0, null, { a: 0 }, { a: "0" }, { a: [0] }, ["a", 0]));
  fc.assert(
    fc.property(small, small, (left, right) => {
      expect(fingerprintOf(left) === fingerprintOf(right)).toBe(isDeepStrictEqual(left, right));
    }),
    { numRuns: RUNS },
  );
});
