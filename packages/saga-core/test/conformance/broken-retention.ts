/** Stores that break a rule of retention: what has ended and when, and what is forgotten. */
import { ok } from "neverthrow";
import type { MemoryDisk } from "../../src/journal.ts";
import { altered, type BrokenStore } from "./broken-store.ts";

/** The ended sagas by another measure: the time from which each counts, `undefined` for never. */
function endedBy(timeOf: (stored: Stored, now: number) => number | undefined): BrokenStore["open"] {
  return altered(({ now }, disk) => ({
    ended: ({ before, limit }) => {
      const timed = [...disk.sagas].flatMap(([sagaId, stored]) => {
        const at = timeOf(stored, now());
        return at === undefined ? [] : [{ sagaId, at }];
      });
      const found = timed.filter(({ at }) => at < before).toSorted((left, right) => left.at - right.at);
      return Promise.resolve(ok({ sagaIds: found.slice(0, limit).map(({ sagaId }) => sagaId) }));
    },
  }));
}

type Stored = MemoryDisk["sagas"] extends Map<string, infer Value> ? Value : never;

export const brokenRetention: readonly BrokenStore[] = [
  {
    rule: "takes every saga for one that has ended",
    open: endedBy(({ endedAt = 0 }) => endedAt),
    noticedBy: ["ended: every way to end counts, and no saga that goes on"],
  },
  {
    rule: "takes only completed sagas for ended ones",
    open: endedBy(({ status, endedAt }) => (status === "completed" ? endedAt : undefined)),
    noticedBy: ["ended: every way to end counts, and no saga that goes on"],
  },
  {
    rule: "measures the age of an ended saga from its start",
    open: endedBy(({ endedAt, position }) => (endedAt === undefined ? undefined : position)),
    noticedBy: [
      "ended: before is before the saga's last append, not its first",
      "ended: the one that ended first comes first, at most `limit`",
    ],
  },
  {
    rule: "lists all that has ended, whatever the limit",
    open: altered(({ ended }) => ({ ended: (options) => ended({ ...options, limit: 1_000 }) })),
    noticedBy: ["ended: the one that ended first comes first, at most `limit`"],
  },
  {
    rule: "makes an ended saga young again when it is claimed",
    open: altered(({ claim, now }, disk) => ({
      claim: (sagaId) => {
        const stored = disk.sagas.get(sagaId);
        if (stored?.endedAt !== undefined) stored.endedAt = now();
        return claim(sagaId);
      },
    })),
    noticedBy: ["ended: claiming and reading an ended saga does not make it younger"],
  },
  {
    rule: "hides what it should forget",
    open: altered((_store, disk) => ({
      remove: (sagaIds) => {
        const hidden = sagaIds.flatMap((sagaId) => {
          const stored = disk.sagas.get(sagaId);
          return stored?.endedAt === undefined ? [] : [stored];
        });
        for (const stored of hidden) stored.endedAt = undefined;
        return Promise.resolve(ok({ removed: hidden.length }));
      },
    })),
    noticedBy: [
      "remove: an ended saga is gone with all its records",
      "remove: the id is free for a new saga, and closed to the former owner",
      "reopen: what ended is still known to have ended, what was removed does not come back",
    ],
  },
  {
    rule: "forgets whatever it is told to",
    open: altered((_store, disk) => ({
      remove: (sagaIds) => Promise.resolve(ok({ removed: sagaIds.filter((sagaId) => disk.sagas.delete(sagaId)).length })),
    })),
    noticedBy: ["remove: an unfinished saga is never removed, however it is asked", "remove: takes nobody out of a line"],
  },
  {
    rule: "compares ids it should forget without regard to case",
    open: altered(({ remove }) => ({ remove: (sagaIds) => remove(sagaIds.map((sagaId) => sagaId.trim().toLowerCase())) })),
    noticedBy: ["remove: unknown ids are ignored, and each saga counts once"],
  },
  {
    rule: "counts what it was told to forget, and not what it forgot",
    open: altered(({ remove }) => ({
      remove: async (sagaIds) => (await remove(sagaIds)).map(() => ({ removed: sagaIds.length })),
    })),
    noticedBy: ["remove: unknown ids are ignored, and each saga counts once", "remove: of two that remove one saga, one does"],
  },
  {
    rule: "forgets the events of a saga with it",
    open: altered(({ remove }, disk) => ({
      remove: (sagaIds) => {
        for (const { id, sagaId } of disk.outbox.values()) if (sagaIds.includes(sagaId)) disk.outbox.delete(id);
        return remove(sagaIds);
      },
    })),
    noticedBy: ["remove: events that were committed stay until they are published"],
  },
  {
    rule: "gives the place of a removed saga to the next one",
    open: altered(({ remove }, disk) => ({
      remove: async (sagaIds) => {
        const removed = await remove(sagaIds);
        disk.sagasStarted = Math.max(0, ...[...disk.sagas.values()].map(({ position }) => position));
        return removed;
      },
    })),
    noticedBy: ["remove: a cursor over unfinished sagas goes on where it was"],
  },
];
