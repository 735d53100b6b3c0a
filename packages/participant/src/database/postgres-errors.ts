/** Turns what the driver and the server report into the port's errors. Their own error stays in `cause`, for logs; it may quote statements. */
import { DatabaseCorrupt, type DatabaseError, DatabaseMisused, DatabaseUnavailable } from "./database-errors.ts";

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const SERIALIZATION_FAILURE = "40001";
const DEADLOCK_DETECTED = "40P01";
const ABSENT: ReadonlySet<string> = new Set(["42P01", "42703", "3F000"]);
const CORRUPT: ReadonlySet<string> = new Set(["XX001", "XX002"]);

const REASONS: ReadonlyMap<string, string> = new Map([
  [SERIALIZATION_FAILURE, "other transactions came in between again and again"],
  [DEADLOCK_DETECTED, "other transactions came in between again and again"],
  ["55P03", "the database is locked by another transaction"],
  ["57014", "the database took longer than was granted"],
  ["25006", "the database is read-only"],
  ["0A000", "the server is a standby, or lacks what this package needs"],
  ["3D000", "the server does not have this database"],
  ["42501", "the server does not let this user do this"],
]);
/** By class, the first two characters. */
const REASONS_OF_CLASSES: ReadonlyMap<string, string> = new Map([
  ["08", "the connection to the database was lost"],
  ["28", "the server does not let this user in"],
  ["53", "the server has no room left: connections, memory or disk"],
  ["57", "the server ended the connection, or does not take any yet"],
  ["58", "the server could not read or write its files"],
]);
/** Limits of the server's own: a document of a gigabyte, or a depth that it cannot read. */
const TOO_LARGE_CLASS = "54";

interface ServerError {
  readonly state: string;
  readonly fatal: boolean;
}

function serverErrorOf(cause: unknown): ServerError | undefined {
  if (!(cause instanceof Error) || !("code" in cause) || typeof cause.code !== "string" || !("severity" in cause)) return undefined;
  return { state: cause.code, fatal: cause.severity === "FATAL" || cause.severity === "PANIC" };
}

function stateOf(error: unknown): string | undefined {
  return error instanceof DatabaseUnavailable ? serverErrorOf(error.cause)?.state : undefined;
}

/** Whether the server undid the transaction for the sake of others, so that running it again helps. */
export function isContended(error: unknown): boolean {
  const state = stateOf(error);
  return state === SERIALIZATION_FAILURE || state === DEADLOCK_DETECTED;
}

/** Whether a schema, a table or a column is not there, though it was. */
export function isAbsent(error: unknown): boolean {
  return ABSENT.has(stateOf(error) ?? "");
}

/** Whether nothing can be asked on this connection any more. What comes without the server's word is the connection's own end. */
export function breaksConnection(cause: unknown): boolean {
  return serverErrorOf(cause)?.fatal !== false;
}

export function databaseError(cause: unknown): DatabaseError {
  const state = serverErrorOf(cause)?.state;
  if (state === undefined) return new DatabaseUnavailable("the database cannot be reached, or the connection to it was lost", { cause });
  if (CORRUPT.has(state)) return new DatabaseCorrupt("the database's files are damaged", { cause });
  const kind = state.slice(0, 2);
  if (kind === TOO_LARGE_CLASS) return new DatabaseMisused("a row is larger or deeper than Postgres can hold");
  const reason = REASONS.get(state) ?? REASONS_OF_CLASSES.get(kind) ?? "the database refused an operation";
  return new DatabaseUnavailable(reason, { cause });
}
