/**
 * Admission: how many sagas are in memory at most. Whoever comes when it is full waits for its turn: of four that come in three are taken up and one starts, while there are both, so that a recovery starves no traffic and no
 * traffic starves a recovery (FS-62). What is under way comes first, because its time runs and it holds what others want. Callers that would have to wait behind too many others are turned away.
 */
export interface RoomOptions {
  readonly sagasMax: number;
  /** Asks one that is at rest to leave; whether one did. */
  readonly makeRoom: () => boolean;
}

type Kind = "start" | "adoption";

const ADOPTIONS_IN_A_ROW_MAX = 3;

export class Room {
  readonly #options: RoomOptions;
  readonly #waiting: Readonly<Record<Kind, (() => void)[]>> = { start: [], adoption: [] };
  #inside = 0;
  /** Since the last start, while one was waiting. */
  #adoptionsInARow = 0;
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
    const { start, adoption } = this.#waiting;
    const starts = start.length > 0 && (adoption.length === 0 || this.#adoptionsInARow >= ADOPTIONS_IN_A_ROW_MAX);
    const admit = (starts ? start : adoption).shift();
    if (admit === undefined) return false;
    this.#adoptionsInARow = starts || start.length === 0 ? 0 : this.#adoptionsInARow + 1;
    this.#inside += 1;
    admit();
    return true;
  }
}
