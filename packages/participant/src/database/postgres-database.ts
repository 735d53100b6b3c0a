/**
 * The port on Postgres. Owns which transactions run and how often: side by side, each `SERIALIZABLE`, and again when the server undid one for
 * the sake of another. What one transaction does is `postgres-transaction.ts`; where its tables lie, `postgres-tables.ts`.
 *
 * Every attempt goes through a gate. A first one goes in beside all others. One that is made again goes in one at a time, since those that met
 * once would meet again. One that was undone even so goes in alone: it waits until the others have ended, keeps new ones out, and cannot be
 * undone by anybody. So nobody is overtaken for ever, and nobody sleeps.
 */
import type { Database, Transaction } from "../database.ts";
import { assertCount, OptionInvalid, TIMER_MS_MAX } from "../option-invalid.ts";
import { DatabaseUnavailable } from "./database-errors.ts";
import { PostgresClock } from "./postgres-clock.ts";
import type { PostgresConnection } from "./postgres-connection.ts";
import { PostgresConnections, type PostgresServerAddress } from "./postgres-connections.ts";
import { isAbsent, isContended } from "./postgres-errors.ts";
import { PostgresTables, TableMissing } from "./postgres-tables.ts";
import { CommitFailed, PostgresTransaction } from "./postgres-transaction.ts";
import { createTurns } from "./turns.ts";

export interface PostgresDatabaseOptions {
  /** A URL, `postgres://user:password@host:port/database`, or its parts. The database's encoding is UTF-8. */
  readonly connection: string | PostgresServerAddress;
  /**
   * Where the tables lie; snake_case, at most 48 characters. One service, one schema: what shares a schema shares its fence. Made when it is missing, if the
   * user may.
   */
  readonly schema: string;
  /** How many transactions run side by side, 1 to 1,000; further ones wait. One connection more is made, for health checks. Default 10. */
  readonly connectionsMax?: number | undefined;
  /** How long a connection may take to be made, in milliseconds, 1 to 600,000. Default 5,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long a statement waits for a row that another transaction holds, in milliseconds, 1 to 600,000. Default 10,000. */
  readonly lockTimeoutMs?: number | undefined;
  /** How long the server may take over one statement, in milliseconds, 1 to 600,000; one that is silent a second longer than all that it was sent may take is given up. Default 30,000. */
  readonly answerTimeoutMs?: number | undefined;
  /**
   * How long a body may let its transaction rest between two operations, in milliseconds, 1 to 2,147,483,647, before the server undoes it: a
   * process that hangs must not hold rows for ever. Default 60,000.
   */
  readonly restTimeoutMs?: number | undefined;
  /** Epoch milliseconds. Default: the server's clock, as last measured. */
  readonly now?: (() => number) | undefined;
}

const TIMEOUT_MS_MAX = 600_000;
const SCHEMA_NAME = /^(?!pg_)[a-z][a-z0-9_]{0,47}$/;
/** An index over a large table takes its time. */
const CREATE_TIMEOUT_MS = 600_000;
/** Beside first attempts of others; the next one is alone. */
const ATTEMPTS_BESIDE_MAX = 4;
/** Alone, only a server that changes under it can undo it. */
const ATTEMPTS_MAX = ATTEMPTS_BESIDE_MAX + 3;
/** How many tables one transaction may meet that are not there yet, or not any more. */
const REPAIRS_MAX = 100;

/** Modes of a table lock, https://www.postgresql.org/docs/current/explicit-locking.html: the first shares with itself, the second does not, the third with nobody. */
const BESIDE = "ROW SHARE";
const IN_LINE = "SHARE UPDATE EXCLUSIVE";
const ALONE = "EXCLUSIVE";
type Entrance = typeof BESIDE | typeof IN_LINE | typeof ALONE;

/**
 * Makes the database; connects when it is first used, so a server that is not there yet is no error here.
 *
 * A transaction that rejects left nothing, with one exception: when the answer to its COMMIT is lost, it is found done, whole, or not at all; a server that still gets to
 * it may do it after the rejection.
 * A crash of the process or of the server leaves the transactions that had resolved, and perhaps such ones.
 *
 * @throws {OptionInvalid}
 */
