// Goal: events are written and read as CloudEvents 1.0 and its HTTP binding say, and anything else is refused with its reason.
// Method: single messages, good and bad, against the two functions that write and read them.
import { type CloudEvent, cloudEvent, type EventInvalid, formatEvent, parseEvent } from "@backstep/participant";
import { describe, expect, test } from "vitest";

const full: CloudEvent<{ readonly amount: number }> = {
  specversion: "1.0",
  id: "e-1",
  source: "/payments",
  type: "com.example.paid.v1",
  subject: "payment-1",
  time: "2030-01-01T00:00:00.5Z",
  datacontenttype: "application/json",
  dataschema: "https://example.com/schemas/paid.json",
  extensions: { sagaid: "saga-1", sequence: "7" },
  data: { amount: 10 },
};

const minimal = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": "t" };

function problem(message: { readonly headers: Readonly<Record<string, string>>; readonly body?: string }): EventInvalid | undefined {
  return parseEvent({ body: "", ...message }).match(
    () => undefined,
    (error) => error,
  );
}

const structured = (members: Readonly<Record<string, unknown>>) => ({
  headers: { "content-type": "application/cloudevents+json" },
  body: JSON.stringify({ specversion: "1.0", id: "1", source: "/x", type: "t", ...members }),
});

const invalid = (attribute: string) => expect.objectContaining({ _tag: "EventAttributeInvalid", attribute });

describe("binary mode", () => {
  test("puts attributes into headers and data into the body", () => {
    expect(formatEvent(full)).toEqual({
      headers: {
        "ce-specversion": "1.0",
        "ce-id": "e-1",
        "ce-source": "/payments",
        "ce-type": "com.example.paid.v1",
        "ce-subject": "payment-1",
        "ce-time": "2030-01-01T00:00:00.5Z",
        "ce-dataschema": "https://example.com/schemas/paid.json",
        "ce-sagaid": "saga-1",
        "ce-sequence": "7",
        "content-type": "application/json",
      },
      body: '{"amount":10}',
    });
  });

  test("encodes what a header cannot hold, and nothing else", () => {
    const event = cloudEvent({ id: 'Euro € 😀 "100%"', source: "/x", type: "a~!z" })._unsafeUnwrap();
    const { headers } = formatEvent(event);
    expect(headers["ce-id"]).toBe("Euro%20%E2%82%AC%20%F0%9F%98%80%20%22100%25%22");
    expect(headers["ce-type"]).toBe("a~!z");
    expect(parseEvent({ headers, body: "" })._unsafeUnwrap()).toEqual(event);
  });

  test("reads headers in any case, needless encoding, and the quotes of older senders", () => {
    const headers = { "CE-SpecVersion": "1.0", "Ce-Id": "%41%c3%a9", "ce-source": "/x", "ce-type": '"a \\"b\\" c"' };
    expect(parseEvent({ headers, body: "" })._unsafeUnwrap()).toMatchObject({ id: "Aé", type: 'a "b" c' });
    expect(parseEvent({ headers: new Headers(headers), body: "" })._unsafeUnwrap()).toMatchObject({ id: "Aé" });
  });

  test("refuses what is not UTF-8", () => {
    for (const value of ["%C0%A0", "%FF", "%zz", "%"]) expect(problem({ headers: { ...minimal, "ce-id": value } })).toEqual(invalid("id"));
  });

  test("refuses a media type beside the content type, data that is no JSON, and JSON that is none", () => {
    expect(problem({ headers: { ...minimal, "ce-datacontenttype": "application/json" } })).toEqual(invalid("datacontenttype"));
    expect(problem({ headers: { ...minimal, "content-type": "text/plain" }, body: "hi" })).toEqual({
      _tag: "EventContentUnsupported",
      contentType: "text/plain",
    });
    expect(problem({ headers: { ...minimal, "content-type": "application/json" }, body: "{" })).toMatchObject({
      _tag: "EventBodyMalformed",
    });
  });

  test("writes headers that fetch takes, whatever an event is called", () => {
    const names = ["Zoë", "漢字", "😀", " a ", '"quoted"', "100%25", "~!*'()", "\\", "a,b;c=d"];
    for (const name of names) {
      const event = cloudEvent({ id: name, source: "/x", type: name, subject: name, extensions: { sagaid: name } })._unsafeUnwrap();
      const { headers, body } = formatEvent(event);
      expect(parseEvent({ headers: new Headers(headers), body })._unsafeUnwrap()).toEqual(event);
    }
  });

  test("takes dialects of JSON for JSON", () => {
    for (const contentType of ["application/json; charset=utf-8", "application/vnd.example+json", "text/json"]) {
      const parsed = parseEvent({ headers: { ...minimal, "content-type": contentType }, body: "[1]" })._unsafeUnwrap();
      expect(parsed).toMatchObject({ datacontenttype: contentType, data: [1] });
    }
  });
});

