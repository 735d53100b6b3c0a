/**
 * Keeps what goes wrong inside from coming out: the host is told the error, the caller only that it does not know. Done here and not by the router, whose own
 * error handler lets through whatever is thrown that is no `Error`.
 */
import { isDatabaseError } from "@backstep/participant";
import type { Context } from "hono";
import { problemResponse, retryAfter } from "./problem-response.ts";

export type Handle = (context: Context) => Response | Promise<Response>;

export function guarded(handle: Handle, onError: (error: unknown) => void): (context: Context) => Promise<Response> {
  return async (context) => {
    try {
      return await handle(context);
    } catch (error) {
      onError(error);
      return failureResponse(error);
    }
  };
}

/** The answer of a commit may have been lost on the way, so the effect is unknown. Only where trying again can help is it invited. */
function failureResponse(error: unknown): Response {
  if (isDatabaseError(error) && error._tag === "DatabaseUnavailable") {
    return problemResponse("unavailable", { effect: "unknown", headers: retryAfter(1_000) });
  }
  return problemResponse("unexpected", { effect: "unknown" });
}
