/** Reads an answer to its end, or to where it ends: once there is a head, it counts even when the body is lost. */
import type { Tagged } from "@backstep/saga-core/adapter";
import { err, type Result } from "neverthrow";
import { isBodyTimeout } from "./classify-failure.ts";
import { classifyLostBody, classifyResponse, type Expectation } from "./classify-response.ts";
import { messageOf } from "./never-sent.ts";
import { parseRetryAfter } from "./retry-after.ts";

/** 4 MiB: a longer answer is read no further. */
const RESPONSE_BYTES_MAX = 4 * 1024 * 1024;

/** `gaveUp` says whether the call's own deadline, or its caller, has ended it. */
export async function readResponse(expected: Expectation, response: Response, gaveUp: () => boolean): Promise<Result<unknown, Tagged>> {
  const { status, headers } = response;
  const body = await readBody(response);
  if (body._tag === "Lost") return err(classifyLostBody(expected, status, body.why, gaveUp() || body.stalled));
  const [mediaType = ""] = (headers.get("content-type") ?? "").split(";");
  const retryAfterMs = parseRetryAfter(headers.get("retry-after"), Date.now());
  return classifyResponse(expected, { status, mediaType: mediaType.trim().toLowerCase(), retryAfterMs, text: body.text });
}

type Body = { readonly _tag: "Read"; readonly text: string } | { readonly _tag: "Lost"; readonly why: string; readonly stalled: boolean };

async function readBody(response: Response): Promise<Body> {
  try {
    const text = await readText(response);
    return text === undefined
      ? { _tag: "Lost", why: `more than ${RESPONSE_BYTES_MAX} bytes came`, stalled: false }
      : { _tag: "Read", text };
  } catch (thrown) {
    return { _tag: "Lost", why: `the rest was lost: ${messageOf(thrown)}`, stalled: isBodyTimeout(thrown) };
  }
}

/** The body, or `undefined` when it is over the bound: nobody fills this process's memory by answering. */
async function readText(response: Response): Promise<string | undefined> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > RESPONSE_BYTES_MAX) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
