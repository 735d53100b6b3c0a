/** A real Postgres server for the tests of one file, started when the first of them wants it, with a schema for each rig. */
import { createPostgresDatabase } from "@backstep/participant/postgres";
import { type PostgresServer, startPostgres } from "@backstep/postgres-server";
import { afterAll } from "vitest";

let server: Promise<PostgresServer> | undefined;
let schemas = 0;

afterAll(async () => (await server)?.close());

export async function openOnPostgres(now: () => number) {
  server ??= startPostgres();
  schemas += 1;
  return createPostgresDatabase({ connection: (await server).url(), schema: `rig_${schemas}`, now });
}
