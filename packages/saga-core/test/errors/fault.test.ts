// Goal: a fault is known by its brand and a decision by its mark, and neither leaves a trace in the data. Method: look-alikes on both sides.
import { describe, expect, test } from "vitest";
import { fault, faultData, isFault } from "../../src/errors/fault.ts";
import { decided, isDecided, isTagged } from "../../src/errors/tagged.ts";

describe("fault", () => {
  test("a domain error that carries a fault's tag and shape is not taken for a fault", () => {
    expect(isFault({ _tag: "Unknown", message: "no such product" })).toBe(false);
    expect(isFault(JSON.parse(JSON.stringify(fault("Unknown", "reset"))))).toBe(false);
    expect(isFault(fault("Unknown", "reset"))).toBe(true);
  });

  test("the brand is the registry's symbol, so that two copies of the package agree", () => {
    const foreign = Object.defineProperty({ _tag: "Sealed", message: "by the other copy" }, Symbol.for("@backstep/fault"), { value: true });
    expect(isFault(foreign)).toBe(true);
  });

  test("nothing else is a fault", () => {
    for (const value of [undefined, null, "Unknown", 1, () => 1, {}, []]) expect(isFault(value)).toBe(false);
  });

  test("a fault is frozen plain data: its brand is no member, and what was not given is absent", () => {
    const bare = fault("NotSent", "refused");
    expect(Object.isFrozen(bare)).toBe(true);
    expect(Object.keys(bare)).toEqual(["_tag", "message"]);
    expect(JSON.parse(JSON.stringify(fault("Throttled", "later", { retryAfterMs: 5, details: { status: 429 } })))).toEqual({
      _tag: "Throttled",
      message: "later",
      retryAfterMs: 5,
      details: { status: 429 },
    });
  });

  test("the data of a fault keeps what it says and drops what it asked for", () => {
    expect(faultData(fault("Throttled", "later", { retryAfterMs: 5, details: 1 }))).toEqual({
      _tag: "Throttled",
      message: "later",
      details: 1,
    });
    expect(Object.keys(faultData(fault("Unknown", "reset")))).toEqual(["_tag", "message"]);
  });
});

describe("decided", () => {
  test("marks a copy of a rejection, and changes neither its data nor the original", () => {
    const rejection = { _tag: "OutOfStock", productId: "a" } as const;
    const marked = decided(rejection);
    expect([isDecided(rejection), isDecided(marked)]).toEqual([false, true]);
    expect(marked).toEqual(rejection);
    expect(JSON.stringify(marked)).toBe(JSON.stringify(rejection));
  });

  test("the mark does not travel by copy or text: who passes a decision on says so again", () => {
    const marked = decided({ _tag: "OutOfStock" } as const);
    expect(isDecided({ ...marked })).toBe(false);
    expect(isDecided(JSON.parse(JSON.stringify(marked)))).toBe(false);
  });
});

test("tagged is an object with a text for a tag", () => {
  expect([{ _tag: "A" }, Object.assign(new Error("x"), { _tag: "A" })].every(isTagged)).toBe(true);
  expect([undefined, null, "A", {}, { _tag: "" }, { _tag: 1 }, { tag: "A" }].some(isTagged)).toBe(false);
});
