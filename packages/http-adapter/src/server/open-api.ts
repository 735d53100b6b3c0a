/** OpenAPI 3.1 from a contract: every operation with its headers, and every problem it can answer with. */
import { type Contract, type Operation, pathParameters } from "@backstep/contract";
import { CAUSE, HEADER, operationName, type ProblemKind } from "../wire.ts";
import { headerObject, problemObject, problemResponses } from "./open-api-problems.ts";
import { createSchemaShelf, type JsonSchema, type SchemaShelf } from "./schema-shelf.ts";

export type OpenApiDocument = JsonSchema;

/** Paths that are described apart from a contract, and the schemas that they refer to. */
export interface OpenApiPaths {
  /** Path item objects by path. */
  readonly paths: Readonly<Record<string, JsonSchema>>;
  /** By name in `components.schemas`. */
  readonly schemas: Readonly<Record<string, JsonSchema>>;
}

interface DocumentOptions {
  readonly events: boolean;
  readonly otherPaths?: readonly OpenApiPaths[] | undefined;
}

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
const EVENT_PROBLEMS: readonly ProblemKind[] = ["requestInvalid", "bodyTooLarge", "unexpected", "unavailable"];

/** Problems of no operation, and so of every path: named here, because a client may meet them anywhere. */
const EVERYWHERE: readonly ProblemKind[] = ["notFound", "methodNotAllowed"];

export function openApiDocument(contract: Contract, { events, otherPaths = [] }: DocumentOptions): OpenApiDocument {
  const { name, operations } = contract;
  const shelf = createSchemaShelf();
  const own = Object.entries(operations).map(([operation, declared]) => ({
    [declared.path]: { [declared.method.toLowerCase()]: operationObject(name, operation, declared, shelf) },
  }));
  const ofServer = [
    ...(events ? [{ "/events": { post: eventsObject(shelf) } }] : []),
    { "/healthz": { get: plainObject("health", "Says whether the service and its database answer.", ["unavailable"], shelf) } },
    { "/openapi.json": { get: plainObject("openapi", "Describes this service.", ["unexpected"], shelf) } },
  ];
  return {
    openapi: "3.1.0",
    info: { title: `${name} service`, version: "1" },
    paths: merged([...ofServer, ...own, ...otherPaths.map(({ paths }) => paths)]),
    components: {
      schemas: Object.assign({}, ...otherPaths.map(({ schemas }) => schemas), shelf.schemas) as JsonSchema,
      responses: Object.fromEntries(EVERYWHERE.map((kind) => [kind, problemObject({ kinds: [kind], rejections: [], of: name, shelf })])),
    },
  };
}

/** Several operations of one path are one item. */
function merged(parts: readonly Readonly<Record<string, JsonSchema>>[]): JsonSchema {
  const paths: Record<string, JsonSchema> = {};
  for (const [path, item] of parts.flatMap((part) => Object.entries(part))) paths[path] = { ...paths[path], ...item };
  return paths;
}

function operationObject(contract: string, name: string, operation: Operation, shelf: SchemaShelf): JsonSchema {
  const operationId = operationName(contract, name);
  const isQuery = operation._tag === "Query";
  const input = shelf.place(operation.input, "input", `${operationId}.input`);
  const inPath = pathParameters(operation.path);
  const output = operation._tag === "Undo" ? UNDO_OUTPUT : shelf.place(operation.output, "output", `${operationId}.output`);
  const headers = { [HEADER.replayed]: headerObject("?1: this answer was recorded by an earlier attempt.") };
  return {
    operationId,
    summary: operation.summary,
    parameters: [
      ...inPath.map((each) => parameter(each, "path", input)),
      ...(isQuery ? queryParameters(input, inPath) : headerParameters(operation)),
    ],
    ...(isQuery ? {} : { requestBody: { required: true, content: { "application/json": { schema: bodySchema(input, inPath) } } } }),
    responses: {
      "200": { description: "Done, now or earlier", ...(isQuery ? {} : { headers }), content: { "application/json": { schema: output } } },
      ...problemResponses({
        kinds: isQuery ? QUERY_PROBLEMS : COMMAND_PROBLEMS,
        rejections: operation._tag === "Undo" ? [] : operation.rejections,
        of: contract,
        shelf,
      }),
    },
  };
}

