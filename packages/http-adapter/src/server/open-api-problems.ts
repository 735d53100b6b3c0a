/** How problems look in an OpenAPI document: by status one response, in it one schema per problem that has this status. */
import type { Rejection } from "@backstep/contract";
import { PROBLEM, PROBLEM_MEDIA_TYPE, type ProblemKind, rejectionType } from "../wire.ts";
import { titleOf } from "./answer-response.ts";
import { createSchemaShelf, type JsonSchema, type SchemaShelf } from "./schema-shelf.ts";

export interface Problems {
  readonly kinds: readonly ProblemKind[];
  readonly rejections: readonly Rejection[];
  /** Whose rejections they are: a contract's name, or a saga's. */
  readonly of: string;
  readonly shelf: SchemaShelf;
}

/** The responses object of problems that no contract declares: for a host that describes routes of its own. */
export function describeProblems(...kinds: readonly ProblemKind[]): JsonSchema {
  return problemResponses({ kinds, rejections: [], of: "", shelf: createSchemaShelf() });
}

/** By status, ascending. */
export function problemResponses(problems: Problems): JsonSchema {
  const { kinds, rejections } = problems;
  const statuses = new Set([...kinds.map((kind) => PROBLEM[kind].status), ...rejections.map(({ status }) => status)]);
  const ascending = [...statuses].sort((left, right) => left - right);
  return Object.fromEntries(
    ascending.map((status) => [
      String(status),
      problemObject({
        ...problems,
        kinds: kinds.filter((kind) => PROBLEM[kind].status === status),
        rejections: rejections.filter((rejection) => rejection.status === status),
      }),
    ]),
  );
}

const HEADERS: Partial<Record<ProblemKind, JsonSchema>> = {
  methodNotAllowed: { allow: headerObject("The methods that this path takes.") },
  running: { "retry-after": headerObject("Seconds to wait before asking again, with the same key.") },
  unavailable: { "retry-after": headerObject("Seconds to wait before asking again.") },
};

export function headerObject(description: string): JsonSchema {
  return { description, schema: { type: "string" } };
}

export function problemObject({ kinds, rejections, of, shelf }: Problems): JsonSchema {
  const schemas = [
    ...kinds.map((kind) => problemSchema(PROBLEM[kind].type, PROBLEM[kind].status, undefined)),
    ...rejections.map(({ tag, status, schema }) =>
      problemSchema(rejectionType(of, tag), status, shelf.place(schema, "output", `${of}.${tag}`)),
    ),
  ];
  const description = [...kinds.map((kind) => PROBLEM[kind].title), ...rejections.map(({ tag }) => titleOf(tag))].join("; ");
  const headers = Object.assign({}, ...kinds.map((kind) => HEADERS[kind])) as JsonSchema;
  return {
    description,
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    content: { [PROBLEM_MEDIA_TYPE]: { schema: schemas.length === 1 ? (schemas[0] ?? {}) : { oneOf: schemas } } },
  };
}

function problemSchema(type: string, status: number, error: JsonSchema | undefined): JsonSchema {
  return {
    type: "object",
    required: ["type", "title", "status", "effect", ...(error === undefined ? [] : ["error"])],
    properties: {
      type: { const: type },
      title: { type: "string" },
      status: { const: status },
      detail: { type: "string" },
      effect: { enum: ["none", "applied", "unknown"], description: "Of this attempt." },
      decided: { const: "key", description: "Holds for the key, whatever earlier attempts did." },
      ...(error === undefined ? {} : { error }),
    },
  };
}
