// Goal: what Postgres keeps is what was written, byte for byte, and Postgres accepts it. Method: arbitrary JSON, with every text that it would refuse; fast-check names the seed.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { documentFrom, storedField, storedText } from "../../src/database/postgres-document.ts";

const awkward = fc.constantFrom("\u0000", "\u001b", "\ud800", "\udfff", "\\", "u0000", "u001b", "0000", "d800", '"', "\u001f", "x");
const text = fc.oneof(fc.string({ unit: awkward }), fc.string({ unit: "binary" }));
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value")),
    fc.dictionary(text, tie("value")),
  ),
})).value;

describe("a stored text", () => {
  test("gives back the very text that was written", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.stringify(documentFrom(storedText(value as never)))).toBe(JSON.stringify(value));
      }),
    );
  });

  test("holds no sequence that Postgres refuses", () => {
    fc.assert(
      fc.property(json, (value) => {
        const read = JSON.stringify(JSON.parse(storedText(value as never)));
        expect(read.replaceAll(String.raw`\\`, "")).not.toMatch(/\\u(?:0000|d[89a-f])/);
      }),
    );
  });

  test("holds two fields as equal exactly when they are", () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        expect(storedField(left) === storedField(right)).toBe(left === right);
      }),
    );
  });
});
