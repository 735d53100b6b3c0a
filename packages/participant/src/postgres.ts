/** The door for services that keep their state on a Postgres server, with `pg`. */
export type { PostgresServerAddress } from "./database/postgres-connections.ts";
export { createPostgresDatabase, type PostgresDatabaseOptions } from "./database/postgres-database.ts";
