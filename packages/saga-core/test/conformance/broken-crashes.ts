/** Stores that keep every rule for a process that lives, and lose or double something when one dies; whole sagas show it. */
import { ok } from "neverthrow";
import type { AppendRequest, JournalStore, MemoryDisk, OutboxEvent } from "../../src/journal.ts";
import { altered, type BrokenStore } from "./broken-store.ts";

const [goesBack, goesForward, waits] = ["goes back", "turns and completes", "sleeps and waits"].map(
  (does) => `crash: a saga that ${does} ends the same, whichever append its process dies before or after`,
) as [string, string, string];
const TAKES_OVER = "crash: a process that dies while it takes over changes nothing";
const NO_ANSWER = "crash: an append whose answer is lost is found to have counted";
const REFUSED = "crash: an append that the store refuses is made again";
const SEEMED_DEAD = "crash: a process that seemed dead writes nothing more once another has claimed its saga";

/** Every append is answered at once, and written with the next thing that is asked of this store. */
function behindhand(store: JournalStore, disk: MemoryDisk): Partial<JournalStore> {
  let held: AppendRequest | undefined;
  const write = async (): Promise<void> => {
    const request = held;
    held = undefined;
    if (request !== undefined) await store.append(request);
  };
  return {
    async append(request) {
      await write();
      const { epoch = 1, records = [] } = disk.sagas.get(request.sagaId) ?? {};
      if (request.sequence !== records.length || request.epoch !== epoch) return store.append(request);
      held = request;
      return ok();
    },
    load: (sagaId) => write().then(() => store.load(sagaId)),
    claim: (sagaId) => write().then(() => store.claim(sagaId)),
    due: (options) => write().then(() => store.due(options)),
    unfinished: (options) => write().then(() => store.unfinished(options)),
    close: () => write().then(() => store.close()),
  };
}

/** Events lie in the store until it is closed, and only then on the disk. */
function eventsUntilClose(store: JournalStore, disk: MemoryDisk): Partial<JournalStore> {
  const held: OutboxEvent[] = [];
  return {
    async append(request) {
      const appended = await store.append({ ...request, outbox: [] });
      if (appended.isOk()) held.push(...request.outbox);
      return appended;
    },
    outbox: {
      pending: async (options) => (await store.outbox.pending(options)).map((events) => [...events, ...held].slice(0, options.limit)),
      published: (ids) => store.outbox.published(ids),
    },
    close() {
      for (const event of held) disk.outbox.set(event.id, event);
      return store.close();
    },
  };
}

/** Epochs that were given to claims and are not in force yet, by disk. */
const epochsGiven = new WeakMap<MemoryDisk, Map<string, number>>();

/** A claim is in force from its owner's first append on. */
function fencesLate(store: JournalStore, disk: MemoryDisk): Partial<JournalStore> {
  const given = epochsGiven.get(disk) ?? new Map<string, number>();
  epochsGiven.set(disk, given);
  return {
    async claim(sagaId) {
      const loaded = await store.load(sagaId);
      return loaded.map((journal) => {
        if (journal === undefined) return undefined;
        const epoch = Math.max(journal.epoch, given.get(sagaId) ?? 1) + 1;
        given.set(sagaId, epoch);
        return { ...journal, epoch, claimsWithoutProgress: journal.claimsWithoutProgress + 1 };
      });
    },
    async append(request) {
      const stored = disk.sagas.get(request.sagaId);
      if (stored !== undefined && request.epoch > stored.epoch) stored.epoch = request.epoch;
      return store.append(request);
    },
  };
}

export const brokenCrashes: readonly BrokenStore[] = [
  {
    rule: "answers an append before it is kept, and keeps it with the next thing it is asked",
    open: altered(behindhand),
    noticedBy: [goesBack, goesForward],
  },
  {
    rule: "applies the last record once more for whoever takes the saga over",
    open: altered((store, disk) => ({
      claim(sagaId) {
        const records = disk.sagas.get(sagaId)?.records;
        const last = records?.at(-1);
        if (last !== undefined) records?.push(last);
        return store.claim(sagaId);
      },
    })),
    noticedBy: [goesBack, goesForward, waits, TAKES_OVER, NO_ANSWER, REFUSED],
  },
  {
    rule: "keeps events to itself until it is closed",
    open: altered(eventsUntilClose),
    noticedBy: [goesForward],
  },
  {
    rule: "hands whoever takes a saga over a copy that lags one record behind",
    open: altered((store) => ({
      claim: async (sagaId) =>
        (await store.claim(sagaId)).map((journal) =>
          journal === undefined ? undefined : { ...journal, records: journal.records.slice(0, Math.max(1, journal.records.length - 1)) },
        ),
    })),
    noticedBy: [TAKES_OVER, NO_ANSWER],
  },
  {
    rule: "fences the former owner only when the new one has written",
    open: altered(fencesLate),
    noticedBy: [SEEMED_DEAD],
  },
  {
    rule: "takes an append of a former owner for one that counts, and writes nothing",
    open: altered((store) => ({
      append: async (request) => {
        const appended = await store.append(request);
        return appended.isErr() && appended.error._tag === "StaleEpoch" ? ok() : appended;
      },
    })),
    noticedBy: [SEEMED_DEAD],
  },
];
