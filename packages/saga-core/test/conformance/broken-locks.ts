/** Stores that break a rule of named locks. */
import { ok } from "neverthrow";
import type { AppendRequest, JournalStore, LockAnswer } from "../../src/journal.ts";
import { altered, type BrokenStore } from "./broken-store.ts";

const granted: LockAnswer = { _tag: "Granted" };

function ends({ status }: AppendRequest): boolean {
  return status === "completed" || status === "compensated" || status === "abandoned";
}

/** A store that asks for another name than it was asked for. */
function named(alter: (name: string) => string): BrokenStore["open"] {
  return altered(({ lock }) => ({ lock: (request) => lock({ ...request, name: alter(request.name) }) }));
}

export const brokenLocks: readonly BrokenStore[] = [
  {
    rule: "grants every lock",
    open: altered(() => ({ lock: () => Promise.resolve(ok(granted)) })),
    noticedBy: [
      "lock: a free one is granted, and then it is held",
      "lock: a stale epoch is refused and takes nothing",
      "lock: a saga that has ended, or is not there, gets none",
      "lock: of rivals in two stores one gets it, and the others learn who",
    ],
  },
  {
    rule: "holds a saga's own lock against it",
    open: altered(({ lock }, disk) => ({
      lock: (request) => {
        const holder = disk.locks.get(request.name);
        return holder === undefined ? lock(request) : Promise.resolve(ok({ _tag: "HeldBy" as const, sagaId: holder }));
      },
    })),
    noticedBy: [
      "lock: is granted again to the saga that has it",
      "lock: goes with the saga to its next owner",
      "lock: of rivals in two stores one gets it, and the others learn who",
    ],
  },
  {
    rule: "counts how often a lock was granted",
    open: altered(({ append, lock }, disk) => {
      const counts = new Map<string, number>();
      return {
        lock: async (request) => {
          const answer = await lock(request);
          if (answer.isOk() && answer.value._tag === "Granted") counts.set(request.name, (counts.get(request.name) ?? 0) + 1);
          return answer;
        },
        append: async (request) => {
          const held = [...disk.locks].filter(([, holder]) => holder === request.sagaId);
          const appended = await append(request);
          if (appended.isErr() || !ends(request)) return appended;
          for (const [name, holder] of held) {
            const left = (counts.get(name) ?? 1) - 1;
            counts.set(name, left);
            if (left > 0) disk.locks.set(name, holder);
          }
          return appended;
        },
      };
    }),
    noticedBy: ["lock: is granted again to the saga that has it"],
  },
  {
    rule: "has one lock for all names",
    open: named(() => "all"),
    noticedBy: ["lock: names are locks of their own, compared exactly"],
  },
  {
    rule: "compares names of locks without regard to case",
    open: named((name) => name.toLowerCase()),
    noticedBy: ["lock: names are locks of their own, compared exactly"],
  },
  {
    rule: "bends names that its encoding cannot hold",
    open: named((name) => name.toWellFormed()),
    noticedBy: ["lock: names that a storage cannot hold apart are refused, never taken for one"],
  },
  {
    rule: "gives locks under any epoch",
    open: altered(({ lock }, disk) => ({
      lock: (request) => lock({ ...request, epoch: disk.sagas.get(request.sagaId)?.epoch ?? 1 }),
    })),
    noticedBy: ["lock: a stale epoch is refused and takes nothing"],
  },
  {
    rule: "takes a lock before it looks at the epoch",
    open: altered(({ lock }, disk) => ({
      lock: (request) => {
        if (!disk.locks.has(request.name)) disk.locks.set(request.name, request.sagaId);
        return lock(request);
      },
    })),
    noticedBy: ["lock: a stale epoch is refused and takes nothing", "lock: a saga that has ended, or is not there, gets none"],
  },
  {
    rule: "lets go of locks when their saga is claimed",
    open: altered(({ claim }, disk) => ({
      claim: (sagaId) => {
        letGo(disk.locks, sagaId);
        return claim(sagaId);
      },
    })),
    noticedBy: ["lock: goes with the saga to its next owner"],
  },
  {
    rule: "lets go of locks when their saga is parked",
    open: altered(({ append }, disk) => ({
      append: async (request) => {
        const appended = await append(request);
        if (appended.isOk() && request.status === "parked") letGo(disk.locks, request.sagaId);
        return appended;
      },
    })),
    noticedBy: ["lock: is kept through every other record, parked included"],
  },
  {
    rule: "never lets go of a lock",
    open: altered(({ append }, disk) => ({
      append: async (request) => {
        const held = [...disk.locks];
        const appended = await append(request);
        for (const [name, holder] of held) disk.locks.set(name, holder);
        return appended;
      },
    })),
    noticedBy: [
      "lock: each way to end lets go of all that the saga has, and of nothing else",
      "reopen: locks are still held, and still let go",
      "remove: what a saga held is free for others",
    ],
  },
  {
    rule: "lets go of everybody's locks when a saga ends",
    open: altered(({ append }, disk) => ({
      append: async (request) => {
        const appended = await append(request);
        if (appended.isOk() && ends(request)) disk.locks.clear();
        return appended;
      },
    })),
    noticedBy: ["lock: each way to end lets go of all that the saga has, and of nothing else"],
  },
  {
    rule: "lets go of locks before it knows whether the end counts",
    open: altered(({ append }, disk) => ({
      append: (request) => {
        if (ends(request)) letGo(disk.locks, request.sagaId);
        return append(request);
      },
    })),
    noticedBy: ["lock: an end that was refused lets nothing go"],
  },
  {
    rule: "gives a lock a while after it has looked whether the saga goes on",
    open: altered((store, disk) => ({ lock: slowly(store.lock, disk.locks) })),
    noticedBy: ["lock: one that is asked for while the saga ends is not left behind"],
  },
  {
    rule: "takes a lock for progress",
    open: altered(({ lock }, disk) => ({
      lock: (request) => {
        const stored = disk.sagas.get(request.sagaId);
        if (stored !== undefined) stored.claimsWithoutProgress = 0;
        return lock(request);
      },
    })),
    noticedBy: ["lock: changes nothing of the saga"],
  },
  {
    rule: "keeps locks to itself, and not where its journals lie",
    open: altered(({ lock }, disk) => {
      const own = new Map<string, string>();
      return {
        lock: (request) => {
          const shared = new Map(disk.locks);
          disk.locks.clear();
          for (const [name, holder] of own) disk.locks.set(name, holder);
          const answer = lock(request);
          own.clear();
          for (const [name, holder] of disk.locks) own.set(name, holder);
          disk.locks.clear();
          for (const [name, holder] of shared) disk.locks.set(name, holder);
          return answer;
        },
      };
    }),
    noticedBy: ["lock: of rivals in two stores one gets it, and the others learn who", "reopen: locks are still held, and still let go"],
  },
];

function letGo(locks: Map<string, string>, sagaId: string): void {
  for (const [name, holder] of locks) if (holder === sagaId) locks.delete(name);
}

function slowly(lock: JournalStore["lock"], locks: Map<string, string>): JournalStore["lock"] {
  return async (request) => {
    const before = new Map(locks);
    const answer = await lock(request);
    await new Promise((resolve) => setImmediate(resolve));
    if (answer.isOk() && answer.value._tag === "Granted" && !before.has(request.name)) locks.set(request.name, request.sagaId);
    return answer;
  };
}