describe("structured mode", () => {
  test("is one JSON object", () => {
    const { headers, body } = formatEvent(full, "structured");
    expect(headers).toEqual({ "content-type": "application/cloudevents+json" });
    const { extensions, ...members } = full;
    expect(JSON.parse(body)).toEqual({ ...members, ...extensions });
  });

  test("keeps numbers and booleans apart from text", () => {
    const event = cloudEvent({ id: "1", source: "/x", type: "t", extensions: { a: 1, b: true, c: "1" } })._unsafeUnwrap();
    expect(parseEvent(formatEvent(event, "structured"))._unsafeUnwrap()).toEqual(event);
    expect(parseEvent(formatEvent(event, "binary"))._unsafeUnwrap().extensions).toEqual({ a: "1", b: "true", c: "1" });
  });

  test("takes null for absent, but not in data", () => {
    expect(parseEvent(structured({ subject: null, mine: null }))._unsafeUnwrap()).toEqual({
      specversion: "1.0",
      id: "1",
      source: "/x",
      type: "t",
    });
    expect(parseEvent(structured({ data: null }))._unsafeUnwrap()).toMatchObject({ data: null });
  });

  test("refuses bytes, other formats, batches and what is no object", () => {
    expect(problem(structured({ data_base64: "AA==" }))).toMatchObject({ _tag: "EventContentUnsupported" });
    expect(problem(structured({ data: "x", datacontenttype: "text/plain" }))).toMatchObject({ _tag: "EventContentUnsupported" });
    for (const contentType of ["application/cloudevents+avro", "application/cloudevents-batch+json"]) {
      expect(problem({ headers: { "content-type": contentType }, body: "[]" })).toEqual({ _tag: "EventContentUnsupported", contentType });
    }
    for (const body of ["", "{", "[]", "null", "1"]) {
      expect(problem({ headers: { "content-type": "application/cloudevents+json" }, body })).toMatchObject({ _tag: "EventBodyMalformed" });
    }
  });
});

describe("data", () => {
  test("that is not labelled as JSON makes no event, since nobody could read it", () => {
    const made = cloudEvent({ id: "1", source: "/x", type: "t", datacontenttype: "text/plain", data: { a: 1 } });
    expect(made._unsafeUnwrapErr()).toEqual({ _tag: "EventContentUnsupported", contentType: "text/plain" });
    expect(cloudEvent({ id: "1", source: "/x", type: "t", datacontenttype: "text/plain" }).isOk()).toBe(true);
  });
});

describe("attributes", () => {
  test("required ones must be there and not be empty", () => {
    for (const attribute of ["id", "source", "type"]) {
      const { [`ce-${attribute}`]: _, ...headers } = minimal as Readonly<Record<string, string>>;
      expect(problem({ headers })).toEqual({ _tag: "EventAttributeMissing", attribute });
      expect(problem({ headers: { ...headers, [`ce-${attribute}`]: "" } })).toEqual(invalid(attribute));
      expect(problem(structured({ [attribute]: 1 }))).toEqual(invalid(attribute));
    }
    expect(problem({ headers: {} })).toEqual({ _tag: "EventAttributeMissing", attribute: "specversion" });
    expect(problem({ headers: { ...minimal, "ce-specversion": "0.3" } })).toEqual({ _tag: "EventVersionUnsupported" });
  });

  test.each([
    [
      "time",
      ["2030-01-01T00:00:00Z", "2030-12-31t23:59:60.123+05:30"],
      ["2030-01-01", "yesterday", "2030-13-01T00:00:00Z", "2030-01-01T24:00:00Z"],
    ],
    ["source", ["/x", "https://example.com/a?b#c", "urn:uuid:1", "%41"], ["with space", "<x>", "%4"]],
    ["dataschema", ["https://example.com/x", "urn:x:y"], ["/relative", "no"]],
    ["subject", ["x", "with space", "é😀"], ["", "line\nbreak", "\u007f", "\ufffe", "\ud800"]],
    [
      "datacontenttype",
      ["application/json", "application/x+json; a=b"],
      ["json", "a/b/c", "", "application/json; a=é", "application/json; a=漢"],
    ],
  ])("%s has a form", (attribute, good, bad) => {
    for (const value of good) expect(problem(structured({ [attribute]: value }))).toBeUndefined();
    for (const value of bad) expect(problem(structured({ [attribute]: value }))).toEqual(invalid(attribute));
  });

  test("an extension has a lower-case name, and text, a small whole number or a boolean for a value", () => {
    for (const extension of [{ a: "" }, { a1: 2 ** 31 - 1 }, { b: false }]) expect(problem(structured(extension))).toBeUndefined();
    for (const extension of [{ sagaId: "x" }, { "saga-id": "x" }, { a: 1.5 }, { a: 2 ** 31 }, { a: [] }, { a: "\u0000" }]) {
      expect(problem(structured(extension))).toEqual(invalid(Object.keys(extension)[0] ?? ""));
    }
    expect(problem({ headers: { ...minimal, "ce-data": "x" } })).toEqual(invalid("data"));
    expect(problem({ headers: { ...minimal, "ce-__proto__": "x" } })).toEqual(invalid("__proto__"));
    const shadowing = cloudEvent({ id: "1", source: "/x", type: "t", extensions: { id: "2" } });
    expect(shadowing._unsafeUnwrapErr()).toEqual(invalid("id"));
  });
});
