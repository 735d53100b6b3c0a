/** A stored journal, decoded: the entries and their fold, or why it cannot be read. */
import { err, ok, type Result } from "neverthrow";
import type { Quarantine } from "../errors/parked.ts";
import type { Entry } from "../journal/entry.ts";
import { decodeRecord } from "../journal/entry-codec.ts";
import type { StoredJournal } from "../journal/journal-store.ts";

export function decodeJournal({ sagaId, records }: StoredJournal): Result<readonly Entry[], Quarantine> {
  const entries: Entry[] = [];
  for (const [sequence, record] of records.entries()) {
    const decoded = decodeRecord(record);
    if (decoded.isErr()) return err({ _tag: "JournalCorrupt", message: `saga ${sagaId}, record ${sequence}: ${decoded.error}` });
    entries.push(...decoded.value);
  }
  const starts = entries.filter(({ _tag }) => _tag === "SagaStarted").length;
  if (entries[0]?._tag !== "SagaStarted" || starts > 1)
    return err({ _tag: "JournalCorrupt", message: `saga ${sagaId}: the journal does not begin with its one start` });
  return ok(entries);
}
