/** The lines for named locks on a memory disk. What moves them is part of `append`; see the port. */
import type { LockPlaces } from "./journal-store.ts";

/** Names to the ids of the sagas in line, never none; the first one holds the lock. */
export type LockLines = Map<string, readonly string[]>;

export function isHeldByAnother(lines: LockLines, name: string, sagaId: string): boolean {
  const [first] = lines.get(name) ?? [];
  return first !== undefined && first !== sagaId;
}

/** Puts a saga into the lines that it lists and out of the others, and tells who is due by that. */
export function takePlaces(lines: LockLines, sagaId: string, { held, wanted }: LockPlaces): readonly string[] {
  const listed = new Set([...held, ...wanted]);
  const heirs = [...lines.keys()].flatMap((name) => (listed.has(name) ? [] : leave(lines, name, sagaId)));
  for (const name of listed) {
    const line = lines.get(name) ?? [];
    if (!line.includes(sagaId)) lines.set(name, [...line, sagaId]);
  }
  return wanted.some((name) => lines.get(name)?.[0] === sagaId) ? [...heirs, sagaId] : heirs;
}

/** The one that holds the lock now, if it did not before. */
function leave(lines: LockLines, name: string, sagaId: string): readonly string[] {
  const line = lines.get(name) ?? [];
  const left = line.filter((other) => other !== sagaId);
  if (left.length === 0) lines.delete(name);
  else if (left.length < line.length) lines.set(name, left);
  return line[0] === sagaId ? left.slice(0, 1) : [];
}
