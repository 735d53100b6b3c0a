/** Requests as the cases make them: every member has a value that tells which saga and which record it belongs to. */
import type { AppendRequest, JournalStore, StoredJournal } from "../journal/journal-store.ts";
import type { OutboxEvent } from "../journal/outbox.ts";
import { hostTimer } from "../primitives/host.ts";
import { expectOk } from "./expectations.ts";

export const saga = { name: "checkout", version: 3 } as const;

export function recordText(sagaId: string, sequence: number): string {
  return JSON.stringify({ sagaId, sequence });
}

export function request(sagaId: string, sequence: number, changes: Partial<AppendRequest> = {}): AppendRequest {
  return { sagaId, sequence, epoch: 1, saga, status: "running", record: recordText(sagaId, sequence), outbox: [], ...changes };
}

export function event(sagaId: string, place: number, changes: Partial<OutboxEvent> = {}): OutboxEvent {
  return {
    id: `${sagaId}-event-${place}`,
    type: "com.example.order.paid.v1",
    source: "/checkout",
    time: "2026-02-03T04:05:06.789Z",
    sagaId,
    data: JSON.stringify({ place }),
    ...changes,
  };
}

/** Writes the first `recordCount` records of a saga under epoch 1. */
export async function startSaga(store: JournalStore, sagaId: string, recordCount = 1): Promise<void> {
  for (let sequence = 0; sequence < recordCount; sequence++) {
    expectOk(await store.append(request(sagaId, sequence)), `record ${sequence} of a new saga is accepted`);
  }
}

export async function loaded(store: JournalStore, sagaId: string): Promise<StoredJournal | undefined> {
  return expectOk(await store.load(sagaId), "a saga can be loaded");
}

export async function loadedRecords(store: JournalStore, sagaId: string): Promise<readonly string[] | undefined> {
  return (await loaded(store, sagaId))?.records;
}

/** The records that `startSaga` writes. */
export function recordTexts(sagaId: string, recordCount: number): readonly string[] {
  return Array.from({ length: recordCount }, (_, sequence) => recordText(sagaId, sequence));
}

export async function pendingIds(store: JournalStore, limit = 100): Promise<readonly string[]> {
  return expectOk(await store.outbox.pending({ limit }), "the outbox can be read").map(({ id }) => id);
}

const TICK_TRIES_MAX = 100;

/** Lets the store's clock move on, so that what comes next is apart from what was; a clock that stands still leaves that to the order of the calls. */
export async function nextTick(store: JournalStore): Promise<void> {
  const before = store.now();
  for (let tries = 0; tries < TICK_TRIES_MAX && store.now() === before; tries++) await hostTimer.sleep(1);
}

/** A record after which the saga waits for these names, and has none. */
export async function want(store: JournalStore, sagaId: string, sequence: number, ...wanted: readonly string[]): Promise<void> {
  const appended = await store.append(request(sagaId, sequence, { status: "waiting", locks: { held: [], wanted } }));
  expectOk(appended, "a saga may stand in line for locks");
}

/** A record after which the saga has these names, and wants no other. */
export async function hold(store: JournalStore, sagaId: string, sequence: number, ...held: readonly string[]): Promise<void> {
  expectOk(await store.append(request(sagaId, sequence, { locks: { held, wanted: [] } })), "a saga may have locks that are free");
}

export async function end(store: JournalStore, sagaId: string, sequence: number): Promise<void> {
  expectOk(await store.append(request(sagaId, sequence, { status: "completed" })), "the saga ends");
}

export async function holder(store: JournalStore, name: string): Promise<string | undefined> {
  return expectOk(await store.lockHolder(name), "it can be looked who holds a lock");
}

/** Sagas that are due by the store's own clock. */
export async function dueNow(store: JournalStore): Promise<readonly string[]> {
  return expectOk(await store.due({ until: store.now(), limit: 100 }), "due sagas can be listed").sagaIds;
}
