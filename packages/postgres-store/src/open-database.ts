/** Makes sure that the database is there and fit, and brings the schema up to date; and says in our words why that did not go. */
import type { Client } from "pg";
import { connect } from "./connection/connect.ts";
import { describeFailure, sqlState } from "./connection/postgres-failure.ts";
import type { StoreClock } from "./connection/store-clock.ts";
import type { CheckedOptions } from "./options.ts";
import { PostgresStoreNotOpened } from "./postgres-store-not-opened.ts";
import { migrate, quoted } from "./schema/migrate.ts";

/** The clock is as good as the best of these. */
const MEASUREMENTS = 5;
/** Rows of workers and lanes that nobody has touched for so long are left over from processes that died. */
const LEFT_OVER = "interval '30 days'";

/** @throws {PostgresStoreNotOpened} */
export async function openDatabase(options: CheckedOptions, clock: StoreClock): Promise<void> {
  let client: Client | undefined;
  try {
    client = await connect(options);
    await assertFit(client, options);
    await migrate(client, options.schema);
    await sweep(client, quoted(options.schema));
    for (let times = 0; times < MEASUREMENTS; times++) await measureClock(client, clock);
  } catch (error) {
    throw error instanceof PostgresStoreNotOpened ? error : notOpened(error, options);
  } finally {
    await client?.end().catch(() => undefined);
  }
}

async function measureClock(client: Client, clock: StoreClock): Promise<void> {
  const sentAt = performance.now();
  const { rows } = await client.query<{ clock: number }>(
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::double precision AS clock",
  );
  for (const { clock: serverMs } of rows) clock.measured(sentAt, serverMs);
}

async function assertFit(client: Client, { schema }: CheckedOptions): Promise<void> {
  const { rows } = await client.query<{ encoding: string; read_only: string }>(
    "SELECT current_setting('server_encoding') AS encoding, current_setting('transaction_read_only') AS read_only",
  );
  for (const { encoding, read_only } of rows) {
    if (encoding !== "UTF8")
      throw new PostgresStoreNotOpened("StoreDatabaseUnfit", schema, `the database's encoding is ${encoding}; a journal needs UTF8`);
    if (read_only !== "off")
      throw new PostgresStoreNotOpened("StoreDatabaseUnfit", schema, "the database is read-only, a standby perhaps; name the primary");
  }
}

async function sweep(client: Client, schema: string): Promise<void> {
  await client.query(
    `WITH swept AS (DELETE FROM ${schema}.lanes WHERE seen_at < now() - ${LEFT_OVER})
     DELETE FROM ${schema}.workers WHERE until < extract(epoch FROM now() - ${LEFT_OVER}) * 1000`,
  );
}

/** Class 28: authorisation; 3D000: no such database; 42501: no such right. Class 42 else: the tables are not those of the version that they claim. */
function notOpened(error: unknown, { schema, connectTimeoutMs }: CheckedOptions): PostgresStoreNotOpened {
  const failure = describeFailure(error);
  const state = sqlState(error) ?? "";
  const because = (tag: PostgresStoreNotOpened["_tag"], problem: string) =>
    new PostgresStoreNotOpened(tag, schema, problem, { cause: error });
  if (state.startsWith("28") || state === "3D000" || state === "42501")
    return because("StoreForbidden", `${failure}; check the connection string, and the user's rights to the database and the schema`);
  if (state.startsWith("42") || state.startsWith("23") || state === "3F000")
    return because("StoreSchemaForeign", `its tables are not those of the version it claims: ${failure}`);
  return because("StoreUnreachable", `${failure}; no server took a connection within ${connectTimeoutMs} ms, or it went away`);
}
