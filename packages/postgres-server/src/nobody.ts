/** Postgres refuses to run as root; the user that owns nothing is enough for it. */
const NOBODY = { uid: 65_534, gid: 65_534 } as const;

export function nobody(): { readonly uid?: number; readonly gid?: number } {
  return process.getuid?.() === 0 ? NOBODY : {};
}
