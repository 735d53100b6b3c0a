/** All the broken stores; here those that break a rule of records, epochs, lists, the outbox or the life of a store. */
import { err, ok } from "neverthrow";
import {
  type AppendError,
  type AppendRequest,
  type ClaimError,
  createMemoryDisk,
  createMemoryStore,
  type JournalStore,
  type LoadError,
  RECORD_CHARACTERS_MAX,
} from "../../src/journal.ts";
import { brokenCrashes } from "./broken-crashes.ts";
import { brokenLocks } from "./broken-locks.ts";
import { brokenRetention } from "./broken-retention.ts";
import { altered, type BrokenStore } from "./broken-store.ts";
import { brokenWaits } from "./broken-waits.ts";
import { brokenWorkers } from "./broken-workers.ts";

const guards: readonly BrokenStore[] = [
  {
    rule: "ignores the epoch",
    open: altered(({ append }, disk) => ({
      append: (request) => append({ ...request, epoch: disk.sagas.get(request.sagaId)?.epoch ?? 1 }),
    })),
    noticedBy: [
      "epoch: an older epoch is refused and named",
      "epoch: an epoch that nobody was given is refused",
      "epoch: a saga is created under epoch 1",
      "claim: the new owner appends under its epoch, the former one no more",
      "claim: rivals get an epoch each, and only the last can append",
      "claim: fences appends that are called after it, also before it was answered",
      "reopen: the guards hold on",
      "crash: a process that seemed dead writes nothing more once another has claimed its saga",
    ],
  },
  {
    rule: "ignores the sequence",
    open: altered(({ append }, disk) => ({
      append: (request) => append({ ...request, sequence: disk.sagas.get(request.sagaId)?.records.length ?? 0 }),
    })),
    noticedBy: [
      "sequence: a repeated place is a conflict that names the next one",
      "sequence: a gap is a conflict",
      "sequence: a saga begins with record 0",
      "sequence: creating a saga that exists is a conflict, also after it was claimed",
      "together: what follows a refused append of its saga is refused",
      "two stores: of two that create one saga, one does",
      "two stores: of two that append to one place, one does",
      "unfinished: a saga leaves the list with the record that ends it",
    ],
  },
  {
    rule: "takes equal bytes at a taken place for a success",
    open: altered(({ append }, disk) => ({
      append: (request) =>
        disk.sagas.get(request.sagaId)?.records[request.sequence] === request.record ? Promise.resolve(ok()) : append(request),
    })),
    noticedBy: ["sequence: the very same append twice is a conflict the second time"],
  },
  {
    rule: "names the wrong place in a conflict",
    open: altered(({ append }) => ({
      append: async (request) =>
        (await append(request)).mapErr(
          (error): AppendError => (error._tag === "SequenceConflict" ? { ...error, sequence: request.sequence } : error),
        ),
    })),
    noticedBy: [
      "sequence: a repeated place is a conflict that names the next one",
      "together: a refused append in the middle leaves the saga's others their verdicts",
    ],
  },
  {
    rule: "keeps one epoch for all sagas",
    open: altered(({ claim }, disk) => ({
      claim: (sagaId) => {
        for (const [other, stored] of disk.sagas) if (other !== sagaId) stored.epoch += 1;
        return claim(sagaId);
      },
    })),
    noticedBy: ["epoch: guards of one saga do not touch another"],
  },
];

