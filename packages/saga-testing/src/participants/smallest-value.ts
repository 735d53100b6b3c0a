/**
 * The smallest value that fits a schema: zero, one letter, the first word of a list, nothing where nothing will do. Made from the schema's JSON Schema, which knows
 * shapes and bounds but no rules that were written as code; so what is made is held against the schema, and where it does not fit, its neighbours are, one place
 * changed in each.
 */
import { z } from "zod";
import { flawOf } from "./contract-plan.ts";

export type Smallest =
  | { readonly _tag: "Made"; readonly value: unknown }
  /** `path` is empty for the value itself. */
  | { readonly _tag: "NotMade"; readonly path: string; readonly why: string };

type JsonSchema = z.core.JSONSchema.BaseSchema;
type Path = readonly (string | number)[];

/** A schema in which more places than this would have to be tried is given up. */
const PLACES_MAX = 200;
/** A recursive schema is followed no deeper. */
const DEPTH_MAX = 32;
/** How much longer than their minimum texts are tried to fit a pattern. */
const EXTRA_CHARACTERS_MAX = 64;

export function smallestOf(schema: z.ZodType): Smallest {
  let firstFlaw: string | undefined;
  try {
    const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
    for (let changed = -1, places = 0; changed < Math.min(places, PLACES_MAX) || changed < 0; changed += 1) {
      const maker = new Maker(root, changed);
      const value = maker.make(root, []);
      places = maker.places;
      const parsed = schema.safeParse(value);
      if (parsed.success) return { _tag: "Made", value };
      firstFlaw ??= flawOf(parsed.error);
    }
  } catch (thrown) {
    if (thrown instanceof NoValue) return { _tag: "NotMade", path: thrown.path.join("."), why: thrown.message };
    return { _tag: "NotMade", path: "", why: thrown instanceof Error ? thrown.message : String(thrown) };
  }
  return { _tag: "NotMade", path: "", why: `no value near the smallest fits: ${firstFlaw ?? "it is refused"}` };
}

/** Leaves the recursion; never leaves this file. */
class NoValue extends Error {
  readonly path: Path;

  constructor(path: Path, message: string) {
    super(message);
    this.path = path;
  }
}

class Maker {
  readonly #root: JsonSchema;
  /** The place that gets its second smallest value; −1: none does. */
  readonly #changed: number;
  places = 0;

  constructor(root: JsonSchema, changed: number) {
    this.#root = root;
    this.#changed = changed;
  }

  make(given: JsonSchema, path: Path): unknown {
    if (path.length > DEPTH_MAX) throw new NoValue(path, "it holds itself without end");
    const schema = this.#plain(given, path);
    if ("const" in schema) return schema.const;
    if (schema.enum !== undefined) return this.#pick(schema.enum);
    const alternatives = schema.anyOf ?? schema.oneOf ?? typesOf(schema);
    if (alternatives !== undefined) return this.#alternative(alternatives, path);
    switch (schema.type) {
      case "object":
        return this.#object(schema, path);
      case "array":
        return this.#array(schema, path);
      case "string":
        return this.#text(schema, path);
      case "integer":
      case "number":
        return this.#number(schema, path);
      case "boolean":
        return this.#pick([false, true]);
      case "null":
        return null;
      case undefined:
      default:
        // What JSON Schema has no word for is written as anything; whether null will do, the schema says.
        return null;
    }
  }

