// Goal: a retry policy that could not mean anything fails where it is declared. Method: every option at and beyond its bounds.
import { describe, expect, test } from "vitest";
import { ACTION_RETRY_DEFAULT, PERSISTENT_RETRY_DEFAULT, type RetryPolicy, resolveRetryPolicy } from "../../src/definition/retry-policy.ts";
import { DefinitionInvalid } from "../../src/errors/definition-invalid.ts";

const resolve = (policy: RetryPolicy | undefined) => resolveRetryPolicy("step a, retry", policy, ACTION_RETRY_DEFAULT);

test("what is not given, or given as undefined, has its default", () => {
  expect(resolve(undefined)).toEqual(ACTION_RETRY_DEFAULT);
  expect(resolve({})).toEqual(ACTION_RETRY_DEFAULT);
  expect(resolve({ attempts: undefined, delayMs: 7 })).toEqual({ ...ACTION_RETRY_DEFAULT, delayMs: 7 });
});

test("the defaults are themselves valid, and the persistent ones never give up by count", () => {
  for (const defaults of [ACTION_RETRY_DEFAULT, PERSISTENT_RETRY_DEFAULT])
    expect(resolveRetryPolicy("default", {}, defaults)).toEqual(defaults);
  expect(PERSISTENT_RETRY_DEFAULT.attempts).toBe(Number.POSITIVE_INFINITY);
});

describe("bounds", () => {
  test.each([1, 2, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY])("attempts may be %d", (attempts) => {
    expect(resolve({ attempts }).attempts).toBe(attempts);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.NEGATIVE_INFINITY, "3" as unknown as number, null as unknown as number])(
    "attempts may not be %j",
    (attempts) => {
      if (attempts === null) expect(resolve({ attempts }).attempts).toBe(ACTION_RETRY_DEFAULT.attempts);
      else {
        expect(() => resolve({ attempts })).toThrow(
          new DefinitionInvalid(`step a, retry: attempts must be a whole number from 1 on, or Infinity; found ${attempts}`),
        );
      }
    },
  );

  const durations = ["horizonMs", "delayMs", "delayMsMax", "timeoutMs"] as const;
  test.each(durations)("%s is a whole number of milliseconds from 1 on", (option) => {
    expect(resolve({ [option]: 1 })[option]).toBe(1);
    for (const value of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => resolve({ [option]: value })).toThrow(
        new DefinitionInvalid(`step a, retry: ${option} must be a whole number of milliseconds from 1 on; found ${value}`),
      );
    }
  });
});
