// Goal: of several payment services on one outbox each publishes its own events at once, and those of a dead one after a while. Method: two stores on one memory disk, and a clock that the test sets.
import { createMemoryDisk, createMemoryStore, type JournalStore } from "@backstep/saga-core/journal";
import { expect, test } from "vitest";
import { ownEventsFirst } from "../src/own-events.ts";

const clock = { now: 0 };
const now = () => clock.now;

async function commit(store: JournalStore, sagaId: string): Promise<void> {
  const event = {
    id: `${sagaId}/paid`,
    type: "paid",
    source: "/sagas/checkout",
    subject: undefined,
    time: "2026-01-01T00:00:00Z",
    sagaId,
    data: "null",
  };
  const saga = { name: "checkout", version: 1 };
  (await store.append({ sagaId, sequence: 0, epoch: 1, saga, status: "completed", record: "{}", outbox: [event] }))._unsafeUnwrap();
}

const shown = async (store: JournalStore) => (await store.outbox.pending({ limit: 10 }))._unsafeUnwrap().map(({ id }) => id);

test("own events are shown at once, those of others when they are left over", async () => {
  const disk = createMemoryDisk();
  const [one, other] = [0, 1].map(() => ownEventsFirst(createMemoryStore({ disk, shared: true }), now)) as [JournalStore, JournalStore];
  await commit(one, "a");
  await commit(other, "b");
  expect([await shown(one), await shown(other)]).toEqual([["a/paid"], ["b/paid"]]);
  (await one.outbox.published(["a/paid"]))._unsafeUnwrap();
  clock.now += 1_999;
  expect([await shown(one), await shown(other)]).toEqual([[], ["b/paid"]]);
  clock.now += 1;
  expect([await shown(one), await shown(other)]).toEqual([["b/paid"], ["b/paid"]]);
});

test("a store without workers is left as it is", () => {
  const alone = createMemoryStore();
  expect(ownEventsFirst(alone, now)).toBe(alone);
});
