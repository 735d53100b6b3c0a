// Goal: records are faithful. Laws: what is encoded decodes to the same; whatever a text is, decoding answers.
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeRecord, encodeRecord } from "../../src/journal/entry-codec.ts";
import { standingEffects, statusOf, viewOf } from "../../src/journal/saga-view.ts";
import { entry } from "./entries.ts";

const entries = fc.array(entry, { minLength: 1, maxLength: 6 });

test("entries of every kind come back as they were", () => {
  fc.assert(
    fc.property(entries, (written) => {
      expect(decodeRecord(encodeRecord(written)._unsafeUnwrap())._unsafeUnwrap()).toEqual(written);
    }),
  );
});

test("whatever a record's text is, decoding answers instead of throwing", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.jsonValue().map((value) => JSON.stringify({ v: 1, entries: [value] })),
      ),
      (text) => {
        decodeRecord(text);
      },
    ),
  );
});

test("I12: a record whose text is damaged anywhere is refused, or folds without throwing", () => {
  const damage = fc.record({ written: entries, at: fc.nat(), character: fc.constantFrom(...'{}[]",:01xA') });
  fc.assert(
    fc.property(damage, ({ written, at, character }) => {
      const text = encodeRecord(written)._unsafeUnwrap();
      const place = at % text.length;
      decodeRecord(text.slice(0, place) + character + text.slice(place + 1)).map((read) => {
        const view = viewOf(read);
        return [statusOf(view), standingEffects(view)];
      });
    }),
    { numRuns: 2_000 },
  );
});
