/** What a store is opened with, and what is wrong with it. */
import type { ConnectionOptions } from "node:tls";
import { PostgresStoreNotOpened } from "./postgres-store-not-opened.ts";

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`. Default: what the environment says, `PGHOST` and so on. */
  readonly connectionString?: string | undefined;
  /** As `pg` takes it. Default: what the connection string says. */
  readonly ssl?: boolean | ConnectionOptions | undefined;
  /** The schema that holds the journal; it is made when it is missing. A letter, then up to 39 letters, digits and underscores, all lower case. Default `"backstep"`. */
  readonly schema?: string | undefined;
  /** How many connections write, 1 to 8. Each writes one batch at a time. Default 2: one gathers while the other one's batch is on its way to the disk. */
  readonly writersMax?: number | undefined;
  /** How many connections read, at most, 1 to 64. They are opened when they are needed. Default 4. */
  readonly readersMax?: number | undefined;
  /** How long a connection may take to come about, in milliseconds, 1 to 600,000. Default 5,000. */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * How long the answer to a statement is awaited, in milliseconds, 100 to 600,000. After four fifths of it the server gives the statement up; after all of it the connection counts as lost. So long does
   * `close` wait for a batch in doubt, too. Default 20,000.
   */
  readonly answerTimeoutMs?: number | undefined;
}

export interface CheckedOptions {
  readonly connectionString: string | undefined;
  readonly ssl: boolean | ConnectionOptions | undefined;
  readonly schema: string;
  readonly writersMax: number;
  readonly readersMax: number;
  readonly connectTimeoutMs: number;
  readonly answerTimeoutMs: number;
}

const SCHEMA_DEFAULT = "backstep";
/** Short enough for the name of a channel with a prefix, and nothing that Postgres keeps for itself. */
const SCHEMA = /^(?!pg_)[a-z][a-z0-9_]{0,39}$/;
const TIME_MS_MAX = 600_000;

/** @throws {PostgresStoreNotOpened} */
export function checkedOptions(options: PostgresStoreOptions): CheckedOptions {
  const { connectionString, ssl, schema = SCHEMA_DEFAULT, writersMax = 2, readersMax = 4 } = options;
  const { connectTimeoutMs = 5_000, answerTimeoutMs = 20_000 } = options;
  const refuse = (problem: string): never => {
    throw new PostgresStoreNotOpened("StoreOptionInvalid", String(schema), problem);
  };
  if (typeof schema !== "string" || !SCHEMA.test(schema))
    refuse("`schema` is a lower-case letter, then up to 39 letters, digits and underscores");
  if (connectionString !== undefined && (typeof connectionString !== "string" || connectionString.length === 0))
    refuse("`connectionString` is empty or no text");
  const bounds = {
    writersMax: [writersMax, 1, 8],
    readersMax: [readersMax, 1, 64],
    connectTimeoutMs: [connectTimeoutMs, 1, TIME_MS_MAX],
    answerTimeoutMs: [answerTimeoutMs, 100, TIME_MS_MAX],
  } as const;
  for (const [name, [value, least, most]] of Object.entries(bounds)) {
    if (!Number.isInteger(value) || value < least || value > most)
      refuse(`\`${name}\` is an integer from ${least} to ${most}, not ${String(value)}`);
  }
  return { connectionString, ssl, schema, writersMax, readersMax, connectTimeoutMs, answerTimeoutMs };
}