  /** Whether this place is the one that is changed. */
  #isChanged(): boolean {
    const mine = this.places;
    this.places += 1;
    return mine === this.#changed;
  }

  #pick<Value>([first, second]: readonly Value[]): Value | undefined {
    return this.#isChanged() && second !== undefined ? second : first;
  }

  /** The first that can be made; a place inside of the others is none of this value's. */
  #alternative(alternatives: readonly JsonSchema[], path: Path): unknown {
    const [first, second] = alternatives;
    const order =
      this.#isChanged() && second !== undefined && first !== undefined ? [second, first, ...alternatives.slice(2)] : alternatives;
    let failure: unknown;
    for (const alternative of order) {
      const before = this.places;
      try {
        return this.make(alternative, path);
      } catch (thrown) {
        failure ??= thrown;
        this.places = before;
      }
    }
    throw failure ?? new NoValue(path, "it has no alternatives");
  }

  #object(schema: JsonSchema, path: Path): unknown {
    const required = new Set(schema.required);
    const properties = Object.entries(schema.properties ?? {}) as [string, JsonSchema][];
    const rest = typeof schema.additionalProperties === "object" ? schema.additionalProperties : {};
    const unnamed = [...required].filter((name) => schema.properties?.[name] === undefined).map((name) => [name, rest] as const);
    const made: [string, unknown][] = [];
    for (const [name, property] of [...properties, ...unnamed]) {
      if (required.has(name) || this.#isChanged()) made.push([name, this.make(property, [...path, name])]);
    }
    return Object.fromEntries(made);
  }

  #array({ prefixItems = [], items, minItems = 0, maxItems = Number.POSITIVE_INFINITY }: JsonSchema, path: Path): unknown {
    const rest = typeof items === "object" && !Array.isArray(items) ? items : undefined;
    const length = Math.max(prefixItems.length, minItems);
    const longer = rest !== undefined && length < maxItems && this.#isChanged() ? 1 : 0;
    return Array.from({ length: length + longer }, (_, index) => {
      const item = (prefixItems[index] ?? rest ?? {}) as JsonSchema;
      return this.make(item, [...path, index]);
    });
  }

  #number({ type, minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf }: JsonSchema, path: Path): number {
    const unit = multipleOf ?? (type === "integer" ? 1 : undefined);
    const step = unit ?? 0.5;
    const low = Math.max(minimum ?? Number.NEGATIVE_INFINITY, above(exclusiveMinimum, step));
    const high = Math.min(maximum ?? Number.POSITIVE_INFINITY, below(exclusiveMaximum, step));
    const near = Math.min(Math.max(0, low), high);
    const value = unit === undefined ? near : (near <= 0 ? Math.floor(near / unit) : Math.ceil(near / unit)) * unit;
    if (value < low || value > high) throw new NoValue(path, `there is no number from ${low} to ${high} that counts in ${step}`);
    if (!this.#isChanged()) return value;
    return value + step <= high ? value + step : Math.max(low, value - step);
  }

  #text(schema: JsonSchema, path: Path): string {
    const wanted = this.#isChanged() ? 1 : 0;
    let skipped = 0;
    for (const text of textsFor(schema)) {
      if (skipped === wanted) return text;
      skipped += 1;
    }
    const [only] = textsFor(schema);
    return only ?? fail(path, `no text that is tried fits ${patternsOf(schema).join(" and ")}`);
  }

  /** Without references and without parts that only add to it. */
  #plain(schema: JsonSchema, path: Path): JsonSchema {
    if (schema.$ref !== undefined) return this.#plain(this.#resolve(schema.$ref, path), path);
    if (schema.allOf === undefined) return schema;
    const { allOf, ...own } = schema;
    return [own, ...allOf.map((part) => this.#plain(part, path))].reduce(merged);
  }

  #resolve(reference: string, path: Path): JsonSchema {
    if (reference === "#") return this.#root;
    const found = this.#root.$defs?.[reference.replace(/^#\/\$defs\//, "")];
    return found ?? fail(path, `it refers to ${reference}, which is not there`);
  }
}

/** One schema per type, where there are several. */
function typesOf(schema: JsonSchema): readonly JsonSchema[] | undefined {
  const type: unknown = schema.type;
  return Array.isArray(type) ? (type as NonNullable<JsonSchema["type"]>[]).map((each) => ({ ...schema, type: each })) : undefined;
}

/** An older JSON Schema says true or false here; zod's says which number. */
function above(bound: number | boolean | undefined, step: number): number {
  return typeof bound === "number" ? bound + step : Number.NEGATIVE_INFINITY;
}

function below(bound: number | boolean | undefined, step: number): number {
  return typeof bound === "number" ? bound - step : Number.POSITIVE_INFINITY;
}

function fail(path: Path, why: string): never {
  throw new NoValue(path, why);
}

/** Both of two. Of patterns all are kept; of bounds the second's, which is what a refined schema says last. */
function merged(left: JsonSchema, right: JsonSchema): JsonSchema {
  return {
    ...left,
    ...right,
    ...(left.properties === undefined && right.properties === undefined ? {} : { properties: { ...left.properties, ...right.properties } }),
    ...(left.required === undefined && right.required === undefined
      ? {}
      : { required: [...(left.required ?? []), ...(right.required ?? [])] }),
    allPatterns: [...patternsOf(left), ...patternsOf(right)],
  };
}

function patternsOf(schema: JsonSchema): readonly string[] {
  const { allPatterns, pattern } = schema as JsonSchema & { readonly allPatterns?: readonly string[] };
  return allPatterns ?? (pattern === undefined ? [] : [pattern]);
}

const LETTERS = ["a", "A", "0"] as const;

/** One per format that has words of its own. */
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  date: ["1970-01-01", "1970-01-02"],
  "date-time": ["1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z"],
  time: ["00:00:00", "00:00:01"],
  duration: ["PT0S", "PT1S"],
  uuid: ["00000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000001", "00000000-0000-7000-8000-000000000000"],
  email: ["a@example.com", "b@example.com"],
  uri: ["https://example.com", "https://example.com/a"],
  ipv4: ["0.0.0.0", "0.0.0.1"],
  ipv6: ["::", "::1"],
};

function* textsFor(schema: JsonSchema): Generator<string> {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, format } = schema;
  const patterns = patternsOf(schema).map((pattern) => new RegExp(pattern));
  const fits = (text: string): boolean => patterns.every((pattern) => pattern.test(text));
  const samples = (format === undefined ? undefined : SAMPLES[format]) ?? [];
  for (const sample of samples) if (fits(sample)) yield sample;
  for (let length = minLength; length <= Math.min(maxLength, minLength + EXTRA_CHARACTERS_MAX); length += 1) {
    for (const letter of length === 0 ? LETTERS.slice(0, 1) : LETTERS) {
      const text = letter.repeat(length);
      if (fits(text)) yield text;
    }
  }
}
