/** How much a Postgres server has written to its log. What its checkpoints write to the tables later on is not in it. */
import { Client } from "pg";

export interface WalMeter {
  readonly bytesWritten: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

export async function walMeter(connectionString: string): Promise<WalMeter> {
  const client = new Client({ connectionString });
  await client.connect();
  return {
    async bytesWritten() {
      const { rows } = await client.query<{ readonly bytes: string }>(
        "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bytes",
      );
      return Number(rows[0]?.bytes);
    },
    stop: () => client.end(),
  };
}
