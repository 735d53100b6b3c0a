/**
 * A lane: one connection that writes, one batch after the other, each in one round trip that is one transaction. Owns what becomes of a batch: answered, refused by the server, not sent, or in doubt, because
 * the connection was lost while the answer was awaited.
 *
 * Doubt is settled by the lane's row. It holds the number of the last batch that was committed, written by that batch's own transaction, which holds the row until its end. Settling locks the row, so
 * whatever the lost connection had begun has ended, and closes it, so whatever it had not begun yet is refused. Then the number tells, for good. Settling may be repeated; what it finds stays.
 */
import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { describeFailure, isRefusal } from "../connection/postgres-failure.ts";
import type { StoreClock } from "../connection/store-clock.ts";
import type { ItemResult } from "./item.ts";

export type LaneAnswer =
  /** It is committed. `positions` are absent when the answer was lost. */
  | { readonly _tag: "Written"; readonly positions: readonly number[] | undefined; readonly results: readonly ItemResult[] }
  /** Sagas were taken from this worker since; nothing was written. */
  | { readonly _tag: "Taken" }
  /** The server rolled it back; nothing was written. */
  | { readonly _tag: "Refused"; readonly error: unknown }
  /** It was not sent, or is known not to have counted. */
  | { readonly _tag: "NotWritten"; readonly message: string }
  /** Nobody knows, and nobody asks any more. */
  | { readonly _tag: "GivenUp" };

export interface Lane {
  /**
   * Makes it ready for a batch, which may only then be prepared: what a worker knows of its sagas from before it opened a lane is not to be relied on, on that lane.
   *
   * @returns Why it is not ready.
   */
  open(): Promise<string | undefined>;
  /** One at a time, when it is ready. */
  send(values: readonly unknown[]): Promise<LaneAnswer>;
  /** A batch is in doubt: nothing can be sent before the database is back. */
  readonly inDoubt: () => boolean;
  /** Stops settling at the latest by then, `performance.now()`. */
  giveUpAt(deadline: number): void;
  close(): Promise<void>;
}

export interface LanePorts {
  /** The quoted name of the schema. */
  readonly schema: string;
  readonly worker: number;
  readonly clock: StoreClock;
  /** Its clients give up a statement that is not answered in bounded time. */
  connect(): Promise<Client>;
  /** The lane has a row of its own from now on, which those who take sagas may not have seen before. */
  opened(): void;
  /** The connection went while nothing was under way. What was written on it, and what others wrote, may be there no more. */
  lost(): void;
  /** A batch is in doubt. */
  doubted(): void;
  settled(): void;
}

interface AnswerRow {
  readonly outcome: "written" | "taken" | "fenced";
  readonly clock: number;
  /** Milliseconds that the server had it before it looked at its clock. */
  readonly took: number;
  readonly positions: string | null;
  readonly results: readonly ItemResult[] | null;
}

interface Open {
  readonly lane: number;
  batch: number;
  taken: number;
}

const PAUSES_MS = [10, 20, 50, 100, 200] as const;
const PAUSE_MS_MAX = 500;
const PARAMETERS = 26;
/** 48 bits: two lanes do not share a number, and Postgres and JavaScript both hold it exactly. */
const LANES_MAX = 2 ** 48 - 1;

export function createLane({ schema, worker, clock, connect, opened, lost, doubted, settled }: LanePorts): Lane {
  const parameters = Array.from({ length: PARAMETERS }, (_, index) => `$${index + 1}`).join(", ");
  const write = { name: "write_batch", text: `SELECT * FROM ${schema}.write_batch(${parameters})` };
  let client: Client | undefined;
  let row: Open | undefined;
  let doubtful = false;
  let deadline = Number.POSITIVE_INFINITY;

  async function open(): Promise<string | undefined> {
    try {
      client ??= await connectHere();
      row ??= await insertRow(client);
      return undefined;
    } catch (error) {
      drop();
      return `nothing was sent: ${describeFailure(error)}`;
    }
  }

  async function connectHere(): Promise<Client> {
    const made = await connect();
    made.once("end", () => {
      if (client !== made) return;
      // The database that answers next may be another one, which does not have all that this one had: a standby, or what a backup held.
      [client, row] = [undefined, undefined];
      lost();
    });
    return made;
  }

  async function insertRow(on: Client): Promise<Open> {
    const lane = randomInt(LANES_MAX);
    await on.query(`INSERT INTO ${schema}.lanes (lane, worker) VALUES ($1, $2)`, [lane, worker]);
    opened();
    return { lane, batch: 0, taken: 0 };
  }

  function drop(): void {
    const dropped = client;
    client = undefined;
    // With a statement under way this cuts the connection.
    void dropped?.end().catch(() => undefined);
  }

  async function ask(on: Client, values: readonly unknown[]): Promise<AnswerRow> {
    const sentAt = performance.now();
    const { rows } = await on.query<AnswerRow>({ ...write, values: [...values] });
    const [answer] = rows;
    if (answer === undefined) throw new TypeError("write_batch answered no row");
    clock.measured(sentAt + answer.took, answer.clock);
    return answer;
  }

  async function send(values: readonly unknown[]): Promise<LaneAnswer> {
    if (client === undefined || row === undefined) return { _tag: "NotWritten", message: "nothing was sent: the connection was lost" };
    const [on, open] = [client, row];
    const batch = open.batch + 1;
    try {
      const answer = await ask(on, [worker, open.lane, batch, open.taken, clock.now(), ...values]);
      if (answer.outcome === "written") {
        open.batch = batch;
        return { _tag: "Written", positions: numbersIn(answer.positions), results: answer.results ?? [] };
      }
      if (answer.outcome === "taken") {
        open.taken = Number(answer.positions);
        return { _tag: "Taken" };
      }
      row = undefined;
      return { _tag: "Taken" };
    } catch (error) {
      if (isRefusal(error)) return { _tag: "Refused", error };
      drop();
      return settle(open, batch, error);
    }
  }

  async function settle({ lane }: Open, batch: number, failure: unknown): Promise<LaneAnswer> {
    doubtful = true;
    row = undefined;
    doubted();
    for (let tries = 0; ; tries++) {
      try {
        const made = await connect();
        try {
          const { rows } = await made.query<{ batch: string; answer: readonly ItemResult[] | null }>(
            `UPDATE ${schema}.lanes SET fenced = true WHERE lane = $1 RETURNING batch, answer`,
            [lane],
          );
          doubtful = false;
          settled();
          const [found] = rows;
          if (found !== undefined && Number(found.batch) === batch)
            return { _tag: "Written", positions: undefined, results: found.answer ?? [] };
          // Without its row, the server has lost what it had committed, the batch with it.
          return { _tag: "NotWritten", message: `nothing was written: ${describeFailure(failure)}` };
        } finally {
          void made.end().catch(() => undefined);
        }
      } catch {
        if (performance.now() >= deadline) return { _tag: "GivenUp" };
      }
      await sleep(Math.min(PAUSES_MS[tries] ?? PAUSE_MS_MAX, Math.max(0, deadline - performance.now())));
    }
  }

  return {
    open,
    send,
    inDoubt: () => doubtful,
    giveUpAt(at) {
      deadline = at;
    },
    async close() {
      const closed = client;
      client = undefined;
      await closed?.end().catch(() => undefined);
    },
  };
}

function numbersIn(list: string | null): readonly number[] {
  return list === null || list === "" ? [] : list.split(",").map(Number);
}
