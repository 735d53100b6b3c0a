/** Reads JSON text without throwing, and frozen, since an event is a fact. */
import { freezeJson, type Json } from "@backstep/saga-core/adapter";
import { err, ok, type Result } from "neverthrow";
import type { EventBodyMalformed } from "./event-invalid.ts";

export function parseJsonText(text: string): Result<Json, EventBodyMalformed> {
  try {
    return ok(freezeJson(JSON.parse(text) as Json));
  } catch {
    return err({ _tag: "EventBodyMalformed", message: "the body is not JSON" });
  }
}
