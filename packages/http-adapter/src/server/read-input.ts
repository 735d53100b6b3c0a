/** An operation's input out of path, query string and body, checked against its contract. */
import type { Operation } from "@backstep/contract";
import { err, ok, type Result } from "neverthrow";
import { z } from "zod";
import { problemResponse } from "./problem-response.ts";

export interface ReceivedParts {
  readonly path: Readonly<Record<string, string>>;
  readonly url: URL;
  readonly request: Request;
  readonly bodyBytesMax: number;
}

export async function readInput(operation: Operation, parts: ReceivedParts): Promise<Result<unknown, Response>> {
  const members = operation._tag === "Query" ? ok(queryMembers(parts.url)) : await bodyMembers(parts.request, parts.bodyBytesMax);
  return members.andThen((rest): Result<unknown, Response> => {
    const repeated = Object.keys(parts.path).find((name) => Object.hasOwn(rest, name));
    if (repeated !== undefined)
      return err(problemResponse("requestInvalid", { detail: `${repeated} stands in the path; leave it out elsewhere` }));
    const input = operation.input.safeParse({ ...rest, ...parts.path });
    return input.success ? ok(input.data) : err(problemResponse("requestInvalid", { detail: flaws(input.error) }));
  });
}

function queryMembers(url: URL): Readonly<Record<string, unknown>> {
  return Object.fromEntries(url.searchParams);
}

async function bodyMembers(request: Request, bytesMax: number): Promise<Result<Readonly<Record<string, unknown>>, Response>> {
  return (await readJsonBody(request, bytesMax)).andThen((body): Result<Readonly<Record<string, unknown>>, Response> => {
    if (typeof body === "object" && body !== null && !Array.isArray(body)) return ok(body as Readonly<Record<string, unknown>>);
    return err(problemResponse("requestInvalid", { detail: "the body must be a JSON object" }));
  });
}

/** A body that says it is JSON, and is, within bounds; or the problem to answer with. */
export async function readJsonBody(request: Request, bytesMax: number): Promise<Result<unknown, Response>> {
  const [mediaType = ""] = (request.headers.get("content-type") ?? "").split(";");
  if (mediaType.trim().toLowerCase() !== "application/json") return err(problemResponse("mediaType"));
  const text = await readText(request, bytesMax);
  if (text === undefined) return err(problemResponse("bodyTooLarge", { detail: `at most ${bytesMax} bytes` }));
  try {
    return ok(JSON.parse(text) as unknown);
  } catch {
    return err(problemResponse("requestInvalid", { detail: "the body is not JSON" }));
  }
}

/** The body as text; `undefined` once it is over the bound, whatever Content-Length says. Malformed UTF-8 becomes replacement characters, which JSON may refuse. */
export async function readText(request: Request, bytesMax: number): Promise<string | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) return undefined;
  if (request.body === null) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** What is wrong, by place; at most five, because a hostile body can be wrong in thousands of ways. */
function flaws(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.length === 0 ? "input" : path.map(String).join(".")}: ${message}`)
    .join("; ");
}
