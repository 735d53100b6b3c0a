/** The append: what Postgres would refuse or bend is found before it queues with others; then it becomes a write, and its answer a verdict. */
import { type AppendError, type AppendRequest, RECORD_CHARACTERS_MAX } from "@backstep/saga-core/journal";
import { err, ok, type Result } from "neverthrow";
import { eventValues, isEnded, recordChecksum, statusNumber } from "../row-codec.ts";
import type { Item, ItemResult } from "../writing/item.ts";
import type { SagaTrack } from "../writing/known-sagas.ts";
import type { Lane } from "../writing/lane.ts";
import { unavailable, type Write } from "../writing/write.ts";

/** Names are keys of indexes, which hold no longer ones. */
const NAME_BYTES_MAX = 2_000;
const INTEGER_MAX = 2 ** 31 - 1;
const DONE: Result<void, AppendError> = ok();

export function appendWrite(request: AppendRequest, track: SagaTrack<Lane>, resolve: (verdict: Result<void, AppendError>) => void): Write {
  let characters = request.record.length;
  for (const { data } of request.outbox) characters += data.length;
  return {
    track,
    append: request,
    characters,
    item: () => itemOf(request, track.seed),
    conclude([tag, value, stands], generation) {
      if (tag === "ok") {
        if (value !== undefined) learn(request, track, { position: Number(value), stands: stands === true, generation });
        resolve(DONE);
      } else resolve(refusalOf(request, [tag, value]));
    },
    refuse: (message) => resolve(unavailable(message)),
  };
}

interface Learnt {
  readonly position: number;
  readonly stands: boolean;
  readonly generation: number;
}

/** A saga that stands in line for locks is never known: others' records change its row. */
function learn(
  { sequence, epoch, status, wakeAt, leaves = false }: AppendRequest,
  track: SagaTrack<Lane>,
  { position, stands, generation }: Learnt,
): void {
  track.known = stands || leaves || isEnded(status) ? undefined : { position, epoch, next: sequence + 1, status, wakeAt, generation };
}

function refusalOf({ sagaId }: AppendRequest, [tag, value]: ItemResult): Result<never, AppendError> {
  if (tag === "sequence") return err({ _tag: "SequenceConflict", sagaId, sequence: Number(value) });
  if (tag === "epoch") return err({ _tag: "StaleEpoch", sagaId, epoch: Number(value) });
  return unavailable(String(value));
}

function itemOf(
  { sagaId, saga, sequence, epoch, status, wakeAt, locks, record, outbox, leaves = false }: AppendRequest,
  seed: number,
): Item {
  return {
    kind: "append",
    id: sagaId,
    name: saga.name,
    version: saga.version,
    sequence,
    epoch,
    status: statusNumber(status),
    wakeAt: wakeAt ?? null,
    leaves,
    ...(locks === undefined ? {} : { held: locks.held, wanted: locks.wanted }),
    checksum: recordChecksum({ seed, saga, sequence, epoch, record }),
    record,
    events: outbox.map(eventValues),
  };
}

/** `undefined`: nothing. */
export function problemOf({ sagaId, sequence, epoch, saga, wakeAt, locks, record, outbox }: AppendRequest): string | undefined {
  if (!isName(sagaId) || sagaId.length === 0) return `a saga id is a non-empty text ${NAME_RULES}`;
  if (!isInteger(sequence, 0)) return `a sequence is an integer from 0; saga ${sagaId} brought ${sequence}`;
  if (!isInteger(epoch, 1)) return `an epoch is an integer from 1; saga ${sagaId} brought ${epoch}`;
  if (wakeAt !== undefined && !Number.isSafeInteger(wakeAt))
    return `a wakeAt is whole epoch milliseconds; saga ${sagaId} brought ${wakeAt}`;
  if (!isText(saga.name) || !Number.isSafeInteger(saga.version)) return `a saga has a name and an integer version; ${sagaId} has not`;
  if (locks !== undefined && !(locks.held.every(isName) && locks.wanted.every(isName)))
    return `the name of a lock is text ${NAME_RULES}; saga ${sagaId} brought another`;
  if (record.length > RECORD_CHARACTERS_MAX) {
    return `a record has at most ${RECORD_CHARACTERS_MAX} characters; record ${sequence} of saga ${sagaId} has ${record.length}`;
  }
  if (!isText(record)) return `a record is text ${TEXT_RULES}; record ${sequence} of saga ${sagaId} is not`;
  for (const { id, type, source, subject = "", time, sagaId: of, data } of outbox) {
    if (!isName(id) || ![type, source, subject, time, of, data].every(isText))
      return `events are text ${TEXT_RULES}; one with record ${sequence} of saga ${sagaId} is not`;
  }
  return undefined;
}

const TEXT_RULES = "without lone surrogates and U+0000, which Postgres does not hold";
export const NAME_RULES = `of at most ${NAME_BYTES_MAX} bytes in UTF-8, ${TEXT_RULES}`;

export function isText(value: unknown): boolean {
  return typeof value === "string" && value.isWellFormed() && !value.includes("\u0000");
}

export function isName(value: unknown): boolean {
  if (typeof value !== "string" || !isText(value)) return false;
  // No character takes more than three bytes of UTF-8 per unit of UTF-16.
  return value.length * 3 <= NAME_BYTES_MAX || Buffer.byteLength(value) <= NAME_BYTES_MAX;
}

function isInteger(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least && value <= INTEGER_MAX;
}
