/**
 * The words of the wire, once: headers and problem types that client and server share. A request says whose it is; an answer says what it knows, of this attempt
 * (`effect`) and of the key (`decided`).
 */

export const HEADER = {
  /** A Structured Field String (RFC 9651), quoted: IETF draft, Idempotency-Key. */
  key: "idempotency-key",
  sagaId: "backstep-saga-id",
  /** Epoch milliseconds of the orchestrator's store. */
  issuedAt: "backstep-issued-at",
  attempt: "backstep-attempt",
  /** What is left of the attempt's time, in milliseconds: relative, so that no clocks are compared. */
  timeoutMs: "backstep-timeout-ms",
  undoesKey: "backstep-undoes-key",
  undoesIssuedAt: "backstep-undoes-issued-at",
  undoesKnown: "backstep-undoes-known",
  /** Why the saga goes back: the tag of its first error, see `CAUSE`. */
  cause: "backstep-cause",
  /** `?1`: do not run the operation; say what became of it, or seal its key. */
  resolve: "backstep-resolve",
  /** `?1`: this answer was recorded by an earlier attempt. */
  replayed: "idempotency-replayed",
} as const;

export const TRUE = "?1";

/** What a cause looks like on the wire. No undo depends on it, so one that looks otherwise is left out, not refused. */
export const CAUSE = /^[A-Z][A-Za-z0-9_.-]{0,63}$/;

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** Problems that no contract declares. Each is a promise about this attempt. */
export const PROBLEM = {
  requestInvalid: { type: "urn:backstep:problem:request-invalid", status: 400, title: "The request does not fit its schema" },
  keyMissing: { type: "urn:backstep:problem:key-missing", status: 400, title: "A command needs an Idempotency-Key" },
  keyInvalid: {
    type: "urn:backstep:problem:key-invalid",
    status: 400,
    title: "The Idempotency-Key or another header of the call is malformed",
  },
  notFound: { type: "urn:backstep:problem:no-such-route", status: 404, title: "There is nothing at this path" },
  noSuchSaga: { type: "urn:backstep:problem:no-such-saga", status: 404, title: "There is no saga of this id" },
  methodNotAllowed: { type: "urn:backstep:problem:method-not-allowed", status: 405, title: "This path does not take this method" },
  running: { type: "urn:backstep:problem:running", status: 409, title: "An operation under this key is being executed" },
  verbRefused: { type: "urn:backstep:problem:verb-refused", status: 409, title: "This cannot be done in the saga's present state" },
  sagaAbandoned: { type: "urn:backstep:problem:saga-abandoned", status: 409, title: "An operator ended this saga as it stood" },
  sealed: {
    type: "urn:backstep:problem:sealed",
    status: 410,
    title: "This key is sealed: the operation was taken back, or never will happen",
  },
  evidenceLost: { type: "urn:backstep:problem:evidence-lost", status: 410, title: "What became of this key is no longer known" },
  bodyTooLarge: { type: "urn:backstep:problem:body-too-large", status: 413, title: "The body is too large" },
  mediaType: { type: "urn:backstep:problem:media-type", status: 415, title: "The body must be application/json" },
  keyReused: { type: "urn:backstep:problem:key-reused", status: 422, title: "This key came with another payload" },
  unexpected: { type: "urn:backstep:problem:unexpected", status: 500, title: "Something went wrong here" },
  unavailable: { type: "urn:backstep:problem:unavailable", status: 503, title: "Not available just now" },
  sagaCancelled: { type: "urn:backstep:problem:saga-cancelled", status: 409, title: "It was cancelled; everything is taken back" },
  sagaDeadlineExceeded: {
    type: "urn:backstep:problem:saga-deadline-exceeded",
    status: 503,
    title: "It could not be done in time; everything is taken back",
  },
  sagaFaulted: { type: "urn:backstep:problem:saga-faulted", status: 503, title: "It could not be done; everything is taken back" },
} as const;

export type ProblemKind = keyof typeof PROBLEM;

/** The type of a declared rejection's problem. */
export function rejectionType(contract: string, tag: string): string {
  return `urn:backstep:${contract}:${tag}`;
}

/** RFC 9457 with this project's extension members. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string | undefined;
  /** Of this attempt. It never clears doubt that an earlier attempt left. */
  readonly effect: "none" | "applied" | "unknown";
  /** `key`: committed in the fence's row; what is said holds for the key, whatever earlier attempts did. */
  readonly decided?: "key" | undefined;
  /** A declared rejection, as its contract has it. */
  readonly error?: unknown;
}

/** A text as a Structured Field String. Keys hold neither quotes nor backslashes. */
export function quoted(text: string): string {
  return `"${text}"`;
}

/** The text of a Structured Field String, or `undefined` when it is none. */
export function unquoted(field: string): string | undefined {
  return /^"([^"\\]*)"$/.exec(field.trim())?.[1];
}

/** `deductStock` → `deduct-stock`. */
export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The name of a contract's operation, as steps and fences know it. */
export function operationName(contract: string, operation: string): string {
  return `${contract}.${kebab(operation)}`;
}
