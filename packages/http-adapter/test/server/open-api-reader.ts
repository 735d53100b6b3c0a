/**
 * Reads an OpenAPI document as a client would, to hold a server to it: every answer must have a status, a media type and a body that the document lists for the
 * operation, or, where there is no operation, the document's answer for unknown routes and methods.
 */
import { expect } from "vitest";
import { z } from "zod";

export type Document = z.output<typeof openApi>;

const anySchema = z.record(z.string(), z.unknown());
const response = z.strictObject({
  description: z.string().min(1),
  headers: z
    .record(z.string(), z.strictObject({ description: z.string(), schema: anySchema, required: z.boolean().optional() }))
    .optional(),
  content: z.record(z.string(), z.strictObject({ schema: anySchema.optional() })).optional(),
});
const parameter = z.strictObject({
  name: z.string().min(1),
  in: z.enum(["path", "query", "header"]),
  required: z.boolean(),
  description: z.string().optional(),
  schema: anySchema,
});
const operation = z.strictObject({
  operationId: z.string().min(1),
  summary: z.string().min(1),
  parameters: z.array(parameter).optional(),
  requestBody: z
    .strictObject({ required: z.boolean(), content: z.record(z.string(), z.strictObject({ schema: anySchema.optional() })) })
    .optional(),
  responses: z.record(z.string().regex(/^[1-5]\d\d$/), response),
});

/** The part of OpenAPI 3.1 that is used here, strictly: a member that the specification does not know is a mistake. */
export const openApi = z.strictObject({
  openapi: z.string().regex(/^3\.1\.\d+$/),
  info: z.strictObject({ title: z.string().min(1), version: z.string().min(1) }),
  paths: z.record(z.string().startsWith("/"), z.partialRecord(z.enum(["get", "put", "post", "delete"]), operation)),
  components: z.strictObject({ schemas: z.record(z.string().regex(/^[\w.-]+$/), anySchema), responses: z.record(z.string(), response) }),
});

export interface Answer {
  readonly method: string;
  /** As it was sent, without the query. */
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Fails unless the answer is one that the document promises. */
export function assertDescribed(document: Document, answer: Answer): void {
  const { method, path, status, headers, text } = answer;
  const where = `${method} ${path} → ${status} ${text.slice(0, 300)}`;
  const described = describedResponse(document, answer);
  expect(described, `no description of ${where}`).toBeDefined();
  const mediaType = headers.get("content-type")?.split(";")[0];
  const contents = Object.keys(described?.content ?? {});
  if (contents.length === 0) return expect(text, where).toBe("");
  expect(contents, where).toContain(mediaType);
  if (method === "HEAD") return expect(text, where).toBe("");
  const body: unknown = JSON.parse(text);
  const schema = described?.content?.[mediaType ?? ""]?.schema;
  if (schema !== undefined) expect(flawsOf(document, schema, body), where).toEqual([]);
  if (mediaType === "application/problem+json") assertProblem(where, status, body);
}

const problemSchema = z.strictObject({
  type: z.string().startsWith("urn:backstep:"),
  title: z.string().min(1),
  status: z.int().min(400).max(599),
  detail: z.string().optional(),
  effect: z.enum(["none", "applied", "unknown"]),
  decided: z.literal("key").optional(),
  error: z.looseObject({ _tag: z.string() }).optional(),
});

function assertProblem(where: string, status: number, body: unknown): void {
  const problem = problemSchema.safeParse(body);
  expect(problem.error?.issues, where).toBeUndefined();
  expect(problem.data?.status, where).toBe(status);
}

function describedResponse(document: Document, { method, path, status, headers }: Answer): z.output<typeof response> | undefined {
  const template = templateOf(document, path);
  const methods = Object.keys(document.paths[template ?? ""] ?? {});
  const asked = method === "HEAD" ? "get" : method.toLowerCase();
  if (methods.includes(asked)) return document.paths[template ?? ""]?.[asked as "get"]?.responses[String(status)];
  const { notFound, methodNotAllowed } = document.components.responses;
  if (status === 404 && template === undefined) return notFound;
  if (status !== 405 || template === undefined) return undefined;
  const allowed = methods.flatMap((each) => (each === "get" ? ["GET", "HEAD"] : [each.toUpperCase()]));
  expect(headers.get("allow")?.split(", ").toSorted(), `Allow of ${path}`).toEqual(allowed.toSorted());
  return methodNotAllowed;
}

/** A template without parameters goes before one with. */
function templateOf({ paths }: Document, path: string): string | undefined {
  const templates = Object.keys(paths).toSorted((left, right) => left.split("{").length - right.split("{").length);
  return templates.find((template) => new RegExp(`^${template.replaceAll(/\{[^}]*\}/g, "[^/]+")}$`).test(path));
}

function flawsOf({ components }: Document, schema: z.output<typeof anySchema>, value: unknown): readonly unknown[] {
  const standalone = JSON.stringify({ ...schema, $defs: components.schemas }).replaceAll("#/components/schemas/", "#/$defs/");
  const checked = z.fromJSONSchema(JSON.parse(standalone) as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value);
  return checked.success ? [] : checked.error.issues;
}
