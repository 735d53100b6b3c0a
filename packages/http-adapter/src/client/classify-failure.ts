/** A `fetch` that brought no answer, as a fault: was the request certainly never sent, or may it have been? Node's fetch (undici) hides the reason in `cause`. */
import { type Fault, fault } from "@backstep/saga-core/adapter";

/** The connection was never made, so nothing of the request left. */
const NEVER_CONNECTED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
]);

interface Failure {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

/** Classifies what `fetch`, or reading its body, threw. `sent` is false when the signal had aborted before the call. */
export function classifyFailure(thrown: unknown, where: string, sent: boolean): Fault {
  if (!sent) return fault("NotSent", `${where}: aborted before it was sent`);
  const codes = codesOf(thrown);
  const [code] = codes;
  if (codes.length > 0 && codes.every((each) => NEVER_CONNECTED.has(each))) {
    return fault("NotSent", `${where}: no connection (${codes.join(", ")})`, { details: { code: code ?? null } });
  }
  if (isMisuse(thrown)) return fault("Faulted", `${where}: the request cannot be made (${messageOf(thrown)})`);
  return fault("Unknown", `${where}: ${code ?? messageOf(thrown)}`, { details: { code: code ?? null } });
}

/** A name that resolves to several addresses fails with one error each: the request left only if one of them connected. */
function codesOf(thrown: unknown): readonly string[] {
  const found = asFailure(thrown);
  if (found === undefined) return [];
  if (Array.isArray(found.errors) && found.errors.length > 0) return found.errors.flatMap((each) => codesOf(each));
  const inner = codesOf(found.cause);
  if (inner.length > 0) return inner;
  return typeof found.code === "string" ? [found.code] : [];
}

/** `fetch` refuses bad URLs, blocked ports and redirects that were forbidden with a TypeError whose cause has no code. */
function isMisuse(thrown: unknown): boolean {
  const cause = asFailure(asFailure(thrown)?.cause);
  const text = `${messageOf(thrown)} ${messageOf(cause)}`;
  return /bad port|Failed to parse URL|Invalid URL|unknown scheme|unexpected redirect/i.test(text);
}

function asFailure(value: unknown): Failure | undefined {
  return typeof value === "object" && value !== null ? value : undefined;
}

function messageOf(thrown: unknown): string {
  const message = asFailure(thrown)?.message;
  return typeof message === "string" ? message : String(thrown);
}
