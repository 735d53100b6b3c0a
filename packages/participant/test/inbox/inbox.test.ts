// Goal: an event that is delivered often has one effect, and is remembered for as long as was said. Method: real databases, two of them on one storage.
import { type CloudEvent, createInbox, type Database, type Table } from "@backstep/participant";
import { afterEach, describe, expect, test } from "vitest";
import { harnesses } from "../harnesses.ts";

interface Total {
  readonly id: string;
  readonly amount: number;
}

const totals: Table<Total> = { name: "totals", key: (row) => row.id, decode: (document) => document as Total };

function event(id: string, over: Partial<CloudEvent<{ amount: number }>> = {}): CloudEvent<{ amount: number }> {
  return { specversion: "1.0", id, source: "/payments", type: "com.example.paid.v1", data: { amount: 10 }, ...over };
}

describe.each(Object.entries(harnesses))("the inbox on the %s database", (_, harness) => {
  let time = 1_000_000;
  const cleanups: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });

  async function open(): Promise<{ readonly database: Database; readonly beside: Database }> {
    const storage = await harness.createStorage(() => time);
    const [database, beside] = [await storage.open(), await storage.open()];
    cleanups.push(
      async () => storage.dispose?.(),
      () => beside.close(),
      () => database.close(),
    );
    return { database, beside };
  }

  const consume = (database: Database, received: CloudEvent<{ amount: number }>) =>
    createInbox({ database, retentionMs: 1_000 }).consume(received, async (transaction, { data }) => {
      const total = await transaction.get(totals, "total");
      await transaction.put(totals, { id: "total", amount: (total?.amount ?? 0) + (data?.amount ?? 0) });
    });

  const total = async (database: Database) => (await database.transaction((transaction) => transaction.get(totals, "total")))?.amount ?? 0;

  test("an event is handled once, a repeat is dropped", async () => {
    const { database, beside } = await open();
    expect(await consume(database, event("1"))).toEqual({ _tag: "Consumed" });
    expect(await consume(database, event("1"))).toEqual({ _tag: "Repeated" });
    expect(await consume(beside, event("1"))).toEqual({ _tag: "Repeated" });
    expect(await total(database)).toBe(10);
  });

  test("another id, or the same id of another source, is another event", async () => {
    const { database } = await open();
    const events = [
      event("1"),
      event("2"),
      event("1", { source: "/orders" }),
      event('1"]', { source: "/x" }),
      event("1", { source: '/x","1' }),
    ];
    for (const each of events) expect(await consume(database, each)).toEqual({ _tag: "Consumed" });
    expect(await total(database)).toBe(50);
  });

  test("deliveries at the same time are handled once", async () => {
    const { database, beside } = await open();
    const answers = await Promise.all([0, 1, 2, 3].map((index) => consume(index % 2 === 0 ? database : beside, event("1"))));
    expect(answers.filter(({ _tag }) => _tag === "Consumed")).toHaveLength(1);
    expect(await total(database)).toBe(10);
  });

  test("a handler that throws leaves nothing, and the next delivery is the first", async () => {
    const { database } = await open();
    const inbox = createInbox({ database, retentionMs: 1_000 });
    const failing = inbox.consume(event("1"), async (transaction) => {
      await transaction.put(totals, { id: "total", amount: 99 });
      throw new RangeError("handler");
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect(await total(database)).toBe(0);
    expect(await consume(database, event("1"))).toEqual({ _tag: "Consumed" });
  });

  test("a retention that is no time is refused", async () => {
    const { database } = await open();
    for (const retentionMs of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => createInbox({ database, retentionMs })).toThrow(expect.objectContaining({ _tag: "OptionInvalid" }));
    }
  });

  test("an event is forgotten after retention, and not before", async () => {
    const { database } = await open();
    const inbox = createInbox({ database, retentionMs: 1_000 });
    for (let index = 0; index < 250; index++) await consume(database, event(`old-${index}`));
    time += 1_000;
    await consume(database, event("young"));
    expect(await inbox.sweep()).toBe(0);
    time += 1;
    expect(await inbox.sweep()).toBe(250);
    expect(await inbox.sweep()).toBe(0);
    expect(await consume(database, event("young"))).toEqual({ _tag: "Repeated" });
    expect(await consume(database, event("old-1"))).toEqual({ _tag: "Consumed" });
  });
});
