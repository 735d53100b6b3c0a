/** `Retry-After` (RFC 9110 §10.2.3): seconds or an HTTP date, capped, because it comes from the network. */

/** 5 minutes: nobody on the network makes a saga wait longer per attempt. */
export const RETRY_AFTER_MS_MAX = 5 * 60 * 1_000;

/** Milliseconds to wait, or `undefined` when the header is absent or makes no sense. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const delayMs = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isFinite(delayMs) ? Math.min(Math.max(delayMs, 0), RETRY_AFTER_MS_MAX) : undefined;
}
