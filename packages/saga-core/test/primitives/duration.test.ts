// Goal: a length of time is what people wrote, or is refused before anything waits for it. Method: tables at the edges, and sums of random parts.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DURATION_MS_MAX, type Duration, durationMs } from "../../src/primitives/duration.ts";

describe("a duration", () => {
  test.each<[Duration, number]>([
    [0, 0],
    [1, 1],
    [{}, 0],
    [{ ms: 5 }, 5],
    [{ seconds: 1.5 }, 1_500],
    [{ days: 1, hours: undefined }, 86_400_000],
    [{ hours: 1, minutes: -30 }, 1_800_000],
    [DURATION_MS_MAX, DURATION_MS_MAX],
    [{ days: 36_525 }, DURATION_MS_MAX],
  ])("of %j is %d milliseconds", (duration, ms) => {
    expect(durationMs(duration)._unsafeUnwrap()).toBe(ms);
  });

  test("is the sum of its parts", () => {
    const part = fc.nat({ max: 1_000 });
    fc.assert(
      fc.property(part, part, part, part, part, (days, hours, minutes, seconds, ms) => {
        const sum = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000 + ms;
        expect(durationMs({ days, hours, minutes, seconds, ms })._unsafeUnwrap()).toBe(sum);
      }),
    );
  });

  test.each<[what: string, duration: unknown, found: string]>([
    ["a negative number", -1, "-1"],
    ["a fraction", 0.5, "0.5"],
    ["no number", Number.NaN, "NaN"],
    ["for ever", Number.POSITIVE_INFINITY, "Infinity"],
    ["more than a hundred years", DURATION_MS_MAX + 1, "3155760000001"],
    ["parts that make a fraction", { ms: 0.5 }, '{"ms":0.5}'],
    ["parts that make it negative", { hours: 1, minutes: -61 }, '{"hours":1,"minutes":-61}'],
    ["parts that are too much together", { days: 36_525, ms: 1 }, '{"days":36525,"ms":1}'],
    ["an unknown part", { weeks: 1 }, '{"weeks":1}'],
    ["a part that every object has", { toString: 1 }, '{"toString":1}'],
    ["a part that is text", { hours: "1" }, '{"hours":"1"}'],
    ["a part that is null", { hours: null }, '{"hours":null}'],
    ["text", "1h", '"1h"'],
    ["a list", [1], "[1]"],
    ["a big integer", 1n, "1"],
    ["null", null, "null"],
    ["undefined", undefined, "undefined"],
  ])("is not %s, and the refusal shows what was found", (_what, duration, found) => {
    expect(durationMs(duration as Duration)._unsafeUnwrapErr()).toBe(
      `must be whole milliseconds from 0 to a hundred years; found ${found}`,
    );
  });
});
