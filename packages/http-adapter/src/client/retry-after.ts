/** `Retry-After` (RFC 9110 §10.2.3): seconds or an HTTP date, capped, because it comes from the network. */

/** 5 minutes: nobody on the network makes a saga wait longer per attempt. */
export const RETRY_AFTER_MS_MAX = 5 * 60 * 1_000;

/** All three forms of an HTTP date begin with the day of the week; what else the host's parser takes for a date is not meant as one. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d/;

/** Milliseconds to wait, or `undefined` when the header is absent or makes no sense. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? "";
  const delayMs = /^\d+$/.test(text) ? Number(text) * 1_000 : parseHttpDate(text) - nowMs;
  return Number.isNaN(delayMs) ? undefined : Math.min(Math.max(delayMs, 0), RETRY_AFTER_MS_MAX);
}

function parseHttpDate(text: string): number {
  if (!HTTP_DATE.test(text)) return Number.NaN;
  // The oldest form names no zone, and means this one.
  return Date.parse(text.endsWith("GMT") ? text : `${text} GMT`);
}
