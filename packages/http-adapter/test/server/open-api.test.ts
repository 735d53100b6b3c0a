/**
 * Goal: the OpenAPI page can be believed: it is a valid document, complete, and names every answer. Method: the document is read strictly, its references followed, its
 * operations compared with the contract's; that real answers fit it is checked by every other test of the server.
 */
import { command, contract, query, rejection } from "@backstep/contract";
import { createServer } from "@backstep/http-adapter/server";
import { createFence, createMemoryDatabase } from "@backstep/participant";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { warehouse } from "../warehouse.ts";
import { type Document, openApi } from "./open-api-reader.ts";
import { openRig } from "./rig.ts";
import { openHost } from "./saga-host.ts";

interface Named {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: unknown;
}

function operationsOf({ paths }: Document) {
  return Object.entries(paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ path, method, operation })));
}

function assertSound(document: Document): void {
  const ids = operationsOf(document).map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const templates = Object.keys(document.paths).map((path) => path.replaceAll(/\{[^}]*\}/g, "{}"));
  expect(new Set(templates).size).toBe(templates.length);
  for (const { path, operation } of operationsOf(document)) {
    const declared: readonly Named[] = operation.parameters ?? [];
    const inPath = declared.filter((each) => each.in === "path");
    expect(inPath.map(({ name }) => name)).toEqual([...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name));
    expect(inPath.every(({ required }) => required)).toBe(true);
    const places = declared.map((each) => `${each.in} ${each.name}`);
    expect(new Set(places).size).toBe(places.length);
  }
  for (const reference of referencesIn(document)) expect(lookUp(document, reference), reference).toBeDefined();
}

function referencesIn(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === "$ref" && typeof member === "string" ? [member] : referencesIn(member),
  );
}