const writes: readonly BrokenStore[] = [
  {
    rule: "fails all appends that are under way together when one fails",
    open: altered(({ append }) => ({ append: oneForAll(append) })),
    noticedBy: [
      "append: a record above the largest size is refused whole and harms no other",
      "together: a refused append takes no other saga's down",
      "together: a refused append in the middle leaves the saga's others their verdicts",
    ],
  },
  {
    rule: "writes appends that are under way together in the opposite order",
    open: altered(({ append }) => ({ append: backwards(append) })),
    noticedBy: [
      "together: appends of one saga take effect in the order of the calls",
      "outbox: appends that are under way together keep the order of their saga's events",
    ],
  },
  {
    rule: "answers appends that are under way together in the opposite order",
    open: altered(({ append }) => ({ append: answeredBackwards(append) })),
    noticedBy: ["together: appends of one saga are answered in the order of the calls"],
  },
  {
    rule: "answers an append before it is written, and forgets it when closed",
    open: altered((store) => {
      let closed = false;
      return {
        append: (request) => {
          setImmediate(() => void (closed || store.append(request)));
          return Promise.resolve(ok());
        },
        close() {
          closed = true;
          return store.close();
        },
      };
    }),
    noticedBy: [
      "append: a saga that was started is loaded as it was written",
      "close: settles the appends that are under way",
      "two stores: an append that races a claim is in the claimed journal or refused",
    ],
  },
  {
    rule: "keeps the first 1,000 characters of a record",
    open: altered(({ append }) => ({ append: (request) => append({ ...request, record: request.record.slice(0, 1_000) }) })),
    noticedBy: ["append: a record of the largest size fits", "append: a record above the largest size is refused whole and harms no other"],
  },
  {
    rule: "refuses a record that is large but within the bound",
    open: altered(({ append }) => ({
      append: (request) =>
        request.record.length < RECORD_CHARACTERS_MAX / 2
          ? append(request)
          : Promise.resolve(err({ _tag: "StoreUnavailable" as const, message: "too large" })),
    })),
    noticedBy: ["append: a record of the largest size fits"],
  },
  {
    rule: "bends what its encoding cannot hold",
    open: altered(({ append }) => ({
      append: (request) => append({ ...request, record: request.record.toWellFormed().normalize("NFC") }),
    })),
    noticedBy: ["append: records come back character by character", "append: text that a storage cannot hold is refused, never bent"],
  },
  {
    rule: "compares ids without regard to case",
    open: altered(({ append, load }) => ({
      append: (request) => append({ ...request, sagaId: request.sagaId.toLowerCase() }),
      load: (sagaId) => load(sagaId.toLowerCase()),
    })),
    noticedBy: ["append: ids and names are compared exactly"],
  },
  {
    rule: "never changes a saga's status after its first record",
    open: altered(({ append }, disk) => ({
      append: (request) => append({ ...request, status: disk.sagas.get(request.sagaId)?.status ?? request.status }),
    })),
    noticedBy: ["append: each record moves the saga's status", "unfinished: a saga leaves the list with the record that ends it"],
  },
  {
    rule: "tells the time in no number",
    open: altered(() => ({ now: () => Number.NaN })),
    noticedBy: ["now: the store's clock tells epoch milliseconds"],
  },
];

