/** How events travel over HTTP: the choice of the mode, and the one function that reads both. */
import { err, type Result } from "neverthrow";
import { formatBinary, parseBinary } from "./binary-mode.ts";
import type { CloudEvent } from "./cloud-event.ts";
import type { EventInvalid } from "./event-invalid.ts";
import { formatStructured, parseStructured } from "./structured-mode.ts";

/** Binary: attributes as `ce-*` headers, data as the body. Structured: one JSON body for both. */
export type EventMode = "binary" | "structured";

export interface EventMessage {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty when the event has no data. */
  readonly body: string;
}

/** What can be read as one: a message of ours, or a `Request` whose body was read. */
export interface ReceivedMessage {
  readonly headers: Readonly<Record<string, string>> | Headers;
  readonly body: string;
}

export function formatEvent(event: CloudEvent<unknown>, mode: EventMode = "binary"): EventMessage {
  return mode === "binary" ? formatBinary(event) : formatStructured(event);
}

/** Reads an event in either mode, told apart by the content type. Batches and formats other than JSON are refused. */
export function parseEvent({ headers, body }: ReceivedMessage): Result<CloudEvent, EventInvalid> {
  const entries = headers instanceof Headers ? [...headers] : Object.entries(headers);
  const lowerCase = new Map(entries.map(([name, value]) => [name.toLowerCase(), value]));
  const contentType = lowerCase.get("content-type") ?? "";
  const mediaType = (contentType.split(";").at(0) ?? "").trim().toLowerCase();
  if (mediaType === "application/cloudevents+json") return parseStructured(body);
  if (mediaType.startsWith("application/cloudevents")) return err({ _tag: "EventContentUnsupported", contentType });
  return parseBinary(lowerCase, body);
}
