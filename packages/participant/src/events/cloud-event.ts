/**
 * An event as CloudEvents 1.0 knows it, with JSON data. Owns the attributes and their rules; how one travels is `binary-mode.ts` and
 * `structured-mode.ts`. A pair of `source` and `id` names one event for ever: it is fixed where the event is stored, never where it is sent.
 */
import type { Json } from "@backstep/saga-core/adapter";
import { err, ok, type Result } from "neverthrow";
import { attributeProblem, extensionProblem, isJsonMediaType } from "./attribute-rules.ts";
import type { EventInvalid } from "./event-invalid.ts";

/** Binary mode carries extensions as text, so a number or a boolean comes back as a string there. */
export type ExtensionValue = string | number | boolean;

export interface CloudEvent<Data = Json | undefined> {
  readonly specversion: "1.0";
  /** Unique within the source. */
  readonly id: string;
  /** URI reference of the producer. */
  readonly source: string;
  /** Reverse-DNS and versioned, e.g. `com.backstep.payment.completed.v1`. */
  readonly type: string;
  /** What the event is about, e.g. a payment's id. Order is kept per subject. */
  readonly subject?: string | undefined;
  /** RFC 3339. */
  readonly time?: string | undefined;
  /** A JSON media type; `application/json` where none was given for data that is there. */
  readonly datacontenttype?: string | undefined;
  readonly dataschema?: string | undefined;
  /** Names are lower-case letters and digits, e.g. `sagaid`. */
  readonly extensions?: Readonly<Record<string, ExtensionValue>> | undefined;
  readonly data?: Data | undefined;
}

export type CloudEventInit<Data = Json | undefined> = Omit<CloudEvent<Data>, "specversion">;

const ATTRIBUTES = ["id", "source", "type", "subject", "time", "datacontenttype", "dataschema"] as const;
const REQUIRED: ReadonlySet<string> = new Set(["id", "source", "type"]);

/** Makes an event out of its parts, or says which part does not fit. The data is taken as it is. */
export function cloudEvent<Data>(init: CloudEventInit<Data>): Result<CloudEvent<Data>, EventInvalid> {
  const { extensions, data, ...attributes } = init;
  const flat = { specversion: "1.0", ...attributes, ...extensions };
  for (const name of Object.keys(extensions ?? {})) {
    if (isAttribute(name)) return err(invalid(name, "an extension has the name of an attribute"));
  }
  return eventOf(flat, data);
}

/** Sorts a flat list of attributes into an event. `null` and `undefined` count as absent. */
export function eventOf<Data>(flat: Readonly<Record<string, unknown>>, data: Data | undefined): Result<CloudEvent<Data>, EventInvalid> {
  if (isAbsent(flat["specversion"])) return err({ _tag: "EventAttributeMissing", attribute: "specversion" });
  if (flat["specversion"] !== "1.0") return err({ _tag: "EventVersionUnsupported" });
  const known: Record<string, unknown> = {};
  for (const attribute of ATTRIBUTES) {
    const value = flat[attribute];
    if (isAbsent(value) && REQUIRED.has(attribute)) return err({ _tag: "EventAttributeMissing", attribute });
    if (isAbsent(value)) continue;
    const problem = attributeProblem(attribute, value);
    if (problem !== undefined) return err(invalid(attribute, problem));
    known[attribute] = value;
  }
  if (data !== undefined) {
    const contentType = (known["datacontenttype"] ??= "application/json");
    if (typeof contentType === "string" && !isJsonMediaType(contentType)) return err({ _tag: "EventContentUnsupported", contentType });
  }
  return extensionsOf(flat).map((extensions) => {
    // Each attribute was checked under its own name just above.
    const attributes = known as unknown as Omit<CloudEvent, "specversion" | "data">;
    const body = data === undefined ? {} : { data };
    return { specversion: "1.0", ...attributes, ...(Object.keys(extensions).length === 0 ? {} : { extensions }), ...body };
  });
}

function extensionsOf(flat: Readonly<Record<string, unknown>>): Result<Record<string, ExtensionValue>, EventInvalid> {
  const extensions: Record<string, ExtensionValue> = {};
  for (const [name, value] of Object.entries(flat)) {
    if (isAttribute(name) || isAbsent(value)) continue;
    const problem = extensionProblem(name, value);
    if (problem !== undefined) return err(invalid(name, problem));
    extensions[name] = value as ExtensionValue;
  }
  return ok(extensions);
}

/** The attributes and extensions of an event as one flat list of what is present, without the data. */
export function attributesOf(event: CloudEvent<unknown>): Record<string, ExtensionValue> {
  const { extensions, data: _, ...attributes } = event;
  const flat: Record<string, ExtensionValue | undefined> = { ...attributes, ...extensions };
  return Object.fromEntries(Object.entries(flat).filter((entry): entry is [string, ExtensionValue] => entry[1] !== undefined));
}

function isAttribute(name: string): boolean {
  return name === "specversion" || ATTRIBUTES.some((attribute) => attribute === name);
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function invalid(attribute: string, message: string): EventInvalid {
  return { _tag: "EventAttributeInvalid", attribute, message };
}