/** Follows a JSON pointer from the root of the document, which is where a reference without an address begins. */
function lookUp(document: Document, reference: string): unknown {
  expect(reference).toMatch(/^#\//);
  return reference
    .slice(2)
    .split("/")
    .reduce<unknown>((at, name) => (at as Readonly<Record<string, unknown>> | undefined)?.[name], document);
}

async function documentOf(declared: ReturnType<typeof contract>): Promise<Document> {
  const database = createMemoryDatabase();
  const fence = createFence({ database, retentionMs: 60_000 });
  const server = createServer({ contract: declared, service: {}, database, fence });
  return openApi.parse(await (await server.fetch(new Request("http://service.example/openapi.json"))).json());
}

/** The problem types that are listed for a status. */
function typesOf(response: Document["components"]["responses"][string] | undefined): readonly unknown[] {
  const schema = response?.content?.["application/problem+json"]?.schema as
    | { readonly oneOf?: readonly { readonly properties: Problem }[]; readonly properties?: Problem }
    | undefined;
  return (schema?.oneOf ?? (schema === undefined ? [] : [schema])).map(({ properties }) => properties?.type.const);
}

interface Problem {
  readonly type: { readonly const: string };
}

describe("the document of a contract", () => {
  let document: Document;
  beforeAll(async () => {
    const rig = await openRig("memory");
    ({ document } = rig);
    await rig.close();
  });

  it("is sound: ids and templates are unique, path parameters declared, references lead somewhere", () => {
    assertSound(document);
    expect(referencesIn(document)).not.toEqual([]);
  });

  it("lists every operation of the contract, and what the server adds", () => {
    const own = Object.values(warehouse.operations).map(({ method, path }) => `${method.toLowerCase()} ${path}`);
    const added = ["post /events", "get /healthz", "get /openapi.json"];
    const listed = operationsOf(document).map(({ method, path }) => `${method} ${path}`);
    expect(listed.toSorted()).toEqual([...own, ...added].toSorted());
  });

  it("lists every declared rejection under its status, with its error's schema", () => {
    for (const declared of Object.values(warehouse.operations)) {
      const { responses } = document.paths[declared.path]?.[declared.method.toLowerCase() as "get"] ?? {};
      for (const { tag, status } of declared._tag === "Undo" ? [] : declared.rejections) {
        expect(typesOf(responses?.[String(status)])).toContain(`urn:backstep:warehouse:${tag}`);
      }
    }
  });

  it("tells several problems of one status apart by their type", () => {
    const { responses } = document.paths["/items/{itemId}/reservations"]?.post ?? {};
    expect(typesOf(responses?.["409"])).toEqual([
      "urn:backstep:problem:running",
      "urn:backstep:warehouse:OutOfStock",
      "urn:backstep:warehouse:OrderClosed",
    ]);
    expect(typesOf(responses?.["410"])).toEqual(["urn:backstep:problem:sealed", "urn:backstep:problem:evidence-lost"]);
    expect(responses?.["409"]?.content?.["application/problem+json"]?.schema).toHaveProperty("oneOf");
  });

  it("asks commands for a key, undos for what they undo, queries for neither", () => {
    const headersOf = (path: string, method: "get" | "post"): readonly string[] =>
      (document.paths[path]?.[method]?.parameters ?? []).filter((each) => each.in === "header" && each.required).map(({ name }) => name);
    expect(headersOf("/items", "post")).toEqual(["idempotency-key"]);
    expect(headersOf("/items/{itemId}/releases", "post")).toEqual([
      "idempotency-key",
      "backstep-undoes-key",
      "backstep-undoes-issued-at",
      "backstep-undoes-known",
    ]);
    expect(headersOf("/items", "get")).toEqual([]);
  });

  it("leaves out of a body what stands in the path, and of a query string likewise", () => {
    const { requestBody } = document.paths["/items/{itemId}/stock"]?.put ?? {};
    expect(requestBody?.content["application/json"]?.schema).toMatchObject({
      properties: { units: {} },
      required: ["units"],
      additionalProperties: false,
    });
    expect(requestBody?.content["application/json"]?.schema?.["properties"]).not.toHaveProperty("itemId");
    const parameters = document.paths["/items"]?.get?.parameters ?? [];
    expect(parameters.map(({ name, required }) => ({ name, required }))).toEqual([
      { name: "after", required: false },
      { name: "limit", required: false },
    ]);
  });

  it("is the same at every request", async () => {
    const rig = await openRig("memory");
    const [first, second] = [await rig.send("GET", "/openapi.json"), await rig.send("GET", "/openapi.json")];
    expect(second.text).toBe(first.text);
    await rig.close();
  });
});

describe("the document of a contract with unusual schemas", () => {
  interface Tree {
    readonly name: string;
    readonly children: readonly Tree[];
  }
  const tree: z.ZodType<Tree> = z.lazy(() => z.strictObject({ name: z.string(), children: z.array(tree).readonly() }));
  const named = z.strictObject({ x: z.int() }).meta({ id: "A point / named" });

  it("keeps references of recursive and of named schemas resolvable, each operation with its own", async () => {
    const broken = rejection("TreeBroken", { tree });
    const options = { summary: "Does.", rejections: [broken] } as const;
    const document = await documentOf(
      contract({
        name: "forest",
        operations: {
          plant: command({ ...options, path: "/trees", input: z.strictObject({ tree, at: named, again: named }), output: tree }),
          move: command({ ...options, path: "/moves/{x}", input: named, output: named }),
          find: query({ ...options, path: "/trees", input: z.strictObject({}), output: z.array(tree) }),
        },
      }),
    );
    assertSound(document);
    const { parameters, requestBody } = document.paths["/moves/{x}"]?.post ?? {};
    expect(parameters?.[0]).toMatchObject({ name: "x", schema: { type: "integer" } });
    expect(requestBody?.content["application/json"]?.schema).toMatchObject({ type: "object", properties: {}, required: [] });
  });

  it("lists operations of one path side by side, the server's own among them", async () => {
    const options = { input: z.strictObject({}), output: z.null(), rejections: [] } as const;
    const document = await documentOf(
      contract({ name: "odd", operations: { heal: command({ ...options, summary: "Heals.", path: "/healthz" }) } }),
    );
    assertSound(document);
    expect(Object.keys(document.paths["/healthz"] ?? {}).toSorted()).toEqual(["get", "post"]);
  });
});

describe("the document of a service that hosts a saga", () => {
  let host: Awaited<ReturnType<typeof openHost>>;
  beforeAll(async () => {
    host = await openHost();
  });
  afterAll(() => host.close());

  it("is sound, and describes the saga's routes beside the contract's", () => {
    assertSound(host.document);
    expect(Object.keys(host.document.paths)).toEqual(expect.arrayContaining(["/items", "/dispatches", "/dispatches/{sagaId}"]));
  });

  it("names every way in which a start can be answered", () => {
    const { responses = {}, requestBody } = host.document.paths["/dispatches"]?.post ?? {};
    expect(Object.keys(responses)).toEqual(["200", "202", "400", "404", "409", "413", "415", "422", "500", "503"]);
    expect(typesOf(responses["409"])).toEqual([
      "urn:backstep:problem:saga-abandoned",
      "urn:backstep:problem:saga-cancelled",
      "urn:backstep:dispatch:OutOfStock",
      "urn:backstep:dispatch:OrderClosed",
    ]);
    expect(typesOf(responses["503"])).toEqual([
      "urn:backstep:problem:saga-deadline-exceeded",
      "urn:backstep:problem:unavailable",
      "urn:backstep:problem:saga-faulted",
    ]);
    expect(Object.keys(responses["202"]?.headers ?? {})).toEqual(["location", "retry-after"]);
    expect(requestBody?.content["application/json"]?.schema).toMatchObject({ required: ["client", "orderId"] });
  });
});

it("a service that has no operation yet has a document and a health check", async () => {
  const document = await documentOf(contract({ name: "empty", operations: {} }));
  assertSound(document);
  expect(Object.keys(document.paths).toSorted()).toEqual(["/healthz", "/openapi.json"]);
});
