/**
 * What this connection last knew of the sagas it writes to, so that an append need not look first. A hint and no more: a row is changed only where it still is what is remembered here, and another
 * process may have changed it meanwhile. Bounded: two generations, of which the older one is dropped when the younger one is full.
 */
import type { SagaStatus } from "@backstep/saga-core/journal";
import type { SagaRow } from "./row-codec.ts";

/** A saga's row. Its members change with it. */
export type KnownSaga = Mutable<
  Pick<SagaRow, "position" | "wakeAt" | "epoch" | "nextSequence" | "driver" | "lastRecord"> & {
    readonly status: SagaStatus;
    readonly idChecksum: number;
    /** Whether it may stand in line for a lock; `false` is sure, as far as the rest is. */
    readonly mayHavePlaces: boolean;
  }
>;

type Mutable<Shape> = { -readonly [Member in keyof Shape]: Shape[Member] };

export interface KnownSagas {
  find(sagaId: string): KnownSaga | undefined;
  keep(sagaId: string, saga: KnownSaga): void;
  drop(sagaId: string): void;
  clear(): void;
}

/** Some 200 bytes each, and twice as many at most. */
const SAGAS_PER_GENERATION_MAX = 16_384;

export function createKnownSagas(generationMax = SAGAS_PER_GENERATION_MAX): KnownSagas {
  let young = new Map<string, KnownSaga>();
  let old = new Map<string, KnownSaga>();

  function keep(sagaId: string, saga: KnownSaga): void {
    if (young.size >= generationMax) {
      old = young;
      young = new Map();
    }
    young.set(sagaId, saga);
  }

  return {
    find(sagaId) {
      const saga = young.get(sagaId);
      if (saga !== undefined) return saga;
      const older = old.get(sagaId);
      if (older !== undefined) keep(sagaId, older);
      return older;
    },
    keep,
    drop(sagaId) {
      young.delete(sagaId);
      old.delete(sagaId);
    },
    clear() {
      young.clear();
      old.clear();
    },
  };
}
