/** Stores that break a rule of waiting: the times of `due`, and the place of waiting sagas among the unfinished. */
import { ok } from "neverthrow";
import type { DueSagas, JournalStore, MemoryDisk, SagaStatus } from "../../src/journal.ts";
import { altered, type BrokenStore } from "./broken-store.ts";

interface Timed {
  readonly sagaId: string;
  readonly status: SagaStatus;
  readonly wakeAt: number | undefined;
}

const unfinished: readonly SagaStatus[] = ["running", "parked", "waiting"];

/** A store whose `due` is made anew from what lies on the disk. */
function dueBy(
  list: (sagas: readonly Timed[], options: { readonly until: number; readonly limit: number }) => DueSagas,
): BrokenStore["open"] {
  return altered((_store, disk) => ({
    due: (options) =>
      Promise.resolve(
        ok(
          list(
            [...disk.sagas].map(([sagaId, { status, wakeAt }]) => ({ sagaId, status, wakeAt })),
            options,
          ),
        ),
      ),
  }));
}

/** As it should be, but for the sagas that are left out beforehand, and the order. */
function dueAmong(sagas: readonly Timed[], { until, limit }: { readonly until: number; readonly limit: number }): DueSagas {
  const timed = sagas.flatMap(({ sagaId, wakeAt }) => (wakeAt === undefined ? [] : [{ sagaId, wakeAt }]));
  const next = Math.min(...timed.map(({ wakeAt }) => wakeAt).filter((wakeAt) => wakeAt > until));
  const sagaIds = timed.filter(({ wakeAt }) => wakeAt <= until).slice(0, limit);
  return { sagaIds: sagaIds.map(({ sagaId }) => sagaId), ...(Number.isFinite(next) ? { next } : {}) };
}

function inOrder(sagas: readonly Timed[]): readonly Timed[] {
  return sagas.filter(({ status }) => unfinished.includes(status)).toSorted((left, right) => (left.wakeAt ?? 0) - (right.wakeAt ?? 0));
}

/** The times a store was told, kept in the store and not on the disk. */
function timesInTheStore({ append }: JournalStore, disk: MemoryDisk): Partial<JournalStore> {
  const times = new Map<string, number | undefined>();
  return {
    append: async (request) => {
      const appended = await append({ ...request, wakeAt: undefined });
      if (appended.isOk()) times.set(request.sagaId, request.wakeAt);
      return appended;
    },
    due: (options) => {
      const sagas = [...disk.sagas].map(([sagaId, { status }]) => ({ sagaId, status, wakeAt: times.get(sagaId) }));
      return Promise.resolve(ok(dueAmong(inOrder(sagas), options)));
    },
  };
}

