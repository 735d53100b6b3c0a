/** OpenAPI 3.1 from a contract: every operation with its headers, and every problem it can answer with. */
import { type Contract, type Operation, pathParameters, type Rejection } from "@backstep/contract";
import type { Json } from "@backstep/saga-core/adapter";
import { z } from "zod";
import { HEADER, operationName, PROBLEM, PROBLEM_MEDIA_TYPE, type ProblemKind, rejectionType } from "../wire.ts";
import { titleOf } from "./answer-response.ts";

type Schema = { readonly [key: string]: Json };

const QUERY_PROBLEMS: readonly ProblemKind[] = ["requestInvalid", "unexpected", "unavailable"];
const COMMAND_PROBLEMS: readonly ProblemKind[] = [
  ...QUERY_PROBLEMS,
  "keyMissing",
  "keyInvalid",
  "running",
  "sealed",
  "evidenceLost",
  "bodyTooLarge",
  "mediaType",
  "keyReused",
];

/** Problems of no operation, and so of every path: named here, because a client may meet them anywhere. */
const EVERYWHERE: readonly ProblemKind[] = ["notFound", "methodNotAllowed"];

export function openApiDocument({ name, operations }: Contract, { events }: { readonly events: boolean }): Schema {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [operation, declared] of Object.entries(operations)) {
    paths[declared.path] = { ...paths[declared.path], [declared.method.toLowerCase()]: operationObject(name, operation, declared) };
  }
  if (events) paths["/events"] = { post: eventsObject() };
  paths["/healthz"] = { get: plainObject("Says whether the service and its database answer.", ["unavailable"]) };
  return {
    openapi: "3.1.0",
    info: { title: `${name} service`, version: "1" },
    paths,
    components: { responses: Object.fromEntries(EVERYWHERE.map((kind) => [kind, problemObject([kind], name, [])])) },
  };
}

function operationObject(contract: string, name: string, operation: Operation): Schema {
  const isQuery = operation._tag === "Query";
  const problems = isQuery ? QUERY_PROBLEMS : COMMAND_PROBLEMS;
  return {
    operationId: operationName(contract, name),
    summary: operation.summary,
    parameters: [
      ...pathParameters(operation.path).map((each) => parameter(each, "path", operation)),
      ...(isQuery ? queryParameters(operation) : headerParameters(operation)),
    ],
    ...(isQuery ? {} : { requestBody: { required: true, content: { "application/json": { schema: bodySchema(operation) } } } }),
    responses: {
      "200": { description: "Done, now or earlier", content: { "application/json": { schema: outputSchema(operation) } } },
      ...problemResponses(contract, problems, operation._tag === "Undo" ? [] : operation.rejections),
    },
  };
}

function problemResponses(contract: string, kinds: readonly ProblemKind[], rejections: readonly Rejection[]): Schema {
  const statuses = new Set([...kinds.map((kind) => PROBLEM[kind].status), ...rejections.map(({ status }) => status)]);
  return Object.fromEntries(
    [...statuses]
      .sort((left, right) => left - right)
      .map((status) => [
        String(status),
        problemObject(
          kinds.filter((kind) => PROBLEM[kind].status === status),
          contract,
          rejections.filter((rejection) => rejection.status === status),
        ),
      ]),
  );
}

function problemObject(kinds: readonly ProblemKind[], contract: string, rejections: readonly Rejection[]): Schema {
  const schemas = [
    ...kinds.map((kind) => problemSchema(PROBLEM[kind].type, PROBLEM[kind].status, undefined)),
    ...rejections.map(({ tag, status, schema }) => problemSchema(rejectionType(contract, tag), status, jsonSchema(schema, "output"))),
  ];
  const description = [...kinds.map((kind) => PROBLEM[kind].title), ...rejections.map(({ tag }) => titleOf(tag))].join("; ");
  return { description, content: { [PROBLEM_MEDIA_TYPE]: { schema: schemas.length === 1 ? (schemas[0] ?? {}) : { oneOf: schemas } } } };
}

function problemSchema(type: string, status: number, error: Schema | undefined): Schema {
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

function parameter(name: string, place: "path" | "query", operation: Operation): Schema {
  const input = jsonSchema(operation.input, "input");
  const properties = (input["properties"] ?? {}) as Schema;
  const required = place === "path" || ((input["required"] ?? []) as readonly Json[]).includes(name);
  return { name, in: place, required, schema: properties[name] ?? {} };
}

function queryParameters(operation: Operation): readonly Schema[] {
  const inPath = new Set(pathParameters(operation.path));
  const properties = Object.keys((jsonSchema(operation.input, "input")["properties"] ?? {}) as Schema);
  return properties.filter((name) => !inPath.has(name)).map((name) => parameter(name, "query", operation));
}

function headerParameters(operation: Operation): readonly Schema[] {
  const header = (name: string, required: boolean, description: string, schema: Schema = { type: "string" }): Schema => ({
    name,
    in: "header",
    required,
    description,
    schema,
  });
  const epochMs: Schema = { type: "integer", minimum: 0 };
  const own = [
    header(HEADER.key, true, "A quoted string of 1 to 255 characters; equal over the attempts of one operation."),
    header(HEADER.sagaId, false, "The saga on whose behalf this is called."),
    header(HEADER.issuedAt, false, "When the key was issued, epoch milliseconds. Default: now.", epochMs),
    header(HEADER.attempt, false, "Which attempt this is, from 1 on.", { type: "integer", minimum: 1 }),
    header(HEADER.timeoutMs, false, "How long the caller waits, in milliseconds.", { type: "integer", minimum: 1 }),
    header(HEADER.resolve, false, "?1: do not run it; say what became of the key, or seal it.", { const: "?1" }),
  ];
  if (operation._tag !== "Undo") return own;
  return [
    ...own,
    header(HEADER.undoesKey, true, "The key of the operation that is taken back, quoted."),
    header(HEADER.undoesIssuedAt, true, "When that key was issued, epoch milliseconds.", epochMs),
    header(HEADER.undoesKnown, true, "What the caller knows of it.", { enum: ["succeeded", "inDoubt"] }),
  ];
}

function bodySchema(operation: Operation): Schema {
  const schema = jsonSchema(operation.input, "input");
  const inPath = new Set(pathParameters(operation.path));
  const properties = Object.fromEntries(Object.entries((schema["properties"] ?? {}) as Schema).filter(([name]) => !inPath.has(name)));
  const required = ((schema["required"] ?? []) as readonly string[]).filter((name) => !inPath.has(name));
  return { ...schema, properties, required };
}

function outputSchema(operation: Operation): Schema {
  if (operation._tag === "Undo") return { type: "object", required: ["_tag"], properties: { _tag: { enum: ["Undone", "NothingToUndo"] } } };
  return jsonSchema(operation.output, "output");
}

function jsonSchema(schema: z.ZodType, io: "input" | "output"): Schema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest as Schema;
}

function eventsObject(): Schema {
  return {
    operationId: "events",
    summary: "Takes a CloudEvent, binary or structured. One that was delivered before has no further effect.",
    requestBody: { required: true, content: { "application/json": {}, "application/cloudevents+json": {} } },
    responses: {
      "204": { description: "Taken" },
      ...problemResponses("", ["requestInvalid", "bodyTooLarge", "unexpected", "unavailable"], []),
    },
  };
}

function plainObject(summary: string, kinds: readonly ProblemKind[]): Schema {
  return { summary, responses: { "200": { description: "Yes", content: { "application/json": {} } }, ...problemResponses("", kinds, []) } };
}
