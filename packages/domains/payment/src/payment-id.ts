/** Names payments: by time first, so that lists come as payments were created, then by the key of the operation that created them. */
import { createHash } from "node:crypto";

/** In base 36; enough for the year 9999. */
const TIME_DIGITS = 10;
const HASH_DIGITS = 20;

/** @returns An id of 35 characters that is a function of its two arguments. */
export function paymentIdOf(key: string, now: number): string {
  const hash = createHash("sha256").update(key).digest("hex").slice(0, HASH_DIGITS);
  return `pay-${now.toString(36).padStart(TIME_DIGITS, "0")}-${hash}`;
}
