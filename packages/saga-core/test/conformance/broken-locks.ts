/** Stores that break a rule of named locks: of the lines themselves, and of who is due when one moves. */
import type { AppendRequest, JournalStore, MemoryDisk } from "../../src/journal.ts";
import { altered, type BrokenStore } from "./broken-store.ts";

type Lines = ReadonlyMap<string, readonly string[]>;

interface Before {
  readonly lines: Lines;
  readonly times: ReadonlyMap<string, number | undefined>;
}

function ends({ status }: AppendRequest): boolean {
  return status === "completed" || status === "compensated" || status === "abandoned";
}

function namesOf({ locks }: AppendRequest): readonly string[] {
  return [...(locks?.held ?? []), ...(locks?.wanted ?? [])];
}

function seen(disk: MemoryDisk): Before {
  return { lines: new Map(disk.locks), times: new Map([...disk.sagas].map(([sagaId, { wakeAt }]) => [sagaId, wakeAt])) };
}

function put(disk: MemoryDisk, lines: Lines): void {
  disk.locks.clear();
  for (const [name, line] of lines) if (line.length > 0) disk.locks.set(name, line);
}

function letGo(disk: MemoryDisk, sagaId: string): void {
  put(disk, new Map([...disk.locks].map(([name, line]) => [name, line.filter((other) => other !== sagaId)])));
}

function setTime(disk: MemoryDisk, sagaId: string, wakeAt: number | undefined): void {
  const stored = disk.sagas.get(sagaId);
  if (stored !== undefined) stored.wakeAt = wakeAt;
}

/** What a store had said before it made sagas due. */
function timeOf(sagaId: string, request: AppendRequest, { times }: Before): number | undefined {
  return sagaId === request.sagaId ? request.wakeAt : times.get(sagaId);
}

/** A store that does something more, or takes something back, once a record counts. */
function afterwards(meddle: (disk: MemoryDisk, request: AppendRequest, before: Before, now: number) => void): BrokenStore["open"] {
  return altered(({ append, now }, disk) => ({
    append: async (request) => {
      const before = seen(disk);
      const appending = append(request);
      // At the call, as the memory store: what is under way together stays in its order.
      if (disk.sagas.get(request.sagaId)?.records.length === request.sequence + 1) meddle(disk, request, before, now());
      return appending;
    },
  }));
}

/** A store that is told something else than it was. */
function told(alter: (request: AppendRequest, disk: MemoryDisk) => AppendRequest): BrokenStore["open"] {
  return altered(({ append }, disk) => ({ append: (request) => append(alter(request, disk)) }));
}

function named(alter: (name: string) => string): BrokenStore["open"] {
  return altered(({ append, lockHolder }) => ({
    append: (request) => {
      const { locks } = request;
      if (locks === undefined) return append(request);
      return append({ ...request, locks: { held: locks.held.map(alter), wanted: locks.wanted.map(alter) } });
    },
    lockHolder: (name) => lockHolder(alter(name)),
  }));
}

