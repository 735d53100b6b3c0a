/** The rules of single attributes, from the CloudEvents 1.0 type system. Each answers what is wrong, or nothing. */

const RFC_3339 =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
const URI_REFERENCE = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;
/** Printable ASCII only: it travels as a header, which is not encoded. */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+( *;[\x20-\x7e]*)?$/;
const EXTENSION_NAME = /^[a-z0-9]+$/;
/** Control characters and the code points that Unicode keeps out of interchange. */
const FORBIDDEN = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;
const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);

type Attribute = "id" | "source" | "type" | "subject" | "time" | "datacontenttype" | "dataschema";

const FITS: Readonly<Record<Attribute, { readonly test: (value: string) => boolean; readonly wants: string }>> = {
  id: { test: () => true, wants: "text" },
  type: { test: () => true, wants: "text" },
  subject: { test: () => true, wants: "text" },
  source: { test: (value) => URI_REFERENCE.test(value), wants: "a URI reference" },
  time: { test: (value) => RFC_3339.test(value), wants: "an RFC 3339 time" },
  datacontenttype: { test: (value) => MEDIA_TYPE.test(value), wants: "a media type" },
  dataschema: { test: (value) => URI_REFERENCE.test(value) && URL.canParse(value), wants: "an absolute URI" },
};

export function attributeProblem(attribute: Attribute, value: unknown): string | undefined {
  const { test, wants } = FITS[attribute];
  if (typeof value !== "string") return `must be ${wants}, but is no string`;
  if (value === "") return "must not be empty";
  return textProblem(value) ?? (test(value) ? undefined : `must be ${wants}`);
}

export function extensionProblem(name: string, value: unknown): string | undefined {
  if (!EXTENSION_NAME.test(name) || name === "data") return "an extension's name is made of lower-case letters and digits, and is not data";
  if (typeof value === "boolean") return undefined;
  if (typeof value === "number") return isInt32(value) ? undefined : "must be a whole number of 32 bits";
  return typeof value === "string" ? textProblem(value) : "must be text, a whole number or a boolean";
}

/** JSON and everything that says it is a dialect of it. */
export function isJsonMediaType(contentType: string): boolean {
  const [mediaType = ""] = contentType.split(";");
  return /^[^/]+\/(?:[^/]+\+)?json$/i.test(mediaType.trim());
}

function textProblem(value: string): string | undefined {
  if (!value.isWellFormed()) return "must be well-formed Unicode";
  return FORBIDDEN.test(value) ? "must not hold control characters or noncharacters" : undefined;
}

function isInt32(value: number): boolean {
  return Number.isInteger(value) && value >= INT32_MIN && value <= INT32_MAX;
}
