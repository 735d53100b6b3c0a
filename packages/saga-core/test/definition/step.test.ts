// Goal: a step that cannot work is refused where it is declared, in words that say what to change. Method: each flaw on its own.
import { ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { DefinitionInvalid, step } from "../../src/index.ts";

const run = () => ok(1);
const compensate = () => ok(undefined);
const resolve = () => ok({ _tag: "StillUnknown" } as const);

/** As a caller without a compiler would write it. */
const untyped = step as unknown as {
  (options: unknown): unknown;
  readonly readOnly: (options: unknown) => unknown;
  readonly pivot: (options: unknown) => unknown;
  readonly retriable: (options: unknown) => unknown;
};

describe("names", () => {
  test.each(["a", "product.deduct-stock", "v2.order-2", "a".repeat(64)])("%s is a name", (name) => {
    expect(step({ name, run, compensate })["~step"].name).toBe(name);
  });

  test.each(["", "Product", "a b", "a/b", "a~2", "a..b", "-a", "a-", ".a", "é", "a_b", "a".repeat(65), undefined, 1, null])(
    "%j is none",
    (name) => {
      const declare = () => untyped({ name, run, compensate });
      expect(declare).toThrow(DefinitionInvalid);
      expect(declare).toThrow(
        `step name ${JSON.stringify(name)}: use 1 to 64 characters, lower-case letters and digits joined by "." or "-"`,
      );
    },
  );
});

describe("declarations", () => {
  test.each<[flaw: string, declare: () => unknown, message: string]>([
    ["no run", () => untyped({ name: "a", compensate }), "step a: run must be a function"],
    ["no compensate", () => untyped({ name: "a", run }), "step a: compensate must be a function"],
    ["a compensate that is no function", () => untyped({ name: "a", run, compensate: {} }), "step a: compensate must be a function"],
    ["a resolve that is no function", () => untyped({ name: "a", run, compensate, resolve: 1 }), "step a: resolve must be a function"],
    ["an output that is no schema", () => untyped({ name: "a", run, compensate, output: {} }), "step a: output must be a Standard Schema"],
    [
      "the policy resolve without a resolve",
      () => step({ name: "a", run, compensate, inDoubt: "resolve" }),
      'step a: inDoubt is "resolve", but there is no resolve function',
    ],
    [
      "a pivot with the policy resolve without a resolve",
      () => step.pivot({ name: "a", run, inDoubt: "resolve" }),
      'step a: inDoubt is "resolve", but there is no resolve function',
    ],
    [
      "a pivot that would be compensated",
      () => untyped.pivot({ name: "a", run, inDoubt: "compensate" }),
      'step a: a pivot has nothing to compensate; inDoubt is "resolve" or "park"',
    ],
    [
      "a policy that there is not",
      () => untyped({ name: "a", run, compensate, inDoubt: "guess" }),
      'step a: inDoubt must be "compensate", "resolve" or "park"; found "guess"',
    ],
    ["a retry policy out of bounds", () => step({ name: "a", run, compensate, retry: { attempts: 0 } }), "step a, retry: attempts must be"],
    [
      "a compensation's retry policy out of bounds",
      () => step({ name: "a", run, compensate, compensationRetry: { delayMs: 0 } }),
      "step a, compensationRetry: delayMs must be",
    ],
  ])("%s is refused", (_flaw, declare, message) => {
    expect(declare).toThrow(DefinitionInvalid);
    expect(declare).toThrow(message);
  });

  test("a step keeps its output schema, of whatever make, and has none unless it says so", () => {
    const output = { "~standard": { version: 1, vendor: "by-hand", validate: () => ({ value: 1 }) } } as const;
    for (const declared of [
      step({ name: "a", run, compensate, output }),
      step.readOnly({ name: "a", run, output }),
      step.pivot({ name: "a", run, output }),
      step.retriable({ name: "a", run, output }),
    ]) {
      expect(declared["~step"].output).toBe(output);
    }
    expect(step({ name: "a", run, compensate, output: undefined })["~step"].output).toBe(undefined);
  });

  test("what is not said about doubt follows from the kind of step and from whether it can be asked", () => {
    expect(step({ name: "a", run, compensate })["~step"].inDoubt).toBe("compensate");
    expect(step({ name: "a", run, compensate, resolve })["~step"].inDoubt).toBe("compensate");
    expect(step.pivot({ name: "a", run })["~step"].inDoubt).toBe("park");
    expect(step.pivot({ name: "a", run, resolve })["~step"].inDoubt).toBe("resolve");
    expect(step.pivot({ name: "a", run, resolve, inDoubt: "park" })["~step"].inDoubt).toBe("park");
  });

  test("what must happen is attempted for a day, what may fail for half a minute, unless the step says otherwise", () => {
    const [hour, day] = [3_600_000, 86_400_000];
    const horizons = (declared: { readonly "~step": (typeof compensatable)["~step"] }) => {
      const { retry, compensationRetry, forwardRetry } = declared["~step"];
      return [retry.horizonMs, compensationRetry.horizonMs, forwardRetry.horizonMs];
    };
    const compensatable = step({ name: "a", run, compensate });
    expect(horizons(compensatable)).toEqual([30_000, day, day]);
    expect(horizons(step.readOnly({ name: "a", run }))).toEqual([30_000, day, day]);
    expect(horizons(step.retriable({ name: "a", run }))).toEqual([day, day, day]);
    expect(horizons(step.retriable({ name: "a", run, retry: { horizonMs: hour } }))).toEqual([hour, day, hour]);
    expect(horizons(step({ name: "a", run, compensate, compensationRetry: { horizonMs: hour } }))).toEqual([30_000, hour, day]);
  });

  test("a pivot's call is no effect: iterating it fails at once", () => {
    const call = step.pivot({ name: "a", run })();
    expect(Symbol.iterator in call).toBe(false);
  });
});
