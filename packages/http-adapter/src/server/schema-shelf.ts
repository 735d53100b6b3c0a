/**
 * JSON Schemas out of zod's, fit to stand inside an OpenAPI document. A reference there counts from the document's root, so the parts that a schema refers to, itself
 * among them when it is recursive, are put on a shelf: the document's `components.schemas`.
 */
import type { Json } from "@backstep/saga-core/adapter";
import { z } from "zod";

export type JsonSchema = { readonly [key: string]: Json };

export interface SchemaShelf {
  /** What was put on the shelf so far, by name. */
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  /** @param name - Unique in the document; names what has to be put on the shelf. */
  place(schema: z.ZodType, io: "input" | "output", name: string): JsonSchema;
}

const REFERENCE = "#/components/schemas/";

export function createSchemaShelf(): SchemaShelf {
  const schemas: Record<string, JsonSchema> = {};
  return {
    schemas,
    place(schema, io, name) {
      const { $schema: _, $defs = {}, ...root } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as JsonSchema;
      const declared = $defs as Readonly<Record<string, JsonSchema>>;
      const named = (reference: string): string => REFERENCE + shelfName(name, partOf(reference));
      const whole = referring(dereferenced(root, declared), named);
      const parts = Object.entries(declared).map(([part, each]) => [shelfName(name, part), referring(each, named)] as const);
      Object.assign(schemas, Object.fromEntries(parts));
      if (JSON.stringify([whole, parts]).includes(JSON.stringify(named("#")))) schemas[shelfName(name, "")] = whole;
      return whole;
    },
  };
}

/** What zod's references name: a part, or with "" the whole. RFC 6901, §3. */
function partOf(reference: string): string {
  return reference
    .replace(/^#(\/\$defs\/)?/, "")
    .replaceAll("~1", "/")
    .replaceAll("~0", "~");
}

/** The names that a component may have are fewer than a schema's. */
function shelfName(name: string, part: string): string {
  return `${name}${part === "" ? "" : `.${part}`}`.replaceAll(/[^A-Za-z0-9._-]/g, "_");
}

/** A schema with an id of its own is nothing but a reference to itself: its members are wanted. */
function dereferenced(root: JsonSchema, declared: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const { $ref } = root;
  return typeof $ref === "string" ? (declared[partOf($ref)] ?? root) : root;
}

function referring(schema: JsonSchema, named: (reference: string) => string): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === "$ref" && typeof value === "string" ? named(value) : value,
  ) as JsonSchema;
}
