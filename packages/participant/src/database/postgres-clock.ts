/**
 * The server's clock, told without asking it: how far it is from the host's is measured with each transaction's beginning. Processes on one
 * database agree by it, to within the time that an answer takes. Owns no connection.
 */

interface Measured {
  /** The server's clock less the host's, in milliseconds. The truth is no farther away than half the time that the answer took. */
  readonly offsetMs: number;
  readonly tookMs: number;
  readonly at: number;
}

/** After this long a good measurement gives way to a worse one, since the two clocks may run apart. */
const TRUSTED_MS = 60_000;

export class PostgresClock {
  readonly #host: () => number;
  #measured: Measured | undefined;
  #latest = 0;

  /** @param host - Milliseconds of the host, of any origin; the steadier, the better. */
  constructor(host: () => number = () => performance.timeOrigin + performance.now()) {
    this.#host = host;
  }

  hostNow(): number {
    return this.#host();
  }

  /** Whole milliseconds; never less than it told before. Until the server has answered once it is the host's clock. */
  now(): number {
    this.#latest = Math.max(this.#latest, Math.floor(this.#host() + (this.#measured?.offsetMs ?? 0)));
    return this.#latest;
  }

  /**
   * @param server - What the server's clock said at some moment between the two moments of the host.
   * @param waitedMs - How long the server, by its clock, had had the question by then.
   */
  learn(server: number, asked: number, answered: number, waitedMs = 0): void {
    const tookMs = answered - asked - waitedMs;
    // A clock that was set meanwhile tells a wait that cannot have been.
    if (waitedMs !== 0 && (waitedMs < 0 || tookMs < 0)) return this.learn(server, asked, answered);
    const fresh: Measured = { offsetMs: server - (answered - tookMs / 2), tookMs, at: answered };
    const known = this.#measured;
    if (known === undefined || fresh.tookMs <= known.tookMs || answered - known.at > TRUSTED_MS || disagree(known, fresh)) {
      this.#measured = fresh;
    }
  }
}

/** Both cannot be true of clocks that run alike: one of the clocks was set, or the host slept. */
function disagree(known: Measured, fresh: Measured): boolean {
  return Math.abs(known.offsetMs - fresh.offsetMs) > (known.tookMs + fresh.tookMs) / 2 + 1;
}
