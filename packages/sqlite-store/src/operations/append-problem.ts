/** What SQLite would refuse or bend, or no message to a thread could hold. */
import { type AppendRequest, RECORD_CHARACTERS_MAX } from "@backstep/saga-core/journal";
import { isText } from "../row-codec.ts";

/** Found before the request queues with others. `undefined`: nothing. */
export function problemOf({ sagaId, sequence, epoch, saga, wakeAt, locks, record, outbox }: AppendRequest): string | undefined {
  if (!isText(sagaId) || sagaId.length === 0) return "a saga id is a non-empty, well-formed text";
  if (!Number.isSafeInteger(sequence) || sequence < 0) return `a sequence is an integer from 0; saga ${sagaId} brought ${sequence}`;
  if (!Number.isSafeInteger(epoch) || epoch < 1) return `an epoch is an integer from 1; saga ${sagaId} brought ${epoch}`;
  if (wakeAt !== undefined && !Number.isSafeInteger(wakeAt))
    return `a wakeAt is whole epoch milliseconds; saga ${sagaId} brought ${wakeAt}`;
  if (!isText(saga.name) || !Number.isSafeInteger(saga.version)) return `a saga has a name and an integer version; ${sagaId} has not`;
  if (locks !== undefined && ![...locks.held, ...locks.wanted].every(isText))
    return `the name of a lock is well-formed text; saga ${sagaId} brought another`;
  if (record.length > RECORD_CHARACTERS_MAX) {
    return `a record has at most ${RECORD_CHARACTERS_MAX} characters; record ${sequence} of saga ${sagaId} has ${record.length}`;
  }
  // SQLite keeps text as UTF-8, which has no lone surrogates: one would come back as another character.
  if (!isText(record)) return `a record is well-formed text; record ${sequence} of saga ${sagaId} holds a lone surrogate`;
  const event = outbox.find(({ id, type, source, subject = "", time, sagaId: of, data }) =>
    [id, type, source, subject, time, of, data].some((text) => !isText(text)),
  );
  return event === undefined ? undefined : `events are well-formed text; one with record ${sequence} of saga ${sagaId} is not`;
}
