/**
 * The claim: the journal is read and held against its checksums first, then claimed as it was read. When it has moved in between it is read again. What cannot be read is not taken over: its
 * owner, if it lives, goes on.
 */
import type { ClaimError, ClaimOptions, StoredJournal } from "@backstep/saga-core/journal";
import { err, ok, type Result } from "neverthrow";
import { isEnded, type ReadJournal } from "../row-codec.ts";
import type { ItemResult } from "../writing/item.ts";
import type { SagaTrack } from "../writing/known-sagas.ts";
import type { Lane } from "../writing/lane.ts";
import { unavailable, type Write } from "../writing/write.ts";
import type { ReadSaga } from "./read-journal.ts";

/** A saga does not move for ever, and each try takes some of its appends in. */
const TRIES_MAX = 100;

export interface ClaimPorts {
  readonly read: ReadSaga;
  readonly track: (sagaId: string) => SagaTrack<Lane>;
  readonly enqueue: (write: Write) => void;
}

type Claimed = Result<StoredJournal, ClaimError> | "moved";

export async function claimSaga(
  { read, track, enqueue }: ClaimPorts,
  sagaId: string,
  { want = false }: ClaimOptions = {},
): Promise<Result<StoredJournal | undefined, ClaimError>> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const found = await read(sagaId);
    if (found.isErr()) return err(found.error);
    const { value } = found;
    if (value === undefined) return ok(undefined);
    const claimed = await new Promise<Claimed>((resolve) => enqueue(claimWrite(value, { want, track: track(sagaId), resolve })));
    if (claimed !== "moved") return claimed;
  }
  return unavailable(`saga ${sagaId} was not claimed: others moved it ${TRIES_MAX} times meanwhile`);
}

interface ClaimWriteOptions {
  readonly want: boolean;
  readonly track: SagaTrack<Lane>;
  readonly resolve: (claimed: Claimed) => void;
}

function claimWrite({ journal, position, wakeAt }: ReadJournal, { want, track, resolve }: ClaimWriteOptions): Write {
  const { sagaId, epoch, records, status } = journal;

  function take([, , stands, claims]: ItemResult, generation: number): void {
    const next = records.length;
    // One that stands in line for locks, or has ended, is not known: see the append.
    track.known = stands === true || isEnded(status) ? undefined : { position, epoch: epoch + 1, next, status, wakeAt, generation };
    resolve(ok({ ...journal, epoch: epoch + 1, claimsWithoutProgress: Number(claims) }));
  }

  return {
    track,
    append: undefined,
    characters: 0,
    item: () => ({ kind: "claim", id: sagaId, epoch, sequence: records.length, want }),
    conclude(result, generation) {
      const [tag, value] = result;
      if (tag === "ok") take(result, generation);
      else if (tag === "moved") resolve("moved");
      else if (tag === "driven") resolve(err({ _tag: "SagaDriven", sagaId, until: Number(value) }));
      else resolve(unavailable(String(value)));
    },
    refuse: (message) => resolve(unavailable(message)),
  };
}
