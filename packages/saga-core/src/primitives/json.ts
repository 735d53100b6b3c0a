/**
 * JSON as the journal knows it: the types that may enter it, the one encoder, and the canonical form that hashes and
 * fingerprints are made of. Owns no business words and touches no host.
 */
import { err, ok, type Result } from "neverthrow";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Stands where a type cannot be journaled; its name and argument are what a compiler prints. */
export interface NotJournalable<Offender> {
  readonly "~this cannot be stored as JSON": Offender;
}

type Primitive = null | boolean | number | string | undefined | void;
type Callable = (...parameters: never[]) => unknown;

/** How deep types are looked into: recursive ones (a tree, `Json` itself) repeat long before, and values are checked in full at run time. */
type Deepest = 8;

/** The first part of `Value` that plain JSON cannot hold, or `never` when all of it can be held. `Depth` counts by its length. */
export type NonJsonPart<Value, Depth extends readonly 0[] = []> = 0 extends 1 & Value // `any` would let everything through unseen
  ? Value
  : unknown extends Value
    ? Value
    : Value extends Primitive
      ? never
      : Depth["length"] extends Deepest
        ? never
        : Value extends bigint | symbol | Callable
          ? Value
          : Value extends readonly (infer Item)[]
            ? // A member that is undefined is left out; an array's place cannot be.
              (undefined extends Item ? undefined : never) | NonJsonPart<Item, [...Depth, 0]>
            : Value extends { toJSON(...parameters: never[]): unknown } | { [Symbol.iterator](): unknown } | Promise<unknown>
              ? Value
              : Value extends object
                ? { [Key in keyof Value]-?: Key extends symbol ? never : NonJsonPart<Value[Key], [...Depth, 0]> }[keyof Value]
                : Value;

/** `unknown` when every part of `Value` is JSON, a readable complaint when not. Meant for `[X] extends [never]` tests and intersections. */
export type JournalableCheck<Value> = [NonJsonPart<Value>] extends [never] ? unknown : NotJournalable<NonJsonPart<Value>>;

/** Where and why a value is not JSON. `path` is a JSON pointer into the value, empty for the value itself. */
export interface NotJson {
  readonly path: string;
  readonly found: string;
}

const NESTING_MAX = 64;

/**
 * Copies a value into plain, deeply frozen JSON. `undefined` members are left out and `-0` becomes `0`, as `JSON.stringify` does; everything
 * else that JSON would bend silently (dates, maps, class instances, NaN, functions, an array's holes) is refused with its place.
 */
export function toJson(value: unknown): Result<Json, NotJson> {
  const copied = copy(value, 0);
  return copied instanceof Flaw ? err({ path: copied.path, found: copied.found }) : ok(copied);
}

/** Its path grows on the way out, so that values that are JSON, which is nearly all of them, cost none. */
class Flaw {
  path = "";
  readonly found: string;

  constructor(found: string) {
    this.found = found;
  }

  inside(segment: string): this {
    this.path = `/${segment}${this.path}`;
    return this;
  }
}

function copy(value: unknown, depth: number): Json | Flaw {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? (value === 0 ? 0 : value) : new Flaw(String(value));
  if (typeof value !== "object") return new Flaw(typeof value);
  if (depth >= NESTING_MAX) return new Flaw(`nesting deeper than ${NESTING_MAX}`);
  return Array.isArray(value) ? copyArray(value, depth) : copyObject(value, depth);
}

function copyArray(value: readonly unknown[], depth: number): Json | Flaw {
  const items: Json[] = [];
  for (let index = 0; index < value.length; index += 1) {
    const copied = copy(value[index], depth + 1);
    if (copied instanceof Flaw) return copied.inside(String(index));
    items.push(copied);
  }
  return Object.freeze(items);
}

function copyObject(value: object, depth: number): Json | Flaw {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const name = (prototype as { constructor?: { name?: string } }).constructor?.name;
    // Objects of another realm have another Object.prototype, but its constructor is still called Object.
    if (name !== "Object") return new Flaw(`an instance of ${name || "an unnamed class"}`);
  }
  const members: Record<string, Json> = {};
  for (const key of Object.keys(value)) {
    const member = (value as Readonly<Record<string, unknown>>)[key];
    if (member === undefined) continue;
    const copied = copy(member, depth + 1);
    if (copied instanceof Flaw) return copied.inside(pointerSegment(key));
    // Assigned, it would be the prototype and no member.
    if (key === "__proto__") Object.defineProperty(members, key, { value: copied, enumerable: true, configurable: true, writable: true });
    else members[key] = copied;
  }
  return Object.freeze(members);
}

/** RFC 6901, §3. */
function pointerSegment(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Freezes parsed JSON in place, so that a body sees the same unchangeable value live and on replay. */
export function freezeJson<Value extends Json | undefined>(value: Value): Value {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    for (const member of Object.values(value)) freezeJson(member);
    Object.freeze(value);
  }
  return value;
}

/** One text per JSON value: members sorted by key, no white space. Equal values give equal texts. */
export function canonicalJson(value: Json | undefined): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map((item) => canonicalJson(item)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value as { readonly [key: string]: Json });
    members.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
