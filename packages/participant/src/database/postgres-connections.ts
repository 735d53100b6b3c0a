/** The pool: connections that are made when they are needed, shared in turn, and given up when they break. Nothing that happens to one ends the process. */
import type { ConnectionOptions } from "node:tls";
import { hostTimer } from "@backstep/saga-core/adapter";
import pg from "pg";
import { PostgresConnection } from "./postgres-connection.ts";
import { databaseError } from "./postgres-errors.ts";

/** Where the server is, and who asks. */
export interface PostgresServerAddress {
  readonly host: string;
  /** Default 5432. */
  readonly port?: number | undefined;
  readonly database: string;
  readonly user: string;
  /** A function is asked for each new connection, for passwords that do not last. */
  readonly password?: string | (() => string | Promise<string>) | undefined;
  /** `true`: encrypted, and the server's certificate is checked. Default `false`. */
  readonly ssl?: boolean | ConnectionOptions | undefined;
}

export interface PoolOptions {
  readonly connection: string | PostgresServerAddress;
  readonly connectionsMax: number;
  readonly connectTimeoutMs: number;
  readonly answerTimeoutMs: number;
}

export class PostgresConnections {
  readonly #pool: pg.Pool;
  readonly #options: PoolOptions;
  readonly #used = new WeakSet<pg.PoolClient>();
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#pool = new pg.Pool({
      ...addressOf(options.connection),
      max: options.connectionsMax,
      connectionTimeoutMillis: options.connectTimeoutMs,
      application_name: "backstep",
      keepAlive: true,
      // Statements are sent without waiting for the answer to the one before.
      pipeline: true,
    });
    // A connection that dies says so twice: here while nobody has it, and itself at all times. Unheard, either would end the process.
    this.#pool.on("error", () => undefined);
    this.#pool.on("connect", (client) => {
      client.on("error", () => undefined);
    });
  }

  /**
   * Takes a connection and asks something on it that may be asked twice. One that had died in the pool is replaced: nothing else was begun on
   * it, so nothing is lost.
   */
  async begin<Answer>(
    ask: (connection: PostgresConnection) => Promise<Answer>,
    answerTimeoutMs: number = this.#options.answerTimeoutMs,
  ): Promise<{ readonly connection: PostgresConnection; readonly answer: Answer }> {
    for (;;) {
      const connection = await this.#take(answerTimeoutMs);
      try {
        return { connection, answer: await ask(connection) };
      } catch (cause) {
        await connection.rollBack();
        connection.release();
        if (!(connection.broken && connection.reused)) throw cause;
      }
    }
  }

  async #take(answerTimeoutMs: number): Promise<PostgresConnection> {
    let client: pg.PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (cause) {
      throw databaseError(cause);
    }
    const reused = this.#used.has(client);
    this.#used.add(client);
    return new PostgresConnection(client, { reused, answerTimeoutMs });
  }

  /** A server that does not answer any more does not hold up the end. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const ended = new AbortController();
    await Promise.race([this.#pool.end(), hostTimer.sleep(this.#options.connectTimeoutMs, ended.signal)]);
    ended.abort();
  }
}

function addressOf(connection: string | PostgresServerAddress): pg.PoolConfig {
  if (typeof connection === "string") return { connectionString: connection };
  const { host, database, user, port = 5_432, password, ssl = false } = connection;
  return { host, database, user, port, ssl, ...(password === undefined ? {} : { password }) };
}