const UNDO_OUTPUT: JsonSchema = { type: "object", required: ["_tag"], properties: { _tag: { enum: ["Undone", "NothingToUndo"] } } };

function propertiesOf(input: JsonSchema): JsonSchema {
  return (input["properties"] ?? {}) as JsonSchema;
}

function requiredOf(input: JsonSchema): readonly string[] {
  return (input["required"] ?? []) as readonly string[];
}

function parameter(name: string, place: "path" | "query", input: JsonSchema): JsonSchema {
  return { name, in: place, required: place === "path" || requiredOf(input).includes(name), schema: propertiesOf(input)[name] ?? {} };
}

function queryParameters(input: JsonSchema, inPath: readonly string[]): readonly JsonSchema[] {
  const names = Object.keys(propertiesOf(input)).filter((name) => !inPath.includes(name));
  return names.map((name) => parameter(name, "query", input));
}

function bodySchema(input: JsonSchema, inPath: readonly string[]): JsonSchema {
  if (inPath.length === 0) return input;
  const properties = Object.fromEntries(Object.entries(propertiesOf(input)).filter(([name]) => !inPath.includes(name)));
  return { ...input, properties, required: requiredOf(input).filter((name) => !inPath.includes(name)) };
}

const EPOCH_MS: JsonSchema = { type: "integer", minimum: 0 };
const COUNT: JsonSchema = { type: "integer", minimum: 1 };

export function keyParameter(description: string): JsonSchema {
  return headerParameter(HEADER.key, true, description);
}

function headerParameters({ _tag }: Operation): readonly JsonSchema[] {
  const own = [
    keyParameter("A quoted string of 1 to 255 characters; equal over the attempts of one operation."),
    headerParameter(HEADER.sagaId, false, "The saga on whose behalf this is called."),
    headerParameter(HEADER.issuedAt, false, "When the key was issued, epoch milliseconds. Default: now.", EPOCH_MS),
    headerParameter(HEADER.attempt, false, "Which attempt this is, from 1 on.", COUNT),
    headerParameter(HEADER.timeoutMs, false, "How long the caller waits, in milliseconds.", COUNT),
    headerParameter(HEADER.resolve, false, "?1: do not run it; say what became of the key, or seal it.", { enum: ["?0", "?1"] }),
  ];
  if (_tag !== "Undo") return own;
  return [
    ...own,
    headerParameter(HEADER.undoesKey, true, "The key of the operation that is taken back, quoted."),
    headerParameter(HEADER.undoesIssuedAt, true, "When that key was issued, epoch milliseconds.", EPOCH_MS),
    headerParameter(HEADER.cause, false, "Why the saga goes back: the tag of its first error.", {
      pattern: CAUSE.source,
      type: "string",
    }),
    headerParameter(HEADER.undoesKnown, true, "What the caller knows of it.", { enum: ["succeeded", "inDoubt"] }),
  ];
}

function headerParameter(name: string, required: boolean, description: string, schema: JsonSchema = { type: "string" }): JsonSchema {
  return { name, in: "header", required, description, schema };
}

function eventsObject(shelf: SchemaShelf): JsonSchema {
  return {
    operationId: "events",
    summary: "Takes a CloudEvent, binary or structured. One that was delivered before has no further effect.",
    requestBody: { required: true, content: { "application/json": {}, "application/cloudevents+json": {} } },
    responses: { "204": { description: "Taken" }, ...problemResponses({ kinds: EVENT_PROBLEMS, rejections: [], of: "", shelf }) },
  };
}

function plainObject(operationId: string, summary: string, kinds: readonly ProblemKind[], shelf: SchemaShelf): JsonSchema {
  return {
    operationId,
    summary,
    responses: {
      "200": { description: "Yes", content: { "application/json": {} } },
      ...problemResponses({ kinds, rejections: [], of: "", shelf }),
    },
  };
}