export function createPostgresDatabase(options: PostgresDatabaseOptions): Database {
  const settings = checked(options);
  const connections = new PostgresConnections({ ...settings, connectionsMax: settings.connectionsMax + 1 });
  const turns = createTurns(settings.connectionsMax);
  const clock = new PostgresClock();
  const runner = new Runner(connections, new PostgresTables(settings.schema), clock, settings);
  return {
    now: options.now ?? (() => clock.now()),
    transaction: (body) => turns.take(() => runner.run(body)),
    async ping() {
      turns.assertOpen();
      const { connection, answer } = await connections.begin(
        (begun) => begun.ask<{ readonly standby: boolean }>("SELECT pg_is_in_recovery() AS standby", []),
        settings.connectTimeoutMs,
      );
      connection.release();
      if (answer.at(0)?.standby !== false) throw new DatabaseUnavailable("the server is a standby and takes no writes");
    },
    async close() {
      await turns.close();
      await connections.close();
    },
  };
}

type Settings = Required<Omit<PostgresDatabaseOptions, "now">> & {
  readonly [Name in "connectionsMax" | "connectTimeoutMs" | "lockTimeoutMs" | "answerTimeoutMs" | "restTimeoutMs"]: number;
};

/** What an attempt came to: a value, or a reason to run the body again. */
type Attempted<Value> =
  | { readonly _tag: "Done"; readonly value: Value }
  | { readonly _tag: "Contended"; readonly cause: unknown }
  | Missing;

interface Missing {
  readonly _tag: "Missing";
  readonly cause: unknown;
}

interface Begun {
  readonly _tag: "Begun";
  readonly connection: PostgresConnection;
}

class Runner {
  readonly #connections: PostgresConnections;
  readonly #tables: PostgresTables;
  readonly #clock: PostgresClock;
  readonly #settings: Settings;

  constructor(connections: PostgresConnections, tables: PostgresTables, clock: PostgresClock, settings: Settings) {
    this.#connections = connections;
    this.#tables = tables;
    this.#clock = clock;
    this.#settings = settings;
  }

  async run<Value>(body: (transaction: Transaction) => Promise<Value>): Promise<Value> {
    let attempts = 0;
    let repairs = 0;
    for (;;) {
      const attempted = await this.#attempt(body, entranceOf(attempts));
      if (attempted._tag === "Done") return attempted.value;
      if (attempted._tag === "Missing") {
        repairs += 1;
        if (repairs > REPAIRS_MAX) throw attempted.cause;
        await this.#repair(attempted.cause);
        continue;
      }
      attempts += 1;
      if (attempts >= ATTEMPTS_MAX) throw attempted.cause;
    }
  }

  async #attempt<Value>(body: (transaction: Transaction) => Promise<Value>, entrance: Entrance): Promise<Attempted<Value>> {
    const begun = await this.#begin(entrance);
    if (begun._tag === "Missing") return begun;
    const { connection } = begun;
    const transaction = new PostgresTransaction(connection, this.#tables);
    try {
      const value = await body(transaction);
      await transaction.commit();
      return { _tag: "Done", value };
    } catch (cause) {
      transaction.life.abandon();
      await transaction.settled();
      // What the store met, whatever the body made of it; a commit that failed is no operation of the body's.
      const met = transaction.life.failure?.cause ?? (cause instanceof CommitFailed ? cause.cause : undefined);
      await connection.rollBack();
      if (isContended(met)) return { _tag: "Contended", cause: met };
      if (met instanceof TableMissing || isAbsent(met)) return { _tag: "Missing", cause: met };
      throw cause instanceof CommitFailed ? cause.cause : cause;
    } finally {
      connection.release();
    }
  }

