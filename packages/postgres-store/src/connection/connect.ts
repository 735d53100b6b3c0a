/** Opens connections: each with our settings, with handlers that keep a lost one from ending the process, and within bounded time. The only file that makes `pg`'s clients. */
import type { ConnectionOptions } from "node:tls";
import pg from "pg";

export interface ConnectOptions {
  readonly connectionString: string | undefined;
  readonly ssl: boolean | ConnectionOptions | undefined;
  readonly connectTimeoutMs: number;
  readonly answerTimeoutMs: number;
}

const KEEP_ALIVE_DELAY_MS = 10_000;

function configOf({ connectionString, ssl, connectTimeoutMs, answerTimeoutMs }: ConnectOptions): pg.ClientConfig {
  return {
    ...(connectionString === undefined ? {} : { connectionString }),
    ...(ssl === undefined ? {} : { ssl }),
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    application_name: "backstep",
  };
}

/**
 * Said once connected, for poolers refuse most of it as part of the greeting.
 *
 * The server gives up first, and says so: whoever waits for an answer then need not ask what became of it. A statement sees what was committed before it, whatever the database's default is: what the
 * functions check, they check after they have locked it. A commit is in the log on disk when it is answered, whatever this role is used to.
 *
 * Every statement has its index, and its plan is kept. Left to itself, Postgres would plan for the tables as they were when they were young, and go on to read them whole.
 */
function settingsOf({ answerTimeoutMs }: ConnectOptions): string {
  return `
SET statement_timeout = ${Math.ceil(answerTimeoutMs * 0.8)};
SET default_transaction_isolation = 'read committed';
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off;
SET plan_cache_mode = force_generic_plan; SET jit = off`;
}

/** @throws what `pg` throws when no connection comes about. */
export async function connect(options: ConnectOptions): Promise<pg.Client> {
  const client = new pg.Client(configOf(options));
  client.on("error", ignore);
  try {
    await client.connect();
    await client.query(settingsOf(options));
    return client;
  } catch (error) {
    void client.end().catch(ignore);
    throw error;
  }
}

export function createPool(options: ConnectOptions, max: number): pg.Pool {
  const settings = settingsOf(options);
  const verify = (client: pg.ClientBase, done: (error?: Error) => void): void => {
    client.query(settings, (error: Error | null) => done(error ?? undefined));
  };
  const pool = new pg.Pool({ ...configOf(options), max, verify });
  pool.on("error", ignore);
  pool.on("connect", (client) => client.on("error", ignore));
  return pool;
}

/** Whoever waits for an answer is told by its promise; there is nothing to do for the others. */
function ignore(): void {}
