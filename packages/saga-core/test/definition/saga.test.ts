// Goal: a saga that cannot work is refused where it is declared. Method: each flaw on its own.
import { ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { all, createEngine, createMemoryStore, DefinitionInvalid, saga, step } from "../../src/index.ts";

const input = z.object({});
const read = step.readOnly({ name: "read", run: () => ok(1) });
const go = step.pivot({ name: "go", run: () => ok(1) });
function* run() {
  return yield* read();
}

const untyped = saga as unknown as (options: unknown) => unknown;

describe("declarations", () => {
  test.each<[flaw: string, options: unknown, message: string]>([
    ["a malformed name", { name: "Checkout", input, run }, 'saga name "Checkout": use 1 to 64 characters'],
    ["no name", { input, run }, "saga name undefined: use 1 to 64 characters"],
    ["version 0", { name: "a", version: 0, input, run }, "saga a: version must be a whole number from 1 on; found 0"],
    ["a broken version", { name: "a", version: 1.5, input, run }, "saga a: version must be a whole number from 1 on; found 1.5"],
    ["no run", { name: "a", input }, "saga a: run must be a generator function"],
    ["no schema", { name: "a", run }, "saga a: input must be a Standard Schema (zod, valibot, arktype, …)"],
    ["a schema that is none", { name: "a", run, input: { id: "string" } }, "saga a: input must be a Standard Schema"],
    [
      "a pivot that is a call",
      { name: "a", run, input, pivot: go() },
      "saga a: pivot must be a function that returns the call of a pivot step",
    ],
    ["a complete that is a generator", { name: "a", run, input, complete: run() }, "saga a: complete must be a generator function"],
  ])("%s is refused", (_flaw, options, message) => {
    expect(() => untyped(options)).toThrow(DefinitionInvalid);
    expect(() => untyped(options)).toThrow(message);
  });

  test("version is 1 unless said otherwise, and a saga shows its name", () => {
    const first = saga({ name: "checkout", input, run });
    expect([first.name, first.version]).toEqual(["checkout", 1]);
    expect(saga({ name: "checkout", version: 7, input, run }).version).toBe(7);
  });

  test("a saga with neither pivot nor complete can be called, and one with either cannot", () => {
    expect(typeof saga({ name: "a", input, run })).toBe("function");
    expect(typeof saga({ name: "a", input, run, pivot: () => go() })).toBe("object");
    expect(typeof saga({ name: "a", input, run, complete: run })).toBe("object");
  });
});

describe("registration", () => {
  test("two different sagas of one name and version do not start an engine; the same one twice does", async () => {
    const [one, other] = [saga({ name: "a", input, run }), saga({ name: "a", input, run })];
    expect(() => createEngine({ sagas: [one, other], store: createMemoryStore() })).toThrow(DefinitionInvalid);
    expect(() => createEngine({ sagas: [one, other], store: createMemoryStore() })).toThrow(
      "saga a version 1 is registered twice, with different definitions",
    );
    await createEngine({ sagas: [one, one, saga({ name: "a", version: 2, input, run })], store: createMemoryStore() }).close();
  });
});

describe("all", () => {
  test.each([0, -1, Number.NaN, 0.5, 1.5])("a concurrency of %s is refused", (concurrency) => {
    expect(() => all([], { concurrency })).toThrow(
      new DefinitionInvalid(`all: concurrency must be a whole number from 1 on; found ${concurrency}`),
    );
  });

  test("a member that is no effect is refused with its key", () => {
    const members = { good: read(), bad: 1 } as unknown as readonly ReturnType<typeof read>[];
    expect(() => all(members)).toThrow(new DefinitionInvalid("all: member bad is neither a step call nor another effect"));
    expect(() => all([ok(1)] as unknown as readonly ReturnType<typeof read>[])).toThrow(
      new DefinitionInvalid("all: member 0 is neither a step call nor another effect"),
    );
  });

  test("a member whose key is no well-formed text is refused: no path could be made of it", () => {
    expect(() => all({ "\ud800": read() })).toThrow(new DefinitionInvalid('all: member "\\ud800" has a key that is no well-formed text'));
  });
});
