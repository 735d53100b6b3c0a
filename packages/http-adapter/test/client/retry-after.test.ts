// Goal: a server is given the time that it asks for, in every form that HTTP knows, and never more than is reasonable. Method: the parser alone, at a fixed time.
import { describe, expect, test } from "vitest";
import { parseRetryAfter, RETRY_AFTER_MS_MAX } from "../../src/client/retry-after.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");

describe("Retry-After", () => {
  test.each([
    ["0", 0],
    ["1", 1_000],
    [" 120 ", 120_000],
    ["Sun, 01 Mar 2026 12:00:30 GMT", 30_000],
    ["Sunday, 01-Mar-26 12:00:30 GMT", 30_000],
    ["Sun Mar  1 12:00:30 2026", 30_000],
  ])("%j is %i milliseconds", (header, delayMs) => {
    expect(parseRetryAfter(header, NOW)).toBe(delayMs);
  });

  test("a date that is over is no wait", () => {
    expect(parseRetryAfter("Sun, 01 Mar 2026 11:59:00 GMT", NOW)).toBe(0);
  });

  test.each([
    "301",
    "86400",
    "999999999",
    "99999999999",
    "9".repeat(400),
    "Tue, 01 Mar 2039 12:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
  ])("%j is cut to five minutes", (header) => {
    expect(parseRetryAfter(header, NOW)).toBe(RETRY_AFTER_MS_MAX);
  });

  test.each([
    "",
    " ",
    "-5",
    "+5",
    "1.5",
    "1e9",
    "0x10",
    "soon",
    "2026-03-01T12:00:30Z",
    "Sun",
    "Sun, 99 Mar 2026 12:00:30 GMT",
    "1 second",
  ])("%j says nothing", (header) => {
    expect(parseRetryAfter(header, NOW)).toBeUndefined();
  });

  test("no header says nothing", () => {
    expect(parseRetryAfter(null, NOW)).toBeUndefined();
  });
});
