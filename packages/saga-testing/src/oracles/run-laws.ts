/** Laws over sagas beside each other: locks have one holder at a time, and no event id is used twice. */
import type { Committed, History } from "./history.ts";
import type { Violation } from "./law.ts";

export interface RunHistory {
  readonly histories: readonly History[];
  /** Of all sagas, in the order in which they took effect. */
  readonly commits: readonly (Committed & { readonly sagaId: string })[];
}

export function judgeTogether(run: RunHistory): readonly Violation[] {
  return [
    ...locksHaveOneHolder(run).map((message) => ({
      law: "lock",
      says: "a lock has one holder at a time, from its grant to the end of its saga",
      message,
    })),
    ...eventsHaveOneId(run).map((message) => ({ law: "event id", says: "an event id is used once", message })),
  ];
}

const ENDED: ReadonlySet<Committed["status"]> = new Set(["completed", "compensated", "abandoned"]);

function locksHaveOneHolder({ commits }: RunHistory): readonly string[] {
  const wanted = new Map<string, string>();
  const holders = new Map<string, string>();
  const flaws: string[] = [];
  for (const { sagaId, entries, status } of commits) {
    for (const entry of entries) {
      if (entry._tag === "LockWanted") wanted.set(`${sagaId} ${entry.path}`, entry.name);
      if (entry._tag !== "LockGranted") continue;
      const name = wanted.get(`${sagaId} ${entry.path}`);
      if (name === undefined) flaws.push(`${sagaId} was granted a lock at ${entry.path} that it had not asked for`);
      else {
        const holder = holders.get(name);
        if (holder !== undefined && holder !== sagaId) flaws.push(`${sagaId} was granted ${name} while ${holder} held it`);
        holders.set(name, sagaId);
      }
    }
    if (ENDED.has(status)) for (const [name, holder] of holders) if (holder === sagaId) holders.delete(name);
  }
  return flaws;
}

function eventsHaveOneId({ commits }: RunHistory): readonly string[] {
  const seen = new Set<string>();
  const flaws: string[] = [];
  for (const { outbox } of commits) {
    for (const { id } of outbox) {
      if (seen.has(id)) flaws.push(`event ${id} was committed twice`);
      seen.add(id);
    }
  }
  return flaws;
}
