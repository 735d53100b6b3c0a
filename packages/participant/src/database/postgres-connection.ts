/**
 * One connection while somebody has it. Every failure comes out as an error of the port, and one after which the server's state is not known
 * makes the connection unfit for anybody else.
 */
import type { PoolClient } from "pg";
import { TIMER_MS_MAX } from "../option-invalid.ts";
import { breaksConnection, databaseError } from "./postgres-errors.ts";

/** How much later than the server the driver gives up. */
const SILENCE_MS = 1_000;

type Value = string | number | readonly string[];

export class PostgresConnection {
  /** It was in use before, and may have died since without anybody having noticed. */
  readonly reused: boolean;
  readonly #client: PoolClient;
  readonly #answerTimeoutMs: number;
  #broken = false;
  #unanswered = 0;

  constructor(client: PoolClient, { reused, answerTimeoutMs }: { readonly reused: boolean; readonly answerTimeoutMs: number }) {
    this.#client = client;
    this.reused = reused;
    this.#answerTimeoutMs = answerTimeoutMs;
  }

  get broken(): boolean {
    return this.#broken;
  }

  /** One statement with values; gives its rows. */
  async ask<Row extends object>(text: string, values: readonly Value[]): Promise<readonly Row[]> {
    const { rows } = await this.#driving(() => this.#client.query<Row>(this.#bounded(text, values)));
    return rows;
  }

  /** One statement with values; gives how many rows it touched. */
  async change(text: string, values: readonly Value[]): Promise<number> {
    const { rowCount } = await this.#driving(() => this.#client.query(this.#bounded(text, values)));
    return rowCount ?? 0;
  }

  /** Statements without values, on one way to the server; gives the last one's tag and rows. */
  async command(text: string): Promise<{ readonly tag: string; readonly rows: readonly unknown[] }> {
    const results: unknown = await this.#driving(() => this.#client.query(this.#bounded(text)));
    // The driver hands out one result for one statement, and a list for several.
    const last = (Array.isArray(results) ? results.at(-1) : results) as { readonly command: string; readonly rows: readonly unknown[] };
    return { tag: last.command, rows: last.rows };
  }

  /** Never throws: why the transaction failed is the news. A connection that cannot roll back is given up, at which the server does it. */
  async rollBack(): Promise<void> {
    if (this.#broken) return;
    await this.command("ROLLBACK").catch(() => {
      this.#broken = true;
    });
  }

  release(): void {
    this.#client.release(this.#broken);
  }

  #bounded(text: string, values: readonly Value[] = []) {
    // The server has its own limit and says so; the driver's is for one that is silent because it is gone. It counts from the sending, so it allows for what is to be answered before.
    const config = { text, query_timeout: Math.min(this.#answerTimeoutMs * this.#unanswered + SILENCE_MS, TIMER_MS_MAX) };
    return values.length === 0 ? config : { ...config, values: [...values] };
  }

  async #driving<Outcome>(work: () => Promise<Outcome>): Promise<Outcome> {
    this.#unanswered += 1;
    try {
      return await work();
    } catch (cause) {
      if (breaksConnection(cause)) this.#broken = true;
      throw databaseError(cause);
    } finally {
      this.#unanswered -= 1;
    }
  }
}
