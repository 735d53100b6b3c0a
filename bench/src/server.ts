/** The one Postgres that everybody in a run shares: durable, on loopback, every other setting as Postgres has it. */
import { type PostgresServer, startPostgres } from "../../packages/postgres-server/src/index.ts";

export function openServer(): Promise<PostgresServer> {
  return startPostgres({ durable: true });
}

export async function closeServer(server: PostgresServer | undefined): Promise<void> {
  // The server is no reason for its starter to stay, so something else must be, until it is gone.
  const staying = setInterval(() => undefined, 1_000);
  await server?.close();
  clearInterval(staying);
}