const reads: readonly BrokenStore[] = [
  {
    rule: "hands out its own array of records",
    open: altered(({ load }, disk) => ({
      load: async (sagaId) =>
        (await load(sagaId)).map((journal) =>
          journal === undefined ? undefined : { ...journal, records: disk.sagas.get(sagaId)?.records ?? [] },
        ),
    })),
    noticedBy: ["load: what was loaded does not change under later appends"],
  },
  {
    rule: "takes a saga over when it only reads it",
    open: altered(({ claim }) => ({ load: async (sagaId) => (await claim(sagaId)).mapErr(notDriven) })),
    noticedBy: ["load: reading takes nothing over"],
  },
  {
    rule: "creates a saga when it is asked for one",
    open: altered(({ append, load, claim }) => {
      const create = (sagaId: string): void =>
        void append({ sagaId, sequence: 0, epoch: 1, saga: { name: "", version: 1 }, status: "running", record: "", outbox: [] });
      return {
        load: (sagaId) => {
          create(sagaId);
          return load(sagaId);
        },
        claim: (sagaId) => {
          const claimed = claim(sagaId);
          create(sagaId);
          return claimed;
        },
      };
    }),
    noticedBy: ["load: a saga that was never started is undefined, and stays so", "claim: an unknown saga is undefined and is not created"],
  },
  {
    rule: "claims without raising the epoch in the store",
    open: altered(({ load }) => ({
      claim: async (sagaId) =>
        (await load(sagaId)).map((journal) =>
          journal === undefined
            ? undefined
            : { ...journal, epoch: journal.epoch + 1, claimsWithoutProgress: journal.claimsWithoutProgress + 1 },
        ),
    })),
    noticedBy: ["claim: raises the epoch and reads the journal", "claim: rivals get an epoch each, and only the last can append"],
  },
  {
    rule: "never counts claims without progress",
    open: altered(({ claim }, disk) => ({
      claim: async (sagaId) => {
        const stored = disk.sagas.get(sagaId);
        if (stored !== undefined) stored.claimsWithoutProgress = 0;
        return claim(sagaId);
      },
    })),
    noticedBy: ["claims without progress: counted by each claim, cleared by an append"],
  },
  {
    rule: "takes a refused append for progress",
    open: altered(({ append }, disk) => ({
      append: (request) => {
        const stored = disk.sagas.get(request.sagaId);
        if (stored !== undefined) stored.claimsWithoutProgress = 0;
        return append(request);
      },
    })),
    noticedBy: ["claims without progress: a refused append is no progress"],
  },
  {
    rule: "lists ended sagas as unfinished",
    open: altered((_store, disk) => ({ unfinished: () => Promise.resolve(ok({ sagaIds: [...disk.sagas.keys()] })) })),
    noticedBy: ["unfinished: running and parked sagas are listed, ended ones are not"],
  },
  {
    rule: "lists a saga that is not there",
    open: altered(({ unfinished }) => ({
      unfinished: async (options) => (await unfinished(options)).map((page) => ({ ...page, sagaIds: [...page.sagaIds, "ghost"] })),
    })),
    noticedBy: ["unfinished: an empty store has one empty page"],
  },
  {
    rule: "lists the youngest first",
    open: altered(({ unfinished }) => ({
      unfinished: async (options) => (await unfinished(options)).map((page) => ({ ...page, sagaIds: page.sagaIds.toReversed() })),
    })),
    noticedBy: ["unfinished: oldest first, by time of start"],
  },
  {
    rule: "counts pages by offset, so that what ended meanwhile shifts them",
    open: altered(({ unfinished }) => ({
      unfinished: async ({ limit, after = "0" }) =>
        (await unfinished({ limit: 1_000 })).map(({ sagaIds }) => {
          const end = Number(after) + limit;
          const page = sagaIds.slice(Number(after), end);
          return end < sagaIds.length ? { sagaIds: page, next: String(end) } : { sagaIds: page };
        }),
    })),
    noticedBy: ["unfinished: a cursor goes on where it was when sagas end and start meanwhile"],
  },
  {
    rule: "offers a next page where there is none",
    open: altered(({ unfinished }) => ({
      unfinished: async (options) => (await unfinished(options)).map((page) => ({ ...page, next: page.next ?? "999999" })),
    })),
    noticedBy: ["unfinished: pages hold at most `limit`, lose none and repeat none"],
  },
];

const outboxes: readonly BrokenStore[] = [
  {
    rule: "drops the outbox",
    open: altered(({ append }) => ({ append: (request) => append({ ...request, outbox: [] }) })),
    noticedBy: [
      "outbox: events come with their record, as they were given",
      "outbox: an event stays when its saga has ended",
      "close: settles the appends that are under way",
    ],
  },
  {
    rule: "writes events of a refused append",
    open: altered(({ append }, disk) => ({
      append: (request) => {
        for (const event of request.outbox) disk.outbox.set(event.id, event);
        return append({ ...request, outbox: [] });
      },
    })),
    noticedBy: ["outbox: events of a refused append do not exist", "epoch: an older epoch is refused and named"],
  },
  {
    rule: "lists events by id",
    open: altered((_store, disk) => ({
      outbox: {
        pending: ({ limit }) =>
          Promise.resolve(ok([...disk.outbox.values()].toSorted((one, other) => (one.id < other.id ? -1 : 1)).slice(0, limit))),
        published: () => Promise.resolve(ok()),
      },
    })),
    noticedBy: ["outbox: oldest first, over sagas and within a record", "outbox: what was published is forgotten, and nothing else"],
  },
  {
    rule: "forgets all events when one was published",
    open: altered((store, disk) => ({
      outbox: {
        pending: store.outbox.pending,
        published: () => {
          disk.outbox.clear();
          return Promise.resolve(ok());
        },
      },
    })),
    noticedBy: ["outbox: what was published is forgotten, and nothing else", "reopen: sagas, epochs, claims and events are still there"],
  },
];

