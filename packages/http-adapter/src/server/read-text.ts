/** A request's body as text, within its bound, or the problem to answer with. */
import { err, ok, type Result } from "neverthrow";
import { problemResponse } from "./problem-response.ts";

/** Reads no more than the bound, whatever Content-Length says. Malformed UTF-8 is refused: mended, two different bodies would be one. */
export async function readText(request: Request, bytesMax: number): Promise<Result<string, Response>> {
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) return err(tooLarge(bytesMax));
  const bytes = await readBytes(request, bytesMax);
  return bytes.andThen(decode);
}

async function readBytes({ body }: Request, bytesMax: number): Promise<Result<Uint8Array, Response>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) return err(tooLarge(bytesMax));
      chunks.push(chunk);
    }
  } catch {
    // Its sender went away, or never meant it: nothing was run, and nothing is wrong here.
    return err(problemResponse("requestInvalid", { detail: "the body broke off" }));
  }
  return ok(Buffer.concat(chunks));
}

function decode(bytes: Uint8Array): Result<string, Response> {
  try {
    return ok(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return err(problemResponse("requestInvalid", { detail: "the body is not UTF-8" }));
  }
}

function tooLarge(bytesMax: number): Response {
  return problemResponse("bodyTooLarge", { detail: `at most ${bytesMax} bytes` });
}
