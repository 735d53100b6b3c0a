/** Laws over sagas beside each other: locks have one holder at a time, and no event id is used twice. */
import type { Committed, History } from "./history.ts";
import type { Violation } from "./law.ts";

/** What happened to sagas that ran beside each other. */
export interface RunHistory {
  readonly histories: readonly History[];
  /** Of all sagas, in the order in which they took effect. */
  readonly commits: readonly (Committed & { readonly sagaId: string })[];
}

export interface RunLaw {
  readonly name: string;
  readonly says: string;
  /** What breaks the law, in words; empty when it is kept. */
  readonly violations: (run: RunHistory) => readonly string[];
}

export const RUN_LAWS = [
  {
    name: "lock",
    says: "a lock has one holder at a time, from its grant to the end of its saga, parked or not; who is told no was told by whom",
    violations: locksHaveOneHolder,
  },
  { name: "event id", says: "an event id is used once, by the saga that it names", violations: eventsHaveOneId },
] as const satisfies readonly RunLaw[];

/** What in a run breaks which law; empty when it keeps them all. */
export function judgeTogether(run: RunHistory, laws: readonly RunLaw[] = RUN_LAWS): readonly Violation[] {
  return laws.flatMap(({ name, says, violations }) => violations(run).map((message) => ({ law: name, says, message })));
}

const ENDED: ReadonlySet<Committed["status"]> = new Set(["completed", "compensated", "abandoned"]);

function locksHaveOneHolder({ commits }: RunHistory): readonly string[] {
  /** The lock that is wanted now, by saga and path. */
  const wanted = new Map<string, string>();
  const everWanted = new Set<string>();
  const holders = new Map<string, string>();
  const flaws: string[] = [];
  for (const { sagaId, entries, status } of commits) {
    for (const entry of entries) {
      if (entry._tag === "LockWanted") {
        wanted.set(`${sagaId} ${entry.path}`, entry.name);
        everWanted.add(`${sagaId} ${entry.name}`);
      }
      if (entry._tag !== "LockGranted" && entry._tag !== "LockRefused" && entry._tag !== "WaitLeft") continue;
      const place = `${sagaId} ${entry.path}`;
      const name = wanted.get(place);
      wanted.delete(place);
      if (entry._tag === "WaitLeft") continue;
      if (name === undefined) flaws.push(`${sagaId} was answered at ${entry.path} for a lock that it did not want there`);
      else if (entry._tag === "LockGranted") {
        const holder = holders.get(name);
        if (holder !== undefined && holder !== sagaId) flaws.push(`${sagaId} was granted ${name} while ${holder} held it`);
        holders.set(name, sagaId);
      } else if (!everWanted.has(`${entry.lockedBy} ${name}`)) {
        // The store may have granted it to one who has not heard of it, or has ended since; but never to one who did not ask.
        flaws.push(`${sagaId} was refused ${name} for ${entry.lockedBy}, which never asked for it`);
      }
    }
    if (ENDED.has(status)) for (const [name, holder] of holders) if (holder === sagaId) holders.delete(name);
  }
  return flaws;
}

function eventsHaveOneId({ commits }: RunHistory): readonly string[] {
  const seen = new Set<string>();
  const flaws: string[] = [];
  for (const { sagaId, outbox } of commits) {
    for (const event of outbox) {
      if (seen.has(event.id)) flaws.push(`event ${event.id} was committed twice`);
      if (event.sagaId !== sagaId) flaws.push(`event ${event.id} of ${sagaId} names ${event.sagaId}`);
      seen.add(event.id);
    }
  }
  return flaws;
}
