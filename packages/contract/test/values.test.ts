// Goal: an amount, a quantity, an id or a time out of range is refused at every edge alike. Method: each schema at its bounds, just beyond them, and with what only looks like it.
import { describe, expect, test } from "vitest";
import { AMOUNT_MINOR_MAX, amountMinor, currency, epochMs, id, money, quantity } from "../src/index.ts";

const NO_NUMBERS = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER + 1, "1", 1n, true, null, undefined, [1]];

describe("an amount in minor units", () => {
  test.each([0, 1, AMOUNT_MINOR_MAX])("%d is one", (value) => {
    expect(amountMinor.parse(value)).toBe(value);
  });

  test.each([...NO_NUMBERS, AMOUNT_MINOR_MAX + 1])("%s is none", (value) => {
    expect(amountMinor.safeParse(value).success).toBe(false);
  });

  test("a thousand of the greatest add up exactly", () => {
    expect(Number.isSafeInteger(1_000 * AMOUNT_MINOR_MAX)).toBe(true);
  });
});

describe("money", () => {
  test("is an amount and a currency, and nothing besides", () => {
    const won = { amountMinor: 12_000, currency: "KRW" };
    expect(money.parse(won)).toEqual(won);
    for (const other of [{ amountMinor: 1 }, { currency: "KRW" }, { ...won, amountMinor: -1 }, { ...won, rate: 1 }, 12_000, null]) {
      expect(money.safeParse(other).success).toBe(false);
    }
  });

  test.each(["", "krw", "KR", "KRWX", "K1W", " KRW", "KRW\n", "₩", 410])("%j is no currency", (value) => {
    expect(currency.safeParse(value).success).toBe(false);
  });
});

describe("a quantity", () => {
  test.each([1, 10_000])("%d is one", (value) => {
    expect(quantity.parse(value)).toBe(value);
  });

  test.each([...NO_NUMBERS, 0, -0, 10_001])("%s is none", (value) => {
    expect(quantity.safeParse(value).success).toBe(false);
  });
});

describe("an id", () => {
  test.each(["a", "A1._:-z", "...", "..a", "a..", "x".repeat(64)])("%j is one", (value) => {
    expect(id.parse(value)).toBe(value);
    expect(encodeURIComponent(value).replaceAll("%3A", ":")).toBe(value);
    expect(new URL(`http://host/ids/${value}/end`).pathname).toBe(`/ids/${value}/end`);
  });

  test.each(["", "x".repeat(65), "a b", "a/b", "a?b", "a#b", "a%b", "a\\b", 'a"b', "a\n", "é", "홍차", 1, null, undefined])(
    "%j is none",
    (value) => {
      expect(id.safeParse(value).success).toBe(false);
    },
  );

  test.each([".", ".."])("%j is none: in a path it would be another path", (value) => {
    expect(id.safeParse(value).success).toBe(false);
    expect(new URL(`http://host/ids/${value}/end`).pathname).not.toBe(`/ids/${value}/end`);
  });
});

describe("a point in time", () => {
  test.each([0, Date.UTC(2026, 2, 1), Date.UTC(9999, 11, 31, 23, 59, 59, 999)])("%d is one", (value) => {
    expect(epochMs.parse(value)).toBe(value);
  });

  test.each([...NO_NUMBERS, Date.UTC(10_000, 0, 1), "2026-03-01"])("%s is none", (value) => {
    expect(epochMs.safeParse(value).success).toBe(false);
  });
});
