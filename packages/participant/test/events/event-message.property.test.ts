// Goal: what is written in either mode is read back the same. Method: random events, through the formatter and the parser.
import { cloudEvent, formatEvent, parseEvent } from "@backstep/participant";
import fc from "fast-check";
import { expect, test } from "vitest";

const RUNS = 500;

const text = fc
  .string({ unit: "binary", minLength: 1 })
  .filter((value) => value.isWellFormed() && !/[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(value));

const init = fc.record(
  {
    id: text,
    source: fc.webUrl({ withQueryParameters: true }),
    type: text,
    subject: text,
    time: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("9999-01-01") }).map((date) => date.toISOString()),
    dataschema: fc.webUrl(),
    extensions: fc.dictionary(fc.stringMatching(/^x[a-z0-9]{1,19}$/), text, { minKeys: 1 }),
    data: fc.jsonValue({ noUnicodeString: false }),
  },
  { requiredKeys: ["id", "source", "type"] },
);

test("an event comes back from either mode as it was sent", () => {
  fc.assert(
    fc.property(init, fc.constantFrom("binary", "structured"), (parts, mode) => {
      const event = cloudEvent(parts as Parameters<typeof cloudEvent>[0])._unsafeUnwrap();
      const message = formatEvent(event, mode);
      expect(() => new Headers(message.headers)).not.toThrow();
      const parsed = parseEvent({ headers: new Headers(message.headers), body: message.body })._unsafeUnwrap();
      expect(JSON.stringify(sorted(parsed))).toBe(JSON.stringify(sorted(event)));
    }),
    { numRuns: RUNS },
  );
});

test("whatever arrives is an event or a typed error, never a throw", () => {
  const header = fc.tuple(
    fc.constantFrom("ce-id", "ce-source", "ce-type", "ce-specversion", "ce-x", "ce-", "content-type", "x"),
    fc.string(),
  );
  const contentType = fc.constantFrom(
    "application/json",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "text/plain",
    "",
  );
  fc.assert(
    fc.property(fc.array(header), contentType, fc.oneof(fc.string(), fc.json()), (headers, type, body) => {
      const parsed = parseEvent({ headers: { ...Object.fromEntries(headers), "content-type": type }, body });
      if (parsed.isErr()) expect(parsed.error._tag).toMatch(/^Event[A-Z]/);
    }),
    { numRuns: RUNS },
  );
});

/** Members by name: binary mode does not keep the order of headers. */
function sorted(value: object): unknown {
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, member]): [string, unknown] => [key, key === "extensions" ? sorted(member) : member])
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  );
}
