/** A server per test file, a connection of the test's own to it, and schemas that nobody else uses. */
import { type PostgresServer, type PostgresServerOptions, startPostgres } from "@backstep/postgres-server";
import pg from "pg";

export interface Postgres {
  readonly server: PostgresServer;
  url(): string;
  newSchema(): string;
  /** As the superuser, on a connection of its own; rows of the last statement. */
  query(sql: string, values?: readonly unknown[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
  close(): Promise<void>;
}

export async function startServer(options: PostgresServerOptions = {}): Promise<Postgres> {
  const server = await startPostgres(options);
  let schemas = 0;
  const url = (): string => server.url();

  return {
    server,
    url,
    newSchema: () => `journal_${(schemas += 1)}`,
    async query(sql, values) {
      const client = new pg.Client({ connectionString: url() });
      client.on("error", () => undefined);
      await client.connect();
      try {
        const answer: unknown = await client.query(sql, values === undefined ? undefined : [...values]);
        const last = (Array.isArray(answer) ? answer.findLast(({ rows }: pg.QueryResult) => rows.length > 0) : answer) as
          | pg.QueryResult
          | undefined;
        return (last?.rows ?? []) as readonly Readonly<Record<string, unknown>>[];
      } finally {
        await client.end();
      }
    },
    close: () => server.close(),
  };
}