const lines: readonly BrokenStore[] = [
  {
    rule: "keeps no lines",
    open: told((request) => ({ ...request, locks: undefined })),
    noticedBy: ["lock: one that wants a free name holds it, and is due at once", "reopen: lines are as they were"],
  },
  {
    rule: "lets the last one in first",
    open: afterwards((disk, { sagaId }, before) => {
      const fresh = (line: readonly string[], name: string) => line.includes(sagaId) && before.lines.get(name)?.includes(sagaId) !== true;
      put(
        disk,
        new Map([...disk.locks].map(([name, line]) => [name, fresh(line, name) ? [sagaId, ...line.filter((id) => id !== sagaId)] : line])),
      );
    }),
    noticedBy: ["lock: one that wants a name which another one holds waits, and is not due"],
  },
  {
    rule: "serves a line in order of the sagas' starts",
    open: afterwards((disk) => {
      const started = (sagaId: string) => disk.sagas.get(sagaId)?.position ?? 0;
      const inOrder = ([first = "", ...rest]: readonly string[]) => [
        first,
        ...rest.toSorted((left, right) => started(left) - started(right)),
      ];
      put(disk, new Map([...disk.locks].map(([name, line]) => [name, inOrder(line)])));
    }),
    noticedBy: ["lock: a line is served in order of coming, whatever the ids, times and starts"],
  },
  {
    rule: "never lets go of a lock",
    open: afterwards((disk, request, before) => {
      if (ends(request)) put(disk, before.lines);
    }),
    noticedBy: [
      "lock: each way to end hands over all that the saga had, and nothing else",
      "lock: one that comes while the holder ends is not left waiting",
      "reopen: lines are as they were",
      "remove: takes nobody out of a line",
    ],
  },
  {
    rule: "lets go of everybody's locks when a saga ends",
    open: afterwards((disk, request) => {
      if (ends(request)) disk.locks.clear();
    }),
    noticedBy: ["lock: each way to end hands over all that the saga had, and nothing else"],
  },
  {
    rule: "lets go of locks when their saga is parked",
    open: afterwards((disk, { sagaId, status }) => {
      if (status === "parked") letGo(disk, sagaId);
    }),
    noticedBy: ["lock: a record that says nothing of locks changes none", "lock: the one that is handed it is due whatever its status"],
  },
  {
    rule: "takes a record that says nothing of locks for one that lists none",
    open: told((request) => ({ ...request, locks: request.locks ?? { held: [], wanted: [] } })),
    noticedBy: ["lock: a record that says nothing of locks changes none"],
  },
  {
    rule: "keeps the names that a record does not list any more",
    open: told((request, disk) => {
      if (request.locks === undefined) return request;
      const kept = [...disk.locks].flatMap(([name, line]) =>
        line[0] === request.sagaId && !namesOf(request).includes(name) ? [name] : [],
      );
      return { ...request, locks: { ...request.locks, held: [...request.locks.held, ...kept] } };
    }),
    noticedBy: ["lock: a name that a record does not list is let go, and the others are kept"],
  },
  {
    rule: "keeps the place of one that left the line without being first",
    open: afterwards((disk, { sagaId, locks }, before) => {
      if (locks === undefined) return;
      for (const [name, line] of before.lines) if (line.indexOf(sagaId) > 0) disk.locks.set(name, line);
    }),
    noticedBy: ["lock: one that leaves the line makes nobody due, and is passed over"],
  },
  {
    rule: "remembers the place of one that comes back",
    open: altered(({ append }, disk) => {
      const firsts = new Map<string, string>();
      return {
        append: (request) => {
          const appended = append(request);
          for (const name of request.locks?.wanted ?? []) {
            const line = disk.locks.get(name) ?? [];
            const known = firsts.get(name) ?? line[0] ?? "";
            firsts.set(name, known);
            if (line.includes(known)) disk.locks.set(name, [known, ...line.filter((sagaId) => sagaId !== known)]);
          }
          return appended;
        },
      };
    }),
    noticedBy: ["lock: a place that was left is taken anew at the end"],
  },
  {
    rule: "lets a record take what another saga holds",
    open: altered(({ append }, disk) => ({
      append: (request) => {
        const held = request.locks?.held ?? [];
        const appended = append(
          request.locks === undefined ? request : { ...request, locks: { held: [], wanted: [...held, ...request.locks.wanted] } },
        );
        for (const name of held)
          disk.locks.set(name, [request.sagaId, ...(disk.locks.get(name) ?? []).filter((id) => id !== request.sagaId)]);
        return appended;
      },
    })),
    noticedBy: ["lock: a record that lists as held what another saga holds is refused, and nothing of it is written"],
  },
  {
    rule: "takes places before it knows whether the record counts",
    open: altered(({ append }, disk) => ({
      append: (request) => {
        for (const name of namesOf(request)) {
          const line = disk.locks.get(name) ?? [];
          if (!line.includes(request.sagaId)) disk.locks.set(name, [...line, request.sagaId]);
        }
        return append(request);
      },
    })),
    noticedBy: [
      "lock: a refused record moves no line",
      "lock: a record that lists as held what another saga holds is refused, and nothing of it is written",
    ],
  },
  {
    rule: "lets go of locks before it knows whether the end counts",
    open: altered(({ append }, disk) => ({
      append: (request) => {
        if (ends(request)) letGo(disk, request.sagaId);
        return append(request);
      },
    })),
    noticedBy: ["lock: a refused record moves no line"],
  },
  {
    rule: "puts a saga that has ended in line",
    open: afterwards((disk, request) => {
      if (!ends(request)) return;
      for (const name of namesOf(request)) disk.locks.set(name, [...(disk.locks.get(name) ?? []), request.sagaId]);
    }),
    noticedBy: ["lock: a saga that ends with a list is in no line"],
  },
  {
    rule: "lets go of locks when their saga is claimed",
    open: altered(({ claim }, disk) => ({
      claim: (sagaId) => {
        letGo(disk, sagaId);
        return claim(sagaId);
      },
    })),
    noticedBy: ["lock: claims keep places, and make nobody due"],
  },
  {
    rule: "takes those out of line that it is asked to remove",
    open: altered(({ remove }, disk) => ({
      remove: (sagaIds) => {
        for (const sagaId of sagaIds) letGo(disk, sagaId);
        return remove(sagaIds);
      },
    })),
    noticedBy: ["remove: takes nobody out of a line"],
  },
  {
    rule: "keeps lines to itself, and not where its journals lie",
    open: altered((store, disk) => linesInTheStore(store, disk)),
    noticedBy: [
      "lock: of rivals in two stores each comes to hold it, and none twice",
      "lock: one that comes while the holder ends is not left waiting",
      "reopen: lines are as they were",
    ],
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
    rule: "bends names of locks that its encoding cannot hold",
    open: named((name) => name.toWellFormed()),
    noticedBy: ["lock: names that a storage cannot hold apart are refused, never taken for one"],
  },
];

