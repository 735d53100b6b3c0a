/** Binary content mode: one `ce-*` header per attribute, the data as the body, its media type as the content type. */
import type { Json } from "@backstep/saga-core/adapter";
import { err, ok, type Result } from "neverthrow";
import { isJsonMediaType } from "./attribute-rules.ts";
import { attributesOf, type CloudEvent, eventOf } from "./cloud-event.ts";
import type { EventInvalid } from "./event-invalid.ts";
import { parseJsonText } from "./json-data.ts";

const PREFIX = "ce-";

export function formatBinary(event: CloudEvent<unknown>): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const { datacontenttype, ...attributes } = attributesOf(event);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) headers[PREFIX + name] = encodeValue(String(value));
  if (datacontenttype !== undefined) headers["content-type"] = String(datacontenttype);
  return { headers, body: event.data === undefined ? "" : JSON.stringify(event.data) };
}

/** @param headers - Names in lower case. */
export function parseBinary(headers: Iterable<readonly [string, string]>, body: string): Result<CloudEvent, EventInvalid> {
  const flat = new Map<string, string>();
  for (const [name, value] of headers) {
    if (name === "content-type") flat.set("datacontenttype", value);
    if (!name.startsWith(PREFIX)) continue;
    const attribute = name.slice(PREFIX.length);
    if (attribute === "datacontenttype") return err(invalid(attribute, "travels as the content type, not as a header of its own"));
    const decoded = decodeValue(value);
    if (decoded === undefined) return err(invalid(attribute, "is not percent-encoded UTF-8"));
    flat.set(attribute, decoded);
  }
  return dataOf(flat.get("datacontenttype"), body).andThen((data) => eventOf(Object.fromEntries(flat), data));
}

function dataOf(contentType: string | undefined, body: string): Result<Json | undefined, EventInvalid> {
  if (body === "") return ok(undefined);
  if (contentType !== undefined && !isJsonMediaType(contentType)) return err({ _tag: "EventContentUnsupported", contentType });
  return parseJsonText(body);
}

/** Percent-encodes spaces, double quotes, percent signs and everything that is not printable ASCII. */
function encodeValue(value: string): string {
  return value.replace(/[^\x21\x23\x24\x26-\x7e]/gu, (character) => encodeURIComponent(character));
}

/** Older senders quote instead of encoding, so quotes are taken off first. `undefined`: not UTF-8. */
function decodeValue(value: string): string | undefined {
  const quoted = /^"(.*)"$/s.exec(value)?.[1];
  try {
    return decodeURIComponent(quoted === undefined ? value : quoted.replace(/\\(.)/gs, "$1"));
  } catch {
    return undefined;
  }
}

function invalid(attribute: string, message: string): EventInvalid {
  return { _tag: "EventAttributeInvalid", attribute, message };
}
