/** @returns The day in UTC, e.g. `2026-03-01`; days sort as texts. */
export function dayOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, "2026-03-01".length);
}