const duties: readonly BrokenStore[] = [
  {
    rule: "tells nobody that it has come to hold a lock",
    open: afterwards((disk, request, before) => {
      for (const sagaId of disk.sagas.keys()) setTime(disk, sagaId, timeOf(sagaId, request, before));
    }),
    noticedBy: [
      "lock: one that wants a free name holds it, and is due at once",
      "lock: each way to end hands over all that the saga had, and nothing else",
      "lock: a name that a record does not list is let go, and the others are kept",
      "lock: one that comes while the holder ends is not left waiting",
      "reopen: lines are as they were",
    ],
  },
  {
    rule: "hands a lock over to waiting sagas alone",
    open: afterwards((disk, request, before) => {
      for (const [sagaId, { status }] of disk.sagas) if (status !== "waiting") setTime(disk, sagaId, timeOf(sagaId, request, before));
    }),
    noticedBy: ["lock: the one that is handed it is due whatever its status"],
  },
  {
    rule: "wakes all of a line when it moves",
    open: afterwards((disk, request, before, now) => {
      for (const [name, line] of before.lines)
        if (line[0] === request.sagaId && disk.locks.get(name)?.[0] !== request.sagaId)
          for (const sagaId of line.slice(1)) setTime(disk, sagaId, now);
    }),
    noticedBy: ["lock: a line is served in order of coming, whatever the ids, times and starts"],
  },
  {
    rule: "wakes the next one when one behind the first leaves",
    open: afterwards((disk, { sagaId }, before, now) => {
      for (const [name, line] of before.lines) {
        const place = line.indexOf(sagaId);
        if (place > 0 && disk.locks.get(name)?.includes(sagaId) !== true) setTime(disk, line[place + 1] ?? line[0] ?? "", now);
      }
    }),
    noticedBy: ["lock: one that leaves the line makes nobody due, and is passed over"],
  },
  {
    rule: "makes one due that wants a lock, though another has it",
    open: afterwards((disk, { sagaId, locks }, _before, now) => {
      if ((locks?.wanted.length ?? 0) > 0) setTime(disk, sagaId, now);
    }),
    noticedBy: ["lock: one that wants a name which another one holds waits, and is not due"],
  },
  {
    rule: "hides that a saga holds what it wants behind the record's own time",
    open: afterwards((disk, { sagaId, wakeAt, locks }, before) => {
      const stood = (locks?.wanted ?? []).every((name) => before.lines.get(name)?.includes(sagaId) === true);
      if (wakeAt !== undefined || stood) setTime(disk, sagaId, wakeAt);
    }),
    noticedBy: ["lock: one that wants what it holds is due until a record says that it has it"],
  },
  {
    rule: "makes one due that knows what it holds",
    open: afterwards((disk, { sagaId, locks }, _before, now) => {
      if (locks?.held.some((name) => disk.locks.get(name)?.[0] === sagaId) === true) setTime(disk, sagaId, now);
    }),
    noticedBy: ["lock: one that wants what it holds is due until a record says that it has it"],
  },
  {
    rule: "takes the time of a hand-over for the time that a saga is due since",
    open: afterwards((disk, request, before, now) => {
      for (const [sagaId, { wakeAt }] of disk.sagas) {
        const first = [...disk.locks].some(([name, line]) => line[0] === sagaId && before.lines.get(name)?.[0] !== sagaId);
        if (first && wakeAt !== undefined && request.locks?.held.length !== 1) setTime(disk, sagaId, now);
      }
    }),
    noticedBy: ["lock: a time that is over stays the one that it is due since"],
  },
  {
    rule: "makes due whom it claims",
    open: altered(({ claim, now }, disk) => ({
      claim: (sagaId) => {
        setTime(disk, sagaId, now());
        return claim(sagaId);
      },
    })),
    noticedBy: ["lock: claims keep places, and make nobody due"],
  },
  {
    rule: "takes a lock that is handed over for progress",
    open: afterwards((disk, _request, before) => {
      for (const [name, [first = ""]] of disk.locks) {
        const stored = disk.sagas.get(first);
        if (stored !== undefined && before.lines.get(name)?.[0] !== first) stored.claimsWithoutProgress = 0;
      }
    }),
    noticedBy: ["lock: changes nothing else of those who wait"],
  },
  {
    rule: "looks who holds a lock a while before it puts a saga in line",
    open: altered(({ append }, disk) => ({
      append: async (request) => {
        const heldBefore = (request.locks?.wanted ?? []).some((name) => disk.locks.has(name));
        if (!heldBefore) return append(request);
        await new Promise((resolve) => setImmediate(resolve));
        const appended = await append(request);
        setTime(disk, request.sagaId, request.wakeAt);
        return appended;
      },
    })),
    noticedBy: ["lock: one that comes while the holder ends is not left waiting"],
  },
];

export const brokenLocks: readonly BrokenStore[] = [...lines, ...duties];

/** Every store on the disk sees its own lines there, and no other's. */
function linesInTheStore({ append, lockHolder }: JournalStore, disk: MemoryDisk): Partial<JournalStore> {
  let own: Lines = new Map();
  const here = <Value>(work: () => Value): Value => {
    const shared = new Map(disk.locks);
    put(disk, own);
    const done = work();
    own = new Map(disk.locks);
    put(disk, shared);
    return done;
  };
  return { append: (request) => here(() => append(request)), lockHolder: (name) => here(() => lockHolder(name)) };
}
