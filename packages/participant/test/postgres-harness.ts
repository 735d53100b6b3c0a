/** Storages on a real Postgres server: a schema each. The server is started with the first one, and closed behind the tests of the file. */
import type { DatabaseHarness } from "@backstep/participant/conformance";
import { createPostgresDatabase } from "@backstep/participant/postgres";
import { type PostgresServer, startPostgres } from "@backstep/postgres-server";
import { afterAll } from "vitest";

let server: Promise<PostgresServer> | undefined;
let schemas = 0;

afterAll(async () => (await server)?.close());

/** A name that no other test of this process has. */
export function freshSchema(): string {
  schemas += 1;
  return `test_${schemas}`;
}

/** The server of this test file. */
export function sharedServer(): Promise<PostgresServer> {
  server ??= startPostgres();
  return server;
}

export const postgresHarness: DatabaseHarness = {
  survivesClose: true,
  async createStorage(now) {
    const connection = (await sharedServer()).url();
    const schema = freshSchema();
    return { open: async () => createPostgresDatabase({ connection, schema, now }) };
  },
};