  async #begin(entrance: Entrance): Promise<Begun | Missing> {
    try {
      const { connection } = await this.#connections.begin(async (begun) => {
        const asked = this.#clock.hostNow();
        const { rows } = await begun.command(this.#beginning(entrance));
        const [{ now, waitedMs }] = rows as readonly [{ readonly now: number; readonly waitedMs: number }];
        this.#clock.learn(now, asked, this.#clock.hostNow(), waitedMs);
      });
      return { _tag: "Begun", connection };
    } catch (cause) {
      if (isAbsent(cause)) return { _tag: "Missing", cause };
      throw cause;
    }
  }

  /** On one way to the server. Locking the gate comes before the first look at any data, so that whoever has it alone sees all others' work. */
  #beginning(entrance: Entrance): string {
    const { lockTimeoutMs, answerTimeoutMs, restTimeoutMs } = this.#settings;
    return [
      "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE",
      `SET LOCAL lock_timeout = ${lockTimeoutMs}`,
      `SET LOCAL statement_timeout = ${answerTimeoutMs}`,
      `SET LOCAL idle_in_transaction_session_timeout = ${restTimeoutMs}`,
      // Some servers are set to acknowledge what they may still lose; a fence that forgets is none.
      "SET LOCAL synchronous_commit = on",
      // Who scans a small table has read all of it, and would be undone by any write to it.
      "SET LOCAL enable_seqscan = off",
      `LOCK TABLE ${this.#tables.gate} IN ${entrance} MODE`,
      // A wait at the gate is none on the way: `now()` is when this text arrived.
      `SELECT (${epochMs("clock_timestamp()")})::float8 AS now, (${epochMs("clock_timestamp() - now()")})::float8 AS "waitedMs"`,
    ].join("; ");
  }

  async #repair(missing: unknown): Promise<void> {
    if (!(missing instanceof TableMissing)) this.#tables.forget();
    const table = missing instanceof TableMissing ? missing.table : undefined;
    const { connection } = await this.#connections.begin(
      (begun) => this.#tables.create(begun, table, this.#settings.lockTimeoutMs),
      CREATE_TIMEOUT_MS,
    );
    connection.release();
  }
}

function epochMs(moment: string): string {
  return `extract(epoch FROM ${moment}) * 1000`;
}

function entranceOf(attempts: number): Entrance {
  if (attempts === 0) return BESIDE;
  return attempts < ATTEMPTS_BESIDE_MAX ? IN_LINE : ALONE;
}

function checked(options: PostgresDatabaseOptions): Settings {
  const { connection, schema, connectionsMax = 10, connectTimeoutMs = 5_000, lockTimeoutMs = 10_000 } = options;
  const { answerTimeoutMs = 30_000, restTimeoutMs = 60_000 } = options;
  assertConnection(connection);
  if (typeof schema !== "string" || !SCHEMA_NAME.test(schema)) {
    throw new OptionInvalid("`schema` is snake_case of at most 48 characters, and does not begin with pg_");
  }
  assertCount("connectionsMax", connectionsMax, "connections", 1, 1_000);
  assertCount("connectTimeoutMs", connectTimeoutMs, "milliseconds", 1, TIMEOUT_MS_MAX);
  assertCount("lockTimeoutMs", lockTimeoutMs, "milliseconds", 1, TIMEOUT_MS_MAX);
  assertCount("answerTimeoutMs", answerTimeoutMs, "milliseconds", 1, TIMEOUT_MS_MAX);
  assertCount("restTimeoutMs", restTimeoutMs, "milliseconds", 1, TIMER_MS_MAX);
  return { connection, schema, connectionsMax, connectTimeoutMs, lockTimeoutMs, answerTimeoutMs, restTimeoutMs };
}

/** Messages do not quote it, since it may hold a password. */
function assertConnection(connection: string | PostgresServerAddress): void {
  if (typeof connection === "string") {
    if (!/^postgres(ql)?:\/\//.test(connection) || !URL.canParse(connection)) {
      throw new OptionInvalid("`connection` is a URL that begins with postgres://");
    }
  } else if (
    typeof connection !== "object" ||
    connection === null ||
    [connection.host, connection.database, connection.user].includes("")
  ) {
    throw new OptionInvalid("`connection` is a URL, or has a host, a database and a user");
  }
}
