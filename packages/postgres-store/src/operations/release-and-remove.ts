/** Letting go of a saga, and forgetting ended ones: writes that no append waits for, in the queue with all others. */
import type { RemovedSagas, StoreUnavailable } from "@backstep/saga-core/journal";
import { ok, type Result } from "neverthrow";
import type { KnownSagas } from "../writing/known-sagas.ts";
import type { Lane } from "../writing/lane.ts";
import { unavailable, type Write } from "../writing/write.ts";
import { BATCH_CHARACTERS_MAX } from "../writing/write-queue.ts";

/** From its call on nothing is known of the saga, so that whoever appends to it after all looks whose it is. */
export function releaseWrite(sagaId: string, known: KnownSagas<Lane>, resolve: (released: Result<void, StoreUnavailable>) => void): Write {
  const track = known.track(sagaId);
  track.known = undefined;
  return {
    track,
    append: undefined,
    characters: 0,
    item: () => ({ kind: "release", id: sagaId }),
    conclude([tag, value]) {
      // An append before it, in the same batch, may have found something out.
      track.known = undefined;
      resolve(tag === "ok" ? ok() : unavailable(String(value)));
    },
    refuse: (message) => resolve(unavailable(message)),
  };
}

export function removeWrite(sagaIds: readonly string[], resolve: (removed: Result<RemovedSagas, StoreUnavailable>) => void): Write {
  return {
    track: undefined,
    append: undefined,
    // More than fits beside anything: it has a transaction of its own, for it may take long, and nothing is to be rolled back with it.
    characters: BATCH_CHARACTERS_MAX + 1,
    item: () => ({ kind: "remove", ids: sagaIds }),
    conclude: ([tag, value]) => resolve(tag === "ok" ? ok({ removed: Number(value) }) : unavailable(String(value))),
    refuse: (message) => resolve(unavailable(message)),
  };
}
