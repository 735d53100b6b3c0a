/** An operation's input out of path, query string and body, checked against its contract. */
import type { Operation } from "@backstep/contract";
import { type Json, toJson } from "@backstep/saga-core/adapter";
import { err, ok, type Result } from "neverthrow";
import type { z } from "zod";
import { cutDetail, problemResponse } from "./problem-response.ts";
import { readText } from "./read-text.ts";

export interface ReceivedParts {
  readonly path: Readonly<Record<string, string>>;
  readonly url: URL;
  readonly request: Request;
  readonly bodyBytesMax: number;
}

type Members = Readonly<Record<string, unknown>>;

export async function readInput(operation: Operation, parts: ReceivedParts): Promise<Result<unknown, Response>> {
  if (!isDecodable(parts.url)) return err(invalid("path and query string must be percent-encoded UTF-8"));
  const members = operation._tag === "Query" ? queryMembers(parts.url) : await bodyMembers(parts.request, parts.bodyBytesMax);
  return members
    .andThen((rest): Result<Members, Response> => {
      const repeated = Object.keys(parts.path).find((name) => Object.hasOwn(rest, name));
      return repeated === undefined
        ? ok({ ...rest, ...parts.path })
        : err(invalid(`${repeated} stands in the path; leave it out elsewhere`));
    })
    .andThen(checkPlain)
    .andThen((given): Result<unknown, Response> => {
      const input = operation.input.safeParse(given);
      return input.success ? ok(input.data) : err(invalid(flaws(input.error)));
    });
}

/** Routers hand over as it stands what they cannot decode, and query strings come out mended: both would reach the service as another text than was sent. */
function isDecodable({ pathname, search }: URL): boolean {
  try {
    decodeURIComponent(pathname + search);
    return true;
  } catch {
    return false;
  }
}

function queryMembers({ searchParams }: URL): Result<Members, Response> {
  const names = [...searchParams.keys()];
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  return repeated === undefined ? ok(Object.fromEntries(searchParams)) : err(invalid("a query parameter comes more than once"));
}

async function bodyMembers(request: Request, bytesMax: number): Promise<Result<Members, Response>> {
  return (await readJsonBody(request, bytesMax)).andThen((body): Result<Members, Response> => {
    if (typeof body === "object" && body !== null && !Array.isArray(body)) return ok(body as Members);
    return err(invalid("the body must be a JSON object"));
  });
}

/** A body that says it is JSON, and is, within bounds; or the problem to answer with. */
export async function readJsonBody(request: Request, bytesMax: number): Promise<Result<Json, Response>> {
  const [mediaType = ""] = (request.headers.get("content-type") ?? "").split(";");
  if (mediaType.trim().toLowerCase() !== "application/json") return err(problemResponse("mediaType"));
  return (await readText(request, bytesMax)).andThen(parseJson).andThen(checkPlain);
}

function parseJson(text: string): Result<unknown, Response> {
  try {
    return ok(JSON.parse(text) as unknown);
  } catch {
    return err(invalid("the body is not JSON"));
  }
}

/**
 * Refuses what every schema, fingerprint and database would otherwise have to be ready for: nesting deeper than the journal allows, which a recursive schema follows
 * until the stack ends, and texts that not every database can keep.
 */
export function checkPlain<Value>(value: Value): Result<Value & Json, Response> {
  const json = toJson(value);
  if (json.isErr()) return err(invalid(`${json.error.path}: ${json.error.found} is not accepted`));
  if (!isStorable(json.value)) return err(invalid("a text holds U+0000 or a lone surrogate"));
  return ok(value as Value & Json);
}

function isStorable(json: Json): boolean {
  if (typeof json === "string") return json.isWellFormed() && !json.includes("\u0000");
  if (typeof json !== "object" || json === null) return true;
  return Object.entries(json).every(([name, member]) => isStorable(name) && isStorable(member));
}

/** What is wrong, by place. */
function flaws(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.length === 0 ? "input" : path.map(String).join(".")}: ${message}`)
    .join("; ");
}

function invalid(detail: string): Response {
  return problemResponse("requestInvalid", { detail: cutDetail(detail) });
}