const times: readonly BrokenStore[] = [
  {
    rule: "loses wakeAt",
    open: altered(({ append }) => ({ append: (request) => append({ ...request, wakeAt: undefined }) })),
    noticedBy: [
      "due: a saga is due from its wakeAt on, and until then it is the next",
      "due: each record says anew when, earlier or later",
      "due: what one store appended is due in the other",
    ],
  },
  {
    rule: "keeps the time of an earlier record where a later one names none",
    open: altered(({ append }, disk) => ({
      append: (request) => append({ ...request, wakeAt: request.wakeAt ?? disk.sagas.get(request.sagaId)?.wakeAt }),
    })),
    noticedBy: ["due: a record that names no time takes the saga off the list", "reopen: times are still there"],
  },
  {
    rule: "keeps the earliest time that a saga ever named",
    open: altered(({ append }, disk) => ({
      append: (request) => {
        const before = disk.sagas.get(request.sagaId)?.wakeAt ?? Number.POSITIVE_INFINITY;
        return append({ ...request, wakeAt: request.wakeAt === undefined ? undefined : Math.min(request.wakeAt, before) });
      },
    })),
    noticedBy: ["due: each record says anew when, earlier or later"],
  },
  {
    rule: "lists ended sagas as due",
    open: dueBy((sagas, options) =>
      dueAmong(
        sagas.toSorted((left, right) => (left.wakeAt ?? 0) - (right.wakeAt ?? 0)),
        options,
      ),
    ),
    noticedBy: ["due: a saga that has ended never is"],
  },
  {
    rule: "takes a saga without a time for one that is long over",
    open: dueBy((sagas, options) =>
      dueAmong(
        inOrder(sagas).map((saga) => ({ ...saga, wakeAt: saga.wakeAt ?? 0 })),
        options,
      ),
    ),
    noticedBy: ["due: sagas without a wakeAt are never due", "due: a record that names no time takes the saga off the list"],
  },
  {
    rule: "lists only waiting sagas as due",
    open: dueBy((sagas, options) =>
      dueAmong(
        inOrder(sagas).filter(({ status }) => status === "waiting"),
        options,
      ),
    ),
    noticedBy: ["due: running and parked sagas are due as well as waiting ones"],
  },
  {
    rule: "lists due sagas in the order of their starts",
    open: dueBy((sagas, options) =>
      dueAmong(
        sagas.filter(({ status }) => unfinished.includes(status)),
        options,
      ),
    ),
    noticedBy: ["due: the longest over first", "due: `limit` takes the longest over, and next looks past all that are due"],
  },
  {
    rule: "takes the next page of due sagas for the next time",
    open: dueBy((sagas, { until, limit }) => {
      const page = dueAmong(inOrder(sagas), { until, limit: limit + 1 });
      const more = page.sagaIds[limit];
      const next = sagas.find(({ sagaId }) => sagaId === more)?.wakeAt ?? page.next;
      return { sagaIds: page.sagaIds.slice(0, limit), ...(next === undefined ? {} : { next }) };
    }),
    noticedBy: ["due: `limit` takes the longest over, and next looks past all that are due"],
  },
  {
    rule: "always names a next time",
    open: altered(({ due }) => ({ due: async (options) => (await due(options)).map((found) => ({ ...found, next: found.next ?? 0 })) })),
    noticedBy: ["due: an empty store has nothing due, and nothing next"],
  },
  {
    rule: "keeps one saga per time",
    open: dueBy((sagas, options) => dueAmong(inOrder([...new Map(sagas.map((saga) => [saga.wakeAt, saga])).values()]), options)),
    noticedBy: ["due: sagas of one time are all there"],
  },
  {
    rule: "writes the time of a refused append",
    open: altered(({ append }, disk) => ({
      append: (request) => {
        const stored = disk.sagas.get(request.sagaId);
        if (stored !== undefined) stored.wakeAt = request.wakeAt;
        return append(request);
      },
    })),
    noticedBy: ["due: a refused append changes no time"],
  },
  {
    rule: "forgets a saga's time when it is claimed",
    open: altered(({ claim }, disk) => ({
      claim: (sagaId) => {
        const stored = disk.sagas.get(sagaId);
        if (stored !== undefined) stored.wakeAt = undefined;
        return claim(sagaId);
      },
    })),
    noticedBy: ["due: claims and looks change no time"],
  },
  {
    rule: "keeps times to itself, and not where its journals lie",
    open: altered(timesInTheStore),
    noticedBy: ["due: what one store appended is due in the other", "reopen: times are still there"],
  },
];

const waiting: readonly BrokenStore[] = [
  {
    rule: "lists waiting sagas that nobody asked for",
    open: altered(({ unfinished: list }) => ({ unfinished: (options) => list({ ...options, waiting: true }) })),
    noticedBy: [
      "unfinished: sagas that only wait are listed when they are asked for",
      "unfinished: a saga comes and goes as it waits and moves, and keeps its place",
    ],
  },
  {
    rule: "never lists waiting sagas",
    open: altered(({ unfinished: list }) => ({ unfinished: (options) => list({ ...options, waiting: false }) })),
    noticedBy: ["unfinished: sagas that only wait are listed when they are asked for"],
  },
  {
    rule: "leaves waiting sagas out of a page that was cut before",
    open: altered(({ unfinished: list }, disk) => ({
      unfinished: async (options) =>
        (await list({ ...options, waiting: true })).map((page) => ({
          ...page,
          sagaIds: page.sagaIds.filter((sagaId) => options.waiting === true || disk.sagas.get(sagaId)?.status !== "waiting"),
        })),
    })),
    noticedBy: ["unfinished: pages are full though many that wait lie between"],
  },
];

export const brokenWaits: readonly BrokenStore[] = [...times, ...waiting];
