/** The sagas that cannot be driven here, as far as this engine has met them, and why. A worker's knowledge and no more: the journal says nothing of it (ADR 5). */
import type { Quarantine } from "../errors/parked.ts";
import type { StoredJournal } from "../journal/journal-store.ts";
import type { SagaNotice } from "./observer.ts";

/** Under which epoch it was found, if that could be told. */
export interface Noted {
  readonly quarantine: Quarantine;
  readonly epoch: number | undefined;
}

export class Quarantines {
  readonly #observe: ((notice: SagaNotice) => void) | undefined;
  readonly #noted = new Map<string, Noted>();

  constructor(observe: ((notice: SagaNotice) => void) | undefined) {
    this.#observe = observe;
  }

  get sagaIds(): Iterable<string> {
    return this.#noted.keys();
  }

  get(sagaId: string): Quarantine | undefined {
    return this.#noted.get(sagaId)?.quarantine;
  }

  note(sagaId: string, noted: Noted): void {
    this.#noted.set(sagaId, noted);
    this.#observe?.({ _tag: "SagaQuarantined", sagaId, quarantine: noted.quarantine });
  }

  forget(sagaId: string): void {
    this.#noted.delete(sagaId);
  }

  /** Another worker has taken the saga on since, if its journal has a later epoch, and drives it. */
  forgetOlderThan({ sagaId, epoch }: StoredJournal): void {
    const known = this.#noted.get(sagaId)?.epoch;
    if (known !== undefined && known < epoch) this.#noted.delete(sagaId);
  }

  /** Those that nobody here knows and nobody drives any more were taken up by somebody else. */
  forgetUnknownBut(orphans: ReadonlySet<string>): void {
    for (const [sagaId, { quarantine, epoch }] of this.#noted) {
      if (quarantine._tag === "UnknownSaga" && epoch === undefined && !orphans.has(sagaId)) this.#noted.delete(sagaId);
    }
  }
}
