/** What SQLite threw, read by its result code. Codes are SQLite's own, https://sqlite.org/rescode.html; the low byte is the primary one. */

const BUSY = 5;
const LOCKED = 6;
export const READONLY = 8;
export const CORRUPT = 11;
export const NOT_A_DATABASE = 26;

/** SQLite's primary result code, or `undefined` when the error is not SQLite's. */
export function resultCode(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}

/** Another connection holds the lock; waiting helps. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED;
}

export function describeFailure(error: unknown): string {
  const code = resultCode(error);
  const message = error instanceof Error ? error.message : String(error);
  return code === undefined ? message : `${message} (SQLite result code ${code})`;
}
