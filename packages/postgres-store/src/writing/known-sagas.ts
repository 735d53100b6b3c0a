/**
 * What this worker knows of the sagas it drives, so that the next record of one needs no look at the saga's row. Knowledge is true as long as nobody has taken a saga from this worker, which the
 * lanes tell: a batch that relies on knowledge is written only if nobody has since the knowledge was gained.
 *
 * Also which sagas have writes under way, and on which lane: those of one saga never go on two lanes at once.
 */
import type { SagaStatus } from "@backstep/saga-core/journal";
import { sagaSeed } from "../row-codec.ts";

export interface KnownSaga {
  readonly position: number;
  readonly epoch: number;
  /** Place of its next record, counting those under way. */
  next: number;
  status: SagaStatus;
  wakeAt: number | undefined;
  /** The generation in which this was found out. */
  readonly generation: number;
}

export interface SagaTrack<Lane> {
  readonly sagaId: string;
  /** Where the checksums of its records begin. */
  readonly seed: number;
  known: KnownSaga | undefined;
  /** Writes that wait for any lane. */
  waiting: number;
  /** Writes that are on `lane`, or wait for it. */
  onLane: number;
  lane: Lane | undefined;
}

export interface KnownSagas<Lane> {
  track(sagaId: string): SagaTrack<Lane>;
  /** Called when a write of it is over. */
  rest(track: SagaTrack<Lane>): void;
  /** What is known of it, if that is still to be relied on. */
  known(track: SagaTrack<Lane>): KnownSaga | undefined;
  forget(sagaId: string): void;
  /** Goes up each time sagas were taken from this worker, and when lanes are opened or lost. */
  readonly generation: () => number;
  doubtAll(): void;
}

/** Beyond it the ones that rested longest are forgotten: their next write looks at the saga's row. */
const KNOWN_MAX = 100_000;

export function createKnownSagas<Lane>(): KnownSagas<Lane> {
  const tracks = new Map<string, SagaTrack<Lane>>();
  let generation = 0;

  const isIdle = ({ waiting, onLane }: SagaTrack<Lane>): boolean => waiting === 0 && onLane === 0;

  function forgetOldest(): void {
    for (const [sagaId, track] of tracks) {
      if (tracks.size <= KNOWN_MAX) return;
      if (isIdle(track)) tracks.delete(sagaId);
    }
  }

  return {
    track(sagaId) {
      const found = tracks.get(sagaId);
      if (found !== undefined) return found;
      const track = { sagaId, seed: sagaSeed(sagaId), known: undefined, waiting: 0, onLane: 0, lane: undefined };
      tracks.set(sagaId, track);
      if (tracks.size > 2 * KNOWN_MAX) forgetOldest();
      return track;
    },
    rest(track) {
      if (!isIdle(track)) return;
      track.lane = undefined;
      if (track.known === undefined) tracks.delete(track.sagaId);
    },
    known({ known }) {
      return known?.generation === generation ? known : undefined;
    },
    forget(sagaId) {
      const track = tracks.get(sagaId);
      if (track === undefined) return;
      track.known = undefined;
      if (isIdle(track)) tracks.delete(sagaId);
    },
    generation: () => generation,
    doubtAll() {
      generation += 1;
    },
  };
}
