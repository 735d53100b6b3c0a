/** Turns SQLite's result codes into the port's errors. The driver's own error stays in `cause`, for logs; it may quote statements. */
import { DatabaseCorrupt, type DatabaseError, DatabaseUnavailable } from "./database-errors.ts";

// Primary result codes, https://www.sqlite.org/rescode.html.
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

const REASONS: ReadonlyMap<number, string> = new Map([
  [BUSY, "the database is locked by another process"],
  [LOCKED, "the database is locked by another process"],
  [READONLY, "the database is read-only"],
  [IOERR, "the database could not read or write its file"],
  [FULL, "the disk of the database is full"],
  [CANTOPEN, "the database file cannot be opened"],
]);

function codeOf(cause: unknown): number | undefined {
  if (typeof cause !== "object" || cause === null || !("errcode" in cause) || typeof cause.errcode !== "number") return undefined;
  // The lowest byte is the primary code; the rest tells kinds of it apart.
  return cause.errcode & 0xff;
}

/** Whether the port's error tells of a lock that another connection holds, so that waiting helps. */
export function isLocked(error: unknown): boolean {
  const code = error instanceof DatabaseUnavailable ? codeOf(error.cause) : undefined;
  return code === BUSY || code === LOCKED;
}

function databaseError(cause: unknown): DatabaseError {
  const code = codeOf(cause);
  if (code === CORRUPT || code === NOTADB) return new DatabaseCorrupt("the database file is damaged or is none", { cause });
  return new DatabaseUnavailable(REASONS.get(code ?? 0) ?? "the database refused an operation", { cause });
}

/** Runs one call of the driver. */
export function driving<Value>(work: () => Value): Value {
  try {
    return work();
  } catch (cause) {
    throw databaseError(cause);
  }
}
