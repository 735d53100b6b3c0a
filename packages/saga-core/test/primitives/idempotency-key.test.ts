// Goal: a key names one operation and no other (I5), and fits where keys are carried. Method: golden keys, a property over names, bounds.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IDEMPOTENCY_KEY_LENGTH_MAX, idempotencyKey, type OperationName } from "../../src/primitives/idempotency-key.ts";

const idCharacters = [..."ABCXYZabcxyz0189._:@~-"];
const sagaId = fc.array(fc.constantFrom(...idCharacters), { minLength: 1, maxLength: 128 }).map((characters) => characters.join(""));
const name = fc.array(fc.constantFrom(..."ab0.-"), { minLength: 1, maxLength: 12 }).map((characters) => characters.join(""));
const segment = fc.tuple(name, fc.constantFrom("", "~2", "~10")).map(([word, occurrence]) => word + occurrence);
const path = fc
  .tuple(fc.constantFrom("run", "pivot", "complete"), fc.array(segment, { minLength: 1, maxLength: 40 }))
  .map(([scope, segments]) => [scope, ...segments].join("/"));
const operation: fc.Arbitrary<OperationName> = fc.record({
  sagaId,
  path,
  slot: fc.constantFrom("action", "compensation"),
  generation: fc.constantFrom(0, 1, 2, 11),
});

/** Names that are one edit apart: where a collision would be. */
const neighbours = fc
  .tuple(operation, sagaId, segment, fc.integer({ min: 0, max: 4 }))
  .map(([original, otherId, added, edit]): readonly [OperationName, OperationName] => {
    const edits: readonly OperationName[] = [
      { ...original, sagaId: otherId },
      { ...original, path: `${original.path}/${added}` },
      { ...original, slot: original.slot === "action" ? "compensation" : "action" },
      { ...original, generation: (original.generation ?? 0) + 1 },
      { ...original, path: `${original.path}~2` },
    ];
    return [original, edits[edit] ?? original];
  });

function sameName(left: OperationName, right: OperationName): boolean {
  return (
    JSON.stringify([left.sagaId, left.path, left.slot, left.generation]) ===
    JSON.stringify([right.sagaId, right.path, right.slot, right.generation])
  );
}

describe("derivation", () => {
  test("keys never change: participants hold them", () => {
    const action = { sagaId: "checkout:web:7f3a", path: "run/coupon.use", slot: "action" } as const;
    expect(idempotencyKey(action)).toBe("checkout:web:7f3a/run/coupon.use/action");
    expect(idempotencyKey({ ...action, slot: "compensation" })).toBe("checkout:web:7f3a/run/coupon.use/compensation");
    expect(idempotencyKey({ ...action, generation: 0 })).toBe("checkout:web:7f3a/run/coupon.use/action");
    expect(idempotencyKey({ ...action, generation: 2 })).toBe("checkout:web:7f3a/run/coupon.use/action~2");
    expect(idempotencyKey({ ...action, path: `run/${"deep/".repeat(60)}coupon.use` })).toMatchInlineSnapshot(
      `"checkout:web:7f3a/~11ea262c4e7d4d8630cd93570ef59926/action"`,
    );
  });

  test("I5: two operations have the same key exactly when they are the same operation", () => {
    fc.assert(
      fc.property(operation, operation, (left, right) => {
        expect(idempotencyKey(left) === idempotencyKey(right)).toBe(sameName(left, right));
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(neighbours, ([left, right]) => {
        expect(idempotencyKey(left) === idempotencyKey(right)).toBe(sameName(left, right));
      }),
      { numRuns: 1_000 },
    );
  });

  test("every derived key is one that parses: 1 to 255 printable characters, however deep the path", () => {
    fc.assert(
      fc.property(operation, fc.nat({ max: 2_000 }), (named, padding) => {
        const key = idempotencyKey({ ...named, path: named.path + "x".repeat(padding) });
        expect(idempotencyKey.parse(key)._unsafeUnwrap()).toBe(key);
      }),
      { numRuns: 300 },
    );
  });

  test("long paths that share a beginning of any length keep keys of their own", () => {
    const paths = Array.from({ length: 2_000 }, (_, index) => `run/${"outer/".repeat(50)}all/${index}/step`);
    expect(new Set(paths.map((long) => idempotencyKey({ sagaId: "s", path: long, slot: "action" }))).size).toBe(paths.length);
  });
});

describe("parse", () => {
  test.each(["a", "A".repeat(IDEMPOTENCY_KEY_LENGTH_MAX), "order-1/run/~9:@!#$%&'()*+,;=?[]^_`{|}~"])("takes %s", (text) => {
    expect(idempotencyKey.parse(text)._unsafeUnwrap()).toBe(text);
  });

  test.each<[text: string, message: string]>([
    ["", "an idempotency key has 1 to 255 characters; this one has 0"],
    ["a".repeat(256), "an idempotency key has 1 to 255 characters; this one has 256"],
    ["a b", "an idempotency key is printable ASCII without spaces, quotes or backslashes"],
    ['a"b', "an idempotency key is printable ASCII without spaces, quotes or backslashes"],
    ["a\\b", "an idempotency key is printable ASCII without spaces, quotes or backslashes"],
    ["a\n", "an idempotency key is printable ASCII without spaces, quotes or backslashes"],
    ["clé", "an idempotency key is printable ASCII without spaces, quotes or backslashes"],
    ["\u007f", "an idempotency key is printable ASCII without spaces, quotes or backslashes"],
  ])("refuses %j", (text, message) => {
    expect(idempotencyKey.parse(text)._unsafeUnwrapErr()).toEqual({ _tag: "IdempotencyKeyInvalid", message });
  });
});
