/**
 * Admission: how many sagas are in memory at most. Whoever comes when it is full waits for its turn; sagas that start and sagas that are taken up come in by turns, so that a recovery starves no
 * traffic and no traffic starves a recovery (FS-62). Callers that would have to wait behind too many others are turned away.
 */
export interface RoomOptions {
  readonly sagasMax: number;
  /** Asks one that is at rest to leave; whether one did. */
  readonly makeRoom: () => boolean;
}

type Kind = "start" | "adoption";

export class Room {
  readonly #options: RoomOptions;
  readonly #waiting: Readonly<Record<Kind, (() => void)[]>> = { start: [], adoption: [] };
  #inside = 0;
  #turn: Kind = "adoption";
  #closed = false;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /** Whether as many callers wait to start a saga as there are sagas. */
  get crowded(): boolean {
    return this.#waiting.start.length >= this.#options.sagasMax;
  }

  /** Whether who comes now would have to wait. */
  get full(): boolean {
    return this.#inside >= this.#options.sagasMax;
  }

  /** Whether somebody waits. */
  get wanted(): boolean {
    return this.#waiting.start.length + this.#waiting.adoption.length > 0;
  }

  /** Takes a place: at once, and then it answers `undefined`, or when the promise resolves. After `close` it resolves for all. */
  enter(kind: Kind): Promise<void> | undefined {
    const { sagasMax, makeRoom } = this.#options;
    if (this.#closed || this.#inside < sagasMax || (!this.wanted && makeRoom())) {
      this.#inside += 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting[kind].push(resolve));
  }

  leave(): void {
    this.#inside -= 1;
    if (this.#inside < this.#options.sagasMax) this.#admitNext();
  }

  close(): void {
    this.#closed = true;
    while (this.#admitNext());
  }

  #admitNext(): boolean {
    const other: Kind = this.#turn === "start" ? "adoption" : "start";
    const admit = this.#waiting[this.#turn].shift() ?? this.#waiting[other].shift();
    if (admit === undefined) return false;
    this.#turn = other;
    this.#inside += 1;
    admit();
    return true;
  }
}
