/** Structured content mode: attributes, extensions and data are the members of one JSON object. */
import type { Json } from "@backstep/saga-core/adapter";
import { err, type Result } from "neverthrow";
import { attributesOf, type CloudEvent, eventOf } from "./cloud-event.ts";
import type { EventInvalid } from "./event-invalid.ts";
import { parseJsonText } from "./json-data.ts";

const CONTENT_TYPE = "application/cloudevents+json";

export function formatStructured(event: CloudEvent<unknown>): {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
} {
  const { data } = event;
  const body = JSON.stringify({ ...attributesOf(event), ...(data === undefined ? {} : { data }) });
  return { headers: { "content-type": CONTENT_TYPE }, body };
}

export function parseStructured(body: string): Result<CloudEvent, EventInvalid> {
  return parseJsonText(body).andThen((document): Result<CloudEvent, EventInvalid> => {
    if (typeof document !== "object" || document === null || Array.isArray(document)) {
      return err({ _tag: "EventBodyMalformed", message: "the body is not a JSON object" });
    }
    const { data, data_base64: base64, ...attributes } = document as { readonly [member: string]: Json };
    if (base64 !== undefined) return err({ _tag: "EventContentUnsupported", contentType: "data_base64" });
    return eventOf(attributes, data);
  });
}
