/** The door for services that keep their state on disk with `node:sqlite`. */
export { createSqliteDatabase, type SqliteDatabaseOptions } from "./database/sqlite-database.ts";
