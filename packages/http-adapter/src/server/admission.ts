/**
 * Admission: how many calls a service works on at a time. Others wait for their turn, for as long as their callers may still be there: calls of sagas first, since those hold what others want until they have ended; of a kind, in
 * the order in which they came. A service that worked off whatever ever came would, once it is behind, answer only those who have given it up and ask again; so who would wait too long is turned away before
 * anything was done for it, and is told so.
 */
import { problemResponse, retryAfter } from "./problem-response.ts";

export interface AdmissionOptions {
  readonly callsMax: number;
  readonly waitMsMax: number;
}

export interface Caller {
  /** How long it waits for the answer; `undefined` for one that does not say. */
  readonly timeoutMs?: number | undefined;
  /** Whether it calls for a saga. */
  readonly inSaga: boolean;
}

/** What a caller who waited for so much of its own time is still given: the other half. */
const WAITED_SHARE = 0.5;
const RETRY_MS = 1_000;

export class Admission {
  readonly #options: AdmissionOptions;
  /** Told whether its turn has come. */
  readonly #waiting: Readonly<Record<"sagas" | "others", Set<(admitted: boolean) => void>>> = { sagas: new Set(), others: new Set() };
  #inside = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Runs the call when there is a place for it, or answers that nothing was begun. */
  async admit(caller: Caller, call: () => Promise<Response>): Promise<Response> {
    if (!(await this.#enter(caller))) {
      return problemResponse("unavailable", { detail: "too many calls at a time; nothing was begun", headers: retryAfter(RETRY_MS) });
    }
    try {
      return await call();
    } finally {
      this.#leave();
    }
  }

  #enter({ timeoutMs = Number.POSITIVE_INFINITY, inSaga }: Caller): boolean | Promise<boolean> {
    if (this.#inside < this.#options.callsMax) {
      this.#inside += 1;
      return true;
    }
    const line = inSaga ? this.#waiting.sagas : this.#waiting.others;
    const waitMs = Math.min(this.#options.waitMsMax, timeoutMs * WAITED_SHARE);
    return new Promise((resolve) => {
      const tell = (admitted: boolean): void => {
        clearTimeout(late);
        line.delete(tell);
        resolve(admitted);
      };
      const late = setTimeout(tell, waitMs, false);
      line.add(tell);
    });
  }

  /** Its place is the next one's, so that nobody who comes in between gets ahead. */
  #leave(): void {
    const [next] = this.#waiting.sagas.size > 0 ? this.#waiting.sagas : this.#waiting.others;
    if (next === undefined) this.#inside -= 1;
    else next(true);
  }
}
