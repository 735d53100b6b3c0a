/** Requests whose every member tells the saga and the place it belongs to, so that a test can say what it expects without keeping a list. */
import type { AppendRequest, JournalStore } from "@backstep/saga-core/journal";

/** Of different sizes, some over several pages of the file. */
export function recordText(sagaId: string, sequence: number): string {
  return JSON.stringify({ sagaId, sequence, filler: "·".repeat((sequence % 5) * 700) });
}

/** Every third record brings an event. */
export function eventIds(sagaId: string, sequence: number): readonly string[] {
  return sequence % 3 === 0 ? [`${sagaId}/${sequence}`] : [];
}

export function request(sagaId: string, sequence: number, changes: Partial<AppendRequest> = {}): AppendRequest {
  const outbox = eventIds(sagaId, sequence).map((id) => ({
    id,
    type: "moved",
    source: "/test",
    time: "2026-01-01T00:00:00Z",
    sagaId,
    data: "{}",
  }));
  return {
    sagaId,
    sequence,
    epoch: 1,
    saga: { name: "checkout", version: 1 },
    status: "running",
    record: recordText(sagaId, sequence),
    outbox,
    ...changes,
  };
}

/** A saga's records as `request` makes them. */
export function recordTexts(sagaId: string, recordCount: number): readonly string[] {
  return Array.from({ length: recordCount }, (_, sequence) => recordText(sagaId, sequence));
}

/** Fails the test when the saga cannot be read. */
export async function recordsOf(store: JournalStore, sagaId: string): Promise<readonly string[]> {
  return (await store.load(sagaId))._unsafeUnwrap()?.records ?? [];
}

export async function pendingIds(store: JournalStore): Promise<readonly string[]> {
  return (await store.outbox.pending({ limit: 1_000_000 }))._unsafeUnwrap().map(({ id }) => id);
}