const lives: readonly BrokenStore[] = [
  {
    rule: "loses everything when it is reopened",
    open: (disk, opened) => createMemoryStore({ disk: opened === 0 ? disk : createMemoryDisk() }),
    noticedBy: [
      "reopen: sagas, epochs, claims and events are still there",
      "reopen: the guards hold on",
      "close: settles the appends that are under way",
      "two stores: what one appended, the other loads",
    ],
  },
  {
    rule: "goes on after close",
    open: altered(() => ({ close: () => Promise.resolve() })),
    noticedBy: ["close: everything asked afterwards is refused, and nothing of it happens"],
  },
  {
    rule: "closes once and fails the second time",
    open: altered(({ close }) => {
      let closed = false;
      return {
        close() {
          if (closed) return Promise.reject(new Error("closed already"));
          closed = true;
          return close();
        },
      };
    }),
    noticedBy: ["close: may be called again"],
  },
  {
    rule: "closes for everybody",
    open: altered((store, disk) => ({
      close() {
        disk.sagas.clear();
        return store.close();
      },
    })),
    noticedBy: ["close: leaves other stores on the same storage open"],
  },
  {
    rule: "does not notice damage",
    open: (disk) => createMemoryStore({ disk }),
    corrupt: (disk, sagaId) => {
      disk.sagas.get(sagaId)?.records.splice(1, 1);
    },
    noticedBy: ["damage: a journal that was changed outside the store is corrupt, not silently another"],
  },
  {
    rule: "gives up all sagas for the damage of one",
    open: (disk) => createMemoryStore({ disk }),
    corrupt: (disk) => {
      for (const sagaId of disk.sagas.keys()) disk.corrupt.add(sagaId);
    },
    noticedBy: ["damage: other sagas go on"],
  },
];

export const brokenStores: readonly BrokenStore[] = [
  ...guards,
  ...writes,
  ...reads,
  ...brokenWaits,
  ...brokenWorkers,
  ...brokenLocks,
  ...brokenRetention,
  ...brokenCrashes,
  ...outboxes,
  ...lives,
];

type Append = JournalStore["append"];
type Verdict = Awaited<ReturnType<Append>>;

/** Gathers the appends of one turn, hands them on as `write` says, and tells their verdicts as `tell` says. */
function gathered(
  write: (requests: readonly AppendRequest[]) => Promise<readonly Verdict[]>,
  tell: (verdicts: readonly (() => void)[]) => void = (verdicts) => {
    for (const verdict of verdicts) verdict();
  },
): Append {
  let waiting: { readonly request: AppendRequest; readonly resolve: (verdict: Verdict) => void }[] = [];
  async function flush(): Promise<void> {
    const batch = waiting;
    waiting = [];
    const verdicts = await write(batch.map(({ request }) => request));
    tell(verdicts.map((verdict, index) => () => batch[index]?.resolve(verdict)));
  }
  return (request) =>
    new Promise((resolve) => {
      if (waiting.length === 0) setImmediate(() => void flush());
      waiting.push({ request, resolve });
    });
}

function oneForAll(append: Append): Append {
  return gathered(async (requests) => {
    const verdicts = await Promise.all(requests.map(append));
    const refused = verdicts.find((verdict) => verdict.isErr());
    return refused === undefined ? verdicts : requests.map(() => refused);
  });
}

function backwards(append: Append): Append {
  return gathered(async (requests) => (await Promise.all(requests.toReversed().map(append))).toReversed());
}

function answeredBackwards(append: Append): Append {
  return gathered(
    (requests) => Promise.all(requests.map(append)),
    (verdicts) => {
      for (const verdict of verdicts.toReversed()) verdict();
    },
  );
}

function notDriven(error: ClaimError): LoadError {
  if (error._tag === "SagaDriven") throw new TypeError("a store without workers knows no driver");
  return error;
}
