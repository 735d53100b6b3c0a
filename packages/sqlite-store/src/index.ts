/** The door of `@backstep/sqlite-store`. */
export { createSqliteStore, type SqliteStoreOptions } from "./sqlite-store.ts";
export { SqliteStoreNotOpened, type SqliteStoreNotOpenedTag } from "./sqlite-store-not-opened.ts";
export type { SqliteStore, SqliteStoreStatistics } from "./store-on.ts";
