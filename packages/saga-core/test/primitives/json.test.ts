// Goal: what enters the journal is plain JSON, and what is not is refused with its place. Method: values by hand, one hazard each.
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { canonicalJson, freezeJson, type Json, toJson } from "../../src/primitives/json.ts";

function nested(levels: number): unknown {
  let value: unknown = "bottom";
  for (let level = 0; level < levels; level++) value = { in: value };
  return value;
}

describe("toJson", () => {
  test("copies a value and freezes the copy through and through, never the original", () => {
    const original = { lines: [{ id: "a" }] };
    const copy = toJson(original)._unsafeUnwrap() as unknown as typeof original;
    expect(copy).toEqual(original);
    expect(copy.lines).not.toBe(original.lines);
    expect([copy, copy.lines, copy.lines[0]].every(Object.isFrozen)).toBe(true);
    expect([original, original.lines, original.lines[0]].some(Object.isFrozen)).toBe(false);
  });

  test("leaves out members that are undefined, as JSON text would", () => {
    const copy = toJson({ a: undefined, b: 1 })._unsafeUnwrap();
    expect(Object.keys(copy as object)).toEqual(["b"]);
  });

  test("makes -0 the 0 that JSON text would, so that live and replay see the same", () => {
    expect(Object.is(toJson(-0)._unsafeUnwrap(), 0)).toBe(true);
    expect(Object.is((toJson([-0])._unsafeUnwrap() as readonly number[])[0], 0)).toBe(true);
  });

  test.each<[name: string, value: unknown, found: string]>([
    ["undefined", undefined, "undefined"],
    ["NaN", Number.NaN, "NaN"],
    ["Infinity", Number.POSITIVE_INFINITY, "Infinity"],
    ["a bigint", 1n, "bigint"],
    ["a symbol", Symbol("s"), "symbol"],
    ["a function", () => 1, "function"],
    ["a date", new Date(0), "an instance of Date"],
    ["a map", new Map(), "an instance of Map"],
    ["an error", new TypeError("x"), "an instance of TypeError"],
    ["bytes", new Uint8Array(1), "an instance of Uint8Array"],
    ["a boxed string", new String("x"), "an instance of String"],
    ["a promise", Promise.resolve(1), "an instance of Promise"],
    ["an instance of a class", new (class Money {})(), "an instance of Money"],
    ["an instance of a class without a name", new (class {})(), "an instance of an unnamed class"],
  ])("refuses %s, alone and with its place inside a value", (_name, value, found) => {
    expect(toJson(value)._unsafeUnwrapErr()).toEqual({ path: "", found });
    expect(toJson([value])._unsafeUnwrapErr()).toEqual({ path: "/0", found });
    if (value !== undefined)
      expect(toJson({ order: { lines: [0, { at: value }] } })._unsafeUnwrapErr()).toEqual({ path: "/order/lines/1/at", found });
  });

  test("refuses a sparse array at its first hole, where JSON text would put null", () => {
    const sparse = [1];
    sparse[2] = 3;
    expect(toJson(sparse)._unsafeUnwrapErr()).toEqual({ path: "/1", found: "undefined" });
  });

  test("names a place as a JSON pointer, so that a member with a slash is not two", () => {
    expect(toJson({ "a/b~c": 1n })._unsafeUnwrapErr().path).toBe("/a~1b~0c");
  });

  test("keeps a member called __proto__ as a plain member and changes no prototype", () => {
    const hostile: unknown = JSON.parse('{"__proto__":{"admin":true},"constructor":1}');
    const copy = toJson(hostile)._unsafeUnwrap() as Readonly<Record<string, Json>>;
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"admin":true},"constructor":1}');
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect("admin" in copy).toBe(false);
    expect("admin" in {}).toBe(false);
  });

  test("takes plain objects without a prototype and of another realm", () => {
    const bare = Object.assign(Object.create(null) as object, { a: 1 });
    expect(toJson(bare)._unsafeUnwrap()).toEqual({ a: 1 });
    expect(toJson(runInNewContext("({ a: [1, { b: null }] })"))._unsafeUnwrap()).toEqual({ a: [1, { b: null }] });
    expect(toJson(runInNewContext("new Date(0)"))._unsafeUnwrapErr().found).toBe("an instance of Date");
  });

  test("refuses a cycle with a bounded complaint instead of overflowing the stack", () => {
    const ring: Record<string, unknown> = { name: "ring" };
    ring["again"] = ring;
    const { path, found } = toJson(ring)._unsafeUnwrapErr();
    expect(found).toBe("nesting deeper than 64");
    expect(path.length).toBeLessThan(1_000);
    const list: unknown[] = [];
    list.push(list, list);
    expect(toJson(list).isErr()).toBe(true);
  });

  test("takes 64 levels and refuses the 65th", () => {
    expect(toJson(nested(64)).isOk()).toBe(true);
    expect(toJson(nested(65))._unsafeUnwrapErr().found).toBe("nesting deeper than 64");
  });

  test("copies a part that is used twice, twice", () => {
    const part = { a: 1 };
    expect(toJson([part, part])._unsafeUnwrap()).toEqual([{ a: 1 }, { a: 1 }]);
  });
});

describe("freezeJson", () => {
  test("freezes parsed JSON in place, down to its leaves, and hands it back", () => {
    const parsed = JSON.parse('{"a":[{"b":{}}]}') as { a: { b: object }[] };
    expect(freezeJson(parsed as unknown as Json)).toBe(parsed);
    expect([parsed, parsed.a, parsed.a[0], parsed.a[0]?.b].every(Object.isFrozen)).toBe(true);
    expect(freezeJson(undefined)).toBe(undefined);
    expect(freezeJson(null)).toBe(null);
  });
});

describe("canonicalJson", () => {
  test("sorts members by code unit at every level, and adds no white space", () => {
    const value = { b: [{ z: 1, a: 2 }], a: "é", Z: null, "10": 1, "9": 2 };
    expect(canonicalJson(value)).toBe('{"10":1,"9":2,"Z":null,"a":"é","b":[{"a":2,"z":1}]}');
  });

  test("tells nothing from null, and a number from its text", () => {
    const texts = [undefined, null, 0, "0", "", [], {}, [null], false].map((value) => canonicalJson(value));
    expect(new Set(texts).size).toBe(texts.length);
  });
});
