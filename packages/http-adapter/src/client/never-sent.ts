/**
 * Which failures mean that nothing of the request left: the name did not resolve, the connection was not made, or it was not secured. Everything else that can go
 * wrong with a connection can also go wrong when the request is on its way, so what is not known here for certain is doubt. (HTTP/2's refused streams would belong
 * here, but Node's fetch does not tell of them.)
 */

/** What is looked at of an error, whoever made it. */
export interface Failure {
  readonly message?: unknown;
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

/** System calls that come before the first byte of a request. */
const BEFORE_SENDING: ReadonlySet<unknown> = new Set(["getaddrinfo", "connect"]);

const NEVER_CONNECTED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ERR_TLS_HANDSHAKE_TIMEOUT",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "HOSTNAME_MISMATCH",
]);

/** OpenSSL's names for a certificate that this side does not accept. */
const CERTIFICATE_REFUSED = /^(CERT_|SELF_SIGNED_CERT|DEPTH_ZERO_|UNABLE_TO_(GET|VERIFY|DECRYPT|DECODE)_)/;

/**
 * What TLS fails with before it carries data. Not every code of OpenSSL's: a record that cannot be decrypted, or an alert of an internal error, may come when the
 * request is already there.
 */
const HANDSHAKE_FAILED =
  /wrong version number|handshake failure|protocol version|unsupported protocol|no protocols available|no ciphers available|no shared cipher|unrecognized name|no application protocol|bad certificate|certificate (required|expired|revoked|unknown|verify failed)|unsupported certificate|unknown ca|insufficient security|http request/;

/** Node's own words; the code beside them is ECONNRESET, which by itself says nothing. */
const HUNG_UP_IN_HANDSHAKE = "before secure TLS connection was established";

export function isNeverSent(failure: Failure): boolean {
  const code = codeOf(failure);
  if (BEFORE_SENDING.has(failure.syscall)) return true;
  if (code === undefined) return false;
  return NEVER_CONNECTED.has(code) || CERTIFICATE_REFUSED.test(code) || isHandshakeFailure(code, messageOf(failure));
}

function isHandshakeFailure(code: string, message: string): boolean {
  if (code === "ECONNRESET") return message.includes(HUNG_UP_IN_HANDSHAKE);
  if (code !== "EPROTO" && !code.startsWith("ERR_SSL_")) return false;
  return HANDSHAKE_FAILED.test(`${code} ${message}`.toLowerCase().replaceAll("_", " "));
}

export function codeOf({ code }: Failure): string | undefined {
  return typeof code === "string" ? code : undefined;
}

export function messageOf(thrown: unknown): string {
  const message = asFailure(thrown)?.message;
  return typeof message === "string" ? message : String(thrown);
}

export function asFailure(value: unknown): Failure | undefined {
  return typeof value === "object" && value !== null ? value : undefined;
}
