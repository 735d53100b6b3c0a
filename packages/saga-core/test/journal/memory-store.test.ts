// Goal: the memory store dies where a test tells it to, and leaves exactly what it had committed. Method: crash, then open another on the disk.
import { describe, expect, test } from "vitest";
import type { AppendRequest, JournalStore } from "../../src/journal.ts";
import { createMemoryDisk, createMemoryStore } from "../../src/journal.ts";

function request(sequence: number, changes: Partial<AppendRequest> = {}): AppendRequest {
  return {
    sagaId: "a",
    sequence,
    epoch: 1,
    saga: { name: "checkout", version: 1 },
    status: "running",
    record: `record ${sequence}`,
    outbox: [{ id: `event-${sequence}`, type: "paid", source: "/a", time: "2026-01-01T00:00:00Z", sagaId: "a", data: "{}" }],
    ...changes,
  };
}

async function left(store: JournalStore): Promise<{ readonly records: readonly string[]; readonly events: readonly string[] }> {
  const journal = (await store.load("a"))._unsafeUnwrap();
  const events = (await store.outbox.pending({ limit: 10 }))._unsafeUnwrap();
  return { records: journal?.records ?? [], events: events.map(({ id }) => id) };
}

/** Whether a promise settles before everything that can run has run. */
async function settles(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe("faults", () => {
  test("a refused append is answered and leaves nothing, and can be made again", async () => {
    let refusals = 1;
    const store = createMemoryStore({
      faults: { beforeCommit: ({ sequence }) => (sequence === 1 && refusals-- > 0 ? "refuse" : undefined) },
    });
    expect((await store.append(request(0))).isOk()).toBe(true);
    expect((await store.append(request(1)))._unsafeUnwrapErr()._tag).toBe("StoreUnavailable");
    expect(await left(store)).toEqual({ records: ["record 0"], events: ["event-0"] });
    expect((await store.append(request(1))).isOk()).toBe(true);
    expect(await left(store)).toEqual({ records: ["record 0", "record 1"], events: ["event-0", "event-1"] });
  });

  test("a crash before the commit leaves nothing of the append", async () => {
    const disk = createMemoryDisk();
    const store = createMemoryStore({ disk, faults: { beforeCommit: ({ sequence }) => (sequence === 1 ? "crash" : undefined) } });
    expect(await settles(store.append(request(0)))).toBe(true);
    expect(await settles(store.append(request(1)))).toBe(false);
    expect(await left(createMemoryStore({ disk }))).toEqual({ records: ["record 0"], events: ["event-0"] });
  });

  test("a crash after the commit leaves all of the append, and its writer is never told", async () => {
    const disk = createMemoryDisk();
    const store = createMemoryStore({ disk, faults: { afterCommit: ({ sequence }) => (sequence === 1 ? "crash" : undefined) } });
    expect(await settles(store.append(request(0)))).toBe(true);
    expect(await settles(store.append(request(1)))).toBe(false);
    expect(await left(createMemoryStore({ disk }))).toEqual({ records: ["record 0", "record 1"], events: ["event-0", "event-1"] });
  });

  test("an append that its guards refuse is not asked about after the commit", async () => {
    const asked: number[] = [];
    const store = createMemoryStore({
      faults: {
        afterCommit: ({ sequence }) => {
          asked.push(sequence);
          return undefined;
        },
      },
    });
    await store.append(request(0));
    await store.append(request(5));
    expect(asked).toEqual([0]);
  });

  test("a crashed store never answers again and writes nothing more, whatever it is asked", async () => {
    const disk = createMemoryDisk();
    const store = createMemoryStore({ disk });
    await store.append(request(0));
    store.crash();
    const asked = [
      store.append(request(1, { locks: { held: [], wanted: ["order:42"] } })),
      store.load("a"),
      store.claim("a"),
      store.unfinished({ limit: 1 }),
    ];
    const askedOfTime = [store.due({ until: 0, limit: 1 }), store.ended({ before: 0, limit: 1 }), store.remove(["a"])];
    const askedLock = store.lockHolder("order:42");
    const askedOutbox = [store.outbox.pending({ limit: 1 }), store.outbox.published(["event-0"])];
    for (const promise of [...asked, ...askedOfTime, askedLock, ...askedOutbox]) expect(await settles(promise)).toBe(false);
    await store.close();
    expect(await settles(store.load("a"))).toBe(false);
    expect(await left(createMemoryStore({ disk }))).toEqual({ records: ["record 0"], events: ["event-0"] });
    expect((await createMemoryStore({ disk }).load("a"))._unsafeUnwrap()?.epoch).toBe(1);
    expect([...disk.locks]).toEqual([]);
  });

  test("an end that crashed before its commit lets go of nothing; one that crashed after it, of everything", async () => {
    for (const when of ["beforeCommit", "afterCommit"] as const) {
      const disk = createMemoryDisk();
      const store = createMemoryStore({
        disk,
        now: () => 5,
        faults: { [when]: ({ sequence }: AppendRequest) => (sequence === 1 ? "crash" : undefined) },
      });
      await store.append(request(0, { locks: { held: ["order:42"], wanted: [] } }));
      expect(await settles(store.append(request(1, { status: "completed" })))).toBe(false);
      const next = createMemoryStore({ disk });
      const ended = (await next.ended({ before: 6, limit: 1 }))._unsafeUnwrap().sagaIds;
      expect([ended, [...disk.locks]]).toEqual(when === "beforeCommit" ? [[], [["order:42", ["a"]]]] : [["a"], []]);
    }
  });
});

describe("disks", () => {
  test("stores without a disk in common share nothing", async () => {
    const [one, other] = [createMemoryStore(), createMemoryStore()];
    await one.append(request(0));
    expect(await left(other)).toEqual({ records: [], events: [] });
  });

  test("a corrupt saga is not taken over, and reads again once it is mended", async () => {
    const disk = createMemoryDisk();
    const store = createMemoryStore({ disk });
    await store.append(request(0));
    disk.corrupt.add("a");
    expect((await store.claim("a"))._unsafeUnwrapErr()._tag).toBe("JournalCorrupt");
    disk.corrupt.delete("a");
    expect((await store.load("a"))._unsafeUnwrap()?.epoch).toBe(1);
  });
});

describe("the outbox", () => {
  test("an event id that is pending refuses the whole append", async () => {
    const store = createMemoryStore();
    await store.append(request(0));
    const [event] = request(0).outbox;
    const again = await store.append(request(1, { outbox: event === undefined ? [] : [event] }));
    expect(again._unsafeUnwrapErr()).toMatchObject({ _tag: "StoreUnavailable", message: expect.stringContaining("event-0") as string });
    const twice = await store.append(request(1, { outbox: [...request(1).outbox, ...request(1).outbox] }));
    expect(twice._unsafeUnwrapErr()).toMatchObject({ _tag: "StoreUnavailable", message: expect.stringContaining("event-1") as string });
    expect(await left(store)).toEqual({ records: ["record 0"], events: ["event-0"] });
  });
});

test("the clock is the one that was given", () => {
  expect(createMemoryStore({ now: () => 1_234 }).now()).toBe(1_234);
});
